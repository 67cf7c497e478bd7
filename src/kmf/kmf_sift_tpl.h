/* Sifting: the centroids that may be the nearest to some point of a box, found for all of its points at once.
 *
 * Scores are linear in x, so against the centroid that is nearest to the middle of a box the worst corner decides. Every
 * test carries what rounding may do to the scores of `assign` that it stands for. Boxes and the grid are built on it.
 * Sources: D. Pelleg and A. Moore, "Accelerating exact k-means algorithms with geometric reasoning", KDD 1999;
 * T. Kanungo et al., "An efficient k-means clustering algorithm", PAMI 24 (2002); the account of rounding is ours.
 */

#define FINEST ((KMF_T)(sizeof(KMF_T) == 4 ? 1e-37 : 1e-300)) /* outdoes underflow */
#define UP ((KMF_T)1.000002)                                  /* outdoes the rounding of a few operations on bounds */
#define NOISE(d) ((KMF_T)(8 * (d) + 32) * (KMF_T)UNIT)

/* Centroids by features: [half norms][indices][moved][feature 0][feature 1] ... of `stride` values each, which end in a
 * vector of centroids that never win. */
KMF_STATIC void KMF_FN(planes)(const KMF_T *packed, size_t k, size_t d, const float *moved, KMF_T *planes)
{
    const size_t stride = kmf_plane(k);
    for (size_t j = 0; j < stride; ++j) {
        const KMF_T *tile = packed + j / TILE * TILE * (d + 2) + j % TILE;
        planes[j] = j < k ? tile[0] : (KMF_T)HUGE_VAL;
        planes[stride + j] = (KMF_T)j;
        planes[2 * stride + j] = moved && j < k ? (KMF_T)moved[j] : 0;
        for (size_t f = 0; f < d; ++f)
            planes[(3 + f) * stride + j] = j < k ? tile[(2 + f) * TILE] : 0;
    }
}

/* A box about the shift, and what the tests need of it. */
typedef struct KMF_FN(box) {
    KMF_T *low, *high, *middle;
    KMF_T reach; /* the greatest |x|^2 in it */
    KMF_T side;  /* the longest diagonal, squared */
} KMF_FN(box);

KMF_INLINE void KMF_FN(shift_box)(const KMF_T *raw, const KMF_T *shift, const size_t d, KMF_FN(box) * box)
{
    box->reach = box->side = 0;
    for (size_t f = 0; f < d; ++f) {
        const KMF_T low = raw[f] - shift[f], high = raw[d + f] - shift[f]; /* as a sample's x - shift is rounded */
        const KMF_T l2 = low * low, h2 = high * high;
        box->low[f] = low, box->high[f] = high;
        box->middle[f] = (KMF_T)0.5 * (low + high);
        box->reach += l2 > h2 ? l2 : h2;
        box->side += (high - low) * (high - low);
    }
}

/* What a test of a box against all centroids at hand finds. */
typedef struct KMF_FN(sieve) {
    KMF_T far2;   /* the greatest squared distance of the reference in the box */
    KMF_T beyond; /* the least score by which a centroid left out loses against the reference, rounding taken off */
} KMF_FN(sieve);

/* The centroid with the least score at a point. */
KMF_INLINE size_t KMF_FN(nearest_to)(const KMF_T *x, const KMF_T *planes, size_t stride, size_t count, const size_t d)
{
    V best = KMF_FN(set1)((KMF_T)HUGE_VAL), index = KMF_FN(set1)(0);
    for (size_t j = 0; j < count; j += KMF_LANES) {
        V score = KMF_FN(load)(planes + j);
        KMF_UNROLL
        for (size_t f = 0; f < d; ++f)
            score = KMF_FN(fnmadd)(KMF_FN(set1)(x[f]), KMF_FN(load)(planes + (3 + f) * stride + j), score);
        index = KMF_FN(select)(score, best, KMF_FN(set1)((KMF_T)j), index);
        best = KMF_FN(min)(score, best);
    }
    KMF_T scores[KMF_LANES], start[KMF_LANES];
    const V least = KMF_FN(set1)(KMF_FN(least)(best));
    KMF_FN(store)(scores, best), KMF_FN(store)(start, index);
    const uint32_t at = ~KMF_FN(lt_bits)(least, best);
    const size_t lane = KMF_LOWEST_BIT(at) % KMF_LANES, j = (size_t)start[lane] + lane;
    return j < count ? j : 0;
}

/* Lists the centroids that may be nearest to some point of the box; returns how many. A centroid is kept as well where
 * it comes as near as `leeway` and what it and the reference moved. */
KMF_INLINE size_t KMF_FN(sift)(const KMF_FN(box) * box, const KMF_T *planes, size_t stride, size_t count,
                               const size_t d, KMF_T leeway, const int moving, int32_t *kept, KMF_FN(sieve) * sieve)
{
    const size_t ref = KMF_FN(nearest_to)(box->middle, planes, stride, count, d);
    const KMF_T half = planes[ref];
    KMF_T far2 = 0;
    for (size_t f = 0; f < d; ++f) {
        const KMF_T c = planes[(3 + f) * stride + ref], a = c - box->low[f], b = box->high[f] - c;
        far2 += a > b ? a * a : b * b;
    }
    const KMF_T far = (KMF_T)sqrt((double)far2) * UP, own = leeway + (moving ? planes[2 * stride + ref] : 0);
    /* d_j > d_ref + w in all of the box where (d_j^2 - d_ref^2) / 2 > w (far + w / 2), and that is what scores say. */
    const V half_up = KMF_FN(set1)((KMF_T)0.5 * UP), far_up = KMF_FN(set1)(far * UP), zero = KMF_FN(set1)(0);
    const V noise = KMF_FN(set1)(NOISE(d)), base = KMF_FN(set1)(NOISE(d) * (half + box->reach) + FINEST);
    V limit = KMF_FN(set1)(own * (far + (KMF_T)0.5 * own) * UP * UP), beyond = KMF_FN(set1)((KMF_T)HUGE_VAL);
    size_t n_kept = 0;
    for (size_t j = 0; j < count; j += KMF_LANES) {
        const V h = KMF_FN(load)(planes + j);
        V margin = KMF_FN(sub)(h, KMF_FN(set1)(half));
        KMF_UNROLL
        for (size_t f = 0; f < d; ++f) {
            const KMF_T *c = planes + (3 + f) * stride;
            const V delta = KMF_FN(sub)(KMF_FN(load)(c + j), KMF_FN(set1)(c[ref]));
            const V at_low = KMF_FN(fmadd)(delta, KMF_FN(set1)(box->low[f]), zero);
            const V at_high = KMF_FN(fmadd)(delta, KMF_FN(set1)(box->high[f]), zero);
            margin = KMF_FN(sub)(margin, KMF_FN(max)(at_low, at_high));
        }
        margin = KMF_FN(sub)(margin, KMF_FN(fmadd)(noise, h, base));
        if (moving) {
            const V w = KMF_FN(sub)(KMF_FN(load)(planes + 2 * stride + j), KMF_FN(set1)(-own));
            limit = KMF_FN(fmadd)(w, KMF_FN(fmadd)(half_up, w, far_up), zero);
        }
        beyond = KMF_FN(min)(KMF_FN(select)(limit, margin, margin, beyond), beyond);
        uint32_t in = ~KMF_FN(lt_bits)(limit, margin) & ALL_LANES;
        if (count - j < KMF_LANES)
            in &= ((uint32_t)1 << (count - j)) - 1;
        n_kept = KMF_FN(list_bits)(kept, n_kept, j, in, KMF_LANES);
    }
    sieve->far2 = far * far;
    sieve->beyond = KMF_FN(least)(beyond);
    return n_kept;
}

/* Centroids that a test kept, by features. */
typedef struct KMF_FN(sheet) {
    KMF_T *planes;
    size_t count, stride;
} KMF_FN(sheet);

/* Copy the listed centroids, and a vector of those that never win. */
KMF_INLINE void KMF_FN(copy_listed)(const KMF_FN(sheet) * from, const int32_t *list, size_t count, const size_t d,
                                    KMF_FN(sheet) * to)
{
    to->count = count;
    for (size_t f = 0; f < 3 + d; ++f) {
        const KMF_T *source = from->planes + f * from->stride;
        KMF_T *out = to->planes + f * to->stride;
        for (size_t j = 0; j < count; ++j)
            out[j] = source[list[j]];
        for (size_t j = count; j < count + KMF_LANES; ++j)
            out[j] = f == 0 ? (KMF_T)HUGE_VAL : 0;
    }
}
