/* k-means in 30 lines of C11, or C++17, on a copy of src/kmf: `cluster N D K < points` starts from the first K points
 * and prints N labels. An empty cluster stays where it is. */
#include <stdio.h>
#include <stdlib.h>

#define KMF_IMPLEMENTATION
#include "kmf/kmf.h"

static double *doubles(size_t count) { return (double *)calloc(count, sizeof(double)); }

int main(int argc, char **argv)
{
    size_t n = argc == 4 ? atoi(argv[1]) : 0, d = n ? atoi(argv[2]) : 0, k = n ? atoi(argv[3]) : 0, i = 0, n_moved;
    const kmf_kernels_f64 *kernels = &kmf_select(NULL)->f64;
    double *X = doubles(n * d), *centroids = doubles(k * d), *sums = doubles(k * (d + 2)), *shift = doubles(d);
    double *packed = doubles(kmf_packed_size_f64(kernels, k, d)), *work = doubles(kmf_work_size_f64(kernels, k, d));
    int32_t *labels = (int32_t *)malloc(n * sizeof(int32_t)), *old_labels = (int32_t *)malloc(n * sizeof(int32_t));
    while (i < n * d && scanf("%lf", &X[i]) == 1)
        ++i;
    if (i < n * d || d == 0 || k == 0 || k > n)
        return 1;
    memcpy(centroids, X, k * d * sizeof(double));
    memset(old_labels, -1, n * sizeof(int32_t)); /* -1: no sample belongs anywhere yet */
    do {
        kernels->pack(centroids, k, d, shift, packed);
        kernels->assign(X, n, d, shift, packed, k, labels, work);
        n_moved = kernels->update(X, n, d, old_labels, labels, NULL, shift, 0, d, sums);
        memcpy(old_labels, labels, n * sizeof(int32_t));
        for (i = 0; i < k * d; ++i)
            if (sums[i / d * (d + 2) + d] > 0)
                centroids[i] = shift[i % d] + sums[i / d * (d + 2) + i % d] / sums[i / d * (d + 2) + d];
    } while (n_moved > 0);
    for (i = 0; i < n; ++i)
        printf("%d\n", (int)labels[i]);
}
