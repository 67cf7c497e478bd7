/* Hamerly's bounds: samples whose nearest centroid cannot have changed are not even read.
 *
 * While the two bounds of a sample (kmf_bounds_tpl.h) clear it, its label stays. Others are tested with the exact distance
 * to their own centroid, then against the few centroids that moved far, where the rest cannot have won; the samples left
 * are gathered into panels for the dense kernel, which finds the two nearest and fresh bounds.
 *
 * Labels are those of `assign`: a score is the same chain of operations here and there, and the bounds carry what
 * rounding may do, so a centroid that is not scored could not have won, not even a tie.
 *
 * Right for d over 8, where reading two bounds costs less than the scores. Memory: two floats a sample.
 * Source: G. Hamerly, "Making k-means even faster", SDM 2010; the centroids that moved far and the account of rounding are
 * ours.
 */

#define FEW 32 /* up to so many centroids all scores cost little more than the distance to the own one */

/* Score the waiting samples against the centroids that moved far; append to `active` those that one of these may win. */
KMF_STATIC size_t KMF_FN(score_movers)(const KMF_T *X, size_t d, const KMF_T *shift, float reach,
                                       const kmf_moves *moves, const int32_t *labels, const float *upper, float *lower,
                                       const int32_t *waiting, size_t n_waiting, int32_t *active, size_t n_active,
                                       KMF_T *work)
{
    for (size_t start = 0; start < n_waiting; start += PANEL) {
        const size_t m = n_waiting - start < PANEL ? n_waiting - start : PANEL;
        const KMF_T *rows[2 * KMF_LANES];
        KMF_T best[2 * KMF_LANES], second[2 * KMF_LANES], norm[2 * KMF_LANES];
        float low[2 * KMF_LANES];
        int32_t nearest[2 * KMF_LANES];
        for (size_t lane = 0; lane < PANEL; ++lane)
            rows[lane] = X + (size_t)waiting[start + (lane < m ? lane : m - 1)] * d;
        KMF_FN(load_rows)(rows, d, shift, work);
        KMF_FN(norms)(work, d, norm);
        KMF_FN(two_nearest)(work, (const KMF_T *)moves->movers, moves->n_movers, d, NULL, work + PANEL * d, best,
                            second, nearest);
        for (size_t lane = 0; lane < m; ++lane) {
            if (moves->mover[nearest[lane]] == labels[waiting[start + lane]]) /* that is the own one */
                best[lane] = second[lane];
        }
        for (size_t lane = 0; lane < PANEL; ++lane) {
            const float span = sqrtf((float)norm[lane]) * GROW + reach;
            const float off = KMF_FN(slack)(KMF_FN(chain)(d) + d / KMF_LANES, span);
            low[lane] = KMF_FN(lower_of)((float)(norm[lane] + 2 * best[lane]), span, off);
        }
        for (size_t lane = 0; lane < m; ++lane) {
            const size_t i = (size_t)waiting[start + lane];
            lower[i] = low[lane] < lower[i] ? low[lane] : lower[i];
            active[n_active] = (int32_t)i;
            n_active += !KMF_FN(clear)(d, reach, upper[i], lower[i]);
        }
    }
    return n_active;
}

/* Labels and bounds of one chunk; returns how many samples were scored. Without `moves` all are, and bounds are made.
 * `unfiltered`: for how many of them the filter left too many centroids; `settled`: distances to rivals alone. */
KMF_STATIC size_t KMF_FN(hamerly)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed,
                                  const KMF_T *centroid_rows, const void *filter, size_t k, float reach,
                                  const kmf_moves *moves, int32_t *labels, float *upper, float *lower,
                                  size_t *unfiltered, size_t *settled, KMF_T *work)
{
    int32_t *active = (int32_t *)(void *)work, *waiting = active + n;
    float *kept = (float *)(void *)(waiting + n);
    work += 3 * n * sizeof(float) / sizeof(KMF_T) + 1;
    size_t n_active = moves ? KMF_FN(find_active)(n, d, reach, moves, labels, upper, lower, kept, active) : n;
    *settled = 0;
    if (moves && k > FEW) {
        size_t n_waiting;
        if (moves->rivals)
            n_active = KMF_FN(ask_rivals)(X, d, shift, packed, centroid_rows, reach, moves, labels, upper, lower, kept,
                                          active, n_active, waiting, settled);
        n_active = KMF_FN(tighten)(X, d, shift, centroid_rows, reach, moves, labels, upper, lower, kept, active,
                                   n_active, waiting, &n_waiting);
        n_active = KMF_FN(score_movers)(X, d, shift, reach, moves, labels, upper, lower, waiting, n_waiting, active,
                                        n_active, work);
        if (moves->rivals) /* once more, with exact distances to the own centroid */
            n_active = KMF_FN(ask_rivals)(X, d, shift, packed, centroid_rows, reach, moves, labels, upper, lower, kept,
                                          active, n_active, waiting, settled);
    }
    const size_t group = filter ? FILTER_PANEL : PANEL;
    *unfiltered = 0;
    for (size_t start = 0; start < n_active; start += group) {
        const size_t m = n_active - start < group ? n_active - start : group;
        const size_t next = start + group;
        const KMF_T *rows[2 * FILTER_PANEL]; /* those of the next panel are fetched meanwhile */
        KMF_T best[FILTER_PANEL], second[FILTER_PANEL], norm[FILTER_PANEL];
        int32_t label[FILTER_PANEL];
        for (size_t lane = 0; lane < 2 * group; ++lane) {
            const size_t a = start + lane < n_active ? start + lane : n_active - 1, i = moves ? (size_t)active[a] : a;
            rows[lane] = X + i * d;
        }
#ifdef KMF_FILTER_BYTES
        if (filter) {
            float known[FILTER_PANEL];
            for (size_t lane = 0; moves && lane < group; ++lane)
                known[lane] = upper[active[start + (lane < m ? lane : m - 1)]];
            if (!KMF_FN(filter_nearest)(rows, m, d, shift, packed, centroid_rows, filter, k, reach,
                                        !moves && next + group <= n ? rows[group] : NULL, moves ? known : NULL, work,
                                        norm, best, second, label))
                *unfiltered += m;
        } else
#endif
        {
            KMF_FN(load_rows)(rows, d, shift, work);
            KMF_FN(norms)(work, d, norm);
            KMF_FN(two_nearest)(work, packed, k, d, next < n_active ? rows + group : NULL, work + PANEL * d, best,
                                second, label);
        }
        float up[FILTER_PANEL], low[FILTER_PANEL];
        for (size_t lane = 0; lane < group; ++lane) {
            const float span = sqrtf((float)norm[lane]) * GROW + reach;
            const float off = KMF_FN(slack)(KMF_FN(chain)(d) + d / KMF_LANES, span);
            up[lane] = KMF_FN(upper_of)((float)(norm[lane] + 2 * best[lane]), span, off);
            const float made = KMF_FN(lower_of)((float)(norm[lane] + 2 * second[lane]), span, off);
            low[lane] = made < LARGE ? made : LARGE; /* a single centroid: there is no other */
        }
        for (size_t lane = 0; lane < m; ++lane) {
            const size_t i = moves ? (size_t)active[start + lane] : start + lane;
            labels[i] = label[lane], upper[i] = up[lane], lower[i] = low[lane];
        }
    }
    return n_active;
}

#undef FEW
