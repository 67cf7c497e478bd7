/* Plain C: one lane a vector, any processor. The other instruction sets are held against it. */
#define KMF_ISA scalar
#define KMF_TILE 4 /* centroids a register tile: 2 x 4 accumulators */
#define KMF_LANES_F32 1
#define KMF_LANES_F64 1
#define KMF_COLUMNS_F32 1 /* columns that one transpose turns */
#define KMF_COLUMNS_F64 1

typedef float kmf_vec_f32_scalar;
typedef double kmf_vec_f64_scalar;

KMF_INLINE float kmf_load_f32_scalar(const float *p) { return *p; }
KMF_INLINE double kmf_load_f64_scalar(const double *p) { return *p; }
KMF_INLINE void kmf_store_f32_scalar(float *p, float a) { *p = a; }
KMF_INLINE void kmf_store_f64_scalar(double *p, double a) { *p = a; }
KMF_INLINE float kmf_set1_f32_scalar(float a) { return a; }
KMF_INLINE double kmf_set1_f64_scalar(double a) { return a; }
KMF_INLINE float kmf_sub_f32_scalar(float a, float b) { return a - b; }
KMF_INLINE double kmf_sub_f64_scalar(double a, double b) { return a - b; }
/* |a - b| */
KMF_INLINE float kmf_apart_f32_scalar(float a, float b) { return fabsf(a - b); }
KMF_INLINE double kmf_apart_f64_scalar(double a, double b) { return fabs(a - b); }
/* c + a * b and c - a * b */
KMF_INLINE float kmf_fmadd_f32_scalar(float a, float b, float c) { return c + a * b; }
KMF_INLINE double kmf_fmadd_f64_scalar(double a, double b, double c) { return c + a * b; }
KMF_INLINE float kmf_fnmadd_f32_scalar(float a, float b, float c) { return c - a * b; }
KMF_INLINE double kmf_fnmadd_f64_scalar(double a, double b, double c) { return c - a * b; }
KMF_INLINE float kmf_min_f32_scalar(float a, float b) { return a < b ? a : b; }
KMF_INLINE double kmf_min_f64_scalar(double a, double b) { return a < b ? a : b; }
KMF_INLINE float kmf_max_f32_scalar(float a, float b) { return a > b ? a : b; }
KMF_INLINE double kmf_max_f64_scalar(double a, double b) { return a > b ? a : b; }
/* a < b ? x : y, lane by lane */
KMF_INLINE float kmf_select_f32_scalar(float a, float b, float x, float y) { return a < b ? x : y; }
KMF_INLINE double kmf_select_f64_scalar(double a, double b, double x, double y) { return a < b ? x : y; }
/* sum of the lanes */
KMF_INLINE float kmf_total_f32_scalar(float a) { return a; }
KMF_INLINE double kmf_total_f64_scalar(double a) { return a; }
/* lanes of a < b, as bits */
KMF_INLINE uint32_t kmf_lt_bits_f32_scalar(float a, float b) { return a < b; }
KMF_INLINE uint32_t kmf_lt_bits_f64_scalar(double a, double b) { return a < b; }
/* the least lane */
KMF_INLINE float kmf_least_f32_scalar(float a) { return a; }
KMF_INLINE double kmf_least_f64_scalar(double a) { return a; }
KMF_INLINE float kmf_largest_f32_scalar(float a) { return a; }
KMF_INLINE double kmf_largest_f64_scalar(double a) { return a; }
/* columns f .. f + LANES of LANES rows, less the shift, turned so that a vector holds one column */
KMF_INLINE void kmf_transpose_f32_scalar(const float *const *rows, const float *shift, float *out, size_t stride)
{
    (void)stride;
    *out = rows[0][0] - *shift;
}
KMF_INLINE void kmf_transpose_f64_scalar(const double *const *rows, const double *shift, double *out, size_t stride)
{
    (void)stride;
    *out = rows[0][0] - *shift;
}

#include "kmf_dtypes_tpl.h"

#undef KMF_COLUMNS_F64
#undef KMF_COLUMNS_F32
#undef KMF_LANES_F64
#undef KMF_LANES_F32
#undef KMF_TILE
#undef KMF_ISA
