/* Holds every kernel of one instruction set against a plain double loop: `harness ISA [EVERY]`, or `harness list`.
 *
 * In C, so that it also runs where Python does not: NEON under an emulator. Every buffer is allocated at its exact
 * size, so that an address sanitizer sees one element too many. Prints the first failure and exits 1, or the number
 * of checks and exits 0. test_kernels.py and test_emulated.py build and run it.
 *
 * With KMF_GUARD=1 every buffer ends where a page begins that must not be touched, with KMF_GUARD=2 it begins behind
 * one: that also stops vector code where no sanitizer looks, at full speed and on any instruction set.
 */
#ifdef KMF_GUARD
#define _GNU_SOURCE
#include <sys/mman.h>
#include <unistd.h>
#endif
#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#define KMF_IMPLEMENTATION
#include "kmf.h"

static size_t checks = 0, nth = 0;
static size_t every = 1; /* only every so-manyth size is checked, and none that is large */
static const char *isa = "";

#define CHECK(condition, what, n, d, k)                                                                                \
    do {                                                                                                               \
        ++checks;                                                                                                      \
        if (!(condition)) {                                                                                            \
            printf("%s %s: %s is wrong at n=%zu d=%zu k=%zu\n", isa, DTYPE, what, (size_t)(n), (size_t)(d),            \
                   (size_t)(k));                                                                                       \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#ifndef KMF_GUARD
static void *allocate(size_t count, size_t size)
{
    void *memory = malloc(count * size + (count == 0));
    if (memory == NULL)
        abort();
    return memory;
}
#else
static struct {
    void *memory, *pages;
    size_t size;
} guarded[256]; /* more than any check has at a time */

static void *allocate(size_t count, size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), used = (count * size + page - 1) / page * page;
    char *pages = (char *)mmap(NULL, used + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t slot = 0;
    while (slot < 256 && guarded[slot].memory != NULL)
        ++slot;
    if (pages == MAP_FAILED || slot == 256 || (used > 0 && mprotect(pages + page, used, PROT_READ | PROT_WRITE) != 0))
        abort();
    if (used > 0)
        memset(pages + page, 0xA5, used); /* not zeros, which would hide what is read before it is written */
    guarded[slot].pages = pages;
    guarded[slot].size = used + 2 * page;
    return guarded[slot].memory = pages + page + (KMF_GUARD == 1 ? used - count * size : 0);
}

static void release(void *memory)
{
    for (size_t slot = 0; slot < 256; ++slot) {
        if (memory != NULL && guarded[slot].memory == memory) {
            munmap(guarded[slot].pages, guarded[slot].size);
            guarded[slot].memory = NULL;
            return;
        }
    }
}
#define free release
#endif

/* xorshift64*: the same numbers on every machine. */
static uint64_t state = 88172645463325252u;
static uint32_t random_bits(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 2685821657736338717u) >> 32);
}
static double random_unit(void) { return random_bits() / 4294967296.0; }
/* Integers make every score exact, so that ties are real and labels must match; fractions test rounding. */
static double random_coordinate(int integers)
{
    return integers ? (double)(random_bits() % 9) - 4.0 : 8.0 * random_unit() - 4.0;
}

/* The relative error that a sum of so many terms may have; a few more for how each term came about. */
static double rounding(size_t terms, double epsilon) { return epsilon * (double)(terms + 16); }

static int close_to(double value, double expected, double tolerance)
{
    return fabs(value - expected) <= tolerance * (1.0 + fabs(expected));
}

#define T float
#define DTYPE "f32"
#define F(name) name##_f32
#define KERNELS (&kernels->f32)
#define EPSILON FLT_EPSILON
#include "harness_tpl.h"
#undef T
#undef DTYPE
#undef F
#undef KERNELS
#undef EPSILON

#define T double
#define DTYPE "f64"
#define F(name) name##_f64
#define KERNELS (&kernels->f64)
#define EPSILON DBL_EPSILON
#include "harness_tpl.h"

#undef DTYPE
#define DTYPE "codes"
#include "check_prototypes.h"

int main(int argc, char **argv)
{
    static const char *const known[] = {"scalar", "avx2", "avx512", "neon"};
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        for (size_t i = 0; i < sizeof known / sizeof *known; ++i) {
            if (kmf_select(known[i]) != NULL)
                printf("%s\n", known[i]);
        }
        return 0;
    }
    const kmf_kernels *kernels = argc == 2 || argc == 3 ? kmf_select(argv[1]) : NULL;
    every = argc == 3 && atoi(argv[2]) > 1 ? (size_t)atoi(argv[2]) : 1;
    if (kernels == NULL) {
        printf("usage: harness list, or harness ISA [EVERY] with an ISA that this machine runs\n");
        return 2;
    }
    isa = kernels->isa;
    if (strcmp(isa, argv[1]) != 0) {
        printf("asked for %s, got %s\n", argv[1], isa);
        return 1;
    }
    all_sizes_f32(kernels);
    all_sizes_f64(kernels);
    all_prototypes(kernels);
    printf("%s: %zu checks passed\n", isa, checks);
    return 0;
}
