/* A filter in whole numbers in front of the scores: which centroids can be the nearest at all.
 *
 * A sample and the centroids are rounded to 8 bits, or to 16 where products of bytes are slow (AVX2), their dot products are
 * taken in integers, four times or twice as many an instruction as in float, and by Cauchy and Schwarz the score is wrong
 * by no more than |x'||c - c'| + |x - x'||c|, where ' marks the rounded. A centroid whose least possible score lies over
 * the greatest possible one of another is left out; for samples with more than one left, those are scored as `assign`
 * would and compared in its order. So labels are those of `assign`, bit for bit: the bound also carries what rounding may do
 * to its scores.
 *
 * Right where the dot products cost more than the preparation of a panel (_algorithm.py, `filters`). In 128-d, 1000
 * clusters, half of the samples keep one centroid in 8 bits, the others three. Memory: a quarter or half of the centroids
 * in float.
 *
 * A word holds 4 features, or 2. Tiles of TILE centroids: [half norms][starts][scale, error, reach][words of each feature's
 * centroids], all words of 32 bits; a start makes up for the offset of unsigned samples. Units: bytes reach as far as the
 * greatest feature; in 16 bits the unit is the norm / 32767, so that no sum of products leaves 32 bits.
 */

#define FILTER_PAIRS ((size_t)(128 * FILTER_PANEL)) /* survivors that there is room for */
/* With more survivors the panel is scored densely: by rows a score takes some times as long. */
#define FILTER_MOST(k) ((k) / 8 < 32 ? 32 * FILTER_PANEL : (k) / 8 < 128 ? (k) / 8 * FILTER_PANEL : FILTER_PAIRS)
#define FILTER_HEAD (2 * TILE + 4)
#define FILTER_TILE(d) (kmf_filter_tile_bytes(TILE, KMF_FILTER_BYTES, d) / 4) /* words */
#define FILTER_PER ((size_t)(4 / KMF_FILTER_BYTES))                           /* features of a word */
#define FILTER_WORDS(d) (((d) + FILTER_PER - 1) / FILTER_PER)
#define FILTER_ROW(d) (((d) + 15) / 16 * 16) /* features of a sample, padded to whole vectors and fours of words */
#define FILTER_SPACE(d)                                                                                                \
    (FILTER_ROW(d) + 2 * FILTER_PANEL * (FILTER_ROW(d) / FILTER_PER)) /* words that rounding takes */

#define KMF_INT(operation) KMF_JOIN_ISA(operation, KMF_ISA)

#ifdef KMF_FILTER_BYTES

#if KMF_FILTER_BYTES == 1
#define FILTER_CODE int8_t
#define FILTER_LEVELS 127
#define FILTER_DOT KMF_INT(dot8)
#else
#define FILTER_CODE int16_t
#define FILTER_LEVELS 32767
#define FILTER_DOT KMF_INT(dot16)
#endif

KMF_STATIC void KMF_FN(filter_pack)(const double *centroids, size_t k, size_t d, const KMF_T *shift, void *filter)
{
    const size_t n_tiles = (k + TILE - 1) / TILE;
    int32_t *tile = (int32_t *)filter;
    for (size_t t = 0; t < n_tiles; ++t, tile += FILTER_TILE(d)) {
        float *half = (float *)(void *)tile, *scale = half + 2 * TILE;
        FILTER_CODE *codes = (FILTER_CODE *)(void *)(tile + FILTER_HEAD);
        double largest = 0.0, error = 0.0, reach = 0.0;
        memset(tile, 0, FILTER_TILE(d) * sizeof *tile);
        for (size_t j = t * TILE; j < (t + 1) * TILE && j < k; ++j) {
            double square = 0.0; /* of the greatest feature, or of the norm */
            for (size_t f = 0; f < d; ++f) {
                const double c = (double)(KMF_T)(centroids[j * d + f] - (double)shift[f]);
                square = KMF_FILTER_BYTES == 1 ? (c * c > square ? c * c : square) : square + c * c;
            }
            largest = square > largest ? square : largest;
        }
        largest = sqrt(largest);
        *scale = (float)(largest / FILTER_LEVELS * 1.000001); /* so that no quotient rounds to one more */
        for (size_t j = 0; j < TILE; ++j) {
            const double *row = centroids + (t * TILE + j) * d;
            double norm = 0.0, rest = 0.0;
            int32_t sum = 0;
            if (t * TILE + j >= k) { /* a padded centroid never survives */
                half[j] = HUGE_VALF;
                continue;
            }
            for (size_t f = 0; f < d; ++f) {
                const double c = (double)(KMF_T)(row[f] - (double)shift[f]); /* as `pack` rounds it */
                const int q = *scale > 0.0f ? (int)lrint(c / (double)*scale) : 0;
                const double r = c - (double)*scale * q;
                codes[f / FILTER_PER * FILTER_PER * TILE + FILTER_PER * j + f % FILTER_PER] = (FILTER_CODE)q;
                sum += q;
                norm += c * c;
                rest += r * r;
            }
            half[j] = (float)(0.5 * norm);
            tile[TILE + j] = -KMF_FILTER_OFFSET * sum;
            error = fmax(error, sqrt(rest)), reach = fmax(reach, sqrt(norm));
        }
        scale[1] = (float)(error * 1.000001), scale[2] = (float)(reach * 1.000001);
    }
}

#if KMF_FLOATS /* the filter itself is float and integers for both dtypes */

typedef struct KMF_FN(pair) {
    int32_t lane, label;
    float low;
} KMF_FN(pair);

typedef struct KMF_FN(filtered) {
    float scale[2 * KMF_LANES_F32], norm[2 * KMF_LANES_F32], rest[2 * KMF_LANES_F32];
    float slack[2 * KMF_LANES_F32]; /* what rounding to float may do to a score, here or in `assign` */
    float bound[2 * KMF_LANES_F32]; /* the least score lies under it */
    float other[2 * KMF_LANES_F32]; /* scores of centroids left out lie over it */
    uint32_t count[2 * KMF_LANES_F32];
    size_t n_pairs;
    float low[KMF_TILE * 2 * KMF_LANES_F32];
    KMF_FN(pair) pairs[256 * KMF_LANES_F32 + 1];
} KMF_FN(filtered);

/* Round a row of d floats, padded with zeros to whole vectors; find scale, norm (of the rounded, at most) and the
 * norm of what is rounded off. */
KMF_INLINE void KMF_FN(filter_row)(const float *row, size_t d, float square, FILTER_CODE *codes, float *scale,
                                   float *norm, float *rest)
{
    const float grow = 1.00001f + (float)(d / KMF_LANES) * UNIT;
    const V zero = KMF_FN(set1)(0);
    V largest = zero, rests = zero;
    if (KMF_FILTER_BYTES == 1) {
        for (size_t f = 0; f < d; f += KMF_LANES) {
            const V v = KMF_FN(load)(row + f);
            largest = KMF_FN(max)(largest, KMF_FN(max)(v, KMF_FN(sub)(zero, v)));
        }
        *scale = KMF_FN(largest)(largest) / FILTER_LEVELS;
    } else {
        *scale = sqrtf(square) * grow / FILTER_LEVELS;
    }
    const V inverse = KMF_FN(set1)(*scale > 0.0f ? 1.0f / *scale : 0.0f), unit = KMF_FN(set1)(*scale);
    for (size_t f = 0; f < d; f += KMF_LANES)
        rests = KMF_INT(round)(KMF_FN(load)(row + f), inverse, unit, rests, codes + f);
    *rest = sqrtf(KMF_FN(total)(rests)) * grow;
    *norm = sqrtf(square) * grow + *rest;
}

/* How wrong a score of this tile may be. */
KMF_INLINE V KMF_FN(filter_error)(const KMF_FN(filtered) * it, size_t half, const float *scale)
{
    const V slack = KMF_FN(load)(it->slack + half);
    const V x = KMF_FN(fmadd)(KMF_FN(load)(it->norm + half), KMF_FN(set1)(scale[1]), slack);
    return KMF_FN(fmadd)(KMF_FN(load)(it->rest + half), KMF_FN(set1)(scale[2]), x);
}

/* Scores of a tile, right to within `filter_error`. */
KMF_INLINE void KMF_FN(filter_scores)(const int32_t *x, const int32_t *tile, size_t d, const char *ahead,
                                      const KMF_FN(filtered) * it, V score[2][KMF_TILE])
{
    const float *half = (const float *)(const void *)tile, *scale = half + 2 * TILE;
    const int32_t *c = tile + FILTER_HEAD;
    KMF_INT(ints) dot[2][KMF_TILE];
    KMF_UNROLL
    for (size_t j = 0; j < TILE; ++j)
        dot[0][j] = dot[1][j] = KMF_INT(iset1)(tile[TILE + j]);
    for (size_t f = 0; f < FILTER_WORDS(d); ++f, x += FILTER_PANEL, c += TILE) {
        const KMF_INT(ints) x0 = KMF_INT(iload)(x), x1 = KMF_INT(iload)(x + KMF_LANES);
        if (ahead) {
            KMF_UNROLL
            for (size_t line = 0; line < FILTER_PANEL / 4; ++line)
                KMF_PREFETCH(ahead + (f * (FILTER_PANEL / 4) + line) * 64);
        }
        KMF_UNROLL
        for (size_t j = 0; j < TILE; ++j) {
            const KMF_INT(ints) cj = KMF_INT(iset1)(c[j]);
            dot[0][j] = FILTER_DOT(dot[0][j], x0, cj);
            dot[1][j] = FILTER_DOT(dot[1][j], x1, cj);
        }
    }
    KMF_UNROLL
    for (size_t h = 0; h < 2; ++h) {
        const V factor =
            KMF_FN(fmadd)(KMF_FN(load)(it->scale + h * KMF_LANES), KMF_FN(set1)(scale[0]), KMF_FN(set1)(0));
        KMF_UNROLL
        for (size_t j = 0; j < TILE; ++j)
            score[h][j] = KMF_FN(fnmadd)(factor, KMF_INT(to_float)(dot[h][j]), KMF_FN(set1)(half[j]));
    }
}

/* List the centroids of one tile that can be nearest by what is known so far, and learn from the scores. */
KMF_INLINE void KMF_FN(filter_tile)(const int32_t *x, const int32_t *tile, size_t first, size_t count, size_t d,
                                    const char *ahead, KMF_FN(filtered) * it)
{
    const float *scale = (const float *)(const void *)tile + 2 * TILE;
    uint32_t left[KMF_TILE], any = 0;
    V score[2][KMF_TILE], bound[2], error[2], beyond[2];
    KMF_FN(filter_scores)(x, tile, d, ahead, it, score);
    KMF_UNROLL
    for (size_t h = 0; h < 2; ++h) {
        V least[2];
        least[0] = least[1] = KMF_FN(set1)(HUGE_VALF);
        KMF_UNROLL
        for (size_t j = 0; j < TILE; ++j)
            least[j & 1] = KMF_FN(min)(least[j & 1], score[h][j]);
        least[0] = KMF_FN(min)(least[0], least[1]);
        error[h] = KMF_FN(filter_error)(it, h * KMF_LANES, scale);
        bound[h] = KMF_FN(min)(KMF_FN(plus)(least[0], error[h]), KMF_FN(load)(it->bound + h * KMF_LANES));
        beyond[h] = KMF_FN(load)(it->other + h * KMF_LANES);
        any |= KMF_INT(within)(KMF_FN(sub)(least[0], error[h]), bound[h], &beyond[h]);
        KMF_FN(store)(it->bound + h * KMF_LANES, bound[h]);
    }
    if (any) {
        KMF_UNROLL
        for (size_t h = 0; h < 2; ++h) {
            beyond[h] = KMF_FN(load)(it->other + h * KMF_LANES);
            KMF_UNROLL
            for (size_t j = 0; j < TILE; ++j) {
                const V low = KMF_FN(sub)(score[h][j], error[h]);
                left[j] = (h ? left[j] : 0) | KMF_INT(within)(low, bound[h], &beyond[h]) << (h * KMF_LANES);
                KMF_FN(store)(it->low + j * FILTER_PANEL + h * KMF_LANES, low);
            }
        }
        for (size_t j = 0; j < count; ++j) {
            for (uint32_t bits = left[j]; bits; bits &= bits - 1) {
                const uint32_t lane = KMF_LOWEST_BIT(bits);
                KMF_FN(pair) *pair = it->pairs + (it->n_pairs < FILTER_PAIRS ? it->n_pairs : FILTER_PAIRS);
                pair->lane = (int32_t)lane, pair->label = (int32_t)(first + j);
                pair->low = it->low[j * FILTER_PANEL + lane];
                it->n_pairs++;
            }
        }
    }
    KMF_FN(store)(it->other, beyond[0]);
    KMF_FN(store)(it->other + KMF_LANES, beyond[1]);
}

/* List the pairs whose least possible score is under the bound, by rising label; `bound` may come with a first guess. */
KMF_APART void KMF_FN(filter_scan)(const int32_t *x, const int32_t *tile, size_t k, size_t d, const char *ahead,
                                   KMF_FN(filtered) * it)
{
    it->n_pairs = 0;
    for (size_t i = 0; i < FILTER_PANEL; ++i)
        it->other[i] = HUGE_VALF, it->count[i] = 0;
    for (size_t j = 0; j < k; j += TILE, tile += FILTER_TILE(d))
        KMF_FN(filter_tile)(x, tile, j, k - j < TILE ? k - j : TILE, d, j == 0 ? ahead : NULL, it);
    if (it->n_pairs > FILTER_MOST(k))
        return;
    size_t n_pairs = 0;
    for (size_t p = 0; p < it->n_pairs; ++p) { /* later scores may have ruled out what earlier ones let pass */
        const size_t lane = (size_t)it->pairs[p].lane;
        const float low = it->pairs[p].low, other = it->other[lane];
        const int keep = !(low > it->bound[lane]);
        it->pairs[n_pairs] = it->pairs[p];
        it->other[lane] = keep || other < low ? other : low;
        it->count[lane] += (uint32_t)keep;
        n_pairs += (size_t)keep;
    }
    it->n_pairs = n_pairs;
}

#endif

/* Round FILTER_PANEL samples, of which those from the mth on repeat one, and turn them: words of features, samples along
 * the lanes. `work` has FILTER_SPACE words, the turned come first; `norm` is |x|^2. */
KMF_APART void KMF_FN(filter_round)(const KMF_T *const *rows, size_t m, size_t d, const KMF_T *shift, int32_t *work,
                                    KMF_T *norm, KMF_JOIN(filtered, f32, KMF_ISA) * it)
{
    const size_t length = FILTER_ROW(d), words = length / FILTER_PER;
    FILTER_CODE *codes = (FILTER_CODE *)(void *)(work + FILTER_PANEL * words);
    float *row = (float *)(void *)(codes + FILTER_PANEL * length);
    for (size_t f = d; f < length; ++f)
        row[f] = 0.0f;
    for (size_t i = 0; i < FILTER_PANEL; ++i) {
        if (i >= m) {
            it->scale[i] = it->scale[m - 1], it->norm[i] = it->norm[m - 1], it->rest[i] = it->rest[m - 1];
            norm[i] = norm[m - 1];
            memcpy(codes + i * length, codes + (m - 1) * length, length * sizeof *codes);
            continue;
        }
        V sum = KMF_FN(set1)(0);
        size_t f = 0;
        for (; f + KMF_LANES <= d; f += KMF_LANES) {
            KMF_T part[KMF_LANES];
            const V v = KMF_FN(sub)(KMF_FN(load)(rows[i] + f), KMF_FN(load)(shift + f));
            sum = KMF_FN(fmadd)(v, v, sum);
            KMF_FN(store)(part, v);
            for (size_t g = 0; g < KMF_LANES; ++g)
                row[f + g] = (float)part[g];
        }
        norm[i] = KMF_FN(total)(sum);
        for (; f < d; ++f) {
            const KMF_T v = rows[i][f] - shift[f];
            row[f] = (float)v;
            norm[i] += v * v;
        }
        KMF_JOIN(filter_row, f32, KMF_ISA)(row, length, (float)norm[i], codes + i * length, it->scale + i, it->norm + i,
                                           it->rest + i);
    }
    for (size_t w = 0; w < words; w += 4) {
        for (size_t i = 0; i < FILTER_PANEL; i += KMF_LANES_F32)
            KMF_INT(turn)((const uint8_t *)(codes + i * length) + 4 * w, 4 * words, work + w * FILTER_PANEL + i,
                          FILTER_PANEL);
    }
}

/* x . c about the shift, in the fastest order. */
KMF_INLINE KMF_T KMF_FN(row_dot)(const KMF_T *x, const KMF_T *shift, const KMF_T *c, size_t d)
{
    V sum[2];
    sum[0] = sum[1] = KMF_FN(set1)(0);
    size_t f = 0;
    for (; f + 2 * KMF_LANES <= d; f += 2 * KMF_LANES) {
        KMF_UNROLL
        for (size_t h = 0; h < 2; ++h) {
            const size_t g = f + h * KMF_LANES;
            sum[h] =
                KMF_FN(fmadd)(KMF_FN(sub)(KMF_FN(load)(x + g), KMF_FN(load)(shift + g)), KMF_FN(load)(c + g), sum[h]);
        }
    }
    KMF_T dot = KMF_FN(total)(KMF_FN(fmadd)(sum[0], KMF_FN(set1)(1), sum[1]));
    for (; f < d; ++f)
        dot += (x[f] - shift[f]) * c[f];
    return dot;
}

/* The scores of m <= PANEL pairs, by the operations of `assign`. */
KMF_STATIC void KMF_FN(pair_scores)(const KMF_T **rows, const KMF_T **centroids, size_t d, const KMF_T *shift,
                                    const KMF_T *zeros, KMF_T *panel, KMF_T *score)
{
    KMF_T *other = panel + PANEL * d;
    KMF_FN(load_rows)(rows, d, shift, panel);
    KMF_FN(load_rows)(centroids, d, zeros, other);
    for (size_t first = 0; first < d; first += KMF_FEATURE_BLOCK) {
        const size_t last = d - first > KMF_FEATURE_BLOCK ? first + KMF_FEATURE_BLOCK : d;
        V old0 = KMF_FN(load)(score), old1 = KMF_FN(load)(score + KMF_LANES), s0 = KMF_FN(set1)(0), s1 = s0;
        if (first == 0)
            s0 = old0, s1 = old1, old0 = old1 = KMF_FN(set1)(0);
        for (size_t f = first * PANEL; f < last * PANEL; f += PANEL) {
            s0 = KMF_FN(fnmadd)(KMF_FN(load)(panel + f), KMF_FN(load)(other + f), s0);
            s1 = KMF_FN(fnmadd)(KMF_FN(load)(panel + f + KMF_LANES), KMF_FN(load)(other + f + KMF_LANES), s1);
        }
        KMF_FN(store)(score, first == 0 ? s0 : KMF_FN(plus)(old0, s0));
        KMF_FN(store)(score + KMF_LANES, first == 0 ? s1 : KMF_FN(plus)(old1, s1));
    }
}

/* With `known` a sample comes with a bound over its distance to some centroid.
 * Label, a bound over the least score, one under the second, and |x|^2 of m <= FILTER_PANEL samples; 0 if they had to be
 * scored densely. */
KMF_STATIC int KMF_FN(filter_nearest)(const KMF_T *const *rows, size_t m, size_t d, const KMF_T *shift,
                                      const KMF_T *packed, const KMF_T *centroids, const void *filter, size_t k,
                                      float reach, const KMF_T *ahead, const float *known, KMF_T *work, KMF_T *norm,
                                      KMF_T *best, KMF_T *second, int32_t *label)
{
    const int32_t *tiles = (const int32_t *)filter;
    KMF_T *zeros = work, *panel = zeros + d;
    int32_t *x = (int32_t *)(void *)(panel + 2 * PANEL * d);
    KMF_T *spill = (KMF_T *)(void *)(x + FILTER_SPACE(d) + 2);
    KMF_JOIN(filtered, f32, KMF_ISA) it;
    for (size_t f = 0; f < d; ++f)
        zeros[f] = 0;
    KMF_FN(filter_round)(rows, m, d, shift, x, norm, &it);
    for (size_t i = 0; i < FILTER_PANEL; ++i) {
        it.slack[i] = 2.0f * KMF_JOIN(score_slack, f32, KMF_ISA)(d, it.norm[i], reach);
        it.bound[i] = HUGE_VALF;
        if (known) {
            const float square = (float)norm[i],
                        off = KMF_JOIN(slack, f32, KMF_ISA)(KMF_FN(chain)(d) + d / KMF_LANES, known[i] + it.norm[i]);
            it.bound[i] = 0.5f * (known[i] * known[i] - square) + off + it.slack[i];
        }
    }
    KMF_JOIN(filter_scan, f32, KMF_ISA)(x, tiles, k, d, (const char *)ahead, &it);
    if (it.n_pairs > FILTER_MOST(k)) {
        for (size_t half = 0; half < FILTER_PANEL; half += PANEL) {
            const KMF_T *from[2 * KMF_LANES];
            memcpy(from, rows + half, sizeof from);
            KMF_FN(load_rows)(from, d, shift, panel);
            KMF_FN(two_nearest)(panel, packed, k, d, NULL, spill, best + half, second + half, label + half);
        }
        return 0;
    }
    KMF_JOIN(pair, f32, KMF_ISA) pairs[FILTER_PAIRS + 1]; /* sample by sample: its row stays in L1 */
    size_t n_pairs = 0, at[FILTER_PANEL], open[FILTER_PANEL];
    for (size_t i = 0; i < FILTER_PANEL; ++i) {
        open[i] = it.count[i] > 1 && i < m; /* the others need no score */
        at[i] = open[i] ? n_pairs : FILTER_PAIRS;
        n_pairs += open[i] ? it.count[i] : 0;
        best[i] = open[i] ? (KMF_T)HUGE_VAL : (KMF_T)it.bound[i];
        second[i] = (KMF_T)it.other[i];
    }
    for (size_t p = 0; p < it.n_pairs; ++p) {
        const size_t lane = (size_t)it.pairs[p].lane;
        label[lane] = it.pairs[p].label;
        pairs[at[lane]] = it.pairs[p];
        at[lane] += open[lane];
    }
    for (size_t p = 0; p < n_pairs; ++p) {
        const size_t lane = (size_t)pairs[p].lane, j = (size_t)pairs[p].label;
        const KMF_T dot = KMF_FN(row_dot)(rows[lane], shift, centroids + j * d, d);
        const KMF_T *next = centroids + (size_t)pairs[p + 1 < n_pairs ? p + 1 : p].label * d;
        for (size_t f = 0; f < d; f += 64 / sizeof(KMF_T))
            KMF_PREFETCH(next + f);
        KMF_FN(rank)(KMF_FN(half_norm)(packed, d, j) - dot, (int32_t)j, best + lane, second + lane, label + lane);
    }
    size_t n_close = 0;
    for (size_t p = 0; p < n_pairs; ++p) { /* so close that the order of the sums decides */
        const size_t lane = (size_t)pairs[p].lane;
        pairs[n_close] = pairs[p];
        n_close += !((float)(second[lane] - best[lane]) > 3.0f * KMF_FN(score_slack)(d, it.norm[lane], reach));
    }
    for (size_t p = 0; p < n_close; ++p) {
        const size_t lane = (size_t)pairs[p].lane;
        best[lane] = (KMF_T)HUGE_VAL, second[lane] = (KMF_T)it.other[lane];
    }
    for (size_t start = 0; start < n_close; start += PANEL) {
        const size_t count = n_close - start < PANEL ? n_close - start : PANEL;
        const KMF_T *left[2 * KMF_LANES], *right[2 * KMF_LANES];
        KMF_T score[2 * KMF_LANES];
        for (size_t i = 0; i < PANEL; ++i) {
            const size_t p = start + (i < count ? i : count - 1), j = (size_t)pairs[p].label;
            left[i] = rows[pairs[p].lane];
            right[i] = centroids + j * d;
            score[i] = KMF_FN(half_norm)(packed, d, j);
        }
        KMF_FN(pair_scores)(left, right, d, shift, zeros, panel, score);
        for (size_t i = 0; i < count; ++i) {
            const size_t lane = (size_t)pairs[start + i].lane;
            KMF_FN(rank)(score[i], pairs[start + i].label, best + lane, second + lane, label + lane);
        }
    }
    return 1;
}

#undef FILTER_DOT
#undef FILTER_LEVELS
#undef FILTER_CODE
#endif /* KMF_FILTER_BYTES */
