/* kmf: k-means kernels in C11 / C++17, headers alone.
 *
 * Copy this folder, write `#define KMF_IMPLEMENTATION` before `#include "kmf.h"` in one file, and ask
 * kmf_select(NULL) for the fastest kernels that this machine runs. The kernels allocate nothing, start no threads,
 * raise nothing and trust their arguments; they may be called from any number of threads at once on separate `work`.
 *
 *   kmf.h            this page: the API, the table of kernels, kmf_select
 *   kmf_platform.h   compilers and processors        kmf_cpu.h       what this machine can run
 *   kmf_<isa>.h      what an instruction set can do: loads, arithmetic, a transpose, no algorithm
 *   kmf_*_tpl.h      the algorithms, each written once and compiled for every (instruction set, dtype)
 */
#ifndef KMF_H
#define KMF_H

#include "kmf_platform.h"

#define KMF_VERSION 100 /* major * 10000 + minor * 100 + patch */

#define KMF_RIVALS 3 /* nearest other centroids that are known of each (kmf_rivals_tpl.h) */

/* How the centroids moved since the last pass, and how far they are from each other: what bounds need to know. */
typedef struct kmf_moves {
    const float *moved;      /* k, rounded up */
    const float *near;       /* k, the distance to the nearest other centroid, rounded down; 0 where it is not known */
    const int32_t *rivals;   /* k x KMF_RIVALS, the nearest others, by rising distance, or NULL */
    const float *gaps;       /* k x (KMF_RIVALS + 1), under the distances to them, and to all the rest; 1e37: none */
    const float *apart;      /* k x k, such distances; 1e37 on the diagonal. For Elkan's bounds alone */
    const float *drift;      /* k, what `moved` has come to since the bounds began, rounded up. For Elkan's alone */
    const float *near_mover; /* k, the distance to the nearest of a few that moved far, rounded down */
    const int32_t *mover;    /* n_movers, which those are, and */
    const void *movers;      /* they alone, by `pack` */
    size_t n_movers;
    float rest;       /* the greatest of `moved` without those */
    float most, next; /* the greatest of `moved` and the second */
    int32_t farthest; /* the centroid that moved most */
} kmf_moves;

/* Boxes (kmf_boxes_tpl.h): samples of one order and of a slot, and leaves of a brick. */
#define KMF_GROUP 65536
#define KMF_SLOT 32
#define KMF_BRICK 32

#define KMF_CUT_BINS 2048

/* Where a span of samples is cut into groups: by one feature. */
typedef struct kmf_cut {
    size_t feature;
    double low, width;
} kmf_cut;

/* Bounds that hold for every sample of a leaf. */
typedef struct kmf_leaf {
    float gap;     /* by how much every other centroid is farther than the own one */
    float sum;     /* of the distances to the own one and to any other */
    int32_t label; /* the one that all have, or -1 */
} kmf_leaf;

/* Centroids of few features in 16 bits (kmf_codes_tpl.h): words of each, and what a score may be wrong by. */
typedef struct kmf_codes {
    int32_t *centroids; /* kmf_codes_of_centroids() */
    float unit, of_norm, of_score, constant;
} kmf_codes;

/* Numbers of 32 bits that the codes of n samples and of k centroids take. */
KMF_INLINE size_t kmf_codes_of_samples(size_t n, size_t d) { return (n + 63) / 64 * 64 * ((d + 1) / 2); }
KMF_INLINE size_t kmf_codes_of_centroids(size_t k, size_t d) { return (k + 15) / 16 * 16 * ((d + 1) / 2 + 4); }

/* Values of one plane of k centroids: they end in a vector of padding. */
KMF_INLINE size_t kmf_plane(size_t k) { return (k + 31) / 16 * 16 | 16; }

/* Elements of `work` of a value's size that `order` and `boxes` need. */
KMF_INLINE size_t kmf_boxes_work(size_t k, size_t d, size_t value_size)
{
    const size_t ordering = KMF_GROUP * (d + 10 / value_size + 1) + KMF_CUT_BINS;
    const size_t passing = (7 + 2 * d) * kmf_plane(k) + 6 * d + 64;
    return ordering > passing ? ordering : passing;
}

/* Elements of `work` that `grid_build` needs: sheets of candidates, halved again and again, and a list. */
KMF_INLINE size_t kmf_grid_work(size_t k, size_t d) { return (12 * (3 + d) + 1) * kmf_plane(k) + 64 * (3 + d) * 32; }

/* Whether the squares of norms up to `reach` stay in the floats that the filter computes in. */
KMF_INLINE int kmf_filter_holds(double reach) { return 1e-15 < reach && reach < 1e15; }

/* Bytes of a tile of so many centroids for that filter, by the bytes of a feature; tiles lie one behind the other. */
KMF_INLINE size_t kmf_filter_tile_bytes(size_t tile, size_t feature, size_t d)
{
    return 4 * (2 * tile + 4 + tile * ((feature * d + 3) / 4));
}

#define KMF_LIST 16 /* entries of a block of a list */

#define KMF_API_JOIN(name, dtype) name##_##dtype
#define KMF_API_NAME(name, dtype) KMF_API_JOIN(name, dtype)
#define KMF_API(name) KMF_API_NAME(name, KMF_DTYPE)

#define KMF_DTYPE f32
#define KMF_T float
#include "kmf_api_tpl.h"
#undef KMF_T
#undef KMF_DTYPE

#define KMF_DTYPE f64
#define KMF_T double
#include "kmf_api_tpl.h"
#undef KMF_T
#undef KMF_DTYPE

#define KMF_PROTOTYPES 32 /* prototypes that lie side by side; the last ones are padding */

/* The prototype with the least |x - mean|^2 + gamma * mismatches, the lowest of equals, and how much that is. Prototypes
 * lie by KMF_PROTOTYPES, feature by feature; padding has modes that are no code, and means of infinity. */
/* clang-format off */
typedef int32_t (*kmf_nearest_prototype)(const void *codes, size_t m, /* IN  m of 1, 2 or 4 bytes, unsigned */
                                      const double *x, size_t d,   /* IN  d, which may be 0 */
                                      const void *modes,           /* IN  m x KMF_PROTOTYPES for each block */
                                      const double *means,         /* IN  d x KMF_PROTOTYPES for each block */
                                      size_t k, double gamma,
                                      double *cost); /* OUT 1 */
/* clang-format on */

/* Every kernel of one instruction set. */
typedef struct kmf_kernels {
    const char *isa;
    kmf_kernels_f32 f32;
    kmf_kernels_f64 f64;
    kmf_nearest_prototype nearest_prototype[3]; /* for codes of 1, 2 and 4 bytes */
} kmf_kernels;

#ifdef KMF_IMPLEMENTATION

#include "kmf_cpu.h"

#define KMF_NAME_OF(isa) #isa
#define KMF_NAME(isa) KMF_NAME_OF(isa)
#define KMF_TABLE_OF(dtype, isa, ...) KMF_TABLE_ROW(dtype, isa, __VA_ARGS__)
#define KMF_TABLE(dtype, isa, ...) KMF_TABLE_OF(dtype, isa, __VA_ARGS__)
#define KMF_TABLE_MODES_OF(isa)                                                                                        \
    {kmf_nearest_prototype_u8_##isa, kmf_nearest_prototype_u16_##isa, kmf_nearest_prototype_u32_##isa}
#define KMF_TABLE_MODES(isa) KMF_TABLE_MODES_OF(isa)
/* The fields of kmf_kernels_<dtype>, in order. */
/* clang-format off */
#define KMF_TABLE_ROW(dtype, isa, ...) { kmf_tile_##dtype##_##isa, kmf_panel_##dtype##_##isa, kmf_score_shift_##dtype##_##isa, kmf_pack_##dtype##_##isa, kmf_assign_##dtype##_##isa, kmf_grid_build_##dtype##_##isa, kmf_grid_assign_##dtype##_##isa, __VA_ARGS__, kmf_find_rivals_##dtype##_##isa, kmf_hamerly_##dtype##_##isa, kmf_elkan_##dtype##_##isa, kmf_update_##dtype##_##isa, kmf_squared_distances_##dtype##_##isa, kmf_own_squared_distances_##dtype##_##isa, kmf_seed_round_##dtype##_##isa, kmf_improvements_##dtype##_##isa, kmf_list_gain_##dtype##_##isa, kmf_list_apply_##dtype##_##isa, kmf_patch_##dtype##_##isa, kmf_patch_gain_##dtype##_##isa, kmf_patch_choose_##dtype##_##isa, kmf_survey_##dtype##_##isa, kmf_removal_losses_##dtype##_##isa, kmf_cut_range_##dtype##_##isa, kmf_cut_count_##dtype##_##isa, kmf_cut_scatter_##dtype##_##isa, kmf_order_##dtype##_##isa, kmf_planes_##dtype##_##isa, kmf_boxes_##dtype##_##isa, kmf_update_marked_##dtype##_##isa, kmf_l1_assign_##dtype##_##isa, kmf_own_l1_distances_##dtype##_##isa, kmf_l1_round_##dtype##_##isa, kmf_median_##dtype##_##isa }
/* clang-format on */

#include "kmf_scalar.h"
#if KMF_X86
#include "kmf_avx2.h"
#include "kmf_avx512.h"
#endif
#if KMF_ARM64
#include "kmf_neon.h"
#endif

/* The kernels of the named instruction set, or of the best one here if `isa` is NULL or empty; NULL if this build or
 * this processor cannot run it. */
KMF_STATIC const kmf_kernels *kmf_select(const char *isa)
{
    const int any = isa == NULL || *isa == '\0';
#if KMF_X86
    if ((any || strcmp(isa, "avx512") == 0) && kmf_cpu_has(1))
        return kmf_cpu_has(2) ? kmf_products_both_avx512() : kmf_table_both_avx512();
    if ((any || strcmp(isa, "avx2") == 0) && kmf_cpu_has(0))
        return kmf_products_both_avx2();
#endif
#if KMF_ARM64
    if (any || strcmp(isa, "neon") == 0)
#if KMF_NEON_FILTERS
        return kmf_cpu_has_dot() ? kmf_products_both_neon() : kmf_table_both_neon();
#else
        return kmf_table_both_neon();
#endif
#endif
    if (any || strcmp(isa, "scalar") == 0)
        return kmf_table_both_scalar();
    return NULL;
}

#endif /* KMF_IMPLEMENTATION */
#endif /* KMF_H */
