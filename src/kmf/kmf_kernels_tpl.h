/* All kernels of one (instruction set, dtype): the words they share, the panel they all read, then one file each. */

#define V KMF_JOIN(vec, KMF_DTYPE, KMF_ISA)
#define PANEL ((size_t)(2 * KMF_LANES))
#define TILE ((size_t)KMF_TILE)
#define ALL_LANES ((uint32_t)(((uint64_t)1 << KMF_LANES) - 1))
#define UNIT (sizeof(KMF_T) == 4 ? 6.0e-8f : 1.12e-16f) /* rounding of one operation on samples, a little over */
#define FILTER_PANEL ((size_t)(2 * KMF_LANES_F32))      /* samples that are filtered at once, whatever the dtype */

enum { KMF_FN(tile) = KMF_TILE, KMF_FN(panel) = 2 * KMF_LANES };

KMF_INLINE V KMF_FN(plus)(V a, V b) { return KMF_FN(fmadd)(a, KMF_FN(set1)(1), b); }

/* Bit i of the result: byte i of `flags`, each 0 or 1, is 1. */
KMF_INLINE uint32_t KMF_FN(bits_of)(const uint8_t *flags)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 32; i += 8) {
        uint64_t eight;
        memcpy(&eight, flags + i, sizeof eight);
        bits |= (uint32_t)(eight * 0x0102040810204080u >> 56) << i;
    }
    return bits;
}

/* Bit i of the result: labels a[i] and b[i] of 32 differ. */
KMF_INLINE uint32_t KMF_FN(differing)(const int32_t *a, const int32_t *b)
{
#ifdef KMF_DIFFERING
    return KMF_JOIN_ISA(differing, KMF_ISA)(a, b);
#else
    uint8_t flags[32];
    for (size_t i = 0; i < 32; ++i)
        flags[i] = a[i] != b[i];
    return KMF_FN(bits_of)(flags);
#endif
}

/* Appends the positions of the set ones of `count` bits, counted from `first`; may write `count` entries. Returns the new
 * length. `count` is a constant in every call, some vectors' lanes. */
KMF_INLINE size_t KMF_FN(list_bits)(int32_t *list, size_t n, size_t first, uint32_t bits, const size_t count)
{
#ifdef KMF_LISTS
    for (size_t lane = 0; lane < count; lane += KMF_LANES) {
        const uint32_t some = bits >> lane & ALL_LANES;
        KMF_FN(list)(list + n, first + lane, some);
        n += KMF_COUNT_BITS(some);
    }
#else
    (void)count;
    for (; bits; bits &= bits - 1)
        list[n++] = (int32_t)(first + KMF_LOWEST_BIT(bits));
#endif
    return n;
}

/* Tiles that stay in L2 while a group of panels passes by. */
KMF_INLINE size_t KMF_FN(tiles_per_block)(size_t d)
{
    const size_t tiles = KMF_L2_BYTES / (TILE * (d + 2) * sizeof(KMF_T));
    return tiles > 0 ? tiles : 1;
}

/* Full panels of few features: the compiler turns this into loads and permutes once d is a constant. */
KMF_INLINE void KMF_FN(deinterleave)(const KMF_T *X, const size_t d, const KMF_T *shift, KMF_T *panel)
{
    for (size_t i = 0; i < PANEL; ++i) {
        KMF_UNROLL
        for (size_t f = 0; f < d; ++f)
            panel[f * PANEL + i] = X[i * d + f] - shift[f];
    }
}

/* A panel: PANEL samples, less the shift, turned so that samples lie along the lanes: panel[f * PANEL + i]. Moves `rows`. */
KMF_STATIC void KMF_FN(load_rows)(const KMF_T **rows, size_t d, const KMF_T *shift, KMF_T *panel)
{
    size_t f = 0;
    for (; f + KMF_COLUMNS <= d; f += KMF_COLUMNS) {
        KMF_FN(transpose)(rows, shift + f, panel + f * PANEL, PANEL);
        KMF_FN(transpose)(rows + KMF_LANES, shift + f, panel + f * PANEL + KMF_LANES, PANEL);
        for (size_t i = 0; i < PANEL; ++i)
            rows[i] += KMF_COLUMNS;
    }
    for (; f < d; ++f) {
        for (size_t i = 0; i < PANEL; ++i)
            panel[f * PANEL + i] = *rows[i]++ - shift[f];
    }
}

/* The rows of m <= PANEL samples that lie one behind the other. Missing samples repeat the last one, so that no lane holds
 * rubbish. */
KMF_INLINE void KMF_FN(find_rows)(const KMF_T *X, size_t m, size_t d, const KMF_T **rows)
{
    for (size_t i = 0; i < PANEL; ++i)
        rows[i] = X + (i < m ? i : m - 1) * d;
}

/* The panel of m <= PANEL samples that lie one behind the other. */
KMF_STATIC void KMF_FN(load_panel)(const KMF_T *X, size_t m, size_t d, const KMF_T *shift, KMF_T *panel)
{
    if (m == PANEL) {
        switch (d) {
        case 1: KMF_FN(deinterleave)(X, 1, shift, panel); return;
        case 2: KMF_FN(deinterleave)(X, 2, shift, panel); return;
        case 3: KMF_FN(deinterleave)(X, 3, shift, panel); return;
        default: break;
        }
    }
    const KMF_T *rows[2 * KMF_LANES];
    KMF_FN(find_rows)(X, m, d, rows);
    KMF_FN(load_rows)(rows, d, shift, panel);
}

#include "kmf_assign_tpl.h"
#include "kmf_distance_tpl.h"
#include "kmf_row_tpl.h"
#include "kmf_filter_tpl.h"
#include "kmf_bounds_tpl.h"
#include "kmf_rivals_tpl.h"
#include "kmf_hamerly_tpl.h"
#include "kmf_elkan_tpl.h"
#include "kmf_l1_tpl.h"
#include "kmf_median_tpl.h"
#include "kmf_pack_tpl.h"
#include "kmf_patches_tpl.h"
#include "kmf_propose_tpl.h"
#include "kmf_removal_tpl.h"
#include "kmf_seed_tpl.h"
#include "kmf_survey_tpl.h"
#include "kmf_update_tpl.h"
#include "kmf_order_tpl.h"
#include "kmf_sift_tpl.h"
#include "kmf_boxes_tpl.h"
#include "kmf_grid_tpl.h"
#include "kmf_grid_build_tpl.h"
#include "kmf_codes_tpl.h"

#undef INTS
#undef CODE_SPAN
#undef CODE_REACH
#undef CODE_MOST
#undef CODE_WORDS
#undef CODE_PANEL
#undef CODE_TEAMED
#undef CODE_TEAM
#undef CODE_LOW
#undef CODE_GROUP
#undef ALL_LANES
#undef NOISE
#undef UP
#undef FINEST
#undef SLOT
#undef BRICK
#undef KMF_INT
#undef FILTER_SPACE
#undef FILTER_ROW
#undef FILTER_TILE
#undef FILTER_WORDS
#undef FILTER_PER
#undef FILTER_HEAD
#undef FILTER_MOST
#undef FILTER_PAIRS
#undef FILTER_PANEL
#undef DOTS
#undef AHEAD
#undef TURNED
#undef SIDE_BY_SIDE
#undef SHRINK
#undef GROW
#undef LARGE
#undef TINIEST
#undef UNIT
#undef TILE
#undef PANEL
#undef V
