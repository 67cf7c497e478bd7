/* AVX2 with FMA: 8 floats or 4 doubles a vector, 16 registers. */
#define KMF_ISA avx2
#define KMF_TILE 6 /* 2 x 6 accumulators + 2 vectors of points + 1 broadcast: 15 of 16 registers */
#define KMF_LANES_F32 8
#define KMF_LANES_F64 4
#define KMF_COLUMNS_F32 4 /* columns that one transpose turns */
#define KMF_COLUMNS_F64 2
#define KMF_DIFFERING 1 /* kmf_differing */

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#elif defined(__GNUC__)
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif

typedef __m256 kmf_vec_f32_avx2;
typedef __m256d kmf_vec_f64_avx2;

KMF_INLINE __m256 kmf_load_f32_avx2(const float *p) { return _mm256_loadu_ps(p); }
KMF_INLINE __m256d kmf_load_f64_avx2(const double *p) { return _mm256_loadu_pd(p); }
KMF_INLINE void kmf_store_f32_avx2(float *p, __m256 a) { _mm256_storeu_ps(p, a); }
KMF_INLINE void kmf_store_f64_avx2(double *p, __m256d a) { _mm256_storeu_pd(p, a); }
KMF_INLINE __m256 kmf_set1_f32_avx2(float a) { return _mm256_set1_ps(a); }
KMF_INLINE __m256d kmf_set1_f64_avx2(double a) { return _mm256_set1_pd(a); }
KMF_INLINE __m256 kmf_sub_f32_avx2(__m256 a, __m256 b) { return _mm256_sub_ps(a, b); }
KMF_INLINE __m256d kmf_sub_f64_avx2(__m256d a, __m256d b) { return _mm256_sub_pd(a, b); }
/* |a - b| */
KMF_INLINE __m256 kmf_apart_f32_avx2(__m256 a, __m256 b)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), _mm256_sub_ps(a, b));
}
KMF_INLINE __m256d kmf_apart_f64_avx2(__m256d a, __m256d b)
{
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), _mm256_sub_pd(a, b));
}
/* c + a * b and c - a * b */
KMF_INLINE __m256 kmf_fmadd_f32_avx2(__m256 a, __m256 b, __m256 c) { return _mm256_fmadd_ps(a, b, c); }
KMF_INLINE __m256d kmf_fmadd_f64_avx2(__m256d a, __m256d b, __m256d c) { return _mm256_fmadd_pd(a, b, c); }
KMF_INLINE __m256 kmf_fnmadd_f32_avx2(__m256 a, __m256 b, __m256 c) { return _mm256_fnmadd_ps(a, b, c); }
KMF_INLINE __m256d kmf_fnmadd_f64_avx2(__m256d a, __m256d b, __m256d c) { return _mm256_fnmadd_pd(a, b, c); }
KMF_INLINE __m256 kmf_min_f32_avx2(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
KMF_INLINE __m256d kmf_min_f64_avx2(__m256d a, __m256d b) { return _mm256_min_pd(a, b); }
KMF_INLINE __m256 kmf_max_f32_avx2(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
KMF_INLINE __m256d kmf_max_f64_avx2(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }
/* a < b ? x : y, lane by lane */
KMF_INLINE __m256 kmf_select_f32_avx2(__m256 a, __m256 b, __m256 x, __m256 y)
{
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
KMF_INLINE __m256d kmf_select_f64_avx2(__m256d a, __m256d b, __m256d x, __m256d y)
{
    return _mm256_blendv_pd(y, x, _mm256_cmp_pd(a, b, _CMP_LT_OQ));
}
/* sum of the lanes */
KMF_INLINE float kmf_total_f32_avx2(__m256 a)
{
    const __m128 half = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
}
KMF_INLINE double kmf_total_f64_avx2(__m256d a)
{
    const __m128d half = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
}
KMF_INLINE float kmf_largest_f32_avx2(__m256 a)
{
    const __m128 half = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    const __m128 pair = _mm_max_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_max_ss(pair, _mm_movehdup_ps(pair)));
}
KMF_INLINE double kmf_largest_f64_avx2(__m256d a)
{
    const __m128d half = _mm_max_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_max_sd(half, _mm_unpackhi_pd(half, half)));
}
/* lanes of a < b, as bits */
KMF_INLINE uint32_t kmf_lt_bits_f32_avx2(__m256 a, __m256 b)
{
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
KMF_INLINE uint32_t kmf_lt_bits_f64_avx2(__m256d a, __m256d b)
{
    return (uint32_t)_mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_LT_OQ));
}
/* the least lane */
KMF_INLINE float kmf_least_f32_avx2(__m256 a)
{
    __m128 m = _mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    m = _mm_min_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_min_ss(m, _mm_shuffle_ps(m, m, 1)));
}
KMF_INLINE double kmf_least_f64_avx2(__m256d a)
{
    const __m128d m = _mm_min_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_min_sd(m, _mm_unpackhi_pd(m, m)));
}

/* Rows r and r + 4, one in each 128-bit lane, so that turning 4 x 4 within the lanes keeps their order. */
KMF_INLINE __m256 kmf_quad_f32_avx2(const float *const *rows, __m256 shift)
{
    const __m256 low = _mm256_castps128_ps256(_mm_loadu_ps(rows[0]));
    return _mm256_sub_ps(_mm256_insertf128_ps(low, _mm_loadu_ps(rows[4]), 1), shift);
}
/* Turns 4 x 4 words within the 128-bit lanes. */
KMF_INLINE void kmf_turn4_avx2(__m256 r0, __m256 r1, __m256 r2, __m256 r3, float *out, size_t stride)
{
    const __m256 a = _mm256_unpacklo_ps(r0, r1), b = _mm256_unpackhi_ps(r0, r1);
    const __m256 c = _mm256_unpacklo_ps(r2, r3), e = _mm256_unpackhi_ps(r2, r3);
    _mm256_storeu_ps(out, _mm256_shuffle_ps(a, c, 0x44));
    _mm256_storeu_ps(out + stride, _mm256_shuffle_ps(a, c, 0xee));
    _mm256_storeu_ps(out + 2 * stride, _mm256_shuffle_ps(b, e, 0x44));
    _mm256_storeu_ps(out + 3 * stride, _mm256_shuffle_ps(b, e, 0xee));
}
/* 4 columns of 8 rows, less the shift, turned so that a vector holds one column. */
KMF_INLINE void kmf_transpose_f32_avx2(const float *const *rows, const float *shift, float *out, size_t stride)
{
    const __m256 s = _mm256_broadcast_ps((const __m128 *)(const void *)shift);
    kmf_turn4_avx2(kmf_quad_f32_avx2(rows, s), kmf_quad_f32_avx2(rows + 1, s), kmf_quad_f32_avx2(rows + 2, s),
                   kmf_quad_f32_avx2(rows + 3, s), out, stride);
}
KMF_INLINE __m256d kmf_pair_f64_avx2(const double *const *rows, __m256d shift)
{
    const __m256d low = _mm256_castpd128_pd256(_mm_loadu_pd(rows[0]));
    return _mm256_sub_pd(_mm256_insertf128_pd(low, _mm_loadu_pd(rows[2]), 1), shift);
}
/* 2 columns of 4 rows */
KMF_INLINE void kmf_transpose_f64_avx2(const double *const *rows, const double *shift, double *out, size_t stride)
{
    const __m256d s = _mm256_broadcast_pd((const __m128d *)(const void *)shift);
    const __m256d r0 = kmf_pair_f64_avx2(rows, s), r1 = kmf_pair_f64_avx2(rows + 1, s);
    _mm256_storeu_pd(out, _mm256_unpacklo_pd(r0, r1));
    _mm256_storeu_pd(out + stride, _mm256_unpackhi_pd(r0, r1));
}

/* 32 labels: bit i says that a[i] and b[i] differ */
KMF_INLINE uint32_t kmf_differing_avx2(const int32_t *a, const int32_t *b)
{
    uint32_t same = 0;
    for (unsigned i = 0; i < 32; i += 8) {
        const __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(a + i));
        const __m256i y = _mm256_loadu_si256((const __m256i *)(const void *)(b + i));
        same |= (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(x, y))) << i;
    }
    return ~same;
}

/* Whole numbers of 16 bits, for codes and for the filter: adds the products of two features to a sum. Those of bytes would
 * take two products each, one of them to widen, and are no faster. */
#define KMF_PRODUCTS_ALWAYS 1 /* they ask for nothing beyond AVX2 */
#define KMF_DOT16 1
#define KMF_FILTER_BYTES 2
#define KMF_FILTER_OFFSET 0
typedef __m256i kmf_ints_avx2;
KMF_INLINE __m256i kmf_iload_avx2(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)(const void *)p); }
KMF_INLINE void kmf_istore_avx2(int32_t *p, __m256i a) { _mm256_storeu_si256((__m256i *)(void *)p, a); }
KMF_INLINE __m256i kmf_iset1_avx2(int32_t a) { return _mm256_set1_epi32(a); }
KMF_INLINE __m256i kmf_dot16_avx2(__m256i sum, __m256i x, __m256i c)
{
#if defined(__GNUC__) && !defined(__clang__)
    /* GCC 12 takes the products for all sums first, and spills the sums. */
    __m256i products;
    __asm__("vpmaddwd %3, %2, %1\n\tvpaddd %1, %0, %0" : "+x"(sum), "=&x"(products) : "x"(x), "x"(c));
    return sum;
#else
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x, c));
#endif
}
KMF_INLINE __m256 kmf_to_float_avx2(__m256i a) { return _mm256_cvtepi32_ps(a); }
/* Features in units of 1 / inverse = scale in 16 bits; adds the squares of what is rounded off. */
KMF_INLINE __m256 kmf_round_avx2(__m256 x, __m256 inverse, __m256 scale, __m256 rest, void *out)
{
    const __m256i q = _mm256_cvtps_epi32(_mm256_mul_ps(x, inverse));
    const __m256 off = _mm256_fnmadd_ps(_mm256_cvtepi32_ps(q), scale, x);
    const __m128i low = _mm256_castsi256_si128(q), high = _mm256_extracti128_si256(q, 1);
    _mm_storeu_si128((__m128i *)out, _mm_packs_epi32(low, high));
    return _mm256_fmadd_ps(off, off, rest);
}
/* Words r and r + 4 of 8 rows: as `quad` of floats. */
KMF_INLINE __m256 kmf_words_avx2(const uint8_t *rows, size_t stride)
{
    const __m128i low = _mm_loadu_si128((const __m128i *)(const void *)rows);
    const __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(rows + 4 * stride));
    return _mm256_castsi256_ps(_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1));
}
/* 4 words of 8 rows, turned so that a vector holds one column. */
KMF_INLINE void kmf_turn_avx2(const uint8_t *rows, size_t stride, int32_t *out, size_t apart)
{
    kmf_turn4_avx2(kmf_words_avx2(rows, stride), kmf_words_avx2(rows + stride, stride),
                   kmf_words_avx2(rows + 2 * stride, stride), kmf_words_avx2(rows + 3 * stride, stride),
                   (float *)(void *)out, apart);
}
/* The lanes of a that are not over the limit, as bits; the least of the others goes to `beyond`. */
KMF_INLINE uint32_t kmf_within_avx2(__m256 a, __m256 limit, __m256 *beyond)
{
    const __m256 over = _mm256_cmp_ps(a, limit, _CMP_GT_OQ);
    *beyond = _mm256_blendv_ps(*beyond, _mm256_min_ps(*beyond, a), over);
    return (uint32_t)_mm256_movemask_ps(over) ^ 0xff;
}
KMF_INLINE __m256i kmf_imin_avx2(__m256i a, __m256i b) { return _mm256_min_epi32(a, b); }
KMF_INLINE __m256i kmf_imax_avx2(__m256i a, __m256i b) { return _mm256_max_epi32(a, b); }
/* a == b ? x : y, lane by lane */
KMF_INLINE __m256i kmf_iselect_avx2(__m256i a, __m256i b, __m256i x, __m256i y)
{
    return _mm256_blendv_epi8(y, x, _mm256_cmpeq_epi32(a, b));
}
/* table[a mod 16] */
KMF_INLINE __m256i kmf_lookup16_avx2(const int32_t *table, __m256i a)
{
    const __m256i low = _mm256_permutevar8x32_epi32(kmf_iload_avx2(table), a);
    const __m256i high = _mm256_permutevar8x32_epi32(kmf_iload_avx2(table + 8), a);
    const __m256 upper = _mm256_castsi256_ps(_mm256_slli_epi32(a, 28)); /* bit 3 */
    return _mm256_castps_si256(_mm256_blendv_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high), upper));
}

#include "kmf_dtypes_tpl.h"

#if defined(__clang__)
#pragma clang attribute pop
#elif defined(__GNUC__)
#pragma GCC pop_options
#endif

#undef KMF_FILTER_OFFSET
#undef KMF_FILTER_BYTES
#undef KMF_DOT16
#undef KMF_PRODUCTS_ALWAYS
#undef KMF_DIFFERING
#undef KMF_COLUMNS_F64
#undef KMF_COLUMNS_F32
#undef KMF_LANES_F64
#undef KMF_LANES_F32
#undef KMF_TILE
#undef KMF_ISA
