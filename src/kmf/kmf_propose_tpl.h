/* Greedy k-means++ in batches: what each proposal of a batch would improve.
 *
 * A round needs of a candidate the samples that lie nearer to it than to every chosen centroid, and how near; there are
 * about n / m of them once m are chosen. So one pass over X lists them for many proposals at once, and rounds are then
 * played on the lists alone (_rounds.py). Samples are taken in order of their nearest chosen centroid, a: a proposal p
 * with |p - a| >= 2 |x - a| cannot improve x, and neighbours in that order share the proposals that are left. With many
 * features scores |p|^2/2 - x . p, at half the arithmetic, rule out more; direct differences price the survivors, so
 * that equal points are at distance 0 and rounding only makes more survive.
 *
 * A list is a chain of blocks of KMF_LIST entries; what a block does not hold yet improves nothing.
 */

#define SMALL_D 8

/* Add an entry to the list of proposal p, which is nearer by `less`; 0 where no block is left. */
KMF_INLINE int KMF_FN(append)(KMF_API(kmf_lists) * lists, size_t p, uint32_t row, KMF_T distance, KMF_T less)
{
    if (lists->fill[p] == KMF_LIST) {
        if (lists->used == lists->end)
            return 0;
        const int32_t block = (int32_t)lists->used++;
        if (lists->tail[p] >= 0)
            lists->next[lists->tail[p]] = block;
        else
            lists->head[p] = block;
        lists->next[block] = -1;
        lists->tail[p] = block;
        lists->fill[p] = 0;
        for (size_t e = 0; e < KMF_LIST; ++e) {
            lists->distances[(size_t)block * KMF_LIST + e] = (KMF_T)HUGE_VAL;
            lists->rows[(size_t)block * KMF_LIST + e] = row;
        }
    }
    const size_t at = (size_t)lists->tail[p] * KMF_LIST + (size_t)lists->fill[p]++;
    lists->distances[at] = distance;
    lists->rows[at] = row;
    lists->gain[p] += (double)less;
    return 1;
}

/* Append to the list of proposal p the samples of a panel that it is nearer to than `now`; 0 where no block is left. */
KMF_INLINE int KMF_FN(append_nearer)(const V distance[2], const V now[2], const uint32_t *rows, size_t p,
                                     KMF_API(kmf_lists) * lists)
{
    uint32_t better = KMF_FN(lt_bits)(distance[0], now[0]) | KMF_FN(lt_bits)(distance[1], now[1]) << KMF_LANES;
    if (!better)
        return 1;
    KMF_T column[2 * KMF_LANES], before[2 * KMF_LANES];
    KMF_FN(store)(column, distance[0]), KMF_FN(store)(column + KMF_LANES, distance[1]);
    KMF_FN(store)(before, now[0]), KMF_FN(store)(before + KMF_LANES, now[1]);
    for (; better; better &= better - 1) {
        const size_t i = (size_t)KMF_LOWEST_BIT(better);
        if (!KMF_FN(append)(lists, p, rows[i], column[i], before[i] - column[i]))
            return 0;
    }
    return 1;
}

/* Fetch the t-th share of `n` of the next panel's samples, if there is one, under the arithmetic of this one. */
KMF_INLINE void KMF_FN(fetch_share)(const KMF_T *X, size_t d, const int32_t *ahead, size_t t, size_t n)
{
    const size_t step = (PANEL + n - 1) / n;
    for (size_t i = t * step; ahead && i < (t + 1) * step && i < PANEL; ++i) {
        for (size_t f = 0; f < d; f += 64 / sizeof(KMF_T))
            KMF_PREFETCH(X + (size_t)ahead[i] * d + f);
    }
}

/* Order the samples that some proposal may improve by their nearest centroid, and behind them those that a quarter of
 * all proposals or more may improve. Returns how many there are; *n_narrow of them come first. */
KMF_STATIC size_t KMF_FN(order_samples)(size_t n, size_t m, const int32_t *nearest, const KMF_T *closest,
                                        const KMF_T *least, const KMF_T *quarter, int32_t *counts, int32_t *keys,
                                        int32_t *order, size_t *n_narrow)
{
    for (size_t a = 0; a <= m + 1; ++a)
        counts[a] = 0;
    for (size_t i = 0; i < n; ++i) {
        const int32_t a = nearest[i];
        keys[i] = closest[i] > least[a] ? (quarter && closest[i] > quarter[a] ? (int32_t)m : a) : (int32_t)m + 1;
        counts[keys[i]]++;
    }
    int32_t sum = 0;
    for (size_t a = 0; a <= m + 1; ++a) {
        const int32_t count = counts[a];
        counts[a] = sum;
        sum += count;
    }
    *n_narrow = (size_t)counts[m];
    const size_t n_active = (size_t)counts[m + 1];
    for (size_t i = 0; i < n; ++i)
        order[counts[keys[i]]++] = (int32_t)i;
    return n_active;
}

/* The proposals that may improve any of the samples of a panel. */
KMF_INLINE size_t KMF_FN(find_proposals)(const int32_t *nearest, const KMF_T *near_now, size_t valid,
                                         const KMF_T *between, size_t q, size_t stride, uint32_t *bits, int32_t *found)
{
    size_t count = 0;
    for (size_t w = 0; w < (q + 31) / 32; ++w)
        bits[w] = 0;
    for (size_t i = 0; i < valid;) {
        const int32_t a = nearest[i];
        KMF_T most = near_now[i];
        for (++i; i < valid && nearest[i] == a; ++i)
            most = near_now[i] > most ? near_now[i] : most;
        const KMF_T *row = between + (size_t)a * stride;
        const V limit = KMF_FN(set1)(most);
        for (size_t p = 0; p < q; p += KMF_LANES)
            bits[p / 32] |= KMF_FN(lt_bits)(KMF_FN(load)(row + p), limit) << (p % 32);
    }
    for (size_t w = 0; w < (q + 31) / 32; ++w) {
        for (uint32_t b = bits[w]; b; b &= b - 1)
            found[count++] = (int32_t)(w * 32) + (int32_t)KMF_LOWEST_BIT(b);
    }
    return count;
}

/* Few features: the panel stays in registers. */
KMF_INLINE int KMF_FN(improve_small)(const KMF_T *panel, const KMF_T *near_now, const uint32_t *rows,
                                     const KMF_T *proposals, const int32_t *found, size_t count, const size_t d,
                                     KMF_API(kmf_lists) * lists)
{
    V x[2][SMALL_D], dist[2], now[2];
    KMF_UNROLL
    for (size_t f = 0; f < d; ++f) {
        x[0][f] = KMF_FN(load)(panel + f * PANEL);
        x[1][f] = KMF_FN(load)(panel + f * PANEL + KMF_LANES);
    }
    now[0] = KMF_FN(load)(near_now), now[1] = KMF_FN(load)(near_now + KMF_LANES);
    for (size_t j = 0; j < count; ++j) {
        const KMF_T *c = proposals + (size_t)found[j] * d;
        dist[0] = dist[1] = KMF_FN(set1)(0);
        KMF_UNROLL
        for (size_t f = 0; f < d; ++f) {
            const V cf = KMF_FN(set1)(c[f]);
            const V d0 = KMF_FN(sub)(x[0][f], cf), d1 = KMF_FN(sub)(x[1][f], cf);
            dist[0] = KMF_FN(fmadd)(d0, d0, dist[0]);
            dist[1] = KMF_FN(fmadd)(d1, d1, dist[1]);
        }
        if (!KMF_FN(append_nearer)(dist, now, rows, (size_t)found[j], lists))
            return 0;
    }
    return 1;
}

/* |x - c|^2 of two rows */
KMF_INLINE KMF_T KMF_FN(row_distance)(const KMF_T *x, const KMF_T *c, size_t d)
{
    V sum0 = KMF_FN(set1)(0), sum1 = sum0;
    size_t f = 0;
    for (; f + PANEL <= d; f += PANEL) {
        const V d0 = KMF_FN(sub)(KMF_FN(load)(x + f), KMF_FN(load)(c + f));
        const V d1 = KMF_FN(sub)(KMF_FN(load)(x + f + KMF_LANES), KMF_FN(load)(c + f + KMF_LANES));
        sum0 = KMF_FN(fmadd)(d0, d0, sum0);
        sum1 = KMF_FN(fmadd)(d1, d1, sum1);
    }
    KMF_T rest = 0;
    for (; f < d; ++f)
        rest += (x[f] - c[f]) * (x[f] - c[f]);
    return KMF_FN(total)(KMF_FN(fmadd)(sum1, KMF_FN(set1)(1), sum0)) + rest;
}

/* below[j]: the samples of a panel whose score against centroid j of a tile is below their threshold. */
KMF_INLINE void KMF_FN(tile_below)(const KMF_T *panel, const KMF_T *tile, size_t d, const size_t nr, const KMF_T *below,
                                   uint32_t *bits)
{
    V score[2][KMF_TILE];
    KMF_UNROLL
    for (size_t j = 0; j < nr; ++j)
        score[0][j] = score[1][j] = KMF_FN(set1)(tile[j]);
    const KMF_T *c = tile + 2 * TILE;
    for (size_t f = 0; f < d; ++f, panel += PANEL, c += TILE) {
        const V x0 = KMF_FN(load)(panel), x1 = KMF_FN(load)(panel + KMF_LANES);
        KMF_UNROLL
        for (size_t j = 0; j < nr; ++j) {
            const V cj = KMF_FN(set1)(c[j]);
            score[0][j] = KMF_FN(fnmadd)(x0, cj, score[0][j]);
            score[1][j] = KMF_FN(fnmadd)(x1, cj, score[1][j]);
        }
    }
    KMF_UNROLL
    for (size_t j = 0; j < nr; ++j)
        bits[j] = KMF_FN(lt_bits)(score[0][j], KMF_FN(load)(below)) |
                  KMF_FN(lt_bits)(score[1][j], KMF_FN(load)(below + KMF_LANES)) << KMF_LANES;
}

/* The last tile runs only as many thirds as it has centroids. Apart, since a tile wants every register. */
KMF_APART void KMF_FN(some_below)(const KMF_T *panel, const KMF_T *tile, size_t d, size_t nr, const KMF_T *below,
                                  uint32_t *bits)
{
    if (nr > TILE * 2 / 3)
        KMF_FN(tile_below)(panel, tile, d, TILE, below, bits);
    else if (nr > TILE / 3)
        KMF_FN(tile_below)(panel, tile, d, TILE * 2 / 3, below, bits);
    else
        KMF_FN(tile_below)(panel, tile, d, (TILE + 2) / 3, below, bits);
}

/* Many features, and each proposal improves many of the samples: all are priced, none is scored first. */
KMF_INLINE int KMF_FN(improve_all)(const KMF_T *X, const KMF_T *panel, const KMF_T *near_now, const uint32_t *rows,
                                   size_t d, const KMF_T *proposals, size_t count, const int32_t *ahead,
                                   KMF_API(kmf_lists) * lists)
{
    const size_t n_steps = (count + QUERIES - 1) / QUERIES;
    V now[2];
    now[0] = KMF_FN(load)(near_now), now[1] = KMF_FN(load)(near_now + KMF_LANES);
    for (size_t t = 0; t < n_steps; ++t) {
        const size_t first = t * QUERIES, m = count - first < QUERIES ? count - first : QUERIES;
        V distances[QUERIES][2];
        KMF_FN(fetch_share)(X, d, ahead, t, n_steps);
        KMF_FN(some_distances)(panel, proposals + first * d, d, m, NULL, distances);
        for (size_t j = 0; j < m; ++j) {
            if (!KMF_FN(append_nearer)(distances[j], now, rows, first + j, lists))
                return 0;
        }
    }
    return 1;
}

#if defined(KMF_FILTER_BYTES) && KMF_FLOATS
/* The same by the filter (kmf_filter_tpl.h): scores are taken from products of whole numbers, less what they may be wrong by. */
KMF_APART void KMF_FN(products_below)(const int32_t *x, const int32_t *tile, size_t d, const KMF_FN(filtered) * it,
                                      const float *below, uint32_t *bits)
{
    const float *scale = (const float *)(const void *)tile + 2 * TILE;
    V score[2][KMF_TILE];
    KMF_FN(filter_scores)(x, tile, d, NULL, it, score);
    KMF_UNROLL
    for (size_t j = 0; j < TILE; ++j)
        bits[j] = 0;
    KMF_UNROLL
    for (size_t h = 0; h < 2; ++h) {
        const V limit =
            KMF_FN(plus)(KMF_FN(filter_error)(it, h * KMF_LANES, scale), KMF_FN(load)(below + h * KMF_LANES));
        KMF_UNROLL
        for (size_t j = 0; j < TILE; ++j)
            bits[j] |= KMF_FN(lt_bits)(score[h][j], limit) << (h * KMF_LANES);
    }
}
#endif

KMF_INLINE KMF_T KMF_FN(root)(KMF_T a) { return sizeof a == 4 ? (KMF_T)sqrtf((float)a) : (KMF_T)sqrt((double)a); }

/* below[i]: no proposal whose score is above can be nearer to sample i than `near_now` (all about the shift). */
KMF_INLINE void KMF_FN(thresholds)(const KMF_T *panel, const KMF_T *near_now, size_t d, double largest, KMF_T *below)
{
    KMF_T norm[2 * KMF_LANES];
    KMF_FN(norms)(panel, d, norm);
    const KMF_T unit = 4 * (KMF_T)(d + 16) * UNIT, most = (KMF_T)largest;
    for (size_t i = 0; i < PANEL; ++i) {
        const KMF_T span = KMF_FN(root)(norm[i]) * (1 + unit) + most, slack = unit * span * span;
        const KMF_T radius = KMF_FN(root)(near_now[i]) * (1 + unit) + 8 * UNIT * span;
        const KMF_T limit = (radius * radius + slack - norm[i]) / 2, off = 4 * UNIT * (radius * radius + norm[i]);
        below[i] = limit + off;
    }
}

/* Many features: scores as a filter, direct differences for what is left. The scores are those of the proposals found, or
 * of all by the filter: `filter` is not NULL where `found` is. */
KMF_INLINE int KMF_FN(improve_tiled)(const KMF_T *X, const KMF_T *panel, const KMF_T *near_now, const KMF_T *below,
                                     const int32_t *index, uint32_t first, size_t valid, size_t d,
                                     const KMF_T *proposals, const KMF_T *packed, const int32_t *found, size_t count,
                                     const int32_t *ahead, const KMF_T *shift, const void *filter, float largest,
                                     KMF_T *tile, int32_t *x, KMF_API(kmf_lists) * lists)
{
#if defined(KMF_FILTER_BYTES) && KMF_FLOATS
    KMF_FN(filtered) it;
    if (!found) {
        const KMF_T *rows[2 * KMF_LANES];
        KMF_T norm[2 * KMF_LANES];
        for (size_t i = 0; i < PANEL; ++i)
            rows[i] = X + (size_t)index[i] * d;
        KMF_FN(filter_round)(rows, valid, d, shift, x, norm, &it);
        for (size_t i = 0; i < PANEL; ++i)
            it.slack[i] = 2.0f * KMF_FN(score_slack)(d, it.norm[i], largest);
    }
#else
    (void)shift, (void)filter, (void)x, (void)largest;
#endif
    const uint32_t all = valid < 32 ? ((uint32_t)1 << valid) - 1 : ~(uint32_t)0;
    const size_t n_tiles = (count + TILE - 1) / TILE;
    for (size_t t = 0; t < n_tiles; ++t) {
        const size_t j = t * TILE, nr = count - j < TILE ? count - j : TILE;
        uint32_t bits[KMF_TILE];
        KMF_FN(fetch_share)(X, d, ahead, t, n_tiles);
        if (found) { /* these lie about in `packed` */
            for (size_t r = 0; r < TILE; ++r) {
                const size_t p = (size_t)found[j + (r < nr ? r : nr - 1)];
                const KMF_T *from = packed + p / TILE * TILE * (d + 2) + p % TILE;
                for (size_t f = 0; f < d + 2; ++f)
                    tile[f * TILE + r] = from[f * TILE];
            }
            KMF_FN(some_below)(panel, tile, d, nr, below, bits);
        }
#if defined(KMF_FILTER_BYTES) && KMF_FLOATS
        else
            KMF_FN(products_below)(x, (const int32_t *)filter + t * FILTER_TILE(d), d, &it, below, bits);
#endif
        uint32_t some = 0;
        for (size_t r = 0; r < nr; ++r)
            some |= (uint32_t)((bits[r] & all) != 0) << r;
        for (; some; some &= some - 1) { /* few are left: jumps that are foreseen count for more than what they skip */
            const size_t r = (size_t)KMF_LOWEST_BIT(some), p = found ? (size_t)found[j + r] : j + r;
            for (uint32_t b = bits[r] & all; b; b &= b - 1) {
                const size_t i = (size_t)KMF_LOWEST_BIT(b);
                const KMF_T distance = KMF_FN(row_distance)(X + (size_t)index[i] * d, proposals + p * d, d);
                if (distance < near_now[i] &&
                    !KMF_FN(append)(lists, p, first + (uint32_t)index[i], distance, near_now[i] - distance))
                    return 0;
            }
        }
    }
    return 1;
}

KMF_STATIC int KMF_FN(improvements)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift,
                                    const KMF_API(kmf_proposals) * batch, const int32_t *nearest, const KMF_T *closest,
                                    uint32_t first, KMF_API(kmf_lists) * lists, KMF_T *work)
{
    const size_t q = batch->n, m = batch->n_chosen;
    int32_t *order = (int32_t *)(void *)work, *keys = order + n, *counts = keys + n, *found = counts + m + 2;
    uint32_t *bits = (uint32_t *)(void *)(found + q + 32);
    KMF_T *panel = work + (2 * n + m + 2 * q + 98), *tile = panel + PANEL * d;
#if defined(KMF_FILTER_BYTES) && KMF_FLOATS
    const void *filter = batch->filter;
#else
    const void *filter = NULL;
#endif
    size_t n_narrow;
    const size_t n_active =
        KMF_FN(order_samples)(n, m, nearest, closest, batch->least, batch->quarter, counts, keys, order, &n_narrow);
    for (size_t start = 0; start < n_active; start += PANEL) {
        const size_t valid = n_active - start < PANEL ? n_active - start : PANEL;
        KMF_T near_now[2 * KMF_LANES], below[2 * KMF_LANES];
        int32_t index[2 * KMF_LANES], own[2 * KMF_LANES];
        uint32_t rows[2 * KMF_LANES];
        const KMF_T *x[2 * KMF_LANES];
        for (size_t i = 0; i < PANEL; ++i) {
            index[i] = order[start + (i < valid ? i : valid - 1)];
            near_now[i] = i < valid ? closest[index[i]] : 0; /* a missing sample improves nowhere */
            own[i] = nearest[index[i]];
            rows[i] = first + (uint32_t)index[i];
            x[i] = X + (size_t)index[i] * d;
        }
        const int wide = start + valid > n_narrow;
        const size_t count = wide && d > SMALL_D ? q
                                                 : KMF_FN(find_proposals)(own, near_now, valid, batch->between, q,
                                                                          batch->stride, bits, found);
        if (count == 0)
            continue;
        int ok = 1;
        switch (d) {
#define SMALL_CASE(D)                                                                                                  \
    case D:                                                                                                            \
        KMF_UNROLL                                                                                                     \
        for (size_t f = 0; f < D; ++f) {                                                                               \
            for (size_t i = 0; i < PANEL; ++i)                                                                         \
                panel[f * PANEL + i] = x[i][f];                                                                        \
        }                                                                                                              \
        ok = KMF_FN(improve_small)(panel, near_now, rows, batch->points, found, count, D, lists);                      \
        break
            SMALL_CASE(1);
            SMALL_CASE(2);
            SMALL_CASE(3);
            SMALL_CASE(4);
            SMALL_CASE(5);
            SMALL_CASE(6);
            SMALL_CASE(7);
            SMALL_CASE(8);
#undef SMALL_CASE
        default:
            if (wide && !filter) {
                KMF_FN(no_shift)(tile, d);
                KMF_FN(load_rows)(x, d, tile, panel);
                ok = KMF_FN(improve_all)(X, panel, near_now, rows, d, batch->points, count,
                                         start + 2 * PANEL <= n_active ? order + start + PANEL : NULL, lists);
                break;
            }
            KMF_FN(load_rows)(x, d, shift, panel);
            KMF_FN(thresholds)(panel, near_now, d, batch->largest, below);
            ok = KMF_FN(improve_tiled)(X, panel, near_now, below, index, first, valid, d, batch->points, batch->packed,
                                       wide ? NULL : found, count,
                                       start + 2 * PANEL <= n_active ? order + start + PANEL : NULL, shift, filter,
                                       (float)batch->largest, tile, (int32_t *)(void *)(tile + TILE * (d + 2)), lists);
            break;
        }
        if (!ok)
            return 0;
    }
    return 1;
}

KMF_STATIC double KMF_FN(list_gain)(const KMF_API(kmf_lists) * lists, size_t p, const KMF_T *closest,
                                    const double *sample_weight)
{
    double gain = 0.0;
    for (int32_t block = lists->head[p]; block >= 0; block = lists->next[block]) {
        const KMF_T *distances = lists->distances + (size_t)block * KMF_LIST;
        const uint32_t *rows = lists->rows + (size_t)block * KMF_LIST;
        KMF_T sum[8] = {0, 0, 0, 0, 0, 0, 0, 0};
        for (size_t e = 0; e < KMF_LIST; e += 8) {
            for (size_t i = 0; i < 8; ++i) {
                const KMF_T less = closest[rows[e + i]] - distances[e + i];
                const KMF_T w = sample_weight ? (KMF_T)sample_weight[rows[e + i]] : 1;
                sum[i] += less > 0 ? less * w : 0;
            }
        }
        gain += (((double)sum[0] + (double)sum[1]) + ((double)sum[2] + (double)sum[3])) +
                (((double)sum[4] + (double)sum[5]) + ((double)sum[6] + (double)sum[7]));
    }
    return gain;
}

KMF_STATIC void KMF_FN(list_apply)(const KMF_API(kmf_lists) * lists, size_t p, int32_t label, int32_t *nearest,
                                   KMF_T *closest)
{
    for (int32_t block = lists->head[p]; block >= 0; block = lists->next[block]) {
        for (size_t e = (size_t)block * KMF_LIST; e < ((size_t)block + 1) * KMF_LIST; ++e) {
            const uint32_t i = lists->rows[e];
            if (lists->distances[e] < closest[i]) {
                closest[i] = lists->distances[e];
                nearest[i] = label;
            }
        }
    }
}

#undef SMALL_D
