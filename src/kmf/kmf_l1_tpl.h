/* Distances that are sums of absolute differences (L1, Manhattan), always by direct differences: right at any offset.
 *
 * Samples lie along the lanes, as for `assign`; a register tile is two thirds as wide, since a term takes a subtraction,
 * a sign and an addition. Additions are made in the order of the features on every instruction set: the same bits.
 */

#define L1_TILE (KMF_TILE < 6 ? 2 : KMF_TILE * 2 / 3)

/* sum[j][.] = |x - points[j]| for the samples of a panel and nr points; nr is a constant in every call. `ahead`, if any, is
 * the memory of the next panel, fetched under the arithmetic. */
KMF_INLINE void KMF_FN(l1_tile)(const KMF_T *panel, const KMF_T *points, const size_t d, const size_t nr,
                                const KMF_T *ahead, V sum[L1_TILE][2])
{
    size_t first = 0;
    KMF_UNROLL
    for (size_t j = 0; j < nr; ++j)
        sum[j][0] = sum[j][1] = KMF_FN(set1)(0);
    do {
        const size_t last = d - first > KMF_FEATURE_BLOCK ? first + KMF_FEATURE_BLOCK : d;
        V part[L1_TILE][2];
        KMF_UNROLL
        for (size_t j = 0; j < nr; ++j)
            part[j][0] = part[j][1] = KMF_FN(set1)(0);
        for (size_t f = first; f < last; ++f) {
            const V x0 = KMF_FN(load)(panel + f * PANEL), x1 = KMF_FN(load)(panel + f * PANEL + KMF_LANES);
            if (ahead) {
                KMF_PREFETCH(ahead + f * PANEL);
                KMF_PREFETCH(ahead + f * PANEL + KMF_LANES);
            }
            KMF_UNROLL
            for (size_t j = 0; j < nr; ++j) {
                const V c = KMF_FN(set1)(points[j * d + f]);
                part[j][0] = KMF_FN(plus)(KMF_FN(apart)(x0, c), part[j][0]);
                part[j][1] = KMF_FN(plus)(KMF_FN(apart)(x1, c), part[j][1]);
            }
        }
        KMF_UNROLL
        for (size_t j = 0; j < nr; ++j) {
            sum[j][0] = first == 0 ? part[j][0] : KMF_FN(plus)(part[j][0], sum[j][0]);
            sum[j][1] = first == 0 ? part[j][1] : KMF_FN(plus)(part[j][1], sum[j][1]);
        }
        first = last;
    } while (first < d);
}

/* Takes nr points, the first of which is number j of its block, into the running best. */
KMF_INLINE void KMF_FN(l1_beat)(const KMF_T *panel, const KMF_T *points, const size_t d, const size_t nr,
                                const KMF_T *ahead, size_t j, V best[2], V index[2])
{
    V sum[L1_TILE][2];
    KMF_FN(l1_tile)(panel, points + j * d, d, nr, ahead, sum);
    KMF_UNROLL
    for (size_t r = 0; r < nr; ++r) {
        const V id = KMF_FN(set1)((KMF_T)(j + r)); /* exact below 2^24, of which no block has more */
        index[0] = KMF_FN(select)(sum[r][0], best[0], id, index[0]);
        index[1] = KMF_FN(select)(sum[r][1], best[1], id, index[1]);
        best[0] = KMF_FN(min)(sum[r][0], best[0]);
        best[1] = KMF_FN(min)(sum[r][1], best[1]);
    }
}

/* The nearest of a block of points to each sample of a panel; d is a constant where it is small. */
KMF_INLINE void KMF_FN(l1_block)(const KMF_T *panel, const KMF_T *points, size_t k, const size_t d, const KMF_T *ahead,
                                 KMF_T *best, KMF_T *index)
{
    V b[2], i[2];
    b[0] = b[1] = KMF_FN(set1)((KMF_T)HUGE_VAL);
    i[0] = i[1] = KMF_FN(set1)(0);
    size_t j = 0;
    for (; k - j >= L1_TILE; j += L1_TILE)
        KMF_FN(l1_beat)(panel, points, d, L1_TILE, j == 0 ? ahead : NULL, j, b, i);
    if (L1_TILE > 4 && k - j >= 4) {
        KMF_FN(l1_beat)(panel, points, d, L1_TILE > 4 ? 4 : 1, NULL, j, b, i);
        j += 4;
    }
    if (L1_TILE > 2 && k - j >= 2) {
        KMF_FN(l1_beat)(panel, points, d, 2, NULL, j, b, i);
        j += 2;
    }
    if (k > j)
        KMF_FN(l1_beat)(panel, points, d, 1, NULL, j, b, i);
    KMF_FN(store)(best, b[0]);
    KMF_FN(store)(best + KMF_LANES, b[1]);
    KMF_FN(store)(index, i[0]);
    KMF_FN(store)(index + KMF_LANES, i[1]);
}

KMF_STATIC void KMF_FN(l1_nearest)(const KMF_T *panel, const KMF_T *points, size_t k, size_t d, const KMF_T *ahead,
                                   KMF_T *best, KMF_T *index)
{
    switch (d) {
    case 1: KMF_FN(l1_block)(panel, points, k, 1, ahead, best, index); break;
    case 2: KMF_FN(l1_block)(panel, points, k, 2, ahead, best, index); break;
    case 3: KMF_FN(l1_block)(panel, points, k, 3, ahead, best, index); break;
    case 4: KMF_FN(l1_block)(panel, points, k, 4, ahead, best, index); break;
    default: KMF_FN(l1_block)(panel, points, k, d, ahead, best, index); break;
    }
}

KMF_STATIC double KMF_FN(l1_assign)(const KMF_T *X, size_t n, size_t d, const KMF_T *points, size_t k,
                                    const double *sample_weight, int32_t *labels, KMF_T *work)
{
    const size_t fits = KMF_L2_BYTES / sizeof(KMF_T) / (d + 2) / L1_TILE * L1_TILE, block = fits ? fits : L1_TILE;
    const size_t fitting = KMF_L2_BYTES / sizeof(KMF_T) / (PANEL * (d + 1));
    const size_t group = k <= block || fitting == 0 ? 1 : fitting;
    KMF_T *panels = KMF_FN(no_shift)(work, d), *best = panels + group * PANEL * d;
    double total = 0.0;
    for (size_t start = 0; start < n; start += group * PANEL) {
        const size_t m = n - start < group * PANEL ? n - start : group * PANEL;
        for (size_t p = 0; p < m; p += PANEL)
            KMF_FN(load_panel)(X + (start + p) * d, m - p < PANEL ? m - p : PANEL, d, work, panels + p * d);
        for (size_t j = 0; j < k; j += block) {
            for (size_t p = 0; p < m; p += PANEL) {
                KMF_T sum[2 * KMF_LANES], index[2 * KMF_LANES];
                const KMF_T *next = start + 2 * PANEL <= n && group == 1 ? X + (start + PANEL) * d : NULL;
                KMF_FN(l1_nearest)(panels + p * d, points + j * d, k - j < block ? k - j : block, d, next, sum, index);
                const size_t valid = m - p < PANEL ? m - p : PANEL;
                for (size_t i = 0; i < valid; ++i) {
                    if (j == 0 || sum[i] < best[p + i]) {
                        best[p + i] = sum[i];
                        labels[start + p + i] = (int32_t)j + (int32_t)index[i];
                    }
                }
            }
        }
        for (size_t i = 0; i < m; ++i)
            total += sample_weight ? sample_weight[start + i] * (double)best[i] : (double)best[i];
    }
    return total;
}

KMF_STATIC void KMF_FN(own_l1_distances)(const KMF_T *X, size_t n, size_t d, const double *centers,
                                         const int32_t *labels, double *out)
{
    for (size_t i = 0; i < n; ++i) {
        const KMF_T *x = X + i * d;
        const double *c = centers + (size_t)labels[i] * d;
        double sum = 0.0;
        for (size_t f = 0; f < d; ++f)
            sum += fabs((double)x[f] - c[f]);
        out[i] = sum;
    }
}

/* `seed_round` with these distances in place of squared ones. */
KMF_STATIC void KMF_FN(l1_round)(const KMF_T *X, size_t n, size_t d, const KMF_T *late, const KMF_T *candidates,
                                 size_t q, KMF_T *closest, const double *sample_weight, double *potential, KMF_T *work)
{
    KMF_T *panel = KMF_FN(no_shift)(work, d);
    for (size_t start = 0; start < n; start += PANEL) {
        const size_t m = n - start < PANEL ? n - start : PANEL;
        KMF_T sum[2 * KMF_LANES];
        V far[L1_TILE][2];
        KMF_FN(load_panel)(X + start * d, m, d, work, panel);
        if (late) {
            KMF_FN(l1_tile)(panel, late, d, 1, NULL, far);
            KMF_FN(store)(sum, far[0][0]);
            KMF_FN(store)(sum + KMF_LANES, far[0][1]);
            for (size_t i = 0; i < m; ++i)
                closest[start + i] = sum[i] < closest[start + i] ? sum[i] : closest[start + i];
        }
        for (size_t j = 0; j < q; ++j) {
            KMF_FN(l1_tile)(panel, candidates + j * d, d, 1, NULL, far);
            KMF_FN(store)(sum, far[0][0]);
            KMF_FN(store)(sum + KMF_LANES, far[0][1]);
            for (size_t i = 0; i < m; ++i) {
                const double least = (double)(sum[i] < closest[start + i] ? sum[i] : closest[start + i]);
                potential[j] += sample_weight ? sample_weight[start + i] * least : least;
            }
        }
    }
}

#undef L1_TILE
