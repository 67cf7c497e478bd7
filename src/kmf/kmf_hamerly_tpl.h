/* Hamerly's bounds: samples whose nearest centroid cannot have changed are not even read.
 *
 * For every sample `upper` bounds the distance to its own centroid from above and `lower` the distance to every other one
 * from below. When centroids move, the first rises by what the own one moved, the second falls by what any other moved
 * at most. A few that moved far, as relocated ones do, would spoil that for everybody, so the second bound is also taken
 * from the others' moves and, by the triangle inequality, the distance to those few; or to the nearest centroid of all. While upper < lower the label stays; the samples left are gathered into panels for the dense kernel, which
 * finds the two nearest and fresh bounds.
 *
 * Labels are those of `assign`: a score is the same chain of operations here and there, and the bounds carry what
 * rounding may do to scores, norms and shifts, so a centroid that is not scored could not have won, not even a tie.
 *
 * Right for d over 8, where reading two bounds costs less than the scores. Memory: two floats a sample.
 * Source: G. Hamerly, "Making k-means even faster", SDM 2010; the account of rounding is ours.
 */

#define FEW 32 /* up to so many centroids all scores cost little more than the distance to the own one */

/* Whether no centroid at `low` or farther can win against one at `up` or nearer, in the rounding of `assign`. |x| <=
 * |x - c| + |c|, so what rounding can do is known without x. False for NaN. */
KMF_INLINE int KMF_FN(clear)(size_t d, float reach, float up, float low)
{
    const float span = up + 2.0f * reach, room = low - 2.0f * KMF_FN(blur)(span);
    return (room > 0.0f) & (room * room > (up * up + KMF_FN(slack)(KMF_FN(chain)(d), span)) * GROW);
}

/* Let the bounds follow the centroids, and list the samples that they do not clear. */
KMF_STATIC size_t KMF_FN(find_active)(size_t n, size_t d, float reach, const kmf_moves *moves, const int32_t *labels,
                                      float *upper, float *lower, int32_t *active)
{
    size_t n_active = 0;
    for (size_t i = 0; i < n; ++i) {
        const size_t own = (size_t)labels[i];
        const float fall = labels[i] == moves->farthest ? moves->next : moves->most;
        const float up = (upper[i] + moves->moved[own]) * GROW, stored = lower[i] * SHRINK - fall * GROW;
        /* Of any centroids, those that moved far are at least so far from here, and the rest moved little. */
        const float kept = lower[i] * SHRINK - moves->rest * GROW, away = (moves->near_mover[own] - up) * SHRINK;
        const float gap = (moves->near[own] - up) * SHRINK, split = kept < away ? kept : away;
        const float better = stored > split ? stored : split, low = better > gap ? better : gap;
        upper[i] = up;
        lower[i] = low;
        active[n_active] = (int32_t)i;
        n_active += !KMF_FN(clear)(d, reach, up, low);
    }
    return n_active;
}

/* Keep the samples that are active even with the exact distance to their own centroid. */
KMF_STATIC size_t KMF_FN(tighten)(const KMF_T *X, size_t d, const KMF_T *shift, const KMF_T *packed, const KMF_T *rows,
                                  float reach, const kmf_moves *moves, const int32_t *labels, float *upper,
                                  float *lower, int32_t *active, size_t n_active)
{
    size_t left = 0;
    for (size_t a = 0; a < n_active; ++a) {
        const size_t i = (size_t)active[a], own = (size_t)labels[i];
        const KMF_T *row = rows + own * d, *ahead = a + 1 < n_active ? X + (size_t)active[a + 1] * d : NULL;
        KMF_T dots[2];
        KMF_FN(some_dots)(X + i * d, shift, d, &row, 1, ahead, dots);
        const float span = sqrtf((float)dots[1]) * GROW + reach;
        const float square = (float)(dots[1] + 2 * (KMF_FN(half_norm)(packed, d, own) - dots[0]));
        const float up = KMF_FN(upper_of)(square, span, KMF_FN(row_slack)(d, span));
        const float gap = (moves->near[own] - up) * SHRINK;
        upper[i] = up < upper[i] ? up : upper[i];
        lower[i] = gap > lower[i] ? gap : lower[i];
        active[left] = (int32_t)i;
        left += !KMF_FN(clear)(d, reach, upper[i], lower[i]);
    }
    return left;
}

/* Labels and bounds of one chunk; returns how many samples were scored. Without `moves` all are, and bounds are made.
 * `unfiltered`: for how many of them the filter left too many centroids. */
KMF_STATIC size_t KMF_FN(hamerly)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed,
                                  const KMF_T *centroid_rows, const void *filter, size_t k, float reach,
                                  const kmf_moves *moves, int32_t *labels, float *upper, float *lower,
                                  size_t *unfiltered, KMF_T *work)
{
    int32_t *active = (int32_t *)(void *)work;
    size_t n_active = moves ? KMF_FN(find_active)(n, d, reach, moves, labels, upper, lower, active) : n;
    if (moves && k > FEW)
        n_active =
            KMF_FN(tighten)(X, d, shift, packed, centroid_rows, reach, moves, labels, upper, lower, active, n_active);
    const size_t group = filter ? FILTER_PANEL : PANEL;
    work += n + 1;
    *unfiltered = 0;
    for (size_t start = 0; start < n_active; start += group) {
        const size_t m = n_active - start < group ? n_active - start : group;
        const KMF_T *rows[FILTER_PANEL], *ahead = !moves && start + 2 * group <= n ? X + (start + group) * d : NULL;
        KMF_T best[FILTER_PANEL], second[FILTER_PANEL], norm[FILTER_PANEL];
        int32_t label[FILTER_PANEL];
        for (size_t lane = 0; lane < group; ++lane) {
            const size_t a = start + (lane < m ? lane : m - 1), i = moves ? (size_t)active[a] : a;
            rows[lane] = X + i * d;
            label[lane] = labels[i];
        }
#ifdef KMF_DOT8
        if (filter) {
            if (!KMF_FN(filter_nearest)(rows, m, d, shift, packed, centroid_rows, filter, k, reach, ahead,
                                        moves != NULL, work, norm, best, second, label))
                *unfiltered += m;
        } else
#endif
        {
            KMF_FN(load_rows)(rows, d, shift, work);
            KMF_FN(norms)(work, d, norm);
            KMF_FN(two_nearest)(work, packed, k, d, ahead, work + PANEL * d, best, second, label);
        }
        for (size_t lane = 0; lane < m; ++lane) {
            const size_t i = moves ? (size_t)active[start + lane] : start + lane;
            const float span = sqrtf((float)norm[lane]) * GROW + reach;
            const float off = KMF_FN(slack)(KMF_FN(chain)(d) + d / KMF_LANES, span);
            labels[i] = label[lane];
            upper[i] = KMF_FN(upper_of)((float)(norm[lane] + 2 * best[lane]), span, off);
            lower[i] = KMF_FN(lower_of)((float)(norm[lane] + 2 * second[lane]), span, off);
            if (!(lower[i] < LARGE)) /* a single centroid: there is no other */
                lower[i] = LARGE;
        }
    }
    return n_active;
}

#undef FEW
