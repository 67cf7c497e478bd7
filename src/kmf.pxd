# The C API of kmf/kmf.h for `cimport`; kmf_api_tpl.h says what each kernel does.
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t


cdef extern from "kmf.h" nogil:
    enum:
        KMF_VERSION
        KMF_LIST

    enum:
        KMF_RIVALS

    ctypedef struct kmf_moves:
        const float *moved
        const float *near
        const int32_t *rivals
        const float *gaps
        const float *apart
        const float *drift
        const float *near_mover
        const int32_t *mover
        const void *movers
        size_t n_movers
        float rest
        float most
        float next
        int32_t farthest

    ctypedef struct kmf_cut:
        size_t feature
        double low, width

    ctypedef struct kmf_leaf:
        float gap, sum
        int32_t label

    enum:
        KMF_BRICK
        KMF_CUT_BINS
        KMF_GROUP

    size_t kmf_plane(size_t k)
    size_t kmf_boxes_work(size_t k, size_t d, size_t value_size)

    ctypedef struct kmf_codes:
        int32_t *centroids
        float of_norm
        float of_score
        float constant

    ctypedef struct kmf_proposals_f32:
        const float *points
        const float *packed
        const void *filter
        size_t n
        size_t n_chosen
        const float *between
        size_t stride
        const float *least
        const float *quarter
        double largest

    ctypedef struct kmf_lists_f32:
        float *distances
        uint32_t *rows
        int32_t *next
        int32_t *head
        int32_t *tail
        int32_t *fill
        double *gain
        size_t used
        size_t end

    ctypedef struct kmf_patches_f32:
        float *panels
        float *closest
        float *weight
        float *boxes
        float *tops
        size_t n_panels

    ctypedef struct kmf_grid_f32:
        uint32_t *cells
        float *lists
        size_t n_cells
        size_t n_blocks
        unsigned bits

    ctypedef struct kmf_kernels_f32:
        size_t tile
        size_t panel
        void (*score_shift)(const double *, size_t, size_t, float *) noexcept nogil
        void (*pack)(const double *, size_t, size_t, const float *, float *) noexcept nogil
        void (*assign)(
            const float *, size_t, size_t, const float *, const float *, size_t, int32_t *, float *) noexcept nogil
        void (*grid_build)(const float *, size_t, size_t, kmf_grid_f32 *, float *) noexcept nogil
        size_t (*grid_assign)(
            const float *, size_t, size_t, const float *, const float *, size_t, const kmf_grid_f32 *, int32_t *,
            float *) noexcept nogil
        void (*codes_round)(const float *, size_t, size_t, const float *, double, int32_t *) noexcept nogil
        int (*codes_pack)(
            const double *, size_t, size_t, const float *, const float *, double, double, double,
            kmf_codes *) noexcept nogil
        size_t (*codes_assign)(
            const int32_t *, const float *, size_t, size_t, const float *, const float *, size_t,
            const kmf_codes *, int32_t *, float *) noexcept nogil
        void (*filter_pack)(const double *, size_t, size_t, const float *, void *) noexcept nogil
        size_t filter_bytes
        void (*find_rivals)(
            const float *, const float *, size_t, size_t, size_t, size_t, float,
            int32_t *, float *, float *) noexcept nogil
        size_t (*hamerly)(
            const float *, size_t, size_t, const float *, const float *, const float *, const void *, size_t,
            float, const kmf_moves *, int32_t *, float *, float *, size_t *, size_t *, float *) noexcept nogil
        size_t (*elkan)(
            const float *, size_t, size_t, const float *, const float *, const float *, size_t, float,
            const kmf_moves *, int, int32_t *, float *, float *, float *, float *) noexcept nogil
        size_t (*update)(
            const float *, size_t, size_t, const int32_t *, const int32_t *, const double *, const double *,
            size_t, size_t, double *) noexcept nogil
        void (*squared_distances)(const float *, size_t, size_t, const float *, size_t, float *, float *) noexcept nogil
        void (*own_squared_distances)(
            const float *, size_t, size_t, const double *, const int32_t *, double *) noexcept nogil
        void (*seed_round)(
            const float *, size_t, size_t, const float *, size_t, int32_t, const float *, size_t, float *, int32_t *,
            const double *, double *, float *) noexcept nogil
        int (*improvements)(
            const float *, size_t, size_t, const float *, const kmf_proposals_f32 *, const int32_t *, const float *,
            uint32_t, kmf_lists_f32 *, float *) noexcept nogil
        double (*list_gain)(const kmf_lists_f32 *, size_t, const float *, const double *) noexcept nogil
        void (*list_apply)(const kmf_lists_f32 *, size_t, int32_t, int32_t *, float *) noexcept nogil
        void (*patch)(
            const float *, size_t, size_t, const uint32_t *, uint32_t *, const kmf_patches_f32 *,
            void *) noexcept nogil
        double (*patch_gain)(const kmf_patches_f32 *, const float *, size_t) noexcept nogil
        void (*patch_choose)(const kmf_patches_f32 *, const float *, size_t) noexcept nogil
        void (*survey)(
            const float *, size_t, size_t, const double *, const double *, double *, double *,
            double *) noexcept nogil
        void (*removal_losses)(
            const float *, size_t, size_t, const float *, const float *, size_t, const double *, double *,
            float *) noexcept nogil
        void (*cut_range)(const float *, size_t, size_t, kmf_cut *) noexcept nogil
        void (*cut_count)(const float *, size_t, size_t, const kmf_cut *, uint32_t *) noexcept nogil
        void (*cut_scatter)(
            const float *, size_t, size_t, size_t, const kmf_cut *, uint32_t *, uint32_t *, uint32_t *,
            float *) noexcept nogil
        void (*order)(
            size_t, size_t, size_t, uint32_t *, float *, float *, float *, float *) noexcept nogil
        void (*planes)(const float *, size_t, size_t, const float *, float *) noexcept nogil
        size_t (*boxes)(
            const float *, size_t, size_t, size_t, const float *, const float *, size_t, int, const uint32_t *,
            const float *, const float *, kmf_leaf *, uint16_t *, int32_t *, int32_t *, uint8_t *, size_t *,
            float *) noexcept nogil
        void (*update_marked)(
            const float *, size_t, size_t, uint8_t *, const int32_t *, const int32_t *, const double *, const double *,
            double *) noexcept nogil
        double (*l1_assign)(
            const float *, size_t, size_t, const float *, size_t, const double *, int32_t *, float *) noexcept nogil
        void (*own_l1_distances)(
            const float *, size_t, size_t, const double *, const int32_t *, double *) noexcept nogil
        void (*l1_round)(
            const float *, size_t, size_t, const float *, const float *, size_t, float *, const double *, double *,
            float *) noexcept nogil
        float (*median)(float *, double *, size_t) noexcept nogil

    ctypedef struct kmf_proposals_f64:
        const double *points
        const double *packed
        const void *filter
        size_t n
        size_t n_chosen
        const double *between
        size_t stride
        const double *least
        const double *quarter
        double largest

    ctypedef struct kmf_lists_f64:
        double *distances
        uint32_t *rows
        int32_t *next
        int32_t *head
        int32_t *tail
        int32_t *fill
        double *gain
        size_t used
        size_t end

    ctypedef struct kmf_patches_f64:
        double *panels
        double *closest
        double *weight
        double *boxes
        double *tops
        size_t n_panels

    ctypedef struct kmf_grid_f64:
        uint32_t *cells
        double *lists
        size_t n_cells
        size_t n_blocks
        unsigned bits

    ctypedef struct kmf_kernels_f64:
        size_t tile
        size_t panel
        void (*score_shift)(const double *, size_t, size_t, double *) noexcept nogil
        void (*pack)(const double *, size_t, size_t, const double *, double *) noexcept nogil
        void (*assign)(
            const double *, size_t, size_t, const double *, const double *, size_t, int32_t *, double *) noexcept nogil
        void (*grid_build)(const double *, size_t, size_t, kmf_grid_f64 *, double *) noexcept nogil
        size_t (*grid_assign)(
            const double *, size_t, size_t, const double *, const double *, size_t, const kmf_grid_f64 *, int32_t *,
            double *) noexcept nogil
        void (*codes_round)(const double *, size_t, size_t, const double *, double, int32_t *) noexcept nogil
        int (*codes_pack)(
            const double *, size_t, size_t, const double *, const double *, double, double, double,
            kmf_codes *) noexcept nogil
        size_t (*codes_assign)(
            const int32_t *, const double *, size_t, size_t, const double *, const double *, size_t,
            const kmf_codes *, int32_t *, double *) noexcept nogil
        void (*filter_pack)(const double *, size_t, size_t, const double *, void *) noexcept nogil
        size_t filter_bytes
        void (*find_rivals)(
            const double *, const double *, size_t, size_t, size_t, size_t, float,
            int32_t *, float *, double *) noexcept nogil
        size_t (*hamerly)(
            const double *, size_t, size_t, const double *, const double *, const double *, const void *, size_t,
            float, const kmf_moves *, int32_t *, float *, float *, size_t *, size_t *, double *) noexcept nogil
        size_t (*elkan)(
            const double *, size_t, size_t, const double *, const double *, const double *, size_t, float,
            const kmf_moves *, int, int32_t *, float *, float *, float *, double *) noexcept nogil
        size_t (*update)(
            const double *, size_t, size_t, const int32_t *, const int32_t *, const double *, const double *,
            size_t, size_t, double *) noexcept nogil
        void (*squared_distances)(
            const double *, size_t, size_t, const double *, size_t, double *, double *) noexcept nogil
        void (*own_squared_distances)(
            const double *, size_t, size_t, const double *, const int32_t *, double *) noexcept nogil
        void (*seed_round)(
            const double *, size_t, size_t, const double *, size_t, int32_t, const double *, size_t,
            double *, int32_t *, const double *, double *, double *) noexcept nogil
        int (*improvements)(
            const double *, size_t, size_t, const double *, const kmf_proposals_f64 *, const int32_t *, const double *,
            uint32_t, kmf_lists_f64 *, double *) noexcept nogil
        double (*list_gain)(const kmf_lists_f64 *, size_t, const double *, const double *) noexcept nogil
        void (*list_apply)(const kmf_lists_f64 *, size_t, int32_t, int32_t *, double *) noexcept nogil
        void (*patch)(
            const double *, size_t, size_t, const uint32_t *, uint32_t *, const kmf_patches_f64 *,
            void *) noexcept nogil
        double (*patch_gain)(const kmf_patches_f64 *, const double *, size_t) noexcept nogil
        void (*patch_choose)(const kmf_patches_f64 *, const double *, size_t) noexcept nogil
        void (*survey)(
            const double *, size_t, size_t, const double *, const double *, double *, double *,
            double *) noexcept nogil
        void (*removal_losses)(
            const double *, size_t, size_t, const double *, const double *, size_t, const double *, double *,
            double *) noexcept nogil
        void (*cut_range)(const double *, size_t, size_t, kmf_cut *) noexcept nogil
        void (*cut_count)(const double *, size_t, size_t, const kmf_cut *, uint32_t *) noexcept nogil
        void (*cut_scatter)(
            const double *, size_t, size_t, size_t, const kmf_cut *, uint32_t *, uint32_t *, uint32_t *,
            double *) noexcept nogil
        void (*order)(
            size_t, size_t, size_t, uint32_t *, double *, double *, double *, double *) noexcept nogil
        void (*planes)(const double *, size_t, size_t, const float *, double *) noexcept nogil
        size_t (*boxes)(
            const double *, size_t, size_t, size_t, const double *, const double *, size_t, int, const uint32_t *,
            const double *, const double *, kmf_leaf *, uint16_t *, int32_t *, int32_t *, uint8_t *, size_t *,
            double *) noexcept nogil
        void (*update_marked)(
            const double *, size_t, size_t, uint8_t *, const int32_t *, const int32_t *, const double *, const double *,
            double *) noexcept nogil
        double (*l1_assign)(
            const double *, size_t, size_t, const double *, size_t, const double *, int32_t *, double *) noexcept nogil
        void (*own_l1_distances)(
            const double *, size_t, size_t, const double *, const int32_t *, double *) noexcept nogil
        void (*l1_round)(
            const double *, size_t, size_t, const double *, const double *, size_t, double *, const double *, double *,
            double *) noexcept nogil
        double (*median)(double *, double *, size_t) noexcept nogil

    enum:
        KMF_PROTOTYPES

    ctypedef int32_t (*kmf_nearest_prototype)(
        const void *, size_t, const double *, size_t, const void *, const double *, size_t, double,
        double *) noexcept nogil

    ctypedef struct kmf_kernels:
        const char *isa
        kmf_kernels_f32 f32
        kmf_kernels_f64 f64
        kmf_nearest_prototype nearest_prototype[3]

    size_t kmf_grid_work(size_t k, size_t d)
    size_t kmf_packed_size_f32(const kmf_kernels_f32 *, size_t k, size_t d)
    size_t kmf_packed_size_f64(const kmf_kernels_f64 *, size_t k, size_t d)
    size_t kmf_improve_size_f32(const kmf_kernels_f32 *, size_t n, size_t m, size_t q, size_t d)
    size_t kmf_work_size_f32(const kmf_kernels_f32 *, size_t k, size_t d)
    size_t kmf_improve_size_f64(const kmf_kernels_f64 *, size_t n, size_t m, size_t q, size_t d)
    size_t kmf_work_size_f64(const kmf_kernels_f64 *, size_t k, size_t d)
    bint kmf_filter_holds(double reach)
    size_t kmf_filter_tile_bytes(size_t tile, size_t feature, size_t d)
    size_t kmf_codes_of_samples(size_t n, size_t d)
    size_t kmf_codes_of_centroids(size_t k, size_t d)
    size_t kmf_filter_size_f32(const kmf_kernels_f32 *, size_t k, size_t d)
    size_t kmf_filter_size_f64(const kmf_kernels_f64 *, size_t k, size_t d)
    size_t kmf_filter_work_f32(const kmf_kernels_f32 *, size_t d)
    size_t kmf_filter_work_f64(const kmf_kernels_f64 *, size_t d)
    # Only where KMF_IMPLEMENTATION is defined before kmf.h is included.
    const kmf_kernels *kmf_select(const char *isa)
