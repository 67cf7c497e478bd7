/* Packed centroids: tiles of TILE centroids, each tile [half norms][indices][feature 0][feature 1] ... of TILE values.
 *
 * Broadcasts then come from one short stream. An index is kept as a value of the dtype, so that the argmin selects it
 * with the same instruction as a score; it counts from the start of its block of tiles, and is exact below 2^24.
 */

#define SHIFT_SAMPLE 15 /* evenly spaced centroids whose median is the shift: few outliers do not move it */

KMF_STATIC void KMF_FN(score_shift)(const double *centroids, size_t k, size_t d, KMF_T *shift)
{
    const size_t step = (k + SHIFT_SAMPLE - 1) / SHIFT_SAMPLE, count = (k + step - 1) / step;
    for (size_t f = 0; f < d; ++f) {
        double sorted[SHIFT_SAMPLE];
        for (size_t i = 0; i < count; ++i) {
            const double c = centroids[i * step * d + f];
            size_t at = i;
            for (; at > 0 && sorted[at - 1] > c; --at)
                sorted[at] = sorted[at - 1];
            sorted[at] = c;
        }
        shift[f] = (KMF_T)sorted[(count - 1) / 2];
    }
}

#undef SHIFT_SAMPLE

KMF_STATIC void KMF_FN(pack)(const double *centroids, size_t k, size_t d, const KMF_T *shift, KMF_T *packed)
{
    const size_t n_tiles = (k + TILE - 1) / TILE, per_block = KMF_FN(tiles_per_block)(d);
    for (size_t t = 0; t < n_tiles; ++t) {
        KMF_T *tile = packed + t * TILE * (d + 2);
        for (size_t j = 0; j < TILE; ++j) {
            const size_t centroid = t * TILE + j;
            if (centroid >= k) { /* a padded centroid never wins */
                for (size_t f = 0; f < d; ++f)
                    tile[(2 + f) * TILE + j] = 0;
                tile[j] = (KMF_T)HUGE_VAL;
                tile[TILE + j] = 0;
                continue;
            }
            double norm = 0.0;
            for (size_t f = 0; f < d; ++f) {
                const KMF_T c = (KMF_T)(centroids[centroid * d + f] - (double)shift[f]);
                tile[(2 + f) * TILE + j] = c;
                norm += (double)c * (double)c;
            }
            tile[j] = (KMF_T)(0.5 * norm);
            tile[TILE + j] = (KMF_T)((t % per_block) * TILE + j);
        }
    }
}
