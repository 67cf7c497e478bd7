/* k-means in plain C on a copy of src/kmf: `cluster N D K < points` starts from the first K points and prints labels.
 * Valid C11 and C++17. */
#include <stdio.h>
#include <stdlib.h>

#define KMF_IMPLEMENTATION
#include "kmf/kmf.h"

static double *doubles(size_t count) { return (double *)calloc(count, sizeof(double)); }

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    const size_t n = strtoul(argv[1], NULL, 10), d = strtoul(argv[2], NULL, 10), k = strtoul(argv[3], NULL, 10);
    const kmf_kernels_f64 *kernels = &kmf_select(NULL)->f64;
    double *X = doubles(n * d), *centroids = doubles(k * d), *sums = doubles(k * (d + 2)), *shift = doubles(d);
    double *packed = doubles(kmf_packed_size_f64(kernels, k, d)), *work = doubles(kmf_work_size_f64(kernels, k, d));
    int32_t *labels = (int32_t *)malloc(n * sizeof(int32_t)), *old_labels = (int32_t *)malloc(n * sizeof(int32_t));
    for (size_t i = 0; i < n * d; ++i) {
        if (scanf("%lf", &X[i]) != 1)
            return 1;
    }
    memcpy(centroids, X, k * d * sizeof(double));
    memset(old_labels, -1, n * sizeof(int32_t)); /* -1: no sample belongs anywhere yet */
    for (;;) {
        kernels->pack(centroids, k, d, shift, packed);
        kernels->assign(X, n, d, shift, packed, k, labels, work);
        if (kernels->update(X, n, d, old_labels, labels, NULL, shift, 0, d, sums) == 0)
            break;
        memcpy(old_labels, labels, n * sizeof(int32_t));
        for (size_t j = 0; j < k; ++j) {
            const double *sum = sums + j * (d + 2), weight = sum[d];
            for (size_t f = 0; f < d && weight > 0; ++f) /* an empty cluster stays where it is */
                centroids[j * d + f] = shift[f] + sum[f] / weight;
        }
    }
    for (size_t i = 0; i < n; ++i)
        printf("%d\n", (int)labels[i]);
    return 0;
}
