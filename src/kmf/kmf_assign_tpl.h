/* The assignment step: for every sample the centroid with the least score |c|^2 / 2 - x . c.
 *
 * Samples lie along the lanes, so the argmin needs no horizontal step and the n x k scores are never written. Few
 * features: a panel stays in registers and the loop runs over the centroids. Many: a register tile of two vectors by
 * TILE centroids runs over the features, in blocks whose panel stays in L1. More centroids than fit L2: a group of
 * panels shares each block of tiles.
 */

#define BESIDE (KMF_TILE < 3 ? 1 : KMF_TILE / 3) /* centroids whose sums run side by side; divides a tile */

/* A register tile over features [first, last): scores start from the half norms or are added to `spill`, and end in
 * `spill` or in the running best. nr is a constant in every call. `ahead`, if any, are the rows of the next panel, fetched here
 * under the arithmetic, since the strided reads of a transpose hide no latency. `second`, if any, is the second best. */
KMF_INLINE void KMF_FN(tile_scores)(const KMF_T *panel, const KMF_T *tile, size_t first, size_t last, size_t d,
                                    const size_t nr, const KMF_T *const *ahead, KMF_T *spill, V best[2], V index[2],
                                    V second[2])
{
    V score[2][KMF_TILE];
    KMF_UNROLL
    for (size_t j = 0; j < nr; ++j) {
        score[0][j] = score[1][j] = KMF_FN(set1)(first == 0 ? tile[j] : 0);
    }
    const KMF_T *x = panel + first * PANEL, *c = tile + (2 + first) * TILE;
    for (size_t f = first; f < last; ++f, x += PANEL, c += TILE) {
        const V x0 = KMF_FN(load)(x), x1 = KMF_FN(load)(x + KMF_LANES);
        if (ahead) {
            KMF_PREFETCH(ahead[2 * f % PANEL] + f / KMF_LANES * KMF_LANES);
            KMF_PREFETCH(ahead[2 * f % PANEL + 1] + f / KMF_LANES * KMF_LANES);
        }
        KMF_UNROLL
        for (size_t j = 0; j < nr; ++j) {
            const V cj = KMF_FN(set1)(c[j]);
            score[0][j] = KMF_FN(fnmadd)(x0, cj, score[0][j]);
            score[1][j] = KMF_FN(fnmadd)(x1, cj, score[1][j]);
        }
    }
    KMF_UNROLL
    for (size_t j = 0; j < nr; ++j) {
        if (first > 0) {
            score[0][j] = KMF_FN(plus)(KMF_FN(load)(spill + j * PANEL), score[0][j]);
            score[1][j] = KMF_FN(plus)(KMF_FN(load)(spill + j * PANEL + KMF_LANES), score[1][j]);
        }
        if (last < d) {
            KMF_FN(store)(spill + j * PANEL, score[0][j]);
            KMF_FN(store)(spill + j * PANEL + KMF_LANES, score[1][j]);
        } else {
            const V id = KMF_FN(set1)(tile[TILE + j]);
            if (second) {
                second[0] = KMF_FN(min)(KMF_FN(max)(score[0][j], best[0]), second[0]);
                second[1] = KMF_FN(min)(KMF_FN(max)(score[1][j], best[1]), second[1]);
            }
            index[0] = KMF_FN(select)(score[0][j], best[0], id, index[0]);
            index[1] = KMF_FN(select)(score[1][j], best[1], id, index[1]);
            best[0] = KMF_FN(min)(score[0][j], best[0]);
            best[1] = KMF_FN(min)(score[1][j], best[1]);
        }
    }
}

/* The scores of a panel and k centroids, whole tiles of them, which are kept: scores[j * PANEL + lane]. */
KMF_STATIC void KMF_FN(keep_scores)(const KMF_T *panel, const KMF_T *tiles, size_t k, size_t d,
                                    const KMF_T *const *ahead, KMF_T *scores)
{
    for (size_t first = 0; first < d; first += KMF_FEATURE_BLOCK) {
        const size_t last = d - first > KMF_FEATURE_BLOCK ? first + KMF_FEATURE_BLOCK : d;
        for (size_t j = 0; j < k; j += TILE) /* d + 1: the scores are not the end */
            KMF_FN(tile_scores)(panel, tiles + j * (d + 2), first, last, d + 1, TILE, j == 0 ? ahead : NULL,
                                scores + j * PANEL, NULL, NULL, NULL);
    }
}

/* Many features. The last tile runs only as many quarters as it has centroids. */
KMF_INLINE void KMF_FN(nearest_tiled)(const KMF_T *panel, const KMF_T *tiles, size_t k, size_t d,
                                      const KMF_T *const *ahead, KMF_T *spill, V best[2], V index[2], V second[2])
{
    for (size_t first = 0; first < d; first += KMF_FEATURE_BLOCK) {
        const size_t last = d - first > KMF_FEATURE_BLOCK ? first + KMF_FEATURE_BLOCK : d;
        for (size_t j = 0; j < k; j += TILE) {
            const KMF_T *tile = tiles + j * (d + 2);
            KMF_T *scores = spill + j * PANEL;
            const KMF_T *const *next = j == 0 ? ahead : NULL;
            if (k - j > TILE * 2 / 3)
                KMF_FN(tile_scores)(panel, tile, first, last, d, TILE, next, scores, best, index, second);
            else if (k - j > TILE / 3)
                KMF_FN(tile_scores)(panel, tile, first, last, d, TILE * 2 / 3, next, scores, best, index, second);
            else
                KMF_FN(tile_scores)(panel, tile, first, last, d, (TILE + 2) / 3, next, scores, best, index, second);
        }
    }
}

/* Few features: d is a constant in every call, the panel stays in registers. A few centroids go side by side, since the
 * sums of one wait for each other; those that fill up the last tile never win. */
KMF_INLINE void KMF_FN(nearest_small)(const KMF_T *panel, const KMF_T *tiles, size_t k, const size_t d, V best[2],
                                      V index[2])
{
    V x[2][8];
    KMF_UNROLL
    for (size_t f = 0; f < d; ++f) {
        x[0][f] = KMF_FN(load)(panel + f * PANEL);
        x[1][f] = KMF_FN(load)(panel + f * PANEL + KMF_LANES);
    }
    V b0 = best[0], b1 = best[1], i0 = index[0], i1 = index[1];
    for (size_t start = 0; start < k; start += TILE, tiles += TILE * (d + 2)) {
        const size_t nr = k - start < TILE ? k - start : TILE;
        for (size_t j = 0; j < nr; j += BESIDE) {
            V s0[BESIDE], s1[BESIDE];
            KMF_UNROLL
            for (size_t r = 0; r < BESIDE; ++r)
                s0[r] = s1[r] = KMF_FN(set1)(tiles[j + r]);
            KMF_UNROLL
            for (size_t f = 0; f < d; ++f) {
                KMF_UNROLL
                for (size_t r = 0; r < BESIDE; ++r) {
                    const V c = KMF_FN(set1)(tiles[(2 + f) * TILE + j + r]);
                    s0[r] = KMF_FN(fnmadd)(x[0][f], c, s0[r]);
                    s1[r] = KMF_FN(fnmadd)(x[1][f], c, s1[r]);
                }
            }
            KMF_UNROLL
            for (size_t r = 0; r < BESIDE; ++r) {
                const V id = KMF_FN(set1)(tiles[TILE + j + r]);
                i0 = KMF_FN(select)(s0[r], b0, id, i0);
                i1 = KMF_FN(select)(s1[r], b1, id, i1);
                b0 = KMF_FN(min)(s0[r], b0);
                b1 = KMF_FN(min)(s1[r], b1);
            }
        }
    }
    best[0] = b0, best[1] = b1, index[0] = i0, index[1] = i1;
}

/* The nearest of one block of tiles to each sample of a panel. */
KMF_INLINE void KMF_FN(nearest)(const KMF_T *panel, const KMF_T *tiles, size_t k, size_t d, const KMF_T *const *ahead,
                                KMF_T *spill, KMF_T *best, KMF_T *index)
{
    V b[2], i[2];
    b[0] = b[1] = KMF_FN(set1)((KMF_T)HUGE_VAL);
    i[0] = i[1] = KMF_FN(set1)(0);
    switch (d) {
    case 1: KMF_FN(nearest_small)(panel, tiles, k, 1, b, i); break;
    case 2: KMF_FN(nearest_small)(panel, tiles, k, 2, b, i); break;
    case 3: KMF_FN(nearest_small)(panel, tiles, k, 3, b, i); break;
    case 4: KMF_FN(nearest_small)(panel, tiles, k, 4, b, i); break;
    case 5: KMF_FN(nearest_small)(panel, tiles, k, 5, b, i); break;
    case 6: KMF_FN(nearest_small)(panel, tiles, k, 6, b, i); break;
    case 7: KMF_FN(nearest_small)(panel, tiles, k, 7, b, i); break;
    case 8: KMF_FN(nearest_small)(panel, tiles, k, 8, b, i); break;
    default: KMF_FN(nearest_tiled)(panel, tiles, k, d, ahead, spill, b, i, NULL); break;
    }
    KMF_FN(store)(best, b[0]);
    KMF_FN(store)(best + KMF_LANES, b[1]);
    KMF_FN(store)(index, i[0]);
    KMF_FN(store)(index + KMF_LANES, i[1]);
}

/* Additions that a product goes through in a score of `assign`. */
KMF_INLINE size_t KMF_FN(chain)(size_t d)
{
    return (d < KMF_FEATURE_BLOCK ? d : KMF_FEATURE_BLOCK) + d / KMF_FEATURE_BLOCK;
}

#define TINIEST 1e-36f /* squares below it lose their digits as floats: bounds tell nothing apart there */

/* What rounding may do to a squared distance taken from a score and |x|^2, or to the difference of two scores, doubled.
 * With chains of so many products a score is off by (chain + 2) units of |x||c| + |c|^2 / 2 at most, the norm by as many
 * of |x|^2. `span` is |x| + |c| or more. */
KMF_INLINE float KMF_FN(slack)(size_t chain, float span)
{
    return 2.5f * (float)(chain + 16) * UNIT * span * span + TINIEST;
}

/* What rounding may add to a score, by `assign` or row by row, for |x| <= norm and |c| <= reach. */
KMF_INLINE float KMF_FN(score_slack)(size_t d, float norm, float reach)
{
    return (float)(KMF_FN(chain)(d) + d / KMF_LANES + 16) * UNIT * reach * (norm + reach);
}

/* The two least scores of a panel over all centroids, and the index of the least. */
KMF_STATIC void KMF_FN(two_nearest)(const KMF_T *panel, const KMF_T *packed, size_t k, size_t d,
                                    const KMF_T *const *ahead, KMF_T *spill, KMF_T *best, KMF_T *second, int32_t *label)
{
    const size_t block = KMF_FN(tiles_per_block)(d) * TILE;
    for (size_t j = 0; j < k; j += block) {
        KMF_T least[2 * KMF_LANES], next[2 * KMF_LANES], index[2 * KMF_LANES];
        V b[2], s[2], i[2];
        b[0] = b[1] = s[0] = s[1] = KMF_FN(set1)((KMF_T)HUGE_VAL);
        i[0] = i[1] = KMF_FN(set1)(0);
        KMF_FN(nearest_tiled)(panel, packed + j * (d + 2), k - j < block ? k - j : block, d, j == 0 ? ahead : NULL,
                              spill, b, i, s);
        KMF_FN(store)(least, b[0]), KMF_FN(store)(least + KMF_LANES, b[1]);
        KMF_FN(store)(next, s[0]), KMF_FN(store)(next + KMF_LANES, s[1]);
        KMF_FN(store)(index, i[0]), KMF_FN(store)(index + KMF_LANES, i[1]);
        for (size_t lane = 0; lane < PANEL; ++lane) {
            if (j == 0 || least[lane] < best[lane]) {
                second[lane] = j > 0 && best[lane] < next[lane] ? best[lane] : next[lane];
                best[lane] = least[lane];
                label[lane] = (int32_t)j + (int32_t)index[lane];
            } else if (least[lane] < second[lane]) {
                second[lane] = least[lane];
            }
        }
    }
}

/* |x|^2 of the samples of a panel, in chains as long as those of the scores. */
KMF_INLINE void KMF_FN(norms)(const KMF_T *panel, size_t d, KMF_T *norm)
{
    V n0 = KMF_FN(set1)(0), n1 = n0;
    for (size_t first = 0; first < d; first += KMF_FEATURE_BLOCK) {
        const size_t last = d - first > KMF_FEATURE_BLOCK ? first + KMF_FEATURE_BLOCK : d;
        V s0 = KMF_FN(set1)(0), s1 = s0;
        for (size_t f = first; f < last; ++f) {
            const V x0 = KMF_FN(load)(panel + f * PANEL), x1 = KMF_FN(load)(panel + f * PANEL + KMF_LANES);
            s0 = KMF_FN(fmadd)(x0, x0, s0);
            s1 = KMF_FN(fmadd)(x1, x1, s1);
        }
        n0 = KMF_FN(plus)(n0, s0);
        n1 = KMF_FN(plus)(n1, s1);
    }
    KMF_FN(store)(norm, n0);
    KMF_FN(store)(norm + KMF_LANES, n1);
}

/* Few features and one block of centroids: nothing but the panel leaves the registers. */
KMF_INLINE void KMF_FN(assign_small)(const KMF_T *X, size_t n, const size_t d, const KMF_T *shift, const KMF_T *packed,
                                     size_t k, int32_t *labels)
{
    for (size_t start = 0; start < n; start += PANEL) {
        const size_t m = n - start < PANEL ? n - start : PANEL;
        KMF_T panel[8 * 2 * KMF_LANES], index[2 * KMF_LANES];
        V b[2], i[2];
        b[0] = b[1] = KMF_FN(set1)((KMF_T)HUGE_VAL);
        i[0] = i[1] = KMF_FN(set1)(0);
        if (d <= 3 && m == PANEL)
            KMF_FN(deinterleave)(X + start * d, d, shift, panel);
        else
            KMF_FN(load_panel)(X + start * d, m, d, shift, panel);
        KMF_FN(nearest_small)(panel, packed, k, d, b, i);
        KMF_FN(store)(index, i[0]);
        KMF_FN(store)(index + KMF_LANES, i[1]);
        if (m == PANEL) {
            for (size_t lane = 0; lane < PANEL; ++lane)
                labels[start + lane] = (int32_t)index[lane];
        } else {
            for (size_t lane = 0; lane < m; ++lane)
                labels[start + lane] = (int32_t)index[lane];
        }
    }
}

KMF_STATIC void KMF_FN(assign)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed, size_t k,
                               int32_t *labels, KMF_T *work)
{
    const size_t block = KMF_FN(tiles_per_block)(d) * TILE;
    if (k <= block) {
        switch (d) {
        case 1: KMF_FN(assign_small)(X, n, 1, shift, packed, k, labels); return;
        case 2: KMF_FN(assign_small)(X, n, 2, shift, packed, k, labels); return;
        case 3: KMF_FN(assign_small)(X, n, 3, shift, packed, k, labels); return;
        case 4: KMF_FN(assign_small)(X, n, 4, shift, packed, k, labels); return;
        case 5: KMF_FN(assign_small)(X, n, 5, shift, packed, k, labels); return;
        case 6: KMF_FN(assign_small)(X, n, 6, shift, packed, k, labels); return;
        case 7: KMF_FN(assign_small)(X, n, 7, shift, packed, k, labels); return;
        case 8: KMF_FN(assign_small)(X, n, 8, shift, packed, k, labels); return;
        default: break;
        }
    }
    const size_t fitting = KMF_L2_BYTES / sizeof(KMF_T) / (PANEL * (d + 1));
    const size_t group = k <= block || fitting == 0 ? 1 : fitting;
    KMF_T *panels = work, *best = panels + group * PANEL * d, *spill = best + group * PANEL;
    for (size_t start = 0; start < n; start += group * PANEL) {
        const size_t m = n - start < group * PANEL ? n - start : group * PANEL, next = start + m;
        const KMF_T *ahead[2 * KMF_LANES];
        if (next < n)
            KMF_FN(find_rows)(X + next * d, n - next, d, ahead);
        for (size_t p = 0; p < m; p += PANEL)
            KMF_FN(load_panel)(X + (start + p) * d, m - p < PANEL ? m - p : PANEL, d, shift, panels + p * d);
        for (size_t j = 0; j < k; j += block) {
            for (size_t p = 0; p < m; p += PANEL) {
                KMF_T score[2 * KMF_LANES], index[2 * KMF_LANES];
                KMF_FN(nearest)(panels + p * d, packed + j * (d + 2), k - j < block ? k - j : block, d,
                                group == 1 && next < n ? ahead : NULL, spill, score, index);
                const size_t valid = m - p < PANEL ? m - p : PANEL;
                for (size_t i = 0; i < valid; ++i) {
                    if (j == 0 || score[i] < best[p + i]) {
                        best[p + i] = score[i];
                        labels[start + p + i] = (int32_t)j + (int32_t)index[i];
                    }
                }
            }
        }
    }
}

#define LISTED 128 /* samples that are copied at once */

/* `assign` for the listed samples of at most 8 features. */
KMF_STATIC void KMF_FN(assign_listed)(const KMF_T *X, size_t d, const KMF_T *shift, const KMF_T *packed, size_t k,
                                      const int32_t *list, size_t n, int32_t *labels, KMF_T *work)
{
    KMF_T rows[LISTED * 8] = {0};
    int32_t found[LISTED];
    for (size_t start = 0; start < n; start += LISTED) {
        const size_t m = n - start < LISTED ? n - start : LISTED;
        for (size_t i = 0; i < m; ++i)
            memcpy(rows + i * d, X + (size_t)list[start + i] * d, d * sizeof(KMF_T));
        KMF_FN(assign)(rows, m, d, shift, packed, k, found, work);
        for (size_t i = 0; i < m; ++i)
            labels[list[start + i]] = found[i];
    }
}

#undef LISTED
#undef BESIDE
