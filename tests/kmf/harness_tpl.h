/* The checks of one dtype over sizes: T is the type, F(name) appends the dtype, KERNELS is its table. */
#include "problem_tpl.h"

#include "check_bounds_tpl.h"
#include "check_few_features_tpl.h"
#include "check_l1_tpl.h"
#include "check_passes_tpl.h"
#include "check_seeding_tpl.h"

static void F(check_all)(const kmf_kernels *kernels, size_t n, size_t d, size_t k, int integers)
{
    const F(problem) p = F(make)(kernels, n, d, k, integers);
    F(check_assign)(kernels, &p, integers);
    F(check_distances)(kernels, &p);
    if (d <= 8)
        F(check_boxes)(kernels, &p);
    F(check_codes)(kernels, &p);
    if (d <= 3)
        F(check_grid)(kernels, &p);
    F(check_removal)(kernels, &p, NULL);
    F(check_removal)(kernels, &p, p.weight);
    F(check_bounds)(kernels, &p, F(HAMERLY));
    F(check_bounds)(kernels, &p, F(ELKAN));
    if (KERNELS->filter_pack && d <= 65536)
        F(check_bounds)(kernels, &p, F(FILTERED));
    for (int weighted = 0; weighted < 2; ++weighted) {
        const double *weight = weighted ? p.weight : NULL;
        F(check_update)(kernels, &p, weight);
        F(check_seed_round)(kernels, &p, weight);
        F(check_lists)(kernels, &p, weight, weighted);
        F(check_patches)(kernels, &p, weight);
        F(check_survey)(kernels, &p, weight);
        F(check_l1)(kernels, &p, weight, integers);
    }
    F(discard)(p);
}

static void F(all_sizes)(const kmf_kernels *kernels)
{
    const size_t lanes = KERNELS->panel / 2, tile = KERNELS->tile;
    const size_t ns[] = {1, lanes > 1 ? lanes - 1 : 1, lanes, lanes + 1, 2 * lanes + 1, 101};
    const size_t ds[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 31, 33, 67};
    const size_t ks[] = {1, 2, tile, tile + 1, 3 * tile - 1, 41};
    for (size_t i = 0; i < sizeof ns / sizeof *ns; ++i) {
        for (size_t j = 0; j < sizeof ds / sizeof *ds; ++j) {
            for (size_t l = 0; l < sizeof ks / sizeof *ks; ++l) {
                if (nth++ % every != 0)
                    continue;
                F(check_all)(kernels, ns[i], ds[j], ks[l], 0);
                F(check_all)(kernels, ns[i], ds[j], ks[l], 1);
            }
        }
    }
    for (size_t n = 1; n < 200000 / every; n += 1 + n / 3) {
        for (int weighted = 0; weighted < 2; ++weighted) {
            F(check_median)(kernels, n, 3, weighted);
            F(check_median)(kernels, n, 1000, weighted);
            F(check_median)(kernels, n, 1u << 22, weighted);
        }
    }
    for (int integers = 0; integers < 2; ++integers) {
        const size_t many[][3] = {{5003, 2, 41}, {2003, 3, 301}}; /* leaves of several bricks, rows of leaves */
        for (size_t i = 0; i < 2 && every == 1; ++i) {
            const F(problem) p = F(make)(kernels, many[i][0], many[i][1], many[i][2], integers);
            F(check_boxes)(kernels, &p);
            F(check_codes)(kernels, &p);
            F(check_grid)(kernels, &p);
            F(discard)(p);
        }
        if (every > 1)
            continue;
        F(check_all)(kernels, 37, 1009, 17, integers); /* a panel that outgrows L1 */
        F(check_all)(kernels, 37, 64, 1601, integers); /* centroids that outgrow L2 */
        F(check_all)(kernels, 3, 130003, 2, integers); /* a row that outgrows L2 */
    }
}
