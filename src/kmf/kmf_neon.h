/* NEON (AArch64): 4 floats or 2 doubles a vector, 32 registers; always there. The filter also takes the dot products of
 * ARMv8.2, which nearly every processor since 2018 has; nothing else here is of that target. */
#define KMF_ISA neon
#define KMF_TILE 12 /* 2 x 12 accumulators + 2 vectors of points leave 6 of 32 registers for broadcasts */
#define KMF_LANES_F32 4
#define KMF_LANES_F64 2
#define KMF_COLUMNS_F32 4 /* columns that one transpose turns */
#define KMF_COLUMNS_F64 2

#if defined(__GNUC__) && !defined(__clang__)
#define KMF_NEON_FILTERS 1
#pragma GCC push_options
#pragma GCC target("arch=armv8.2-a+dotprod")
#elif defined(__ARM_FEATURE_DOTPROD) /* Clang's header hides the intrinsic from other targets */
#define KMF_NEON_FILTERS 1
#else
#define KMF_NEON_FILTERS 0
#endif

typedef float32x4_t kmf_vec_f32_neon;
typedef float64x2_t kmf_vec_f64_neon;

KMF_INLINE float32x4_t kmf_load_f32_neon(const float *p) { return vld1q_f32(p); }
KMF_INLINE float64x2_t kmf_load_f64_neon(const double *p) { return vld1q_f64(p); }
KMF_INLINE void kmf_store_f32_neon(float *p, float32x4_t a) { vst1q_f32(p, a); }
KMF_INLINE void kmf_store_f64_neon(double *p, float64x2_t a) { vst1q_f64(p, a); }
KMF_INLINE float32x4_t kmf_set1_f32_neon(float a) { return vdupq_n_f32(a); }
KMF_INLINE float64x2_t kmf_set1_f64_neon(double a) { return vdupq_n_f64(a); }
KMF_INLINE float32x4_t kmf_sub_f32_neon(float32x4_t a, float32x4_t b) { return vsubq_f32(a, b); }
KMF_INLINE float64x2_t kmf_sub_f64_neon(float64x2_t a, float64x2_t b) { return vsubq_f64(a, b); }
/* |a - b| */
KMF_INLINE float32x4_t kmf_apart_f32_neon(float32x4_t a, float32x4_t b) { return vabdq_f32(a, b); }
KMF_INLINE float64x2_t kmf_apart_f64_neon(float64x2_t a, float64x2_t b) { return vabdq_f64(a, b); }
/* c + a * b and c - a * b */
KMF_INLINE float32x4_t kmf_fmadd_f32_neon(float32x4_t a, float32x4_t b, float32x4_t c) { return vfmaq_f32(c, a, b); }
KMF_INLINE float64x2_t kmf_fmadd_f64_neon(float64x2_t a, float64x2_t b, float64x2_t c) { return vfmaq_f64(c, a, b); }
KMF_INLINE float32x4_t kmf_fnmadd_f32_neon(float32x4_t a, float32x4_t b, float32x4_t c) { return vfmsq_f32(c, a, b); }
KMF_INLINE float64x2_t kmf_fnmadd_f64_neon(float64x2_t a, float64x2_t b, float64x2_t c) { return vfmsq_f64(c, a, b); }
KMF_INLINE float32x4_t kmf_min_f32_neon(float32x4_t a, float32x4_t b) { return vminq_f32(a, b); }
KMF_INLINE float64x2_t kmf_min_f64_neon(float64x2_t a, float64x2_t b) { return vminq_f64(a, b); }
KMF_INLINE float32x4_t kmf_max_f32_neon(float32x4_t a, float32x4_t b) { return vmaxq_f32(a, b); }
KMF_INLINE float64x2_t kmf_max_f64_neon(float64x2_t a, float64x2_t b) { return vmaxq_f64(a, b); }
/* a < b ? x : y, lane by lane */
KMF_INLINE float32x4_t kmf_select_f32_neon(float32x4_t a, float32x4_t b, float32x4_t x, float32x4_t y)
{
    return vbslq_f32(vcltq_f32(a, b), x, y);
}
KMF_INLINE float64x2_t kmf_select_f64_neon(float64x2_t a, float64x2_t b, float64x2_t x, float64x2_t y)
{
    return vbslq_f64(vcltq_f64(a, b), x, y);
}
/* sum of the lanes */
KMF_INLINE float kmf_total_f32_neon(float32x4_t a) { return vaddvq_f32(a); }
KMF_INLINE double kmf_total_f64_neon(float64x2_t a) { return vaddvq_f64(a); }
/* lanes of a < b, as bits */
KMF_INLINE uint32_t kmf_lt_bits_f32_neon(float32x4_t a, float32x4_t b)
{
    static const uint32_t bits[4] = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vcltq_f32(a, b), vld1q_u32(bits)));
}
KMF_INLINE uint32_t kmf_lt_bits_f64_neon(float64x2_t a, float64x2_t b)
{
    const uint64x2_t less = vcltq_f64(a, b);
    return (uint32_t)((vgetq_lane_u64(less, 0) & 1) | (vgetq_lane_u64(less, 1) & 2));
}
/* the least lane */
KMF_INLINE float kmf_least_f32_neon(float32x4_t a) { return vminvq_f32(a); }
KMF_INLINE double kmf_least_f64_neon(float64x2_t a) { return vminvq_f64(a); }
KMF_INLINE float kmf_largest_f32_neon(float32x4_t a) { return vmaxvq_f32(a); }
KMF_INLINE double kmf_largest_f64_neon(float64x2_t a) { return vmaxvq_f64(a); }
/* 4 columns of 4 rows, less the shift, turned so that a vector holds one column. */
KMF_INLINE void kmf_transpose_f32_neon(const float *const *rows, const float *shift, float *out, size_t stride)
{
    const float32x4_t s = vld1q_f32(shift);
    const float32x4_t r0 = vsubq_f32(vld1q_f32(rows[0]), s), r1 = vsubq_f32(vld1q_f32(rows[1]), s);
    const float32x4_t r2 = vsubq_f32(vld1q_f32(rows[2]), s), r3 = vsubq_f32(vld1q_f32(rows[3]), s);
    const float64x2_t a = vreinterpretq_f64_f32(vzip1q_f32(r0, r1)), b = vreinterpretq_f64_f32(vzip2q_f32(r0, r1));
    const float64x2_t c = vreinterpretq_f64_f32(vzip1q_f32(r2, r3)), e = vreinterpretq_f64_f32(vzip2q_f32(r2, r3));
    vst1q_f32(out, vreinterpretq_f32_f64(vzip1q_f64(a, c)));
    vst1q_f32(out + stride, vreinterpretq_f32_f64(vzip2q_f64(a, c)));
    vst1q_f32(out + 2 * stride, vreinterpretq_f32_f64(vzip1q_f64(b, e)));
    vst1q_f32(out + 3 * stride, vreinterpretq_f32_f64(vzip2q_f64(b, e)));
}
/* 2 columns of 2 rows */
KMF_INLINE void kmf_transpose_f64_neon(const double *const *rows, const double *shift, double *out, size_t stride)
{
    const float64x2_t s = vld1q_f64(shift);
    const float64x2_t r0 = vsubq_f64(vld1q_f64(rows[0]), s), r1 = vsubq_f64(vld1q_f64(rows[1]), s);
    vst1q_f64(out, vzip1q_f64(r0, r1));
    vst1q_f64(out + stride, vzip2q_f64(r0, r1));
}

#if KMF_NEON_FILTERS
/* The filter's: 4 sums of products of bytes, of samples and centroids -127 to 127. */
#define KMF_FILTER_BYTES 1
#define KMF_FILTER_OFFSET 0
typedef int32x4_t kmf_ints_neon;
KMF_INLINE int32x4_t kmf_iload_neon(const int32_t *p) { return vld1q_s32(p); }
KMF_INLINE int32x4_t kmf_iset1_neon(int32_t a) { return vdupq_n_s32(a); }
KMF_INLINE int32x4_t kmf_dot8_neon(int32x4_t sum, int32x4_t x, int32x4_t c)
{
    return vdotq_s32(sum, vreinterpretq_s8_s32(x), vreinterpretq_s8_s32(c));
}
KMF_INLINE float32x4_t kmf_to_float_neon(int32x4_t a) { return vcvtq_f32_s32(a); }
/* Features in units of 1 / inverse = scale as bytes; adds the squares of what is rounded off. */
KMF_INLINE float32x4_t kmf_round_neon(float32x4_t x, float32x4_t inverse, float32x4_t scale, float32x4_t rest,
                                      void *out)
{
    const int32x4_t q = vcvtnq_s32_f32(vmulq_f32(x, inverse));
    const float32x4_t off = vfmsq_f32(x, vcvtq_f32_s32(q), scale);
    const int16x4_t half = vmovn_s32(q);
    const uint32_t word = vget_lane_u32(vreinterpret_u32_s8(vmovn_s16(vcombine_s16(half, half))), 0);
    memcpy(out, &word, sizeof word);
    return vfmaq_f32(rest, off, off);
}
/* 4 words of 4 rows of bytes, turned so that a vector holds one column. */
KMF_INLINE void kmf_turn_neon(const uint8_t *rows, size_t stride, int32_t *out, size_t apart)
{
    const int32x4_t r0 = vreinterpretq_s32_u8(vld1q_u8(rows)), r1 = vreinterpretq_s32_u8(vld1q_u8(rows + stride));
    const int32x4_t r2 = vreinterpretq_s32_u8(vld1q_u8(rows + 2 * stride));
    const int32x4_t r3 = vreinterpretq_s32_u8(vld1q_u8(rows + 3 * stride));
    const int64x2_t a = vreinterpretq_s64_s32(vzip1q_s32(r0, r1)), b = vreinterpretq_s64_s32(vzip2q_s32(r0, r1));
    const int64x2_t c = vreinterpretq_s64_s32(vzip1q_s32(r2, r3)), e = vreinterpretq_s64_s32(vzip2q_s32(r2, r3));
    vst1q_s32(out, vreinterpretq_s32_s64(vzip1q_s64(a, c)));
    vst1q_s32(out + apart, vreinterpretq_s32_s64(vzip2q_s64(a, c)));
    vst1q_s32(out + 2 * apart, vreinterpretq_s32_s64(vzip1q_s64(b, e)));
    vst1q_s32(out + 3 * apart, vreinterpretq_s32_s64(vzip2q_s64(b, e)));
}
/* The lanes of a that are not over the limit, as bits; the least of the others goes to `beyond`. */
KMF_INLINE uint32_t kmf_within_neon(float32x4_t a, float32x4_t limit, float32x4_t *beyond)
{
    static const uint32_t bits[4] = {1, 2, 4, 8};
    const uint32x4_t over = vcgtq_f32(a, limit);
    *beyond = vbslq_f32(over, vminq_f32(*beyond, a), *beyond);
    return vaddvq_u32(vbicq_u32(vld1q_u32(bits), over));
}
#endif

#include "kmf_dtypes_tpl.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

#ifdef KMF_FILTER_BYTES
#undef KMF_FILTER_OFFSET
#undef KMF_FILTER_BYTES
#endif
#undef KMF_COLUMNS_F64
#undef KMF_COLUMNS_F32
#undef KMF_LANES_F64
#undef KMF_LANES_F32
#undef KMF_TILE
#undef KMF_ISA
