/* Compilers and processors: the few words that differ between them, and nothing else.
 *
 * A kernel is compiled for its instruction set by a target region around it (KMF_REGION_*), so no build flag
 * is needed and one binary carries every instruction set.
 */
#ifndef KMF_PLATFORM_H
#define KMF_PLATFORM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
#define KMF_X86 1
#include <immintrin.h>
#else
#define KMF_X86 0
#endif

#if defined(__aarch64__) || defined(_M_ARM64)
#define KMF_ARM64 1
#include <arm_neon.h>
#else
#define KMF_ARM64 0
#endif

#if defined(_MSC_VER) && !defined(__clang__)
#define KMF_INLINE static __forceinline
#define KMF_STATIC static
#define KMF_APART static __declspec(noinline)
#define KMF_RESTRICT __restrict
#define KMF_UNROLL
#define KMF_PREFETCH(address) ((void)(address))
#include <intrin.h>
static __forceinline unsigned kmf_lowest_bit(unsigned bits)
{
    unsigned long at;
    _BitScanForward(&at, bits);
    return at;
}
#define KMF_LOWEST_BIT(bits) kmf_lowest_bit(bits)
#define KMF_COUNT_BITS(bits) __popcnt(bits)
#else
#define KMF_INLINE static inline __attribute__((always_inline, unused))
#define KMF_STATIC static __attribute__((unused))
#define KMF_APART static __attribute__((noinline, unused))
#define KMF_RESTRICT __restrict__
/* Full unrolling keeps the accumulators of a tile in registers; Clang does it unasked. */
#if defined(__clang__)
#define KMF_UNROLL _Pragma("unroll")
#else
#define KMF_UNROLL _Pragma("GCC unroll 16")
#endif
#define KMF_PREFETCH(address) __builtin_prefetch(address)
#define KMF_LOWEST_BIT(bits) ((unsigned)__builtin_ctz(bits))
#define KMF_COUNT_BITS(bits) ((unsigned)__builtin_popcount(bits))
#endif

/* kmf_<operation>_<dtype>_<isa>: every name that a template or an instruction set's header defines. */
#define KMF_JOIN2(operation, dtype, isa) kmf_##operation##_##dtype##_##isa
#define KMF_JOIN(operation, dtype, isa) KMF_JOIN2(operation, dtype, isa)
#define KMF_FN(operation) KMF_JOIN(operation, KMF_DTYPE, KMF_ISA)
/* kmf_<operation>_<isa>: on integers. */
#define KMF_JOIN_ISA2(operation, isa) kmf_##operation##_##isa
#define KMF_JOIN_ISA(operation, isa) KMF_JOIN_ISA2(operation, isa)

/* The cache that the kernels are blocked for, in bytes: half of the smallest L2 met in current servers. */
#define KMF_L2_BYTES 393216
/* Features that are scored in one chain of additions: a panel of so many and a tile share L1, and rounding stays small. */
#define KMF_FEATURE_BLOCK ((size_t)192)

#endif
