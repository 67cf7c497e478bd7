/* Bounds that follow the centroids, and the samples that they do not clear: what Hamerly's and Elkan's passes share.
 *
 * For every sample `upper` bounds the distance to its own centroid from above and `lower` the distance to every other one
 * from below. When centroids move, the first rises by what the own one moved, the second falls by what any other moved
 * at most. A few that moved far, as relocated ones do, would spoil that for everybody, so the second bound is also taken
 * from the others' moves and, by the triangle inequality, the distance to those few; or to the nearest centroid of all.
 *
 * The bounds carry what rounding may do to scores, norms and shifts.
 */

#define SIDE_BY_SIDE 32 /* samples whose bounds are found together */
#define TURNED 32       /* features below which samples and their own centroids are turned into panels for that */
#define AHEAD 8         /* samples that are fetched meanwhile */

/* Whether no centroid at `low` or farther can win against one at `up` or nearer, in the rounding of `assign`. |x| <=
 * |x - c| + |c|, so what rounding can do is known without x. False for NaN. */
KMF_INLINE int KMF_FN(clear)(size_t d, float reach, float up, float low)
{
    const float span = up + 2.0f * reach, room = low - 2.0f * KMF_FN(blur)(span);
    return (room > 0.0f) & (room * room > (up * up + KMF_FN(slack)(KMF_FN(chain)(d), span)) * GROW);
}

/* What a lower bound must exceed for its centroid to lose against one at `up` or nearer. */
KMF_INLINE float KMF_FN(hurdle)(size_t d, float reach, float up)
{
    const float span = up + 2.0f * reach;
    return sqrtf(up * up + KMF_FN(slack)(KMF_FN(chain)(d), span)) * GROW + 2.0f * KMF_FN(blur)(span);
}

/* Append the samples whose flag is not 0, of SIDE_BY_SIDE of which m count; returns how many are listed then. */
KMF_INLINE size_t KMF_FN(list_flagged)(const int32_t *flags, const int32_t *samples, size_t m, int32_t *list,
                                       size_t count)
{
    static const int32_t none[SIDE_BY_SIDE] = {0};
    uint32_t bits = KMF_FN(differing)(flags, none) & (0xffffffffu >> (SIDE_BY_SIDE - m));
    for (; bits; bits &= bits - 1)
        list[count++] = samples[KMF_LOWEST_BIT(bits)];
    return count;
}

/* Let the bounds follow the centroids, and list the samples that they do not clear. `kept`, if any, holds for those what
 * is left of the second bound if the centroids that moved far are not counted. */
KMF_STATIC size_t KMF_FN(find_active)(size_t n, size_t d, float reach, const kmf_moves *moves, const int32_t *labels,
                                      float *upper, float *lower, float *kept, int32_t *active)
{
    const kmf_moves now = *moves;
    size_t n_active = 0;
    for (size_t start = 0; start < n; start += SIDE_BY_SIDE) {
        const size_t m = n - start < SIDE_BY_SIDE ? n - start : SIDE_BY_SIDE;
        float up[SIDE_BY_SIDE] = {0}, low[SIDE_BY_SIDE] = {0}, little[SIDE_BY_SIDE];
        int32_t own[SIDE_BY_SIDE] = {0}, flags[SIDE_BY_SIDE], samples[SIDE_BY_SIDE];
        memcpy(own, labels + start, m * sizeof *own);
        memcpy(up, upper + start, m * sizeof *up);
        memcpy(low, lower + start, m * sizeof *low);
        for (size_t s = 0; s < SIDE_BY_SIDE; ++s) {
            const float was = low[s] * SHRINK, fall = own[s] == now.farthest ? now.next : now.most;
            up[s] = (up[s] + now.moved[own[s]]) * GROW;
            /* Of any centroids, those that moved far are at least so far from here, and the rest moved little. */
            const float rest = was - now.rest * GROW, away = (now.near_mover[own[s]] - up[s]) * SHRINK;
            const float gap = (now.near[own[s]] - up[s]) * SHRINK, split = rest < away ? rest : away;
            const float stored = was - fall * GROW, better = stored > split ? stored : split;
            little[s] = rest;
            low[s] = better > gap ? better : gap;
            flags[s] = !KMF_FN(clear)(d, reach, up[s], low[s]);
            samples[s] = (int32_t)(start + s);
        }
        memcpy(upper + start, up, m * sizeof *up);
        memcpy(lower + start, low, m * sizeof *low);
        const size_t before = n_active;
        n_active = KMF_FN(list_flagged)(flags, samples, m, active, n_active);
        for (size_t a = before; kept && a < n_active; ++a)
            kept[a] = little[(size_t)active[a] - start];
    }
    return n_active;
}

/* The squared distances of m <= SIDE_BY_SIDE samples to their own centroids, by direct differences. */
KMF_INLINE void KMF_FN(own_squares)(const KMF_T *X, size_t d, const KMF_T *shift, const KMF_T *centroids,
                                    const int32_t *own, const int32_t *active, size_t m, size_t n_active, KMF_T *square)
{
    if (d >= TURNED) { /* sample by sample; those that come next are fetched meanwhile */
        for (size_t s = 0; s < m; ++s) {
            const KMF_T *ahead = s + AHEAD < n_active ? X + (size_t)active[s + AHEAD] * d : NULL;
            square[s] = KMF_FN(row_square)(X + (size_t)active[s] * d, shift, centroids + (size_t)own[s] * d, d, ahead);
        }
        return;
    }
    static const KMF_T zeros[TURNED] = {0};
    KMF_T panel[TURNED * SIDE_BY_SIDE], points[TURNED * SIDE_BY_SIDE];
    for (size_t start = 0; start < m; start += PANEL) {
        const KMF_T *samples[2 * KMF_LANES], *rows[2 * KMF_LANES];
        for (size_t lane = 0; lane < PANEL; ++lane) {
            const size_t s = start + lane < m ? start + lane : m - 1;
            samples[lane] = X + (size_t)active[s] * d, rows[lane] = centroids + (size_t)own[s] * d;
        }
        KMF_FN(load_rows)(samples, d, shift, panel);
        KMF_FN(load_rows)(rows, d, zeros, points);
        for (size_t lane = 0; lane < PANEL; lane += KMF_LANES) {
            V sum = KMF_FN(set1)(0);
            for (size_t f = 0; f < d; ++f) {
                const size_t at = f * PANEL + lane;
                const V v = KMF_FN(sub)(KMF_FN(load)(panel + at), KMF_FN(load)(points + at));
                sum = KMF_FN(fmadd)(v, v, sum);
            }
            KMF_FN(store)(square + start + lane, sum);
        }
    }
}

/* Keep the samples that are active even with the exact distance to their own centroid. Those that only a centroid that
 * moved far can have won go to `waiting`; their second bound does not count these until they are scored. */
KMF_STATIC size_t KMF_FN(tighten)(const KMF_T *X, size_t d, const KMF_T *shift, const KMF_T *rows, float reach,
                                  const kmf_moves *moves, const int32_t *labels, float *upper, float *lower,
                                  const float *kept, int32_t *active, size_t n_active, int32_t *waiting,
                                  size_t *n_waiting)
{
    const float grow = (1.0f + (float)(d >= TURNED ? d / KMF_LANES + KMF_LANES : d) * UNIT) * GROW;
    size_t left = 0;
    *n_waiting = 0;
    for (size_t start = 0; start < n_active; start += SIDE_BY_SIDE) {
        const size_t m = n_active - start < SIDE_BY_SIDE ? n_active - start : SIDE_BY_SIDE;
        KMF_T square[SIDE_BY_SIDE] = {0}; /* those beyond m are computed with and not used */
        float up[SIDE_BY_SIDE], low[SIDE_BY_SIDE], near[SIDE_BY_SIDE], little[SIDE_BY_SIDE];
        int32_t flags[SIDE_BY_SIDE], waits[SIDE_BY_SIDE], samples[SIDE_BY_SIDE], own[SIDE_BY_SIDE];
        for (size_t s = 0; s < SIDE_BY_SIDE; ++s) {
            const size_t a = start + (s < m ? s : m - 1), i = (size_t)active[a];
            samples[s] = active[a], own[s] = labels[i], up[s] = upper[i], low[s] = lower[i], little[s] = kept[a];
            near[s] = moves->near[own[s]];
        }
        KMF_FN(own_squares)(X, d, shift, rows, own, active + start, m, n_active - start, square);
        for (size_t s = 0; s < SIDE_BY_SIDE; ++s) {
            const float root = sqrtf((float)square[s]) * grow, made = root + KMF_FN(blur)(root + 2.0f * reach);
            const float gap = (near[s] - made) * SHRINK;
            up[s] = made < up[s] ? made : up[s];
            low[s] = gap > low[s] ? gap : low[s];
            const int32_t unclear = !KMF_FN(clear)(d, reach, up[s], low[s]);
            waits[s] = unclear & KMF_FN(clear)(d, reach, up[s], little[s]);
            low[s] = waits[s] ? little[s] : low[s];
            flags[s] = unclear & !waits[s];
        }
        for (size_t s = 0; s < m; ++s)
            upper[samples[s]] = up[s], lower[samples[s]] = low[s];
        left = KMF_FN(list_flagged)(flags, samples, m, active, left);
        *n_waiting = KMF_FN(list_flagged)(waits, samples, m, waiting, *n_waiting);
    }
    return left;
}
