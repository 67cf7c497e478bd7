/* What the processor and the operating system can run, asked once by kmf_select: 0 AVX2, 1 AVX-512, 2 with VNNI. */
#ifndef KMF_CPU_H
#define KMF_CPU_H

#include "kmf_platform.h"

#if KMF_X86 && defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>

/* CPUID says what the processor has, XCR0 which registers the system saves: both must agree. */
KMF_STATIC int kmf_cpu_has(int level)
{
    int leaf1[4], leaf7[4];
    __cpuid(leaf1, 1);
    if (!(leaf1[2] & (1 << 27)) || !(leaf1[2] & (1 << 12)))
        return 0; /* OSXSAVE, FMA */
    const unsigned long long saved = _xgetbv(0);
    __cpuidex(leaf7, 7, 0);
    if ((saved & 0x6) != 0x6 || !(leaf7[1] & (1 << 5)))
        return 0; /* AVX state, AVX2 */
    if (level == 0)
        return 1;
    return (saved & 0xe6) == 0xe6 && (leaf7[1] & (1 << 16)) && (leaf7[1] & (1 << 17)) && (leaf7[1] & (1 << 31)) &&
           (level == 1 || (leaf7[2] & (1 << 11)));
}
#elif KMF_X86
/* The compiler's run-time library checks XCR0 as well. */
KMF_STATIC int kmf_cpu_has(int level)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        return 0;
    if (level == 0)
        return 1;
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && (level == 1 || __builtin_cpu_supports("avx512vnni"));
}
#elif KMF_ARM64
#if defined(__linux__)
#include <sys/auxv.h>
#endif

KMF_STATIC int kmf_cpu_has_dot(void)
{
#if defined(__linux__)
    return (getauxval(AT_HWCAP) & (1UL << 20)) != 0; /* HWCAP_ASIMDDP */
#elif defined(__APPLE__)
    return 1; /* on every Mac with an Apple processor */
#else
    return 0;
#endif
}
#endif

#endif
