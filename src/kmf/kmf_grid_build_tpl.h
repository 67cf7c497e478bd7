/* Building the grid of kmf_grid_tpl.h: a cell is halved along every axis, and its candidates sifted, again and again.
 *
 * Where a short list holds all candidates of a cell it is written once, and the parts of the cell share it, but for those
 * that have one candidate alone. What finds no room, in the caller's arrays or for another division, becomes GRID_DENSE.
 */

#define GRID_MARGIN 0.25 /* of the box of the centroids, on each side */

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
    if (n_vectors > GRID_MOST || grid->n_blocks + n_vectors > b->blocks_room)
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

#undef GRID_MARGIN
#undef GRID_STRETCH
#undef GRID_AHEAD
#undef GRID_DENSE
#undef GRID_MOST
#undef GRID_BLOCK
#undef GRID_BLOCKS
#undef GRID_NODE
#undef GRID_FEW
#undef GRID_SHORT
#undef GRID_FINER
#undef GRID_SPAN
#undef GRID_BITS
