/* Greedy k-means++: X is read once a round for all candidates together, and a second time only in the panels that the
 * chosen candidate improves. */

KMF_STATIC void KMF_FN(potentials)(const KMF_T *X, size_t n, size_t d, const KMF_T *candidates, size_t q,
                                   const KMF_T *closest, const double *sample_weight, double *potential,
                                   uint32_t *improved, KMF_T *work)
{
    KMF_T *panel = KMF_FN(no_shift)(work, d), *sums = panel + PANEL * d;
    for (size_t i = 0; i < q * PANEL; ++i)
        sums[i] = 0;
    for (size_t start = 0; start < n; start += PANEL) {
        const size_t m = n - start < PANEL ? n - start : PANEL;
        KMF_T near_now[2 * KMF_LANES], weight[2 * KMF_LANES];
        for (size_t i = 0; i < PANEL; ++i) { /* a missing sample is at distance 0: it adds and improves nothing */
            near_now[i] = i < m ? closest[start + i] : 0;
            weight[i] = sample_weight && i < m ? (KMF_T)sample_weight[start + i] : 1;
        }
        KMF_FN(load_panel)(X + start * d, m, d, work, panel);
        uint32_t better = 0;
        for (size_t j = 0; j < q; j += QUERIES) {
            const size_t nr = q - j < QUERIES ? q - j : QUERIES;
            V dist[QUERIES][2];
            const KMF_T *ahead = j == 0 && start + 2 * PANEL <= n ? X + (start + PANEL) * d : NULL;
            KMF_FN(some_distances)(panel, candidates + j * d, d, nr, ahead, dist);
            for (size_t r = 0; r < nr; ++r) {
                for (size_t half = 0; half < 2; ++half) {
                    const V now = KMF_FN(load)(near_now + half * KMF_LANES);
                    KMF_T *sum = sums + (j + r) * PANEL + half * KMF_LANES;
                    better |= (uint32_t)KMF_FN(any_lt)(dist[r][half], now) << (j + r);
                    KMF_FN(store)(sum, KMF_FN(fmadd)(KMF_FN(min)(dist[r][half], now),
                                                     KMF_FN(load)(weight + half * KMF_LANES), KMF_FN(load)(sum)));
                }
            }
        }
        improved[start / PANEL] = better;
    }
    for (size_t j = 0; j < q; ++j) {
        for (size_t i = 0; i < PANEL; ++i)
            potential[j] += (double)sums[j * PANEL + i];
    }
}

KMF_STATIC void KMF_FN(update_closest)(const KMF_T *X, size_t n, size_t d, const KMF_T *candidate,
                                       const uint32_t *improved, uint32_t mask, KMF_T *closest, KMF_T *work)
{
    KMF_T *panel = KMF_FN(no_shift)(work, d);
    for (size_t start = 0; start < n; start += PANEL) {
        if (improved && !(improved[start / PANEL] & mask))
            continue;
        const size_t m = n - start < PANEL ? n - start : PANEL;
        KMF_T column[2 * KMF_LANES];
        V dist[QUERIES][2];
        KMF_FN(load_panel)(X + start * d, m, d, work, panel);
        KMF_FN(panel_distances)(panel, candidate, d, 1, NULL, dist);
        KMF_FN(store)(column, dist[0][0]);
        KMF_FN(store)(column + KMF_LANES, dist[0][1]);
        for (size_t i = 0; i < m; ++i)
            closest[start + i] = column[i] < closest[start + i] ? column[i] : closest[start + i];
    }
}

#undef QUERIES
