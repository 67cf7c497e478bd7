/* Few features in 16 bits: the nearest centroid of most samples by whole numbers, of the rest by `assign`.
 *
 * Samples and centroids are rounded about a fixed origin, x = x' + e and c = c' + r, and scores S = |c|^2 / 2 - x'.c'
 * summed two features an instruction. A score carries in its low bits which of a group of CODE_GROUP centroids it is of,
 * so that the least one names it. Let that be a, and j any other. Rounding takes from S_j - S_a at most
 * 2 |x'| |r| + |e| |c_j - c_a|, and where |c_j - c_a| > 2 |x - c_a| the triangle inequality alone rules j out. So a has
 * won, also under the rounding of `assign`, where the second best score is worse by more than
 *     2 |x'| max |r| + 2 |e| |x - c_a| + a constant.
 * Roots are spared by 2 y <= y^2 / w + w. Where that does not hold, ties included, `assign` decides: labels are its own,
 * bit for bit.
 *
 * Of few words, four centroids far from each other make a team, of which only the best meets the running best and second:
 * that is enough for samples nearer to it than half way to the others of its team.
 *
 * Right for up to 8 features and some dozens of clusters, while a run is too short for boxes. Memory: 2 bytes a sample and
 * feature, rounded up to pairs of features.
 *
 * Codes: panels of CODE_PANEL samples, [pairs of features][sample]. */

#define CODE_GROUP 16 /* centroids of a group: */
#define CODE_LOW 4    /* their numbers, which the codes of samples leave free */
#define CODE_TEAM 4
#define CODE_TEAMED 2 /* words up to which teams are made; beyond, the products take longer than the comparisons */
#define CODE_PANEL ((size_t)(4 * KMF_LANES_F32))
#define CODE_WORDS(d) (((d) + 1) / 2)
#define CODE_MOST 2047.0   /* of a sample's coordinate, in units; times CODE_GROUP an int16 */
#define CODE_REACH 32767.0 /* of a centroid's */
#define CODE_SPAN 1.33e8   /* of a score: a little less than 2^27 */

#ifdef KMF_DOT16

/* Round samples; unit = `farthest` / CODE_MOST. */
KMF_STATIC void KMF_FN(codes_round)(const KMF_T *X, size_t n, size_t d, const KMF_T *origin, double farthest,
                                    int32_t *codes)
{
    const float inverse = (float)(CODE_MOST / farthest);
    KMF_T panel[8 * 2 * KMF_LANES];
    for (size_t start = 0; start < n; start += PANEL) {
        int32_t *out = codes + start / CODE_PANEL * CODE_PANEL * CODE_WORDS(d) + start % CODE_PANEL;
        KMF_FN(load_panel)(X + start * d, n - start < PANEL ? n - start : PANEL, d, origin, panel);
        for (size_t f = 0; f < d; f += 2) {
            for (size_t i = 0; i < PANEL; ++i) { /* the offset makes cutting off a rounding to nearest */
                const int32_t a = (int32_t)((float)panel[f * PANEL + i] * inverse + 4096.5f) - 4096;
                const int32_t b =
                    f + 1 < d ? (int32_t)((float)panel[(f + 1) * PANEL + i] * inverse + 4096.5f) - 4096 : 0;
                out[f / 2 * CODE_PANEL + i] = ((a * CODE_GROUP) & 0xffff) | (int32_t)((uint32_t)(b * CODE_GROUP) << 16);
            }
        }
    }
}

/* Sort by one feature. */
KMF_STATIC void KMF_FN(codes_sort)(const double *centroids, size_t d, size_t feature, int32_t *order, size_t count)
{
    for (size_t i = 1; i < count; ++i) {
        const int32_t j = order[i];
        size_t at = i;
        for (; at > 0 && centroids[(size_t)order[at - 1] * d + feature] > centroids[(size_t)j * d + feature]; --at)
            order[at] = order[at - 1];
        order[at] = j;
    }
}

/* Order centroids so that the members of a team are far from each other: one of each quarter along the widest feature, those
 * of neighbouring quarters half of one apart along the next. Member q of team t is order[q * ceil(k / CODE_TEAM) + t]. */
KMF_STATIC void KMF_FN(codes_order)(const double *centroids, size_t k, size_t d, int32_t *order)
{
    const size_t quarter = (k + CODE_TEAM - 1) / CODE_TEAM;
    size_t first = 0, next = 0;
    double width = -1.0, less = -1.0;
    for (size_t f = 0; f < d; ++f) {
        double low = HUGE_VAL, high = -HUGE_VAL;
        for (size_t j = 0; j < k; ++j)
            low = fmin(low, centroids[j * d + f]), high = fmax(high, centroids[j * d + f]);
        if (high - low > width)
            less = width, next = first, width = high - low, first = f;
        else if (high - low > less)
            less = high - low, next = f;
    }
    for (size_t j = 0; j < k; ++j)
        order[j] = (int32_t)j;
    KMF_FN(codes_sort)(centroids, d, first, order, k);
    for (size_t q = 0; q * quarter < k; ++q) {
        int32_t *mine = order + q * quarter;
        const size_t count = k - q * quarter < quarter ? k - q * quarter : quarter;
        KMF_FN(codes_sort)(centroids, d, next, mine, count);
        for (size_t i = 0; q % 2 && i < count / 2; ++i) { /* exchange the halves */
            const int32_t j = mine[i];
            mine[i] = mine[i + (count + 1) / 2];
            mine[i + (count + 1) / 2] = j;
        }
    }
}

/* Half the distance of a centroid to the nearest member of its team. */
KMF_STATIC double KMF_FN(codes_gap)(const double *centroids, size_t d, const int32_t *order, size_t k, size_t at)
{
    const size_t quarter = (k + CODE_TEAM - 1) / CODE_TEAM;
    double least = HUGE_VAL;
    for (size_t other = at % quarter; other < k; other += quarter) {
        double square = 0.0;
        for (size_t f = 0; f < d; ++f) {
            const double apart = centroids[(size_t)order[at] * d + f] - centroids[(size_t)order[other] * d + f];
            square += apart * apart;
        }
        least = other != at && square < least ? square : least;
    }
    return 0.5 * sqrt(least);
}

/* Where in the order the centroid of a slot stands; k for padding. */
KMF_INLINE size_t KMF_FN(codes_at)(size_t slot, size_t k, size_t team)
{
    const size_t quarter = (k + team - 1) / team;
    return slot / team < quarter ? slot % team * quarter + slot / team : k;
}

/* How the rounded centroids are wrong, at most. */
typedef struct KMF_FN(coded) {
    double unit, fine, square; /* of a sample, of a centroid, of their products */
    double rest;               /* |r| of any centroid */
    double middle;             /* is taken off every score */
} KMF_FN(coded);

/* The constants of the test; returns what a ball about a centroid must be smaller by to be clear of its team. */
KMF_STATIC double KMF_FN(codes_test)(const KMF_FN(coded) * it, size_t d, double farthest, double slack,
                                     double usual_norm, double usual_distance, double blur, kmf_codes *plan)
{
    const double e = 0.5005 * sqrt((double)d) * it->unit + 1e-7 * farthest, r = it->rest;
    const double w1 = fmax(usual_norm, 1e-3 * farthest), w2 = fmax(usual_distance, 1e-3 * farthest);
    const double constant = 2.0 * e * e + e * sqrt(2.0 * slack) + slack + 4.0 * it->square + r * w1 +
                            e * ((2.0 * it->middle * it->square + blur) / w2 + w2);
    const double of_square =
        it->unit * it->unit / (CODE_GROUP * CODE_GROUP) / it->square; /* |x'|^2 comes so much larger */
    plan->unit = (float)of_square;
    plan->of_norm = (float)(1.001 * of_square * (r / w1 + e / w2));
    plan->of_score = (float)(1.001 * 2.0 * e / w2);
    plan->constant = (float)(1.001 * constant / it->square);
    return e + sqrt(0.5 * slack);
}

/* What a pass knows about its centroids: the words of each and its start, team by team; for each group labels, and limits
 * of |x - c|^2; and the constants of the test. */
KMF_STATIC int KMF_FN(codes_pack)(const double *centroids, size_t k, size_t d, const KMF_T *origin, const KMF_T *shift,
                                  double farthest, double usual_norm, double usual_distance, kmf_codes *plan)
{
    const size_t words = CODE_WORDS(d), padded = (k + CODE_GROUP - 1) / CODE_GROUP * CODE_GROUP;
    const size_t team = words <= CODE_TEAMED ? CODE_TEAM : 1;
    double largest = 0.0, norm = 0.0, reach = 0.0, away = 0.0;
    for (size_t j = 0; j < k; ++j) {
        double about_origin = 0.0, about_shift = 0.0;
        for (size_t f = 0; f < d; ++f) {
            const double c = centroids[j * d + f] - (double)origin[f], s = centroids[j * d + f] - (double)shift[f];
            largest = fmax(largest, fabs(c)), about_origin += c * c, about_shift += s * s;
        }
        norm = fmax(norm, about_origin), reach = fmax(reach, about_shift);
    }
    for (size_t f = 0; f < d; ++f)
        away += ((double)shift[f] - (double)origin[f]) * ((double)shift[f] - (double)origin[f]);
    norm = sqrt(norm);
    const double unit = farthest / CODE_MOST;
    const double fine = 1.0001 * fmax(largest / CODE_REACH, norm * (farthest + 0.25 * norm) / (CODE_SPAN * unit));
    KMF_FN(coded) it = {unit, fine, unit * fine, 0.0, 0.0};
    if (!(it.square > 1e-30 && norm < 1e15 && farthest < 1e15))
        return 0;
    it.middle = rint(0.25 * norm * norm / it.square);
    int32_t *out = plan->centroids, *tables = out + padded * (words + 1), *order = tables + 2 * padded;
    for (size_t j = 0; j < k; ++j)
        order[j] = (int32_t)j;
    if (team > 1)
        KMF_FN(codes_order)(centroids, k, d, order);
    for (size_t slot = 0; slot < padded; ++slot, out += words + 1) {
        const size_t at = KMF_FN(codes_at)(slot, k, team);
        const size_t j = at < k ? (size_t)order[at] : 0;
        double half = 0.0, rest = 0.0, start = (double)((1 << (31 - CODE_LOW)) - 1); /* padding never wins */
        memset(out, 0, words * sizeof *out);
        for (size_t f = 0; f < d && at < k; ++f) {
            const double c = centroids[j * d + f] - (double)origin[f], q = rint(c / fine);
            half += 0.5 * c * c, rest += (c - q * fine) * (c - q * fine);
            out[f / 2] |= (int32_t)((uint32_t)((int32_t)-q & 0xffff) << (f % 2 * 16));
        }
        if (at < k)
            start = rint(half / it.square) - it.middle;
        out[words] = (int32_t)start * CODE_GROUP + (int32_t)(slot % CODE_GROUP);
        tables[slot / CODE_GROUP * 2 * CODE_GROUP + slot % CODE_GROUP] = (int32_t)j;
        it.rest = fmax(it.rest, 1.0001 * sqrt(rest));
    }
    const double slack = 4.0 * (double)KMF_FN(score_slack)(d, (float)(farthest + sqrt(away)), (float)sqrt(reach));
    const double blur =
        1e-6 * (farthest + norm) * (farthest + norm) + 2.0 * farthest * it.rest + it.square; /* of |x - c|^2 */
    const double shrink = KMF_FN(codes_test)(&it, d, farthest, slack, usual_norm, usual_distance, blur, plan);
    for (size_t slot = 0; slot < padded; ++slot) {
        const size_t at = KMF_FN(codes_at)(slot, k, team);
        float limit = HUGE_VALF;
        if (at < k && team > 1) {
            const double ball = fmax(0.0, KMF_FN(codes_gap)(centroids, d, order, k, at) - shrink);
            limit = (float)((ball * ball - blur) / it.square - 2.0 * it.middle);
        }
        memcpy(tables + slot / CODE_GROUP * 2 * CODE_GROUP + CODE_GROUP + slot % CODE_GROUP, &limit, sizeof limit);
    }
    return 1;
}

#define INTS KMF_INT(ints)

/* Of nv vectors of samples the least score, the least of other teams, |x'|^2, and what the tables hold for the least. */
KMF_INLINE void KMF_FN(codes_least)(const int32_t *x, const kmf_codes *plan, size_t n_groups, const size_t words,
                                    const size_t nv, int32_t *least, int32_t *second, int32_t *norm, int32_t *label,
                                    float *limit)
{
    const size_t lanes = KMF_LANES_F32, team = words <= CODE_TEAMED ? CODE_TEAM : 1;
    const int32_t *c = plan->centroids, *table = c + n_groups * CODE_GROUP * (words + 1);
    INTS xs[4][4], low[4], next[4], own[4], reach[4];
    KMF_UNROLL
    for (size_t v = 0; v < nv; ++v) {
        INTS squares = KMF_INT(iset1)(0);
        KMF_UNROLL
        for (size_t w = 0; w < words; ++w) {
            xs[w][v] = KMF_INT(iload)(x + w * CODE_PANEL + v * lanes);
            squares = KMF_INT(dot16)(squares, xs[w][v], xs[w][v]);
        }
        KMF_INT(istore)(norm + v * lanes, squares);
        low[v] = next[v] = KMF_INT(iset1)(INT32_MAX), own[v] = reach[v] = KMF_INT(iset1)(0);
    }
    for (size_t g = 0; g < n_groups; ++g, table += 2 * CODE_GROUP) {
        INTS before[4];
        KMF_UNROLL
        for (size_t v = 0; v < nv; ++v)
            before[v] = low[v];
        for (size_t i = 0; i < CODE_GROUP; i += CODE_TEAM) {
            INTS score[4][CODE_TEAM];
            KMF_UNROLL
            for (size_t h = 0; h < CODE_TEAM; ++h, c += words + 1) {
                KMF_UNROLL
                for (size_t v = 0; v < nv; ++v) {
                    score[v][h] = KMF_INT(iset1)(c[words]);
                    KMF_UNROLL
                    for (size_t w = 0; w < words; ++w)
                        score[v][h] = KMF_INT(dot16)(score[v][h], xs[w][v], KMF_INT(iset1)(c[w]));
                }
                if (h % team > 0) {
                    KMF_UNROLL
                    for (size_t v = 0; v < nv; ++v)
                        score[v][h] = KMF_INT(imin)(score[v][h - 1], score[v][h]);
                }
                if ((h + 1) % team > 0)
                    continue;
                KMF_UNROLL
                for (size_t v = 0; v < nv; ++v) {
                    next[v] = KMF_INT(imin)(next[v], KMF_INT(imax)(low[v], score[v][h]));
                    low[v] = KMF_INT(imin)(low[v], score[v][h]);
                }
            }
        }
        KMF_UNROLL
        for (size_t v = 0; v < nv; ++v) {
            own[v] = KMF_INT(iselect)(low[v], before[v], own[v], KMF_INT(lookup16)(table, low[v]));
            reach[v] = KMF_INT(iselect)(low[v], before[v], reach[v], KMF_INT(lookup16)(table + CODE_GROUP, low[v]));
        }
    }
    KMF_UNROLL
    for (size_t v = 0; v < nv; ++v) {
        KMF_INT(istore)(least + v * lanes, low[v]);
        KMF_INT(istore)(second + v * lanes, next[v]);
        KMF_INT(istore)(label + v * lanes, own[v]);
        KMF_INT(istore)((int32_t *)(void *)(limit + v * lanes), reach[v]);
    }
}

KMF_INLINE size_t KMF_FN(codes_assign_of)(const int32_t *codes, const KMF_T *X, size_t n, const size_t d,
                                          const KMF_T *shift, const KMF_T *packed, size_t k, const kmf_codes *plan,
                                          int32_t *labels, KMF_T *work)
{
    static const int32_t zeros[32] = {0};
    const size_t words = CODE_WORDS(d), nv = words == 1 ? 4 : 2, n_groups = (k + CODE_GROUP - 1) / CODE_GROUP;
    const float of_norm = plan->of_norm, of_score = plan->of_score, constant = plan->constant, unit = plan->unit;
    int32_t late[2 * CODE_PANEL + 32];
    size_t n_late = 0, total = 0;
    for (size_t start = 0; start < n; start += CODE_PANEL, codes += CODE_PANEL * words) {
        const size_t m = n - start < CODE_PANEL ? n - start : CODE_PANEL;
        int32_t least[CODE_PANEL], second[CODE_PANEL], norm[CODE_PANEL], label[CODE_PANEL], open[CODE_PANEL];
        float limit[CODE_PANEL];
        KMF_UNROLL
        for (size_t line = 0; line < CODE_PANEL * words; line += 16)
            KMF_PREFETCH(codes + CODE_PANEL * words * 8 + line);
        for (size_t v = 0; v < CODE_PANEL; v += nv * KMF_LANES_F32)
            KMF_FN(codes_least)(codes + v, plan, n_groups, words, nv, least + v, second + v, norm + v, label + v,
                                limit + v);
        for (size_t i = 0; i < CODE_PANEL; ++i) {
            const float score = (float)(least[i] >> CODE_LOW), square = (float)norm[i];
            const float margin = (float)((second[i] >> CODE_LOW) - (least[i] >> CODE_LOW));
            open[i] = !((margin > constant + of_norm * square + of_score * score) &
                        (unit * square + 2.0f * score < limit[i]));
        }
        memcpy(labels + start, label, m * sizeof *label);
        for (size_t first = 0; first < m; first += 32) {
            uint32_t bits = KMF_FN(differing)(open + first, zeros);
            if (m - first < 32)
                bits &= ((uint32_t)1 << (m - first)) - 1;
            n_late = KMF_FN(list_bits)(late, n_late, start + first, bits, 32);
        }
        if (n_late > CODE_PANEL || (n_late && start + m == n)) {
            KMF_FN(assign_listed)(X, d, shift, packed, k, late, n_late, labels, work);
            total += n_late, n_late = 0;
        }
    }
    return total;
}

KMF_STATIC size_t KMF_FN(codes_assign)(const int32_t *codes, const KMF_T *X, size_t n, size_t d, const KMF_T *shift,
                                       const KMF_T *packed, size_t k, const kmf_codes *plan, int32_t *labels,
                                       KMF_T *work)
{
    switch (d) {
    case 1: return KMF_FN(codes_assign_of)(codes, X, n, 1, shift, packed, k, plan, labels, work);
    case 2: return KMF_FN(codes_assign_of)(codes, X, n, 2, shift, packed, k, plan, labels, work);
    case 3: return KMF_FN(codes_assign_of)(codes, X, n, 3, shift, packed, k, plan, labels, work);
    case 4: return KMF_FN(codes_assign_of)(codes, X, n, 4, shift, packed, k, plan, labels, work);
    case 5: return KMF_FN(codes_assign_of)(codes, X, n, 5, shift, packed, k, plan, labels, work);
    case 6: return KMF_FN(codes_assign_of)(codes, X, n, 6, shift, packed, k, plan, labels, work);
    case 7: return KMF_FN(codes_assign_of)(codes, X, n, 7, shift, packed, k, plan, labels, work);
    default: return KMF_FN(codes_assign_of)(codes, X, n, 8, shift, packed, k, plan, labels, work);
    }
}

#endif /* KMF_DOT16 */
