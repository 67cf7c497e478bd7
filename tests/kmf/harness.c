/* Holds every kernel of one instruction set against a plain double loop: `harness ISA`, or `harness list`.
 *
 * In C, so that it also runs where Python does not: NEON under an emulator. Every buffer is allocated at its exact
 * size, so that an address sanitizer sees one element too many. Prints the first failure and exits 1, or the number
 * of checks and exits 0. test_kernels.py builds and runs it.
 */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>

#define KMF_IMPLEMENTATION
#include "kmf.h"

static size_t checks = 0;
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

static void *allocate(size_t count, size_t size)
{
    void *memory = malloc(count * size + (count == 0));
    if (memory == NULL)
        abort();
    return memory;
}

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
    const kmf_kernels *kernels = argc == 2 ? kmf_select(argv[1]) : NULL;
    if (kernels == NULL) {
        printf("usage: harness list, or harness ISA with an ISA that this machine runs\n");
        return 2;
    }
    isa = kernels->isa;
    if (strcmp(isa, argv[1]) != 0) {
        printf("asked for %s, got %s\n", argv[1], isa);
        return 1;
    }
    all_sizes_f32(kernels);
    all_sizes_f64(kernels);
    printf("%s: %zu checks passed\n", isa, checks);
    return 0;
}
