/* Squared distances by direct differences: slower than scores by one subtraction, and right at any offset. */

#define QUERIES 4 /* points that share the loads of a panel: 2 x 4 accumulators */

/* dist[j][.] = |x - points[j]|^2 for the samples of a panel and nr <= QUERIES points; nr is a constant in every call.
 * `ahead`, if any, is the memory of the next panel, fetched under the arithmetic. */
KMF_INLINE void KMF_FN(panel_distances)(const KMF_T *panel, const KMF_T *points, size_t d, const size_t nr,
                                        const KMF_T *ahead, V dist[QUERIES][2])
{
    V sum[QUERIES][2];
    KMF_UNROLL
    for (size_t j = 0; j < nr; ++j)
        sum[j][0] = sum[j][1] = KMF_FN(set1)(0);
    for (size_t f = 0; f < d; ++f) {
        const V x0 = KMF_FN(load)(panel + f * PANEL), x1 = KMF_FN(load)(panel + f * PANEL + KMF_LANES);
        if (ahead) {
            KMF_PREFETCH(ahead + f * PANEL);
            KMF_PREFETCH(ahead + f * PANEL + KMF_LANES);
        }
        KMF_UNROLL
        for (size_t j = 0; j < nr; ++j) {
            const V c = KMF_FN(set1)(points[j * d + f]);
            const V d0 = KMF_FN(sub)(x0, c), d1 = KMF_FN(sub)(x1, c);
            sum[j][0] = KMF_FN(fmadd)(d0, d0, sum[j][0]);
            sum[j][1] = KMF_FN(fmadd)(d1, d1, sum[j][1]);
        }
    }
    KMF_UNROLL
    for (size_t j = 0; j < nr; ++j)
        dist[j][0] = sum[j][0], dist[j][1] = sum[j][1];
}

/* The same for any nr <= QUERIES. */
KMF_INLINE void KMF_FN(some_distances)(const KMF_T *panel, const KMF_T *points, size_t d, size_t nr, const KMF_T *ahead,
                                       V dist[QUERIES][2])
{
    switch (nr) {
    case 1: KMF_FN(panel_distances)(panel, points, d, 1, ahead, dist); break;
    case 2: KMF_FN(panel_distances)(panel, points, d, 2, ahead, dist); break;
    case 3: KMF_FN(panel_distances)(panel, points, d, 3, ahead, dist); break;
    default: KMF_FN(panel_distances)(panel, points, d, QUERIES, ahead, dist); break;
    }
}

/* d zeros for load_panel, at the front of `work`; the panel comes behind them. */
KMF_INLINE KMF_T *KMF_FN(no_shift)(KMF_T *work, size_t d)
{
    for (size_t f = 0; f < d; ++f)
        work[f] = 0;
    return work + d;
}

KMF_STATIC void KMF_FN(squared_distances)(const KMF_T *X, size_t n, size_t d, const KMF_T *points, size_t q, KMF_T *out,
                                          KMF_T *work)
{
    KMF_T *panel = KMF_FN(no_shift)(work, d);
    for (size_t start = 0; start < n; start += PANEL) {
        const size_t m = n - start < PANEL ? n - start : PANEL;
        KMF_FN(load_panel)(X + start * d, m, d, work, panel);
        for (size_t j = 0; j < q; j += QUERIES) {
            const size_t nr = q - j < QUERIES ? q - j : QUERIES;
            V dist[QUERIES][2];
            KMF_FN(some_distances)(panel, points + j * d, d, nr, NULL, dist);
            for (size_t r = 0; r < nr; ++r) {
                KMF_T column[2 * KMF_LANES];
                KMF_FN(store)(column, dist[r][0]);
                KMF_FN(store)(column + KMF_LANES, dist[r][1]);
                for (size_t i = 0; i < m; ++i)
                    out[(start + i) * q + j + r] = column[i];
            }
        }
    }
}

KMF_STATIC void KMF_FN(own_squared_distances)(const KMF_T *X, size_t n, size_t d, const double *centroids,
                                              const int32_t *labels, double *out)
{
    for (size_t i = 0; i < n; ++i) {
        const KMF_T *x = X + i * d;
        const double *c = centroids + (size_t)labels[i] * d;
        double sum[4] = {0.0, 0.0, 0.0, 0.0}; /* four chains hide the latency of an addition */
        size_t f = 0;
        for (; f + 4 <= d; f += 4) {
            for (size_t lane = 0; lane < 4; ++lane) {
                const double diff = (double)x[f + lane] - c[f + lane];
                sum[lane] += diff * diff;
            }
        }
        for (; f < d; ++f) {
            const double diff = (double)x[f] - c[f];
            sum[0] += diff * diff;
        }
        out[i] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    }
}
