/* The order of boxes (kmf_boxes_tpl.h): a copy of the samples in which neighbours in space are neighbours in memory.
 *
 * A span of rows is cut into groups along its widest feature (`cut_range`, `cut_count`, `cut_scatter`), and a group, which
 * 16-bit indices serve, into bricks of 32 leaves and leaves by counting sorts along the widest features of each
 * (`order`). Leaves and bricks get their bounding boxes, and the samples of a slot are turned.
 *
 * Memory: 4 bytes a sample, the copy, and a box a leaf.
 */

#define BRICK ((size_t)KMF_BRICK)
#define SLOT ((size_t)KMF_SLOT)
#define ORDER_LEVELS 4
#define ORDER_BINS 2048
#define ORDER_SAMPLE 31 /* samples that say where the cells lie */

/* Where the values of a feature lie, an outlier or two left out. */
KMF_INLINE void KMF_FN(range_of)(const KMF_T *X, const uint16_t *order, size_t n, size_t d, KMF_T *low, KMF_T *width)
{
    const size_t step = (n + ORDER_SAMPLE - 1) / ORDER_SAMPLE;
    KMF_T sorted[ORDER_SAMPLE];
    size_t count = 0;
    for (size_t i = step / 2; i < n; i += step, ++count) {
        const KMF_T x = X[(order ? order[i] : i) * d];
        size_t at = count;
        for (; at > 0 && sorted[at - 1] > x; --at)
            sorted[at] = sorted[at - 1];
        sorted[at] = x;
    }
    const KMF_T q0 = sorted[count / 8], q1 = sorted[count - 1 - count / 8];
    const KMF_T room = q1 - q0, least = sorted[0], most = sorted[count - 1];
    *low = least > q0 - room ? least : q0 - room;
    *width = (most < q1 + room ? most : q1 + room) - *low;
}

/* The features that an order splits by, the widest first, and how wide they are. */
typedef struct KMF_FN(sides) {
    size_t count, feature[ORDER_LEVELS];
    double width[ORDER_LEVELS];
} KMF_FN(sides);

/* Which features to split a node by, the widest first. */
KMF_STATIC void KMF_FN(sides_of)(const KMF_T *X, size_t d, const uint16_t *order, size_t n, KMF_FN(sides) * sides)
{
    sides->count = 0;
    for (size_t f = 0; f < d; ++f) {
        KMF_T low, width;
        KMF_FN(range_of)(X + f, order, n, d, &low, &width);
        size_t at = sides->count < ORDER_LEVELS ? sides->count++ : ORDER_LEVELS;
        for (; at > 0 && (double)width > sides->width[at - 1]; --at) {
            if (at < ORDER_LEVELS)
                sides->width[at] = sides->width[at - 1], sides->feature[at] = sides->feature[at - 1];
        }
        if (at < ORDER_LEVELS)
            sides->width[at] = (double)width, sides->feature[at] = f;
    }
    while (sides->count > 1 && sides->width[sides->count - 1] < 0.01 * sides->width[0])
        --sides->count;
}

/* Sorts the n samples of a node by one feature, cuts them into parts of whole leaves, and these by the next one. */
KMF_STATIC void KMF_FN(split)(const KMF_T *X, size_t d, const KMF_FN(sides) * sides, size_t level, int backwards,
                              size_t leaf, uint16_t *order, size_t n, uint16_t *other, uint16_t *bin, uint16_t *count)
{
    const size_t left = sides->count - level, n_leaves = (n + leaf - 1) / leaf;
    if (left == 0 || n_leaves < 2)
        return;
    size_t parts = n_leaves;
    if (left > 1) { /* as many as make cubes of what is left */
        double volume = 1;
        for (size_t l = level; l < sides->count; ++l)
            volume *= sides->width[l] / sides->width[level];
        parts = (size_t)(pow((double)n_leaves / volume, 1.0 / (double)left) + 0.5);
        parts = parts < 1 ? 1 : parts > n_leaves ? n_leaves : parts;
    }
    if (parts > 1) {
        const size_t f = sides->feature[level];
        KMF_T low, width;
        KMF_FN(range_of)(X + f, order, n, d, &low, &width);
        const size_t bins = n / 4 < ORDER_BINS ? n / 4 : ORDER_BINS;
        const KMF_T scale = width > 0 ? (KMF_T)bins / width : 0, top = (KMF_T)(bins - 1);
        memset(count, 0, bins * sizeof *count);
        const int32_t flip = backwards ? (int32_t)bins - 1 : 0, sign = backwards ? -1 : 1;
        for (size_t i = 0; i < n; ++i) {
            KMF_T t = (X[(int32_t)order[i] * (int32_t)d + (int32_t)f] - low) * scale;
            t = t > 0 ? t : 0;
            t = t < top ? t : top;
            bin[i] = (uint16_t)(flip + sign * (int32_t)t);
        }
        for (size_t i = 0; i < n; ++i)
            ++count[bin[i]];
        uint16_t sum = 0; /* may wrap round to 0 behind the last sample */
        for (size_t c = 0; c < bins; ++c) {
            const uint16_t size = count[c];
            count[c] = sum;
            sum = (uint16_t)(sum + size);
        }
        memcpy(other, order, n * sizeof *other);
        for (size_t i = 0; i < n; ++i)
            order[count[bin[i]]++] = other[i];
    }
    for (size_t p = 0, first = 0; p < parts; ++p) {
        const size_t last = p + 1 == parts ? n : n_leaves * (p + 1) / parts * leaf;
        KMF_FN(split)(X, d, sides, level + 1, (int)(p & 1), leaf, order + first, last - first, other, bin, count);
        first = last;
    }
}

/* The bin of a value. */
KMF_INLINE size_t KMF_FN(bin_of)(KMF_T x, KMF_T low, KMF_T scale, KMF_T top)
{
    KMF_T t = (x - low) * scale;
    t = t > 0 ? t : 0;
    return (size_t)(int32_t)(t < top ? t : top);
}

/* The widest feature and its range, from a sample: where a span is cut into groups. */
KMF_STATIC void KMF_FN(cut_range)(const KMF_T *X, size_t n, size_t d, kmf_cut *cut)
{
    cut->feature = 0, cut->width = -1;
    for (size_t f = 0; f < d; ++f) {
        KMF_T low, width;
        KMF_FN(range_of)(X + f, NULL, n, d, &low, &width);
        if ((double)width > cut->width)
            cut->feature = f, cut->low = (double)low, cut->width = (double)width;
    }
}

/* Count n samples by bins of the feature that `cut` names. */
KMF_STATIC void KMF_FN(cut_count)(const KMF_T *X, size_t n, size_t d, const kmf_cut *cut, uint32_t *count)
{
    const KMF_T low = (KMF_T)cut->low, top = KMF_CUT_BINS - 1;
    const KMF_T scale = cut->width > 0 ? (KMF_T)(KMF_CUT_BINS / cut->width) : 0;
    X += cut->feature;
    for (size_t i = 0; i < n; ++i)
        ++count[KMF_FN(bin_of)(X[i * d], low, scale, top)];
}

/* Copy n samples, the first of them `start` of its span, to their groups. */
KMF_STATIC void KMF_FN(cut_scatter)(const KMF_T *X, size_t n, size_t d, size_t start, const kmf_cut *cut,
                                    uint32_t *rank, uint32_t *next, uint32_t *order, KMF_T *copy)
{
    const KMF_T low = (KMF_T)cut->low, top = KMF_CUT_BINS - 1;
    const KMF_T scale = cut->width > 0 ? (KMF_T)(KMF_CUT_BINS / cut->width) : 0;
    for (size_t i = 0; i < n; ++i) {
        const KMF_T *x = X + i * d;
        const size_t at = next[rank[KMF_FN(bin_of)(x[cut->feature], low, scale, top)]++ / KMF_GROUP]++;
        order[at] = (uint32_t)(start + i);
        for (size_t f = 0; f < d; ++f)
            copy[at * d + f] = x[f];
    }
}

/* Puts a group of n <= 65536 samples into an order in which leaves are compact boxes. `copy` holds them row by row, and
 * in the end slot by slot, turned. */
KMF_STATIC void KMF_FN(order)(size_t n, size_t d, size_t leaf, uint32_t *order, KMF_T *copy, KMF_T *leaves,
                              KMF_T *bricks, KMF_T *work)
{
    uint32_t *ids = (uint32_t *)(void *)(work + KMF_GROUP * d);
    uint16_t *local = (uint16_t *)(void *)(ids + KMF_GROUP), *other = local + KMF_GROUP, *bin = other + KMF_GROUP;
    uint16_t *count = bin + KMF_GROUP;
    KMF_FN(sides) sides;
    memcpy(work, copy, n * d * sizeof(KMF_T));
    memcpy(ids, order, n * sizeof *ids);
    for (size_t i = 0; i < n; ++i)
        local[i] = (uint16_t)i;
    for (size_t size = BRICK * leaf; size >= leaf; size /= BRICK) { /* bricks, then leaves within each */
        for (size_t first = 0, step = size == leaf ? BRICK * leaf : n; first < n; first += step) {
            const size_t m = n - first < step ? n - first : step;
            KMF_FN(sides_of)(work, d, local + first, m, &sides);
            KMF_FN(split)(work, d, &sides, 0, 0, size, local + first, m, other, bin, count);
        }
    }
    for (size_t s = 0; s * SLOT < n; ++s) {
        const size_t l = s * SLOT / leaf, m = n - s * SLOT < SLOT ? n - s * SLOT : SLOT;
        KMF_T *slot = copy + s * SLOT * d;
        for (size_t i = 0; i < m; ++i)
            order[s * SLOT + i] = ids[local[s * SLOT + i]];
        for (size_t i = 0; i < SLOT; ++i) {
            const KMF_T *x = work + local[s * SLOT + (i < m ? i : m - 1)] * d;
            for (size_t f = 0; f < d; ++f)
                slot[f * SLOT + i] = x[f];
        }
        KMF_T *box = leaves + l * 2 * d, *brick = bricks + l / BRICK * 2 * d;
        for (size_t f = 0; f < d; ++f) {
            V low = KMF_FN(load)(slot + f * SLOT), high = low;
            for (size_t i = KMF_LANES; i < SLOT; i += KMF_LANES) {
                low = KMF_FN(min)(low, KMF_FN(load)(slot + f * SLOT + i));
                high = KMF_FN(max)(high, KMF_FN(load)(slot + f * SLOT + i));
            }
            const KMF_T least = KMF_FN(least)(low);
            const KMF_T most = -KMF_FN(least)(KMF_FN(sub)(KMF_FN(set1)(0), high));
            if (s * SLOT % leaf == 0 || least < box[f])
                box[f] = least;
            if (s * SLOT % leaf == 0 || most > box[d + f])
                box[d + f] = most;
            if (s * SLOT % (leaf * BRICK) == 0 || least < brick[f])
                brick[f] = least;
            if (s * SLOT % (leaf * BRICK) == 0 || most > brick[d + f])
                brick[d + f] = most;
        }
    }
}

#undef ORDER_SAMPLE
#undef ORDER_BINS
#undef ORDER_LEVELS
