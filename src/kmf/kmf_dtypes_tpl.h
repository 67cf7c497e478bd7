/* Every kernel for one instruction set in float and in double, then the table of them. */

#define KMF_DTYPE f32
#define KMF_T float
#define KMF_LANES KMF_LANES_F32
#define KMF_COLUMNS KMF_COLUMNS_F32
#include "kmf_kernels_tpl.h"
#undef KMF_COLUMNS
#undef KMF_LANES
#undef KMF_T
#undef KMF_DTYPE

#define KMF_DTYPE f64
#define KMF_T double
#define KMF_LANES KMF_LANES_F64
#define KMF_COLUMNS KMF_COLUMNS_F64
#include "kmf_kernels_tpl.h"
#undef KMF_COLUMNS
#undef KMF_LANES
#undef KMF_T
#undef KMF_DTYPE

KMF_STATIC const kmf_kernels *KMF_JOIN(table, both, KMF_ISA)(void)
{
    static const kmf_kernels table = {KMF_NAME(KMF_ISA), KMF_TABLE(f32, KMF_ISA), KMF_TABLE(f64, KMF_ISA)};
    return &table;
}
