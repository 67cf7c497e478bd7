/* A shared library of one function on the kernels of an installed kmeans_fast, for ctypes and every other language that
 * calls C. The caller owns every buffer. */
#define KMF_IMPLEMENTATION
#include "kmf.h"

#if defined(_WIN32)
#define EXPORT __declspec(dllexport)
#else
#define EXPORT
#endif

/* Doubles of scratch that `nearest` needs. */
EXPORT size_t nearest_scratch(size_t d, size_t k)
{
    const kmf_kernels_f64 *kernels = &kmf_select(NULL)->f64;
    return d + kmf_packed_size_f64(kernels, k, d) + kmf_work_size_f64(kernels, k, d);
}

/* labels[i] = the number of the place nearest to point i; ties go to the lowest. */
EXPORT void nearest(const double *points, size_t n, size_t d, const double *places, size_t k, int32_t *labels,
                    double *scratch)
{
    const kmf_kernels_f64 *kernels = &kmf_select(NULL)->f64;
    double *shift = scratch, *packed = shift + d, *work = packed + kmf_packed_size_f64(kernels, k, d);
    kernels->score_shift(places, k, d, shift);
    kernels->pack(places, k, d, shift, packed);
    kernels->assign(points, n, d, shift, packed, k, labels, work);
}
