/* Rivals: the few centroids that can take a sample from its own, where that one is not far from it.
 *
 * A sample at distance u or less of its centroid is nearer to it than to any centroid farther than 2 u from that one. Of
 * each centroid the nearest others are known; where only some of those are so near, the sample is scored against them
 * alone, as it lies, without a panel. Those scores round otherwise than those of `assign`: where the two could disagree the
 * sample is left to the dense kernel, so labels are those of `assign`, ties and rounding included.
 *
 * Source: J. Newling and F. Fleuret, "Fast k-means with accurate bounds", ICML 2016 (Exponion, with sorted rings for all
 * centroids; a few of each do here); the account of rounding is ours.
 */

/* The rivals of centroids [first, first + m): the nearest others, by rising distance, and those distances, rounded down,
 * with one more that all the rest keep. The centroids are samples here, rows about the shift, and scored as such. */
KMF_STATIC void KMF_FN(find_rivals)(const KMF_T *rows, const KMF_T *packed, size_t k, size_t d, size_t first, size_t m,
                                    float reach, int32_t *rivals, float *gaps, KMF_T *work)
{
    const float span = 2.0f * reach, off = KMF_FN(slack)(KMF_FN(chain)(d), span);
    static const int32_t none[SIDE_BY_SIDE] = {0};
    KMF_T *panel = KMF_FN(no_shift)(work, d);
    for (size_t start = first; start < first + m; start += PANEL) {
        const size_t count = first + m - start < PANEL ? first + m - start : PANEL;
        const uint32_t real = 0xffffffffu >> (SIDE_BY_SIDE - count);
        KMF_T least[2 * KMF_LANES][KMF_RIVALS + 1], last[2 * KMF_LANES], norm[2 * KMF_LANES];
        int32_t which[2 * KMF_LANES][KMF_RIVALS + 1];
        for (size_t lane = 0; lane < PANEL; ++lane) {
            last[lane] = (KMF_T)HUGE_VAL;
            for (size_t r = 0; r <= KMF_RIVALS; ++r)
                least[lane][r] = (KMF_T)HUGE_VAL, which[lane][r] = 0;
        }
        KMF_FN(load_panel)(rows + start * d, count, d, work, panel);
        KMF_FN(norms)(panel, d, norm);
        for (size_t j = 0; j < k; ++j) {
            KMF_T scores[2 * KMF_LANES * KMF_TILE];
            const KMF_T *score = scores + j % TILE * PANEL;
            int32_t flags[SIDE_BY_SIDE] = {0}; /* PANEL is no more */
            if (j % TILE == 0)
                KMF_FN(keep_scores)(panel, packed + j * (d + 2), TILE, d, NULL, scores);
            for (size_t lane = 0; lane < PANEL; ++lane)
                flags[lane] = score[lane] < last[lane];
            for (uint32_t bits = KMF_FN(differing)(flags, none) & real; bits; bits &= bits - 1) {
                const size_t lane = KMF_LOWEST_BIT(bits);
                if (start + lane == j)
                    continue;
                size_t at = KMF_RIVALS;
                for (; at > 0 && score[lane] < least[lane][at - 1]; --at)
                    least[lane][at] = least[lane][at - 1], which[lane][at] = which[lane][at - 1];
                least[lane][at] = score[lane], which[lane][at] = (int32_t)j;
                last[lane] = least[lane][KMF_RIVALS];
            }
        }
        for (size_t lane = 0; lane < count; ++lane) {
            for (size_t r = 0; r <= KMF_RIVALS; ++r) {
                const float gap = KMF_FN(lower_of)((float)(norm[lane] + 2 * least[lane][r]), span, off);
                gaps[(start + lane) * (KMF_RIVALS + 1) + r] = least[lane][r] < (KMF_T)HUGE_VAL ? gap : LARGE;
            }
            memcpy(rivals + (start + lane) * KMF_RIVALS, which[lane], KMF_RIVALS * sizeof *rivals);
        }
    }
}

/* Take out of the list the samples that no centroid but the rivals of their own can win; returns how many are left in the
 * list, and in `kept`, which goes with it. */
KMF_STATIC size_t KMF_FN(find_few)(size_t d, float reach, const kmf_moves *moves, const int32_t *labels,
                                   const float *upper, float *kept, int32_t *active, size_t n_active, int32_t *few,
                                   size_t *n_few)
{
    size_t left = 0;
    *n_few = 0;
    for (size_t start = 0; start < n_active; start += SIDE_BY_SIDE) {
        const size_t m = n_active - start < SIDE_BY_SIDE ? n_active - start : SIDE_BY_SIDE;
        float up[SIDE_BY_SIDE], gap[SIDE_BY_SIDE], little[SIDE_BY_SIDE];
        int32_t is_few[SIDE_BY_SIDE], samples[SIDE_BY_SIDE];
        for (size_t s = 0; s < SIDE_BY_SIDE; ++s) {
            const size_t at = start + (s < m ? s : m - 1), i = (size_t)(samples[s] = active[at]);
            up[s] = upper[i], little[s] = kept[at];
            gap[s] = moves->gaps[(size_t)labels[i] * (KMF_RIVALS + 1) + KMF_RIVALS];
        }
        for (size_t s = 0; s < SIDE_BY_SIDE; ++s)
            is_few[s] = KMF_FN(clear)(d, reach, up[s], (gap[s] - up[s]) * SHRINK);
        *n_few = KMF_FN(list_flagged)(is_few, samples, m, few, *n_few);
        for (size_t s = 0; s < m; ++s) {
            active[left] = samples[s], kept[left] = little[s];
            left += !is_few[s];
        }
    }
    return left;
}

/* Label the samples that `find_few` found; returns how many are left in the list with those that only `assign` can tell.
 * Adds to `distances` those computed. */
KMF_STATIC size_t KMF_FN(settle_few)(const KMF_T *X, size_t d, const KMF_T *shift, const KMF_T *packed,
                                     const KMF_T *rows, float reach, const kmf_moves *moves, int32_t *labels,
                                     float *upper, float *lower, const int32_t *few, size_t n_few, float *kept,
                                     int32_t *active, size_t n_active, size_t *distances)
{
    for (size_t start = 0; start < n_few; start += SIDE_BY_SIDE) {
        const size_t count = n_few - start < SIDE_BY_SIDE ? n_few - start : SIDE_BY_SIDE;
        KMF_T norm[SIDE_BY_SIDE], own_square[SIDE_BY_SIDE], best[SIDE_BY_SIDE], second[SIDE_BY_SIDE];
        float up[SIDE_BY_SIDE], low[SIDE_BY_SIDE], gap[SIDE_BY_SIDE], won[SIDE_BY_SIDE], reached[SIDE_BY_SIDE];
        int32_t own[SIDE_BY_SIDE], nearest[SIDE_BY_SIDE], samples[SIDE_BY_SIDE], unsure[SIDE_BY_SIDE];
        for (size_t s = 0; s < SIDE_BY_SIDE; ++s) {
            const size_t i = (size_t)(samples[s] = few[start + (s < count ? s : count - 1)]);
            own[s] = nearest[s] = labels[i], up[s] = upper[i], low[s] = lower[i];
        }
        for (size_t s = 0; s < SIDE_BY_SIDE; ++s)
            reached[s] = (up[s] + KMF_FN(hurdle)(d, reach, up[s])) * GROW;
        for (size_t s = 0; s < SIDE_BY_SIDE; ++s) {
            const size_t c = (size_t)own[s];
            const float *gaps = moves->gaps + c * (KMF_RIVALS + 1);
            const KMF_T *ahead = start + s + AHEAD < n_few ? X + (size_t)few[start + s + AHEAD] * d : NULL;
            int32_t which[DOTS];
            KMF_T squares[DOTS];
            size_t m = 0;
            for (size_t r = 0; r < KMF_RIVALS; ++r)
                m += !(gaps[r] > reached[s]);
            gap[s] = gaps[m];
            which[0] = own[s];
            memcpy(which + 1, moves->rivals + c * KMF_RIVALS, KMF_RIVALS * sizeof *which);
            norm[s] =
                KMF_FN(row_squares)(X + (size_t)samples[s] * d, d, shift, packed, rows, which, m + 1, ahead, squares);
            own_square[s] = best[s] = squares[0], second[s] = (KMF_T)HUGE_VAL;
            for (size_t r = 1; r <= m; ++r)
                KMF_FN(rank)(squares[r], which[r], best + s, second + s, nearest + s);
            *distances += s < count ? m + 1 : 0;
        }
        for (size_t s = 0; s < SIDE_BY_SIDE; ++s) {
            const float span = sqrtf((float)norm[s]) * GROW + reach, off = KMF_FN(row_slack)(d, span);
            const float made = KMF_FN(upper_of)((float)own_square[s], span, off);
            const float rest = (gap[s] - (made < up[s] ? made : up[s])) * SHRINK;
            const float next = KMF_FN(lower_of)((float)second[s], span, off), least = rest < next ? rest : next;
            const float doubt = (off + KMF_FN(slack)(KMF_FN(chain)(d), span)) * GROW;
            unsure[s] = !(second[s] - best[s] > (KMF_T)doubt);
            won[s] = KMF_FN(upper_of)((float)best[s], span, off);
            won[s] = nearest[s] == own[s] && up[s] < won[s] ? up[s] : won[s];
            low[s] = nearest[s] == own[s] && low[s] > least ? low[s] : least;
        }
        for (size_t s = 0; s < count; ++s) {
            const size_t i = (size_t)samples[s];
            labels[i] = unsure[s] ? own[s] : nearest[s];
            upper[i] = unsure[s] ? up[s] : won[s];
            lower[i] = unsure[s] ? lower[i] : low[s];
            active[n_active] = samples[s], kept[n_active] = 0.0f;
            n_active += (size_t)unsure[s];
        }
    }
    return n_active;
}

/* Label the listed samples that few rivals can win; returns how many are left. `few` has room for as many as the list. */
KMF_INLINE size_t KMF_FN(ask_rivals)(const KMF_T *X, size_t d, const KMF_T *shift, const KMF_T *packed,
                                     const KMF_T *rows, float reach, const kmf_moves *moves, int32_t *labels,
                                     float *upper, float *lower, float *kept, int32_t *active, size_t n_active,
                                     int32_t *few, size_t *distances)
{
    size_t n_few;
    n_active = KMF_FN(find_few)(d, reach, moves, labels, upper, kept, active, n_active, few, &n_few);
    return KMF_FN(settle_few)(X, d, shift, packed, rows, reach, moves, labels, upper, lower, few, n_few, kept, active,
                              n_active, distances);
}
