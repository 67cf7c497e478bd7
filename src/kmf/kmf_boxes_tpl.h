/* Boxes: centroids that cannot be the nearest of any sample in a box are left out for all of them at once.
 *
 * Samples lie in the order of kmf_order_tpl.h, in leaves and bricks of 32 leaves with their bounding boxes. A pass takes,
 * brick by brick, the centroid that is nearest to the middle of the box and leaves out every centroid that loses against
 * it in all of the box: scores are linear in x, so the worst corner decides. Rows of four leaves and then leaves do the
 * same with what is left, and only the few centroids that a leaf keeps are scored.
 *
 * A leaf keeps two figures of its samples, which fall by what the centroids near its brick moved: by how much any other
 * centroid is farther than the own one, and the sum of both distances. While the first stays over the rounding, the
 * labels stay, and the leaf is skipped.
 *
 * Labels are those of `assign`: a score is the same chain of operations, boxes are exact, and every test carries what
 * rounding may do to the scores that it stands for.
 *
 * Right for few features and many samples, with many clusters or in a long run. Memory: that of the order, and 2 bytes a
 * sample and 12 a leaf.
 * Sources: D. Pelleg and A. Moore, "Accelerating exact k-means algorithms with geometric reasoning", KDD 1999;
 * T. Kanungo et al., "An efficient k-means clustering algorithm", PAMI 24 (2002); the gaps of leaves are G. Hamerly's
 * test ("Making k-means even faster", SDM 2010) for a leaf at once; the account of rounding is ours.
 */

#define TINY 1e-30f /* gaps below lose digits */
#define LESS (1.0 - 1e-6)
#define LEEWAY ((KMF_T)0.03) /* of the diagonal of a box: centroids that lose by less are kept, so that bounds hold */
#define ROW ((size_t)4)      /* leaves that share a test where a brick keeps many centroids */

/* Bounds of a test that left centroids out: by how much these are farther than the nearest, and the sum of the two. */
KMF_INLINE kmf_leaf KMF_FN(bounds_of)(const KMF_FN(sieve) * sieve)
{
    kmf_leaf leaf = {LARGE, LARGE, -1};
    const double beyond = (double)sieve->beyond, far2 = (double)sieve->far2;
    if (beyond < HUGE_VAL) {
        leaf.gap = (float)(2 * beyond / (sqrt(far2 + 2 * beyond) + sqrt(far2)) * LESS);
        leaf.sum = (float)(sqrt(2 * beyond) * LESS);
    }
    return leaf;
}

/* ---- Scores ---- */

/* The two least scores of a panel over the listed centroids, and the index of the least, all in the order of `assign`. */
KMF_INLINE void KMF_FN(nearest_of)(const KMF_T *slot, const KMF_T *shift, const KMF_T *planes, size_t stride,
                                   const int32_t *list, size_t count, const size_t d, V best[2], V index[2],
                                   V second[2], V norm[2])
{
    V x[2][8], b0, b1, i0, i1, s0, s1, n0, n1;
    b0 = b1 = s0 = s1 = KMF_FN(set1)((KMF_T)HUGE_VAL);
    i0 = i1 = n0 = n1 = KMF_FN(set1)(0);
    KMF_UNROLL
    for (size_t f = 0; f < d; ++f) {
        const V origin = KMF_FN(set1)(shift[f]);
        const V x0 = KMF_FN(sub)(KMF_FN(load)(slot + f * SLOT), origin);
        const V x1 = KMF_FN(sub)(KMF_FN(load)(slot + f * SLOT + KMF_LANES), origin);
        n0 = KMF_FN(fmadd)(x0, x0, n0);
        n1 = KMF_FN(fmadd)(x1, x1, n1);
        x[0][f] = x0, x[1][f] = x1;
    }
    for (size_t j = 0; j < count; ++j) {
        const KMF_T *c = planes + list[j];
        V t0 = KMF_FN(set1)(c[0]), t1 = t0;
        KMF_UNROLL
        for (size_t f = 0; f < d; ++f) {
            const V cf = KMF_FN(set1)(c[(3 + f) * stride]);
            t0 = KMF_FN(fnmadd)(x[0][f], cf, t0);
            t1 = KMF_FN(fnmadd)(x[1][f], cf, t1);
        }
        const V id = KMF_FN(set1)(c[stride]);
        s0 = KMF_FN(min)(KMF_FN(max)(t0, b0), s0);
        s1 = KMF_FN(min)(KMF_FN(max)(t1, b1), s1);
        i0 = KMF_FN(select)(t0, b0, id, i0);
        i1 = KMF_FN(select)(t1, b1, id, i1);
        b0 = KMF_FN(min)(t0, b0);
        b1 = KMF_FN(min)(t1, b1);
    }
    best[0] = b0, best[1] = b1, index[0] = i0, index[1] = i1;
    second[0] = s0, second[1] = s1, norm[0] = n0, norm[1] = n1;
}

/* Where labels and what changed go. */
typedef struct KMF_FN(marks) {
    const uint32_t *order;
    int32_t *labels, *old;
    uint8_t *changed; /* or NULL */
    uint16_t *sorted; /* labels along the order, or NULL: there are too many clusters */
    size_t n_changed;
} KMF_FN(marks);

/* Label sample `at` of the order. */
KMF_INLINE void KMF_FN(mark)(KMF_FN(marks) * marks, size_t at, int32_t label)
{
    const size_t i = marks->order[at];
    if (marks->changed) {
        marks->changed[i] = 1;
        marks->old[i] = marks->sorted ? (int32_t)marks->sorted[at] : marks->labels[i];
    }
    marks->labels[i] = label;
    if (marks->sorted)
        marks->sorted[at] = (uint16_t)label;
    ++marks->n_changed;
}

/* The labels of m samples from `at` of the order on. */
KMF_INLINE void KMF_FN(old_labels)(const KMF_FN(marks) * marks, size_t at, size_t m, KMF_T *labels)
{
    if (marks->sorted && m == PANEL) {
        for (size_t i = 0; i < PANEL; ++i)
            labels[i] = (KMF_T)marks->sorted[at + i];
        return;
    }
    for (size_t i = 0; i < PANEL; ++i) {
        const size_t s = at + (i < m ? i : m - 1);
        labels[i] = (KMF_T)(marks->sorted ? (int32_t)marks->sorted[s] : marks->labels[marks->order[s]]);
    }
}

/* Score a leaf of m samples that begins at `start` of the order. */
KMF_INLINE void KMF_FN(score_leaf)(const KMF_T *copy, size_t start, size_t m, const size_t d, const KMF_T *shift,
                                   const KMF_T *planes, size_t stride, const int32_t *list, size_t count, KMF_T doubt,
                                   KMF_FN(marks) * marks, kmf_leaf *leaf)
{
    V lead = KMF_FN(set1)((KMF_T)HUGE_VAL), near = lead, minus_far = KMF_FN(set1)(0);
    const V zero = minus_far, two = KMF_FN(set1)(2);
    for (size_t p = 0; p < m; p += PANEL) {
        const size_t valid = m - p < PANEL ? m - p : PANEL;
        V best[2], index[2], second[2], norm[2];
        const KMF_T *slot = copy + (start + p) / SLOT * SLOT * d + (start + p) % SLOT;
        KMF_FN(nearest_of)(slot, shift, planes, stride, list, count, d, best, index, second, norm);
        KMF_T label[2 * KMF_LANES];
        uint32_t moved = 0;
        KMF_FN(old_labels)(marks, start + p, valid, label);
        for (size_t half = 0; half < 2; ++half) {
            const V old = KMF_FN(load)(label + half * KMF_LANES);
            const uint32_t bits = KMF_FN(lt_bits)(old, index[half]) | KMF_FN(lt_bits)(index[half], old);
            moved |= bits << (half * KMF_LANES);
            const V next = KMF_FN(fmadd)(second[half], two, norm[half]);
            lead = KMF_FN(min)(KMF_FN(sub)(second[half], best[half]), lead);
            near = KMF_FN(min)(next, near);
            minus_far = KMF_FN(min)(KMF_FN(sub)(zero, next), minus_far);
        }
        if (valid < PANEL)
            moved &= ((uint32_t)1 << valid) - 1;
        if (moved) {
            KMF_FN(store)(label, index[0]), KMF_FN(store)(label + KMF_LANES, index[1]);
            for (; moved; moved &= moved - 1) {
                const size_t i = KMF_LOWEST_BIT(moved);
                KMF_FN(mark)(marks, start + p + i, (int32_t)label[i]);
            }
        }
    }
    const double gap = (double)KMF_FN(least)(lead) - (double)doubt, far = -(double)KMF_FN(least)(minus_far);
    const double square = (double)KMF_FN(least)(near) - 2 * (double)doubt;
    const float apart = gap > 0 ? (float)(gap / sqrt(far + 2 * (double)doubt) * LESS) : 0;
    const float sum = square > 0 ? (float)(sqrt(square) * LESS) : 0;
    leaf->gap = apart < leaf->gap ? apart : leaf->gap;
    leaf->sum = sum < leaf->sum ? sum : leaf->sum;
    leaf->label = -1;
}

/* ---- A pass over a group ---- */

KMF_INLINE void KMF_FN(take_lower)(kmf_leaf *leaf, const kmf_leaf *other)
{
    leaf->gap = other->gap < leaf->gap ? other->gap : leaf->gap;
    leaf->sum = other->sum < leaf->sum ? other->sum : leaf->sum;
}

KMF_INLINE size_t KMF_FN(boxes_of)(const KMF_T *copy, size_t n, size_t leaf_size, const size_t d, const KMF_T *shift,
                                   const KMF_T *all, size_t k, const int moving, const uint32_t *order,
                                   const KMF_T *leaf_boxes, const KMF_T *brick_boxes, kmf_leaf *leaves,
                                   uint16_t *sorted, int32_t *labels, int32_t *old, uint8_t *changed, size_t *n_changed,
                                   KMF_T *work)
{
    const size_t stride = kmf_plane(k), brick_size = BRICK * leaf_size, row_size = ROW * leaf_size;
    KMF_T *sides = work + 2 * (3 + d) * stride, raw[16];
    int32_t *list = (int32_t *)(void *)(sides + 3 * d);
    KMF_FN(box) box = {sides, sides + d, sides + 2 * d, 0, 0};
    KMF_FN(sheet)
    every = {(KMF_T *)all, k, stride}, brick = {work, 0, stride}, row = {work + (3 + d) * stride, 0, stride};
    KMF_FN(marks) marks = {order, labels, old, changed, sorted, 0};
    KMF_FN(sieve) sieve;
    size_t scored = 0;
    for (size_t first = 0; first < n; first += brick_size) {
        const size_t last = n - first < brick_size ? n : first + brick_size;
        KMF_FN(shift_box)(brick_boxes + first / brick_size * 2 * d, shift, d, &box);
        const size_t n_kept =
            KMF_FN(sift)(&box, all, stride, k, d, (KMF_T)sqrt((double)box.side) * LEEWAY, moving, list, &sieve);
        const kmf_leaf beyond_brick = KMF_FN(bounds_of)(&sieve);
        KMF_FN(copy_listed)(&every, list, n_kept, d, &brick);
        KMF_T half = 0, most = 0, next = 0;
        for (size_t j = 0; j < brick.count; ++j) {
            const KMF_T h = brick.planes[j], moved = brick.planes[2 * stride + j];
            half = h > half ? h : half;
            next = moved > most ? most : moved > next ? moved : next;
            most = moved > most ? moved : most;
        }
        const KMF_T doubt = NOISE(d) * (2 * half + box.reach) + FINEST;
        const float fall = (float)((most + next) * UP);
        const double need = 4 * (double)doubt;
        for (size_t at = first; at < last; at += row_size) {
            const size_t end = last - at < row_size ? last : at + row_size;
            const KMF_FN(sheet) *near = &brick;
            kmf_leaf beyond = beyond_brick;
            int fresh = brick.count > 2 * KMF_LANES; /* whether the row is still to be tested */
            for (size_t start = at; start < end; start += leaf_size) {
                kmf_leaf *leaf = leaves + start / leaf_size;
                const size_t m = end - start < leaf_size ? end - start : leaf_size;
                if (moving) {
                    leaf->gap = (leaf->gap - fall) * (float)LESS, leaf->sum = (leaf->sum - fall) * (float)LESS;
                    KMF_FN(take_lower)(leaf, &beyond_brick);
                    if (leaf->gap > TINY && leaf->sum > TINY && (double)leaf->gap * (double)leaf->sum > need)
                        continue;
                }
                const char *samples = (const char *)(copy + start * d); /* they arrive while the leaf is sifted */
                for (size_t line = 0; d > 4 && line < m * d * sizeof(KMF_T); line += 64)
                    KMF_PREFETCH(samples + line);
                if (fresh) {
                    const KMF_T *boxes = leaf_boxes + at / leaf_size * 2 * d;
                    for (size_t f = 0; f < d; ++f) {
                        raw[f] = boxes[f], raw[d + f] = boxes[d + f];
                        for (size_t l = 1; l * leaf_size < end - at; ++l) {
                            const KMF_T low = boxes[l * 2 * d + f], high = boxes[l * 2 * d + d + f];
                            raw[f] = low < raw[f] ? low : raw[f];
                            raw[d + f] = high > raw[d + f] ? high : raw[d + f];
                        }
                    }
                    KMF_FN(shift_box)(raw, shift, d, &box);
                    const size_t kept = KMF_FN(sift)(&box, brick.planes, stride, brick.count, d,
                                                     (KMF_T)sqrt((double)box.side) * LEEWAY, 0, list, &sieve);
                    const kmf_leaf beyond_row = KMF_FN(bounds_of)(&sieve);
                    KMF_FN(take_lower)(&beyond, &beyond_row);
                    KMF_FN(copy_listed)(&brick, list, kept, d, &row);
                    near = &row, fresh = 0;
                }
                KMF_FN(shift_box)(leaf_boxes + start / leaf_size * 2 * d, shift, d, &box);
                const size_t few = KMF_FN(sift)(&box, near->planes, stride, near->count, d,
                                                (KMF_T)sqrt((double)box.side) * LEEWAY, 0, list, &sieve);
                const int32_t was = moving ? leaf->label : -1;
                *leaf = KMF_FN(bounds_of)(&sieve);
                KMF_FN(take_lower)(leaf, &beyond);
                if (few == 1) {
                    const int32_t label = (int32_t)near->planes[stride + (size_t)list[0]];
                    leaf->label = label;
                    for (size_t s = start; was != label && s < start + m; ++s) {
                        if (label != (sorted ? (int32_t)sorted[s] : labels[order[s]]))
                            KMF_FN(mark)(&marks, s, label);
                    }
                    continue;
                }
                scored += few * m;
                KMF_FN(score_leaf)(copy, start, m, d, shift, near->planes, stride, list, few, doubt, &marks, leaf);
            }
        }
    }
    *n_changed += marks.n_changed;
    return scored;
}

KMF_STATIC size_t KMF_FN(boxes)(const KMF_T *copy, size_t n, size_t d, size_t leaf_size, const KMF_T *shift,
                                const KMF_T *planes, size_t k, int moving, const uint32_t *order,
                                const KMF_T *leaf_boxes, const KMF_T *brick_boxes, kmf_leaf *leaves, uint16_t *sorted,
                                int32_t *labels, int32_t *old, uint8_t *changed, size_t *n_changed, KMF_T *work)
{
#define BOXES_OF(d)                                                                                                    \
    KMF_FN(boxes_of)(copy, n, leaf_size, d, shift, planes, k, moving, order, leaf_boxes, brick_boxes, leaves, sorted,  \
                     labels, old, changed, n_changed, work)
    switch (d) {
    case 1: return BOXES_OF(1);
    case 2: return BOXES_OF(2);
    case 3: return BOXES_OF(3);
    case 4: return BOXES_OF(4);
    case 5: return BOXES_OF(5);
    case 6: return BOXES_OF(6);
    case 7: return BOXES_OF(7);
    default: return BOXES_OF(8);
    }
#undef BOXES_OF
}

#undef ROW
#undef LEEWAY
#undef LESS
#undef TINY
