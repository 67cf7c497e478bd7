/* A grid over the centroids of few features: a sample looks up its cell, and meets the few centroids that can win there.
 *
 * The root divides a box around the centroids evenly; a cell with too many candidates is divided again. Cells hold a
 * label, or where the list of their candidates lies: a vector of half norms, of each feature and of indices, so that one
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
#define GRID_DENSE (15u << GRID_BLOCKS)
#define GRID_AHEAD 12    /* samples ahead whose lists are fetched */
#define GRID_MARGIN 0.25 /* of the box of the centroids, on each side */
#define GRID_STRETCH 256 /* samples that are looked up before any is scored; a multiple of every panel */

/* ---- Building ---- */

typedef struct KMF_FN(builder) {
    KMF_API(kmf_grid) * grid;
    KMF_T *spare, *end; /* of the scratch for sheets */
    int32_t *list;
    size_t cells_room, blocks_room;
} KMF_FN(builder);

/* Write the list of a sheet of centroids; returns what a cell holds of it. */
KMF_INLINE uint32_t KMF_FN(grid_list)(KMF_FN(builder) * b, const KMF_FN(sheet) * sheet, const size_t d)
{
    const size_t n_vectors = sheet->count <= GRID_FEW ? (size_t)GRID_SHORT : (sheet->count + KMF_LANES - 1) / KMF_LANES;
    KMF_API(kmf_grid) *grid = b->grid;
    if (n_vectors > 14 || grid->n_blocks + n_vectors > b->blocks_room)
        return GRID_DENSE;
    KMF_T *out = grid->lists + grid->n_blocks * (d + 2) * KMF_LANES;
    for (size_t v = 0; v < n_vectors; ++v, out += (d + 2) * KMF_LANES) {
        for (size_t lane = 0; lane < KMF_LANES; ++lane) {
            const size_t j = v * KMF_LANES + lane;
            const int in = j < sheet->count;
            out[lane] = in ? sheet->planes[j] : (KMF_T)HUGE_VAL;
            out[KMF_LANES + lane] = in ? sheet->planes[sheet->stride + j] : 0;
            for (size_t f = 0; f < d; ++f)
                out[(2 + f) * KMF_LANES + lane] = in ? sheet->planes[(3 + f) * sheet->stride + j] : 0;
        }
    }
    const uint32_t cell = (uint32_t)(n_vectors << GRID_BLOCKS | grid->n_blocks);
    grid->n_blocks += n_vectors;
    return cell;
}

/* Where candidate j of a list begins. */
KMF_INLINE const KMF_T *KMF_FN(grid_candidate)(const KMF_T *list, size_t j, const size_t d)
{
    return list + j / KMF_LANES * ((d + 2) * KMF_LANES) + j % KMF_LANES;
}

/* Give the cells of the node at `base`, which lie at level `end`, below position q of level `level` one content. */
KMF_INLINE void KMF_FN(grid_fill)(uint32_t *cells, unsigned bits, unsigned finer, const uint32_t *q, const size_t d,
                                  uint32_t content)
{
    const size_t side = (size_t)1 << finer, mask = ((size_t)1 << bits) - 1;
    const size_t n = (size_t)1 << (finer * d);
    for (size_t i = 0; i < n; ++i) {
        size_t at = 0;
        for (size_t f = 0; f < d; ++f)
            at |= ((((size_t)q[f] << finer) | ((i >> (f * finer)) & (side - 1))) & mask) << (f * bits);
        cells[at] = content;
    }
}

/* The box of a cell, with a rim that outdoes the rounding of a look-up. */
KMF_INLINE void KMF_FN(grid_box)(const KMF_API(kmf_grid) * grid, const uint32_t *q, unsigned level, const size_t d,
                                 KMF_FN(box) * box)
{
    const double part = 1.0 / (double)((size_t)1 << level);
    box->reach = box->side = 0;
    for (size_t f = 0; f < d; ++f) {
        const double start = (double)grid->low[f], extent = (double)grid->extent[f], cell = extent * part;
        const double rim = 16 * (double)UNIT * (fabs(start) + extent), at = start + cell * q[f];
        const KMF_T low = (KMF_T)(at - rim), high = (KMF_T)(at + cell + rim);
        const KMF_T l2 = low * low, h2 = high * high;
        box->low[f] = low, box->high[f] = high, box->middle[f] = (KMF_T)0.5 * (low + high);
        box->reach += l2 > h2 ? l2 : h2;
    }
}

/* `sift` for the candidates of a short list that are set in `in`. */
KMF_INLINE uint32_t KMF_FN(grid_sift)(const KMF_FN(box) * box, const KMF_T *list, uint32_t in, const size_t d)
{
    const KMF_T *ref = NULL;
    KMF_T best = 0;
    for (uint32_t bits = in; bits; bits &= bits - 1) {
        const KMF_T *c = KMF_FN(grid_candidate)(list, KMF_LOWEST_BIT(bits), d);
        KMF_T score = c[0];
        for (size_t f = 0; f < d; ++f)
            score -= box->middle[f] * c[(2 + f) * KMF_LANES];
        if (ref == NULL || score < best)
            ref = c, best = score;
    }
    const KMF_T base = NOISE(d) * (ref[0] + box->reach) + FINEST;
    uint32_t kept = 0;
    for (uint32_t bits = in; bits; bits &= bits - 1) {
        const unsigned j = KMF_LOWEST_BIT(bits);
        const KMF_T *c = KMF_FN(grid_candidate)(list, j, d);
        KMF_T margin = c[0] - ref[0];
        for (size_t f = 0; f < d; ++f) {
            const KMF_T delta = c[(2 + f) * KMF_LANES] - ref[(2 + f) * KMF_LANES];
            const KMF_T at_low = delta * box->low[f], at_high = delta * box->high[f];
            margin -= at_low > at_high ? at_low : at_high;
        }
        kept |= (uint32_t)(margin <= NOISE(d) * c[0] + base) << j;
    }
    return kept;
}

/* Go on dividing a cell that has a short list, as far as its node does: some parts have one candidate alone. */
KMF_STATIC void KMF_FN(grid_refine)(KMF_API(kmf_grid) * grid, const KMF_T *list, uint32_t in, const uint32_t *q,
                                    unsigned level, unsigned end, unsigned bits, size_t base, uint32_t content,
                                    const size_t d)
{
    if ((in & (in - 1)) == 0)
        content = (uint32_t)KMF_FN(grid_candidate)(list, KMF_LOWEST_BIT(in), d)[KMF_LANES];
    if (level == end || (in & (in - 1)) == 0) {
        KMF_FN(grid_fill)(grid->cells + base, bits, end - level, q, d, content);
        return;
    }
    KMF_T sides[9];
    KMF_FN(box) box = {sides, sides + 3, sides + 6, 0, 0};
    for (size_t part = 0; part < (size_t)1 << d; ++part) {
        uint32_t at[3];
        for (size_t f = 0; f < d; ++f)
            at[f] = 2 * q[f] + (uint32_t)(part >> f & 1);
        KMF_FN(grid_box)(grid, at, level + 1, d, &box);
        const uint32_t kept = KMF_FN(grid_sift)(&box, list, in, d);
        KMF_FN(grid_refine)(grid, list, kept, at, level + 1, end, bits, base, content, d);
    }
}

/* Divide the cell at position q of a level, whose candidates are in the sheet, within a node of `bits` that ends at a
 * level. */
KMF_STATIC void KMF_FN(grid_divide)(KMF_FN(builder) * b, const KMF_FN(sheet) * sheet, const uint32_t *q, unsigned level,
                                    unsigned end, unsigned bits, size_t base, size_t d)
{
    KMF_API(kmf_grid) *grid = b->grid;
    const size_t stride = kmf_plane(sheet->count), need = (3 + d) * stride;
    const int room = (size_t)(b->end - b->spare) >= need;
    const int last = level == end && (end + GRID_FINER(d) > GRID_BITS || grid->n_cells + 64 > b->cells_room);
    if (sheet->count <= GRID_FEW || !room || last) {
        const uint32_t content = KMF_FN(grid_list)(b, sheet, d);
        if (sheet->count <= GRID_FEW && content != GRID_DENSE) {
            const KMF_T *list = grid->lists + (content & GRID_BLOCK) * ((d + 2) * KMF_LANES);
            const uint32_t all = (uint32_t)(((uint64_t)1 << sheet->count) - 1);
            KMF_FN(grid_refine)(grid, list, all, q, level, end, bits, base, content, d);
        } else {
            KMF_FN(grid_fill)(grid->cells + base, bits, end - level, q, d, content);
        }
        return;
    }
    if (level == end) {
        const size_t node = grid->n_cells;
        grid->n_cells += 64;
        KMF_FN(grid_fill)(grid->cells + base, bits, 0, q, d, GRID_NODE | (uint32_t)node);
        base = node, bits = GRID_FINER(d), end += bits;
    }
    KMF_T sides[9], *scratch = b->spare;
    KMF_FN(box) box = {sides, sides + 3, sides + 6, 0, 0};
    KMF_FN(sheet) child = {scratch, 0, stride};
    KMF_FN(sieve) sieve;
    b->spare += need;
    for (size_t part = 0; part < (size_t)1 << d; ++part) {
        uint32_t at[3];
        for (size_t f = 0; f < d; ++f)
            at[f] = 2 * q[f] + (uint32_t)(part >> f & 1);
        KMF_FN(grid_box)(grid, at, level + 1, d, &box);
        size_t kept;
        switch (d) {
        case 1: kept = KMF_FN(sift)(&box, sheet->planes, sheet->stride, sheet->count, 1, 0, 0, b->list, &sieve); break;
        case 2: kept = KMF_FN(sift)(&box, sheet->planes, sheet->stride, sheet->count, 2, 0, 0, b->list, &sieve); break;
        default: kept = KMF_FN(sift)(&box, sheet->planes, sheet->stride, sheet->count, 3, 0, 0, b->list, &sieve); break;
        }
        KMF_FN(copy_listed)(sheet, b->list, kept, d, &child);
        KMF_FN(grid_divide)(b, &child, at, level + 1, end, bits, base, d);
    }
    b->spare = scratch;
}

KMF_STATIC void KMF_FN(grid_build)(const KMF_T *packed, size_t k, size_t d, KMF_API(kmf_grid) * grid, KMF_T *work)
{
    const size_t stride = kmf_plane(k);
    KMF_FN(sheet) all = {work, k, stride};
    KMF_FN(builder)
    b = {grid,
         work + (3 + d) * stride,
         work + kmf_grid_work(k, d) - stride,
         (int32_t *)(void *)(work + kmf_grid_work(k, d) - stride),
         grid->n_cells,
         grid->n_blocks};
    KMF_FN(planes)(packed, k, d, NULL, work);
    KMF_T widest = 0;
    for (size_t f = 0; f < d; ++f) {
        const KMF_T *c = work + (3 + f) * stride;
        KMF_T low = c[0], high = c[0];
        for (size_t j = 1; j < k; ++j) {
            low = c[j] < low ? c[j] : low;
            high = c[j] > high ? c[j] : high;
        }
        grid->low[f] = low, grid->extent[f] = high - low;
        widest = high - low > widest ? high - low : widest;
    }
    for (size_t f = 0; f < d; ++f) {
        const KMF_T extent = grid->extent[f] > (KMF_T)1e-3 * widest ? grid->extent[f] : widest > 0 ? widest : 1;
        grid->low[f] -= (KMF_T)GRID_MARGIN * extent;
        grid->extent[f] = (KMF_T)(1 + 2 * GRID_MARGIN) * extent;
        grid->inverse[f] = GRID_SPAN / grid->extent[f];
    }
    const uint32_t origin[3] = {0, 0, 0};
    grid->n_cells = ((size_t)1 << (grid->bits * d)) + 1;
    grid->cells[grid->n_cells - 1] = GRID_DENSE; /* outside */
    grid->n_blocks = 0;
    KMF_FN(grid_divide)(&b, &all, origin, 0, grid->bits, grid->bits, 0, d);
}

/* ---- Looking up ---- */

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

/* Append the positions of the bits, counted from `first`; may write 32 more. */
KMF_INLINE size_t KMF_FN(list_bits)(int32_t *list, size_t n, size_t first, uint32_t bits)
{
#ifdef KMF_LISTS
    for (size_t lane = 0; lane < 32; lane += KMF_LANES) {
        const uint32_t some = bits >> lane & ALL_LANES;
        KMF_FN(list)(list + n, first + lane, some);
        n += KMF_COUNT_BITS(some);
    }
#else
    for (; bits; bits &= bits - 1)
        list[n++] = (int32_t)(first + KMF_LOWEST_BIT(bits));
#endif
    return n;
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

/* Label the samples that the grid could not. */
KMF_STATIC void KMF_FN(grid_late)(const KMF_T *X, size_t d, const KMF_T *shift, const KMF_T *packed, size_t k,
                                  const int32_t *late, size_t n_late, int32_t *labels, KMF_T *work)
{
    KMF_T rows[2 * GRID_STRETCH * 3] = {0};
    int32_t found[2 * GRID_STRETCH];
    for (size_t i = 0; i < n_late; ++i)
        memcpy(rows + i * d, X + (size_t)late[i] * d, d * sizeof(KMF_T));
    KMF_FN(assign)(rows, n_late, d, shift, packed, k, found, work);
    for (size_t i = 0; i < n_late; ++i)
        labels[late[i]] = found[i];
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
            n_short = KMF_FN(list_bits)(short_list, n_short, first, few);
            n_other = KMF_FN(list_bits)(other, n_other, first, some & ~few);
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
            KMF_FN(grid_late)(X, d, shift, packed, k, late, n_late, labels, work);
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

#undef GRID_STRETCH
#undef GRID_AHEAD
#undef GRID_MARGIN
#undef GRID_DENSE
#undef GRID_BLOCK
#undef GRID_BLOCKS
#undef GRID_NODE
#undef GRID_FEW
#undef GRID_SHORT
#undef GRID_FINER
#undef GRID_SPAN
#undef GRID_BITS
