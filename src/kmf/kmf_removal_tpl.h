/* What it costs to take a centroid away: each of its samples goes to the second nearest.
 *
 * One dense pass for all centroids. Differences of scores are half differences of squared distances, so no norm of a
 * sample is needed. Right where a search decides which centroids to give up (swaps, breathing), once in some ten passes.
 */

KMF_STATIC void KMF_FN(removal_losses)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed,
                                       size_t k, const double *sample_weight, double *losses, KMF_T *work)
{
    KMF_T *panel = work, *spill = panel + PANEL * d;
    for (size_t start = 0; start < n; start += PANEL) {
        const size_t m = n - start < PANEL ? n - start : PANEL;
        const KMF_T *ahead[2 * KMF_LANES];
        if (start + PANEL < n)
            KMF_FN(find_rows)(X + (start + PANEL) * d, n - start - PANEL, d, ahead);
        KMF_T best[2 * KMF_LANES], second[2 * KMF_LANES];
        int32_t label[2 * KMF_LANES];
        KMF_FN(load_panel)(X + start * d, m, d, shift, panel);
        KMF_FN(two_nearest)(panel, packed, k, d, start + PANEL < n ? ahead : NULL, spill, best, second, label);
        for (size_t i = 0; i < m; ++i)
            losses[label[i]] += 2.0 * (double)(second[i] - best[i]) * (sample_weight ? sample_weight[start + i] : 1.0);
    }
}
