/* Rounds of greedy k-means++ that read all of X, once for all candidates of a round: right while a candidate improves
 * nearly every sample. The samples chosen since the last reading lower the distances in the same one.
 *
 * Source: D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007.
 */

/* The distances of a panel after `late` were chosen; those of missing samples are 0, so that they add nothing. */
KMF_INLINE void KMF_FN(lower_closest)(const KMF_T *panel, const KMF_T *late, size_t n_late, int32_t label, size_t d,
                                      size_t m, const KMF_T *ahead, KMF_T *closest, int32_t *nearest, KMF_T *near_now)
{
    for (size_t j = 0; j < n_late; j += QUERIES) {
        const size_t nr = n_late - j < QUERIES ? n_late - j : QUERIES;
        V dist[QUERIES][2];
        KMF_FN(some_distances)(panel, late + j * d, d, nr, j == 0 ? ahead : NULL, dist);
        for (size_t r = 0; r < nr; ++r) {
            KMF_T column[2 * KMF_LANES];
            KMF_FN(store)(column, dist[r][0]);
            KMF_FN(store)(column + KMF_LANES, dist[r][1]);
            for (size_t i = 0; i < m && nearest; ++i)
                nearest[i] = column[i] < near_now[i] ? label + (int32_t)(j + r) : nearest[i];
            for (size_t i = 0; i < m; ++i)
                near_now[i] = column[i] < near_now[i] ? column[i] : near_now[i];
        }
    }
    memcpy(closest, near_now, m * sizeof(KMF_T));
}

/* For d that is a constant where it is small. */
KMF_INLINE void KMF_FN(round_of)(const KMF_T *X, size_t n, const size_t d, const KMF_T *late, size_t n_late,
                                 int32_t label, const KMF_T *candidates, size_t q, KMF_T *closest, int32_t *nearest,
                                 const double *sample_weight, double *potential, KMF_T *work)
{
    KMF_T *panel = KMF_FN(no_shift)(work, d), *sums = panel + PANEL * d;
    for (size_t i = 0; i < q * PANEL; ++i)
        sums[i] = 0;
    for (size_t start = 0; start < n; start += PANEL) {
        const size_t m = n - start < PANEL ? n - start : PANEL;
        const KMF_T *ahead = start + 2 * PANEL <= n ? X + (start + PANEL) * d : NULL;
        KMF_T near_now[2 * KMF_LANES], weight[2 * KMF_LANES];
        for (size_t i = m; i < PANEL; ++i)
            near_now[i] = 0;
        memcpy(near_now, closest + start, m * sizeof(KMF_T));
        for (size_t i = 0; i < PANEL; ++i)
            weight[i] = sample_weight && i < m ? (KMF_T)sample_weight[start + i] : 1;
        KMF_FN(load_panel)(X + start * d, m, d, work, panel);
        if (n_late > 0)
            KMF_FN(lower_closest)(panel, late, n_late, label, d, m, ahead, closest + start,
                                  nearest ? nearest + start : NULL, near_now);
        const V now0 = KMF_FN(load)(near_now), now1 = KMF_FN(load)(near_now + KMF_LANES);
        for (size_t j = 0; j < q; j += QUERIES) {
            const size_t nr = q - j < QUERIES ? q - j : QUERIES;
            V dist[QUERIES][2];
            KMF_FN(some_distances)(panel, candidates + j * d, d, nr, j == 0 && n_late == 0 ? ahead : NULL, dist);
            for (size_t r = 0; r < nr; ++r) {
                KMF_T *sum = sums + (j + r) * PANEL;
                KMF_FN(store)(sum,
                              KMF_FN(fmadd)(KMF_FN(min)(dist[r][0], now0), KMF_FN(load)(weight), KMF_FN(load)(sum)));
                sum += KMF_LANES;
                KMF_FN(store)(sum, KMF_FN(fmadd)(KMF_FN(min)(dist[r][1], now1), KMF_FN(load)(weight + KMF_LANES),
                                                 KMF_FN(load)(sum)));
            }
        }
    }
    for (size_t j = 0; j < q; ++j) {
        for (size_t i = 0; i < PANEL; ++i)
            potential[j] += (double)sums[j * PANEL + i];
    }
}

KMF_STATIC void KMF_FN(seed_round)(const KMF_T *X, size_t n, size_t d, const KMF_T *late, size_t n_late, int32_t label,
                                   const KMF_T *candidates, size_t q, KMF_T *closest, int32_t *nearest,
                                   const double *sample_weight, double *potential, KMF_T *work)
{
    switch (d) {
    case 2:
        KMF_FN(round_of)(X, n, 2, late, n_late, label, candidates, q, closest, nearest, sample_weight, potential, work);
        break;
    case 3:
        KMF_FN(round_of)(X, n, 3, late, n_late, label, candidates, q, closest, nearest, sample_weight, potential, work);
        break;
    default:
        KMF_FN(round_of)(X, n, d, late, n_late, label, candidates, q, closest, nearest, sample_weight, potential, work);
        break;
    }
}

#undef QUERIES
