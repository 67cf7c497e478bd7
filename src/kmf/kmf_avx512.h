/* AVX-512 (F, DQ, VL; integers also VNNI): 16 floats or 8 doubles a vector, 32 registers. */
#define KMF_ISA avx512
#define KMF_TILE 12 /* 2 x 12 accumulators + 2 vectors of points leave 6 of 32 registers for broadcasts */
#define KMF_LANES_F32 16
#define KMF_LANES_F64 8
#define KMF_COLUMNS_F32 4 /* columns that one transpose turns */
#define KMF_COLUMNS_F64 2
#define KMF_LISTS 1     /* kmf_list */
#define KMF_DIFFERING 1 /* kmf_differing */

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx512vnni,avx2,fma"))),                 \
                             apply_to = function)
#elif defined(__GNUC__)
/* GCC's own headers leave the source of a masked operation undefined on purpose (GCC bug 105593). */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Waggressive-loop-optimizations" /* at -O3 it thinks of 2^62 features */
#pragma GCC push_options
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512vnni,avx2,fma,prefer-vector-width=512")
#endif

typedef __m512 kmf_vec_f32_avx512;
typedef __m512d kmf_vec_f64_avx512;

KMF_INLINE __m512 kmf_load_f32_avx512(const float *p) { return _mm512_loadu_ps(p); }
KMF_INLINE __m512d kmf_load_f64_avx512(const double *p) { return _mm512_loadu_pd(p); }
KMF_INLINE void kmf_store_f32_avx512(float *p, __m512 a) { _mm512_storeu_ps(p, a); }
KMF_INLINE void kmf_store_f64_avx512(double *p, __m512d a) { _mm512_storeu_pd(p, a); }
KMF_INLINE __m512 kmf_set1_f32_avx512(float a) { return _mm512_set1_ps(a); }
KMF_INLINE __m512d kmf_set1_f64_avx512(double a) { return _mm512_set1_pd(a); }
KMF_INLINE __m512 kmf_sub_f32_avx512(__m512 a, __m512 b) { return _mm512_sub_ps(a, b); }
KMF_INLINE __m512d kmf_sub_f64_avx512(__m512d a, __m512d b) { return _mm512_sub_pd(a, b); }
/* |a - b| */
KMF_INLINE __m512 kmf_apart_f32_avx512(__m512 a, __m512 b) { return _mm512_abs_ps(_mm512_sub_ps(a, b)); }
KMF_INLINE __m512d kmf_apart_f64_avx512(__m512d a, __m512d b) { return _mm512_abs_pd(_mm512_sub_pd(a, b)); }
/* c + a * b and c - a * b */
KMF_INLINE __m512 kmf_fmadd_f32_avx512(__m512 a, __m512 b, __m512 c) { return _mm512_fmadd_ps(a, b, c); }
KMF_INLINE __m512d kmf_fmadd_f64_avx512(__m512d a, __m512d b, __m512d c) { return _mm512_fmadd_pd(a, b, c); }
KMF_INLINE __m512 kmf_fnmadd_f32_avx512(__m512 a, __m512 b, __m512 c) { return _mm512_fnmadd_ps(a, b, c); }
KMF_INLINE __m512d kmf_fnmadd_f64_avx512(__m512d a, __m512d b, __m512d c) { return _mm512_fnmadd_pd(a, b, c); }
KMF_INLINE __m512 kmf_min_f32_avx512(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
KMF_INLINE __m512d kmf_min_f64_avx512(__m512d a, __m512d b) { return _mm512_min_pd(a, b); }
KMF_INLINE __m512 kmf_max_f32_avx512(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
KMF_INLINE __m512d kmf_max_f64_avx512(__m512d a, __m512d b) { return _mm512_max_pd(a, b); }
/* a < b ? x : y, lane by lane */
KMF_INLINE __m512 kmf_select_f32_avx512(__m512 a, __m512 b, __m512 x, __m512 y)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}
KMF_INLINE __m512d kmf_select_f64_avx512(__m512d a, __m512d b, __m512d x, __m512d y)
{
    return _mm512_mask_blend_pd(_mm512_cmp_pd_mask(a, b, _CMP_LT_OQ), y, x);
}
/* sum of the lanes */
KMF_INLINE float kmf_total_f32_avx512(__m512 a) { return _mm512_reduce_add_ps(a); }
KMF_INLINE double kmf_total_f64_avx512(__m512d a) { return _mm512_reduce_add_pd(a); }
/* lanes of a < b, as bits */
KMF_INLINE uint32_t kmf_lt_bits_f32_avx512(__m512 a, __m512 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
KMF_INLINE uint32_t kmf_lt_bits_f64_avx512(__m512d a, __m512d b) { return _mm512_cmp_pd_mask(a, b, _CMP_LT_OQ); }
/* the positions of the bits of `mask`, counted from `first`; writes whole vectors */
KMF_INLINE void kmf_list_f32_avx512(int32_t *out, size_t first, uint32_t mask)
{
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i at = _mm512_add_epi32(lanes, _mm512_set1_epi32((int32_t)first));
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi32((__mmask16)mask, at));
}
KMF_INLINE void kmf_list_f64_avx512(int32_t *out, size_t first, uint32_t mask)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i at = _mm256_add_epi32(lanes, _mm256_set1_epi32((int32_t)first));
    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_maskz_compress_epi32((__mmask8)mask, at));
}
/* 32 labels: bit i says that a[i] and b[i] differ */
KMF_INLINE uint32_t kmf_differing_avx512(const int32_t *a, const int32_t *b)
{
    const __mmask16 low = _mm512_cmpneq_epi32_mask(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
    const __mmask16 high = _mm512_cmpneq_epi32_mask(_mm512_loadu_si512(a + 16), _mm512_loadu_si512(b + 16));
    return (uint32_t)high << 16 | low;
}
/* the least lane */
KMF_INLINE float kmf_least_f32_avx512(__m512 a) { return _mm512_reduce_min_ps(a); }
KMF_INLINE double kmf_least_f64_avx512(__m512d a) { return _mm512_reduce_min_pd(a); }
KMF_INLINE float kmf_largest_f32_avx512(__m512 a) { return _mm512_reduce_max_ps(a); }
KMF_INLINE double kmf_largest_f64_avx512(__m512d a) { return _mm512_reduce_max_pd(a); }

/* Rows r, r + 4, r + 8, r + 12: one in each 128-bit lane, so that turning 4 x 4 within the lanes keeps their order. */
KMF_INLINE __m512 kmf_quad_f32_avx512(const float *const *rows, __m512 shift)
{
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(rows[0]));
    v = _mm512_insertf32x4(v, _mm_loadu_ps(rows[4]), 1);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(rows[8]), 2);
    v = _mm512_insertf32x4(v, _mm_loadu_ps(rows[12]), 3);
    return _mm512_sub_ps(v, shift);
}
/* Turns 4 x 4 words within the 128-bit lanes. */
KMF_INLINE void kmf_turn4_avx512(__m512 r0, __m512 r1, __m512 r2, __m512 r3, float *out, size_t stride)
{
    const __m512 a = _mm512_unpacklo_ps(r0, r1), b = _mm512_unpackhi_ps(r0, r1);
    const __m512 c = _mm512_unpacklo_ps(r2, r3), e = _mm512_unpackhi_ps(r2, r3);
    _mm512_storeu_ps(out, _mm512_shuffle_ps(a, c, 0x44));
    _mm512_storeu_ps(out + stride, _mm512_shuffle_ps(a, c, 0xee));
    _mm512_storeu_ps(out + 2 * stride, _mm512_shuffle_ps(b, e, 0x44));
    _mm512_storeu_ps(out + 3 * stride, _mm512_shuffle_ps(b, e, 0xee));
}
/* 4 columns of 16 rows, less the shift, turned so that a vector holds one column. */
KMF_INLINE void kmf_transpose_f32_avx512(const float *const *rows, const float *shift, float *out, size_t stride)
{
    const __m512 s = _mm512_broadcast_f32x4(_mm_loadu_ps(shift));
    kmf_turn4_avx512(kmf_quad_f32_avx512(rows, s), kmf_quad_f32_avx512(rows + 1, s), kmf_quad_f32_avx512(rows + 2, s),
                     kmf_quad_f32_avx512(rows + 3, s), out, stride);
}
KMF_INLINE __m512d kmf_pair_f64_avx512(const double *const *rows, __m512d shift)
{
    __m512d v = _mm512_castpd128_pd512(_mm_loadu_pd(rows[0]));
    v = _mm512_insertf64x2(v, _mm_loadu_pd(rows[2]), 1);
    v = _mm512_insertf64x2(v, _mm_loadu_pd(rows[4]), 2);
    v = _mm512_insertf64x2(v, _mm_loadu_pd(rows[6]), 3);
    return _mm512_sub_pd(v, shift);
}
/* 2 columns of 8 rows */
KMF_INLINE void kmf_transpose_f64_avx512(const double *const *rows, const double *shift, double *out, size_t stride)
{
    const __m512d s = _mm512_broadcast_f64x2(_mm_loadu_pd(shift));
    const __m512d r0 = kmf_pair_f64_avx512(rows, s), r1 = kmf_pair_f64_avx512(rows + 1, s);
    _mm512_storeu_pd(out, _mm512_unpacklo_pd(r0, r1));
    _mm512_storeu_pd(out + stride, _mm512_unpackhi_pd(r0, r1));
}

/* The filter's: 16 sums of products of bytes, of samples 0 to 255 about an offset and centroids -127 to 127. */
#define KMF_FILTER_BYTES 1
#define KMF_FILTER_OFFSET 128
typedef __m512i kmf_ints_avx512;
KMF_INLINE __m512i kmf_iload_avx512(const int32_t *p) { return _mm512_loadu_si512(p); }
KMF_INLINE __m512i kmf_iset1_avx512(int32_t a) { return _mm512_set1_epi32(a); }
KMF_INLINE __m512i kmf_dot8_avx512(__m512i sum, __m512i x, __m512i c)
{
#if defined(__GNUC__) && !defined(__clang__)
    /* GCC 12 copies and spills the sums around the intrinsic, at half the speed. */
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(c));
    return sum;
#else
    return _mm512_dpbusd_epi32(sum, x, c);
#endif
}
KMF_INLINE __m512 kmf_to_float_avx512(__m512i a) { return _mm512_cvtepi32_ps(a); }
/* Features in units of 1 / inverse = scale as bytes; adds the squares of what is rounded off. */
KMF_INLINE __m512 kmf_round_avx512(__m512 x, __m512 inverse, __m512 scale, __m512 rest, void *out)
{
    const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(x, inverse));
    const __m512 off = _mm512_fnmadd_ps(_mm512_cvtepi32_ps(q), scale, x);
    _mm_storeu_si128((__m128i *)out, _mm512_cvtepi32_epi8(_mm512_add_epi32(q, _mm512_set1_epi32(KMF_FILTER_OFFSET))));
    return _mm512_fmadd_ps(off, off, rest);
}
/* Words r, r + 4, ... of 16 rows: as `quad` of floats. */
KMF_INLINE __m512 kmf_words_avx512(const uint8_t *rows, size_t stride)
{
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(const void *)rows));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(const void *)(rows + 4 * stride)), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(const void *)(rows + 8 * stride)), 2);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(const void *)(rows + 12 * stride)), 3);
    return _mm512_castsi512_ps(v);
}
/* 4 words of 16 rows of bytes, turned so that a vector holds one column. */
KMF_INLINE void kmf_turn_avx512(const uint8_t *rows, size_t stride, int32_t *out, size_t apart)
{
    kmf_turn4_avx512(kmf_words_avx512(rows, stride), kmf_words_avx512(rows + stride, stride),
                     kmf_words_avx512(rows + 2 * stride, stride), kmf_words_avx512(rows + 3 * stride, stride),
                     (float *)(void *)out, apart);
}
/* The lanes of a that are not over the limit, as bits; the least of the others goes to `beyond`. */
KMF_INLINE uint32_t kmf_within_avx512(__m512 a, __m512 limit, __m512 *beyond)
{
    const __mmask16 over = _mm512_cmp_ps_mask(a, limit, _CMP_GT_OQ);
    *beyond = _mm512_mask_min_ps(*beyond, over, *beyond, a);
    return (uint32_t)(uint16_t)~over;
}

/* Whole numbers of 16 bits: adds the products of two features to a sum. */
#define KMF_DOT16 1
KMF_INLINE void kmf_istore_avx512(int32_t *p, __m512i a) { _mm512_storeu_si512(p, a); }
KMF_INLINE __m512i kmf_imin_avx512(__m512i a, __m512i b) { return _mm512_min_epi32(a, b); }
KMF_INLINE __m512i kmf_imax_avx512(__m512i a, __m512i b) { return _mm512_max_epi32(a, b); }
/* a == b ? x : y, lane by lane */
KMF_INLINE __m512i kmf_iselect_avx512(__m512i a, __m512i b, __m512i x, __m512i y)
{
    return _mm512_mask_mov_epi32(y, _mm512_cmpeq_epi32_mask(a, b), x);
}
/* table[a mod 16] */
KMF_INLINE __m512i kmf_lookup16_avx512(const int32_t *table, __m512i a)
{
    return _mm512_permutexvar_epi32(a, _mm512_loadu_si512(table));
}
KMF_INLINE __m512i kmf_dot16_avx512(__m512i sum, __m512i x, __m512i c)
{
#if defined(__GNUC__) && !defined(__clang__)
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(c)); /* as above */
    return sum;
#else
    return _mm512_dpwssd_epi32(sum, x, c);
#endif
}

#include "kmf_dtypes_tpl.h"

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#pragma GCC diagnostic pop
#endif

#undef KMF_DOT16
#undef KMF_FILTER_OFFSET
#undef KMF_FILTER_BYTES
#undef KMF_DIFFERING
#undef KMF_LISTS
#undef KMF_COLUMNS_F64
#undef KMF_COLUMNS_F32
#undef KMF_LANES_F64
#undef KMF_LANES_F32
#undef KMF_TILE
#undef KMF_ISA
