/* Every kernel for one instruction set in float and in double, those of categories for codes of each width, then the table
 * of them. */

#define KMF_DTYPE f32
#define KMF_T float
#define KMF_FLOATS 1
#define KMF_LANES KMF_LANES_F32
#define KMF_COLUMNS KMF_COLUMNS_F32
#include "kmf_kernels_tpl.h"
#undef KMF_COLUMNS
#undef KMF_LANES
#undef KMF_FLOATS
#undef KMF_T
#undef KMF_DTYPE

#define KMF_DTYPE f64
#define KMF_T double
#define KMF_FLOATS 0
#define KMF_LANES KMF_LANES_F64
#define KMF_COLUMNS KMF_COLUMNS_F64
#include "kmf_kernels_tpl.h"
#undef KMF_COLUMNS
#undef KMF_LANES
#undef KMF_FLOATS
#undef KMF_T
#undef KMF_DTYPE

#define KMF_DTYPE u8
#define KMF_CODE uint8_t
#include "kmf_modes_tpl.h"
#undef KMF_CODE
#undef KMF_DTYPE

#define KMF_DTYPE u16
#define KMF_CODE uint16_t
#include "kmf_modes_tpl.h"
#undef KMF_CODE
#undef KMF_DTYPE

#define KMF_DTYPE u32
#define KMF_CODE uint32_t
#include "kmf_modes_tpl.h"
#undef KMF_CODE
#undef KMF_DTYPE

/* What takes products of whole numbers, in 16 bits and in 8. */
#define KMF_NO_PRODUCTS(dtype) NULL, NULL, NULL, NULL, 0
#ifdef KMF_DOT16
#define KMF_PRODUCTS(dtype)                                                                                            \
    KMF_JOIN(codes_round, dtype, KMF_ISA), KMF_JOIN(codes_pack, dtype, KMF_ISA),                                       \
        KMF_JOIN(codes_assign, dtype, KMF_ISA), KMF_JOIN(filter_pack, dtype, KMF_ISA), KMF_FILTER_BYTES
#elif defined(KMF_FILTER_BYTES)
#define KMF_PRODUCTS(dtype) NULL, NULL, NULL, KMF_JOIN(filter_pack, dtype, KMF_ISA), KMF_FILTER_BYTES
#endif
#define KMF_KERNELS(products)                                                                                          \
    {KMF_NAME(KMF_ISA), KMF_TABLE(f32, KMF_ISA, products(f32)), KMF_TABLE(f64, KMF_ISA, products(f64)),                \
     KMF_TABLE_MODES(KMF_ISA)}

#ifndef KMF_PRODUCTS_ALWAYS
KMF_STATIC const kmf_kernels *KMF_JOIN(table, both, KMF_ISA)(void)
{
    static const kmf_kernels table = KMF_KERNELS(KMF_NO_PRODUCTS);
    return &table;
}
#endif

#ifdef KMF_PRODUCTS
/* The same for a processor that also takes products of whole numbers. */
KMF_STATIC const kmf_kernels *KMF_JOIN(products, both, KMF_ISA)(void)
{
    static const kmf_kernels table = KMF_KERNELS(KMF_PRODUCTS);
    return &table;
}
#endif

#undef KMF_KERNELS
#undef KMF_PRODUCTS
#undef KMF_NO_PRODUCTS
