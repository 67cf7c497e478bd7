/* The update step: weighted sums of the samples of each cluster, in double, in the order of the samples.
 *
 * Only samples whose label changed are moved, so the step costs what the iteration changed.
 */

#define SMALL 8      /* features up to which a row of sums is held in registers */
#define FETCHED 16   /* rows ahead that are fetched */
#define STRETCH 1024 /* samples of which those that moved are listed at once */

/* Takes a sample from the sums of its old cluster to those of the new one. */
KMF_INLINE void KMF_FN(move_row)(const KMF_T *x, const size_t d, int32_t from, int32_t to, double weight,
                                 const double *shift, const size_t first, const size_t last, double *sums)
{
    double *into = to < 0 ? NULL : sums + (size_t)to * (d + 2), *out = from < 0 ? NULL : sums + (size_t)from * (d + 2);
    if (d <= SMALL && first == 0 && last == d) {
        double row[SMALL + 2] = {0};
        for (size_t f = 0; f < d; ++f)
            row[f] = weight * ((double)x[f] - shift[f]);
        row[d] = weight, row[d + 1] = weight > 0.0;
        for (size_t f = 0; into && f < d + 2; ++f)
            into[f] += row[f];
        for (size_t f = 0; out && f < d + 2; ++f)
            out[f] -= row[f];
        return;
    }
    for (size_t f = first; into && f < last; ++f)
        into[f] += weight * ((double)x[f] - shift[f]);
    for (size_t f = first; out && f < last; ++f)
        out[f] -= weight * ((double)x[f] - shift[f]);
    if (last == d) {
        if (into)
            into[d] += weight, into[d + 1] += weight > 0.0;
        if (out)
            out[d] -= weight, out[d + 1] -= weight > 0.0;
    }
}

/* Lists the samples [start, start + 32) that moved, or as many of them as there are. */
KMF_INLINE size_t KMF_FN(list_moved)(const int32_t *old_labels, const int32_t *labels, uint8_t *marks, size_t start,
                                     size_t n, int32_t *list, size_t n_listed)
{
    uint32_t bits = 0;
    if (n - start >= 32) {
        bits = marks ? KMF_FN(bits_of)(marks + start) : KMF_FN(differing)(old_labels + start, labels + start);
    } else {
        for (size_t i = start; i < n; ++i)
            bits |= (uint32_t)(marks ? marks[i] : old_labels[i] != labels[i]) << (i - start);
    }
    return KMF_FN(list_bits)(list, n_listed, start, bits, 32);
}

/* The loop with d, where it is small, known to the compiler. Samples that moved, by `marks`, which are cleared, or else by
 * their labels, are listed first: then their rows can be fetched in time. */
KMF_INLINE size_t KMF_FN(update_rows)(const KMF_T *X, size_t n, const size_t d, const int32_t *old_labels,
                                      const int32_t *labels, uint8_t *marks, const double *sample_weight,
                                      const double *shift, const size_t first, const size_t last, double *sums)
{
    size_t changed = 0;
    if (!old_labels) {
        for (size_t i = 0; i < n; ++i) {
            const double weight = sample_weight ? sample_weight[i] : 1.0;
            KMF_FN(move_row)(X + i * d, d, -1, labels[i], weight, shift, first, last, sums);
            changed += labels[i] >= 0;
        }
        return changed;
    }
    for (size_t stretch = 0; stretch < n; stretch += STRETCH) {
        const size_t end = n - stretch < STRETCH ? n : stretch + STRETCH;
        int32_t moved[STRETCH + 32];
        size_t n_moved = 0;
        for (size_t start = stretch; start < end; start += 32)
            n_moved = KMF_FN(list_moved)(old_labels, labels, marks, start, end, moved, n_moved);
        if (marks && n_moved)
            memset(marks + stretch, 0, end - stretch);
        for (size_t l = 0; l < n_moved; ++l) {
            const size_t i = (size_t)moved[l], soon = (size_t)moved[l + FETCHED < n_moved ? l + FETCHED : l];
            const double weight = sample_weight ? sample_weight[i] : 1.0;
            KMF_PREFETCH(X + soon * d);
            KMF_FN(move_row)(X + i * d, d, old_labels[i], labels[i], weight, shift, first, last, sums);
        }
        changed += n_moved;
    }
    return changed;
}

KMF_INLINE size_t KMF_FN(update_any)(const KMF_T *X, size_t n, size_t d, const int32_t *old_labels,
                                     const int32_t *labels, uint8_t *marks, const double *sample_weight,
                                     const double *shift, size_t first, size_t last, double *sums)
{
    if (first == 0 && last == d) {
        switch (d) {
        case 1: return KMF_FN(update_rows)(X, n, 1, old_labels, labels, marks, sample_weight, shift, 0, 1, sums);
        case 2: return KMF_FN(update_rows)(X, n, 2, old_labels, labels, marks, sample_weight, shift, 0, 2, sums);
        case 3: return KMF_FN(update_rows)(X, n, 3, old_labels, labels, marks, sample_weight, shift, 0, 3, sums);
        case 4: return KMF_FN(update_rows)(X, n, 4, old_labels, labels, marks, sample_weight, shift, 0, 4, sums);
        case 8: return KMF_FN(update_rows)(X, n, 8, old_labels, labels, marks, sample_weight, shift, 0, 8, sums);
        default: break;
        }
    }
    return KMF_FN(update_rows)(X, n, d, old_labels, labels, marks, sample_weight, shift, first, last, sums);
}

KMF_STATIC size_t KMF_FN(update)(const KMF_T *X, size_t n, size_t d, const int32_t *old_labels, const int32_t *labels,
                                 const double *sample_weight, const double *shift, size_t first, size_t last,
                                 double *sums)
{
    return KMF_FN(update_any)(X, n, d, old_labels, labels, NULL, sample_weight, shift, first, last, sums);
}

KMF_STATIC void KMF_FN(update_marked)(const KMF_T *X, size_t n, size_t d, uint8_t *marks, const int32_t *old_labels,
                                      const int32_t *labels, const double *sample_weight, const double *shift,
                                      double *sums)
{
    KMF_FN(update_any)(X, n, d, old_labels, labels, marks, sample_weight, shift, 0, d, sums);
}

#undef STRETCH
#undef FETCHED
#undef SMALL
