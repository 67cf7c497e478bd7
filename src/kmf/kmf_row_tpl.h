/* Bounds on distances, and scores of single samples, which lie as they come: no panel is turned for them. */

#define LARGE 1e37f       /* stands for infinity: what is taken off it stays small */
#define GROW 1.0000005f   /* outdoes the rounding of a few operations on bounds */
#define SHRINK 0.9999995f /* the same, downwards */
#define DOTS 8            /* centroids that share the loads of a sample */

/* How far rounding to about the shift may move a sample and a centroid against each other. */
KMF_INLINE float KMF_FN(blur)(float span) { return 8.0f * UNIT * span; }

/* A distance from its square, which may be off by `off`, rounded up and down. */
KMF_INLINE float KMF_FN(upper_of)(float square, float span, float off)
{
    return sqrtf(square + off > 0.0f ? square + off : 0.0f) * GROW + KMF_FN(blur)(span);
}

KMF_INLINE float KMF_FN(lower_of)(float square, float span, float off)
{
    const float least = (square < LARGE ? square : LARGE) - off; /* an infinite one is only too large for a float */
    return sqrtf(least > 0.0f ? least : 0.0f) * SHRINK - KMF_FN(blur)(span);
}

/* As `slack`, for sums that run along the lanes. */
KMF_INLINE float KMF_FN(row_slack)(size_t d, float span) { return KMF_FN(slack)(d / KMF_LANES + KMF_LANES, span); }

/* dots[j] = (x - shift) . rows[j] for nr <= DOTS centroids, and |x - shift|^2 behind them; nr is a constant in every call.
 * `ahead` is the sample that comes next, fetched meanwhile. */
KMF_INLINE void KMF_FN(some_dots)(const KMF_T *x, const KMF_T *shift, size_t d, const KMF_T *const *rows,
                                  const size_t nr, const KMF_T *ahead, KMF_T *dots)
{
    V sum[DOTS + 1];
    KMF_UNROLL
    for (size_t j = 0; j <= nr; ++j)
        sum[j] = KMF_FN(set1)(0);
    size_t f = 0;
    for (; f + KMF_LANES <= d; f += KMF_LANES) {
        const V v = KMF_FN(sub)(KMF_FN(load)(x + f), KMF_FN(load)(shift + f));
        if (ahead)
            KMF_PREFETCH(ahead + f);
        KMF_UNROLL
        for (size_t j = 0; j < nr; ++j)
            sum[j] = KMF_FN(fmadd)(v, KMF_FN(load)(rows[j] + f), sum[j]);
        sum[nr] = KMF_FN(fmadd)(v, v, sum[nr]);
    }
    KMF_UNROLL
    for (size_t j = 0; j <= nr; ++j)
        dots[j] = KMF_FN(total)(sum[j]);
    for (; f < d; ++f) {
        const KMF_T v = x[f] - shift[f];
        for (size_t j = 0; j < nr; ++j)
            dots[j] += v * rows[j][f];
        dots[nr] += v * v;
    }
}

/* |x - shift - row|^2 */
KMF_INLINE KMF_T KMF_FN(row_square)(const KMF_T *x, const KMF_T *shift, const KMF_T *row, size_t d, const KMF_T *ahead)
{
    V sum = KMF_FN(set1)(0);
    size_t f = 0;
    for (; f + KMF_LANES <= d; f += KMF_LANES) {
        const V v = KMF_FN(sub)(KMF_FN(sub)(KMF_FN(load)(x + f), KMF_FN(load)(shift + f)), KMF_FN(load)(row + f));
        if (ahead)
            KMF_PREFETCH(ahead + f);
        sum = KMF_FN(fmadd)(v, v, sum);
    }
    KMF_T square = KMF_FN(total)(sum);
    for (; f < d; ++f) {
        const KMF_T v = x[f] - shift[f] - row[f];
        square += v * v;
    }
    return square;
}

/* The half norm of a packed centroid. */
KMF_INLINE KMF_T KMF_FN(half_norm)(const KMF_T *packed, size_t d, size_t j)
{
    return packed[j / TILE * TILE * (d + 2) + j % TILE];
}

/* Take in the score of a centroid; they come by rising label, so that the lowest of equals wins. */
KMF_INLINE void KMF_FN(rank)(KMF_T score, int32_t j, KMF_T *best, KMF_T *second, int32_t *label)
{
    const KMF_T larger = score < *best ? *best : score;
    const int32_t labels[2] = {*label, j}; /* a branch would be a guess */
    *label = labels[score < *best];
    *second = larger < *second ? larger : *second;
    *best = score < *best ? score : *best;
}

/* The same for centroids that lie as `which` says, of which n count and the first one stands for the others. */
KMF_INLINE void KMF_FN(listed_dots)(const KMF_T *x, const KMF_T *shift, size_t d, const KMF_T *centroids,
                                    const int32_t *which, size_t n, const size_t nr, const KMF_T *ahead, KMF_T *dots)
{
    const KMF_T *rows[DOTS];
    KMF_UNROLL
    for (size_t j = 0; j < nr; ++j)
        rows[j] = centroids + (size_t)which[j < n ? j : 0] * d;
    KMF_FN(some_dots)(x, shift, d, rows, nr, ahead, dots);
}

/* Squared distances of one sample to nr <= DOTS centroids, and its |x|^2 about the shift. */
KMF_INLINE KMF_T KMF_FN(row_squares)(const KMF_T *x, size_t d, const KMF_T *shift, const KMF_T *packed,
                                     const KMF_T *centroids, const int32_t *which, size_t nr, const KMF_T *ahead,
                                     KMF_T *squares)
{
    KMF_T dots[DOTS + 1];
    const size_t padded = nr > 4 ? DOTS : nr > 2 ? 4 : nr;
    switch (padded) {
    case 1: KMF_FN(listed_dots)(x, shift, d, centroids, which, nr, 1, ahead, dots); break;
    case 2: KMF_FN(listed_dots)(x, shift, d, centroids, which, nr, 2, ahead, dots); break;
    case 4: KMF_FN(listed_dots)(x, shift, d, centroids, which, nr, 4, ahead, dots); break;
    default: KMF_FN(listed_dots)(x, shift, d, centroids, which, nr, DOTS, ahead, dots); break;
    }
    for (size_t j = 0; j < nr; ++j)
        squares[j] = dots[padded] + 2 * (KMF_FN(half_norm)(packed, d, (size_t)which[j]) - dots[j]);
    return dots[padded];
}
