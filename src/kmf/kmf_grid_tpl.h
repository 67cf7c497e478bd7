/* A grid over the centroids of few features: a sample looks up its cell, and meets the few centroids that can win there.
 *
 * The root divides a box around the centroids evenly; a cell with too many candidates is divided again. Cells hold a
 * label, or where the list of their candidates lies: a vector of half norms, of indices and of each feature, so that one
 * sample is scored against a vector of centroids at once. What lies outside the box, or in a cell that could not be
 * divided finely enough, goes to `assign`.
 *
 * Labels are those of `assign`: a score is the same chain of operations, the lowest of equals wins, and cells are sifted
 * (kmf_sift_tpl.h) with a rim that outdoes the rounding of the look-up.
 *
 * Right for 1 to 3 features and many clusters. Nothing is kept for a sample; memory is that of the grid.
 * Source: cells for nearest neighbours, J. L. Bentley, B. W. Weide and A. C. Yao, "Optimal expected-time algorithms for
 * closest point problems", ACM Transactions on Mathematical Software 6 (1980); lists that are exact, and rounding, are ours.
 */

#define GRID_BITS 20                                   /* of a position along an axis */
#define GRID_SPAN ((KMF_T)((size_t)1 << GRID_BITS))    /* positions */
#define GRID_FINER(d) (6u / (unsigned)(d))             /* bits of an axis that a divided cell adds: 64 cells */
#define GRID_SHORT (KMF_LANES < 8 ? 8 / KMF_LANES : 1) /* vectors of a short list */
#define GRID_FEW ((size_t)(GRID_SHORT * KMF_LANES))    /* its candidates */
#define GRID_NODE 0x80000000u
#define GRID_BLOCKS 27 /* bits below the number of vectors of a list */
#define GRID_BLOCK (((uint32_t)1 << GRID_BLOCKS) - 1)
#define GRID_MOST 14 /* vectors of a list */
#define GRID_DENSE ((uint32_t)(GRID_MOST + 1) << GRID_BLOCKS)
#define GRID_AHEAD 12    /* samples ahead whose lists are fetched */
#define GRID_STRETCH 256 /* samples that are looked up before any is scored; a multiple of every panel */

/* The label of a sample from the list of a cell. */
KMF_INLINE int32_t KMF_FN(grid_best)(const KMF_T *x, const KMF_T *list, size_t n_vectors, const size_t d)
{
    V best = KMF_FN(load)(list), xs[3];
    KMF_UNROLL
    for (size_t f = 0; f < d; ++f) {
        xs[f] = KMF_FN(set1)(x[f * PANEL]);
        best = KMF_FN(fnmadd)(xs[f], KMF_FN(load)(list + (2 + f) * KMF_LANES), best);
    }
    if (n_vectors == 1) {
        const V least = KMF_FN(set1)(KMF_FN(least)(best));
        return (int32_t)list[KMF_LANES + KMF_LOWEST_BIT(~KMF_FN(lt_bits)(least, best))];
    }
    V index = KMF_FN(load)(list + KMF_LANES);
    for (size_t v = 1; v < n_vectors; ++v) {
        list += (d + 2) * KMF_LANES;
        V score = KMF_FN(load)(list);
        KMF_UNROLL
        for (size_t f = 0; f < d; ++f)
            score = KMF_FN(fnmadd)(xs[f], KMF_FN(load)(list + (2 + f) * KMF_LANES), score);
        index = KMF_FN(select)(score, best, KMF_FN(load)(list + KMF_LANES), index);
        best = KMF_FN(min)(score, best);
    }
    /* of equals the lowest index */
    const V least = KMF_FN(set1)(KMF_FN(least)(best)), never = KMF_FN(set1)((KMF_T)HUGE_VAL);
    return (int32_t)KMF_FN(least)(KMF_FN(select)(least, best, never, index));
}

/* Label the listed samples, whose cells have short lists; `ahead` entries further lists are fetched from far memory. */
KMF_INLINE void KMF_FN(grid_short)(const KMF_T *panels, const int32_t *listed, size_t n_listed, const KMF_T *lists,
                                   size_t ahead, const size_t d, int32_t *labels)
{
    const size_t block_size = (d + 2) * KMF_LANES, line = 64 / sizeof(KMF_T);
    for (size_t l = 0; l < n_listed; ++l) {
        const size_t i = (size_t)listed[l];
        const KMF_T *x = panels + i / PANEL * PANEL * d + i % PANEL;
        if (ahead && l + ahead < n_listed) {
            const KMF_T *next = lists + ((uint32_t)labels[listed[l + ahead]] & GRID_BLOCK) * block_size;
            for (size_t at = 0; at < GRID_SHORT * block_size; at += line)
                KMF_PREFETCH(next + at);
        }
        const size_t block = (uint32_t)labels[i] & GRID_BLOCK;
        labels[i] = KMF_FN(grid_best)(x, lists + block * block_size, GRID_SHORT, d);
    }
}

/* The content of the cell in which sample x of a panel lies, where the root leads to node after node. */
KMF_INLINE uint32_t KMF_FN(grid_descend)(const KMF_T *x, const KMF_API(kmf_grid) * grid, uint32_t cell, const size_t d)
{
    const unsigned finer = GRID_FINER(d);
    for (unsigned level = GRID_BITS - grid->bits; cell & GRID_NODE;) {
        size_t at = cell & ~GRID_NODE;
        level -= finer;
        for (size_t f = 0; f < d; ++f) {
            const uint32_t q = (uint32_t)((x[f * PANEL] - grid->low[f]) * grid->inverse[f]);
            at += (q >> level & (((uint32_t)1 << finer) - 1)) << (f * finer);
        }
        cell = grid->cells[at];
    }
    return cell;
}

KMF_INLINE size_t KMF_FN(grid_assign_of)(const KMF_T *X, size_t n, const size_t d, const KMF_T *shift,
                                         const KMF_T *packed, size_t k, const KMF_API(kmf_grid) * grid, int32_t *labels,
                                         KMF_T *work)
{
    const unsigned bits = grid->bits, drop = GRID_BITS - bits;
    const uint32_t *cells = grid->cells, outside = (uint32_t)1 << (bits * (unsigned)d);
    const size_t ahead = grid->n_blocks * (d + 2) * KMF_LANES * sizeof(KMF_T) > 3 * KMF_L2_BYTES ? GRID_AHEAD : 0;
    int32_t late[2 * GRID_STRETCH];
    size_t n_late = 0, scored = 0;
    for (size_t start = 0; start < n; start += GRID_STRETCH) {
        const size_t m = n - start < GRID_STRETCH ? n - start : GRID_STRETCH;
        KMF_T panels[GRID_STRETCH * 3], *panel = panels;
        int32_t short_list[GRID_STRETCH + 32], other[GRID_STRETCH + 32], *out = labels + start;
        size_t n_short = 0, n_other = 0;
        for (size_t p = 0; p < m; p += PANEL, panel += PANEL * d) {
            const size_t valid = m - p < PANEL ? m - p : PANEL;
            int32_t at[2 * KMF_LANES], beyond[2 * KMF_LANES];
            if (valid == PANEL)
                KMF_FN(deinterleave)(X + (start + p) * d, d, shift, panel);
            else
                KMF_FN(load_panel)(X + (start + p) * d, valid, d, shift, panel);
            KMF_UNROLL
            for (size_t f = 0; f < d; ++f) {
                const KMF_T low = grid->low[f], inverse = grid->inverse[f];
                for (size_t i = 0; i < PANEL; ++i) {
                    const KMF_T t = (panel[f * PANEL + i] - low) * inverse;
                    const int in = (t >= 0) & (t < GRID_SPAN);
                    const int32_t q = (int32_t)(in ? t : 0) >> drop << (f * bits);
                    at[i] = f == 0 ? q : at[i] | q;
                    beyond[i] = f == 0 ? !in : beyond[i] | !in;
                }
            }
            for (size_t i = 0; i < PANEL; ++i)
                at[i] = beyond[i] ? (int32_t)outside : at[i];
            if (valid == PANEL) {
                for (size_t i = 0; i < PANEL; ++i)
                    out[p + i] = (int32_t)cells[at[i]];
            } else {
                for (size_t i = 0; i < valid; ++i)
                    out[p + i] = (int32_t)cells[at[i]];
            }
        }
        for (size_t first = 0; first < m; first += 32) { /* what is not a label is looked at once more */
            static const int32_t zero[32] = {0};
            int32_t kind[32], is_short[32];
            const size_t valid = m - first < 32 ? m - first : 32;
            for (size_t i = 0; i < 32; ++i)
                kind[i] = (int32_t)((uint32_t)out[first + (i < valid ? i : 0)] >> GRID_BLOCKS);
            for (size_t i = 0; i < 32; ++i)
                is_short[i] = kind[i] == GRID_SHORT;
            const uint32_t here = valid < 32 ? ((uint32_t)1 << valid) - 1 : 0xffffffffu;
            const uint32_t some = KMF_FN(differing)(kind, zero) & here, few = KMF_FN(differing)(is_short, zero) & here;
            n_short = KMF_FN(list_bits)(short_list, n_short, first, few, 32);
            n_other = KMF_FN(list_bits)(other, n_other, first, some & ~few, 32);
        }
        for (size_t l = 0; l < n_other; ++l) {
            const size_t i = (size_t)other[l];
            const KMF_T *x = panels + i / PANEL * PANEL * d + i % PANEL;
            const uint32_t cell = KMF_FN(grid_descend)(x, grid, (uint32_t)out[i], d);
            const size_t n_vectors = cell >> GRID_BLOCKS;
            out[i] = (int32_t)cell;
            if (cell == GRID_DENSE) {
                late[n_late++] = (int32_t)(start + i);
            } else if (n_vectors == GRID_SHORT) {
                short_list[n_short++] = (int32_t)i;
            } else if (n_vectors > 0) {
                out[i] = KMF_FN(grid_best)(x, grid->lists + (cell & GRID_BLOCK) * ((d + 2) * KMF_LANES), n_vectors, d);
                scored += n_vectors * KMF_LANES;
            }
        }
        KMF_FN(grid_short)(panels, short_list, n_short, grid->lists, ahead, d, out);
        scored += n_short * GRID_FEW;
        if (n_late >= GRID_STRETCH || (n_late && start + m == n)) {
            KMF_FN(assign_listed)(X, d, shift, packed, k, late, n_late, labels, work);
            scored += n_late * k, n_late = 0;
        }
    }
    return scored;
}

KMF_STATIC size_t KMF_FN(grid_assign)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed,
                                      size_t k, const KMF_API(kmf_grid) * grid, int32_t *labels, KMF_T *work)
{
    switch (d) {
    case 1: return KMF_FN(grid_assign_of)(X, n, 1, shift, packed, k, grid, labels, work);
    case 2: return KMF_FN(grid_assign_of)(X, n, 2, shift, packed, k, grid, labels, work);
    default: return KMF_FN(grid_assign_of)(X, n, 3, shift, packed, k, grid, labels, work);
    }
}
