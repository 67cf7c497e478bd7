/* The update step: weighted sums of the samples of each cluster, in double, in the order of the samples.
 *
 * Only samples whose label changed are moved, so the step costs what the iteration changed.
 */

/* sum += weight * (x - shift) over features [first, last) */
KMF_INLINE void KMF_FN(add_row)(double *sum, double weight, const KMF_T *x, const double *shift, size_t first,
                                size_t last)
{
    for (size_t f = first; f < last; ++f)
        sum[f] += weight * ((double)x[f] - shift[f]);
}

/* The loop with d, where it is small, known to the compiler. */
KMF_INLINE size_t KMF_FN(update_rows)(const KMF_T *X, size_t n, const size_t d, const int32_t *old_labels,
                                      const int32_t *labels, const double *sample_weight, const double *shift,
                                      const size_t first, const size_t last, double *sums)
{
    size_t changed = 0;
    for (size_t i = 0; i < n; ++i) {
        const int32_t from = old_labels ? old_labels[i] : -1, to = labels[i];
        if (from == to)
            continue;
        ++changed;
        const double weight = sample_weight ? sample_weight[i] : 1.0;
        if (to >= 0) {
            double *sum = sums + (size_t)to * (d + 2);
            KMF_FN(add_row)(sum, weight, X + i * d, shift, first, last);
            if (last == d)
                sum[d] += weight, sum[d + 1] += weight > 0.0;
        }
        if (from >= 0) {
            double *sum = sums + (size_t)from * (d + 2);
            KMF_FN(add_row)(sum, -weight, X + i * d, shift, first, last);
            if (last == d)
                sum[d] -= weight, sum[d + 1] -= weight > 0.0;
        }
    }
    return changed;
}

KMF_STATIC size_t KMF_FN(update)(const KMF_T *X, size_t n, size_t d, const int32_t *old_labels, const int32_t *labels,
                                 const double *sample_weight, const double *shift, size_t first, size_t last,
                                 double *sums)
{
    if (first == 0 && last == d) {
        switch (d) {
        case 1: return KMF_FN(update_rows)(X, n, 1, old_labels, labels, sample_weight, shift, 0, 1, sums);
        case 2: return KMF_FN(update_rows)(X, n, 2, old_labels, labels, sample_weight, shift, 0, 2, sums);
        case 3: return KMF_FN(update_rows)(X, n, 3, old_labels, labels, sample_weight, shift, 0, 3, sums);
        case 4: return KMF_FN(update_rows)(X, n, 4, old_labels, labels, sample_weight, shift, 0, 4, sums);
        default: break;
        }
    }
    return KMF_FN(update_rows)(X, n, d, old_labels, labels, sample_weight, shift, first, last, sums);
}
