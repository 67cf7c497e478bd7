/* The kernels of one dtype; kmf.h includes this for float (f32) and double (f64).
 *
 * Sizes: n samples, d features, k clusters. X is row-major and contiguous, n x d. Nothing is allocated: `work` is
 * scratch of kmf_work_size_<dtype>() elements that the caller owns, one for each thread.
 */
/* clang-format off */
/* Proposals of k-means++, and what is known about them. */
typedef struct KMF_API(kmf_proposals) {
    const KMF_T *points; /* n x d */
    const KMF_T *packed; /* the same by `pack`, for d > 8 */
    const void *filter;  /* the same by `filter_pack`, or NULL */
    size_t n, n_chosen;
    const KMF_T *between; /* n_chosen x stride: a sample nearest to chosen a and closer than between[a, p] (squared) to it
                             is not nearer to proposal p: a quarter of |a - p|^2, rounded down, padded with infinity */
    size_t stride;        /* a multiple of 32 */
    const KMF_T *least, *quarter; /* n_chosen: the least of a row, and what some quarter of it lies below */
    double largest;               /* the greatest norm of a proposal about the shift, rounded up */
} KMF_API(kmf_proposals);

/* A list for each proposal: chains of blocks of KMF_LIST (distance, row). */
typedef struct KMF_API(kmf_lists) {
    KMF_T *distances;            /* n_blocks x KMF_LIST */
    uint32_t *rows;              /* n_blocks x KMF_LIST */
    int32_t *next;               /* n_blocks */
    int32_t *head, *tail, *fill; /* a proposal: first and last block or -1, entries of the last (KMF_LIST: none) */
    double *gain;                /* a proposal: what its entries came to, without weights, when they were listed */
    size_t used, end;            /* blocks used, and where they end */
} KMF_API(kmf_lists);

/* Samples near each other in space, for k-means++ of few features. */
typedef struct KMF_API(kmf_patches) {
    KMF_T *panels;  /* n_panels x d x panel */
    KMF_T *closest; /* n_panels x panel: squared distance to the nearest chosen sample */
    KMF_T *weight;  /* the same of weights, or NULL */
    KMF_T *boxes;   /* n_panels x (2 d + 1), in groups of as many panels as a vector has lanes (half a panel) */
    KMF_T *tops;    /* the same of groups, rounded up to groups of groups */
    size_t n_panels; /* whole groups */
} KMF_API(kmf_patches);

/* A grid over the centroids (kmf_grid_tpl.h). */
typedef struct KMF_API(kmf_grid) {
    uint32_t *cells;          /* the root's, then those of cells that were divided */
    KMF_T *lists;             /* candidates: vectors of half norms, indices, feature 0, feature 1 ... */
    size_t n_cells, n_blocks; /* IN  room, in cells and in vectors of candidates; OUT used */
    unsigned bits;            /* IN  the root divides an axis into 2^bits */
    KMF_T low[3], extent[3], inverse[3];
} KMF_API(kmf_grid);

typedef struct KMF_API(kmf_kernels) {
    size_t tile;  /* centroids of one register tile */
    size_t panel; /* samples of one panel: two vectors */

    /* The middle of the centroids by features: the origin that keeps their scores accurate, far from 0 and with outliers. */
    void (*score_shift)(const double *centroids, /* IN  k x d */
                        size_t k, size_t d,
                        KMF_T *shift); /* OUT d */

    /* Centroids, less the shift, in tiles: what `assign` reads. The half norms belong to the rounded coordinates. */
    void (*pack)(const double *centroids, /* IN  k x d */
                 size_t k, size_t d,
                 const KMF_T *shift, /* IN  d */
                 KMF_T *packed);     /* OUT kmf_packed_size_<dtype>() */

    /* labels[i] = the j with the least |c_j|^2 / 2 - x_i . c_j about the shift; ties go to the lowest j. */
    void (*assign)(const KMF_T *X, size_t n, size_t d,
                   const KMF_T *shift,  /* IN  d, the one given to `pack` */
                   const KMF_T *packed, /* IN */
                   size_t k,
                   int32_t *labels, /* OUT n */
                   KMF_T *work);    /* scratch */

    /* Makes the grid for `grid_assign`, for 1 <= d <= 3 and k < 2^24; `work` is of kmf_grid_work() elements. */
    void (*grid_build)(const KMF_T *packed, size_t k, size_t d, KMF_API(kmf_grid) *grid, /* INOUT */
                       KMF_T *work);

    /* The labels of `assign` by the grid of these centroids; returns how many distances were computed. */
    size_t (*grid_assign)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed, size_t k,
                          const KMF_API(kmf_grid) *grid, int32_t *labels, /* OUT n */
                          KMF_T *work);

    /* Codes in 16 bits (kmf_codes_tpl.h), for d <= 8; NULL where the processor takes no products of such. Samples are
     * rounded once; no sample is further from `origin` than `farthest`. X begins with a multiple of 64 rows. */
    void (*codes_round)(const KMF_T *X, size_t n, size_t d,
                        const KMF_T *origin, /* IN  d */
                        double farthest,
                        int32_t *codes); /* OUT kmf_codes_of_samples() */

    /* Rounds centroids; 0 where they and the samples leave the range that the codes hold for. The usual norm of a sample about the origin
     * and the usual distance to its centroid may be wrong: then fewer samples are labelled by codes alone. */
    int (*codes_pack)(const double *centroids, size_t k, size_t d, const KMF_T *origin, const KMF_T *shift,
                      double farthest, double usual_norm, double usual_distance, kmf_codes *plan); /* OUT */

    /* The labels of `assign`; returns how many samples had to be scored by it. */
    size_t (*codes_assign)(const int32_t *codes, const KMF_T *X, size_t n, size_t d, const KMF_T *shift,
                           const KMF_T *packed, size_t k, const kmf_codes *plan, int32_t *labels, /* OUT n */
                           KMF_T *work);

    /* Centroids in whole numbers of 8 or 16 bits (kmf_filter_tpl.h): what `hamerly` reads first; kmf_filter_size_<dtype>()
     * elements. NULL where the processor takes no products of such. For d <= 65536. */
    void (*filter_pack)(const double *centroids, size_t k, size_t d, const KMF_T *shift, void *filter);
    size_t filter_bytes; /* of a feature there: 1, 2, or 0 without a filter */

    /* What kmf_moves says of the rivals of centroids [first, first + m). */
    void (*find_rivals)(const KMF_T *rows, /* IN  k x d: centroids, less the shift */
                        const KMF_T *packed,
                        size_t k, size_t d, size_t first, size_t m,
                        float reach,     /* the greatest |c| about the shift, rounded up */
                        int32_t *rivals, /* OUT k x KMF_RIVALS */
                        float *gaps,     /* OUT k x (KMF_RIVALS + 1) */
                        KMF_T *work);

    /* The labels of `assign`, by Hamerly's bounds (kmf_hamerly_tpl.h), for d > 8 and one chunk of samples. Without
     * `moves` every sample is scored and its bounds are made; with it labels and bounds are those of the pass before.
     * Returns how many samples were scored. `work` has n elements more than for the others, and with a filter
     * kmf_filter_work_<dtype>() more. */
    size_t (*hamerly)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed,
                      const KMF_T *rows,  /* IN  k x d: centroids, less the shift */
                      const void *filter, /* IN  or NULL: every sample that is scored is scored against all centroids */
                      size_t k,
                      float reach,            /* the greatest |c| about the shift, rounded up */
                      const kmf_moves *moves, /* IN  or NULL */
                      int32_t *labels,        /* INOUT n */
                      float *upper,           /* INOUT n, on the distance to the own centroid */
                      float *lower,           /* INOUT n, on the distance to any other */
                      size_t *unfiltered,     /* OUT samples that the filter left to be scored against all centroids */
                      size_t *settled,        /* OUT distances of samples that were scored against rivals alone */
                      KMF_T *work);

    /* The labels of `assign`, by Elkan's bounds (kmf_elkan_tpl.h), for one chunk of samples. Unless `bounded`, every
     * distance is computed and bounds are made; else labels and bounds are those of the pass before. Returns how many
     * distances were computed. `work` has n + k + 1 + PANEL (k + tile) elements more than for the others. */
    size_t (*elkan)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed,
                    const KMF_T *rows, /* IN  k x d: centroids, less the shift */
                    size_t k,
                    float reach,            /* the greatest |c| about the shift, rounded up */
                    const kmf_moves *moves, /* IN */
                    int bounded,
                    int32_t *labels,              /* INOUT n */
                    float *upper, float *lower,   /* INOUT n, as for `hamerly` */
                    float *bounds,                /* INOUT n x k, on the distance to each, plus its drift */
                    KMF_T *work);

    /* Moves the samples whose label changed from the sums of the old cluster to those of the new one; returns how
     * many did. A row of `sums` holds sum w (x - shift), then sum w and the number of samples with w > 0 (a count stays exact
     * where weights round). Label -1 belongs to no cluster. */
    size_t (*update)(const KMF_T *X, size_t n, size_t d,
                     const int32_t *old_labels,    /* IN  n, or NULL: every sample is new */
                     const int32_t *labels,        /* IN  n */
                     const double *sample_weight,  /* IN  n, or NULL: all 1 */
                     const double *shift,          /* IN  d */
                     size_t first, size_t last,    /* features [first, last) are summed; the rest if last == d */
                     double *sums);                /* INOUT k x (d + 2) */

    /* out[i, j] = |x_i - c_j|^2 by direct differences: 0 for equal points, accurate at any offset. */
    void (*squared_distances)(const KMF_T *X, size_t n, size_t d,
                              const KMF_T *points, size_t q, /* IN  q x d */
                              KMF_T *out,                    /* OUT n x q */
                              KMF_T *work);

    /* out[i] = |x_i - c_labels[i]|^2 in double. */
    void (*own_squared_distances)(const KMF_T *X, size_t n, size_t d,
                                  const double *centroids, /* IN  k x d */
                                  const int32_t *labels,   /* IN  n */
                                  double *out);            /* OUT n */

    /* A round of k-means++. The samples `late` were chosen, as `label` and those that follow: closest = min(closest,
     * |x - late|^2), and nearest where that is new. Then potential[j] += sum w min(closest, |x - c_j|^2) for q <= 32
     * candidates. */
    void (*seed_round)(const KMF_T *X, size_t n, size_t d,
                       const KMF_T *late, size_t n_late, int32_t label, /* IN  n_late x d */
                       const KMF_T *candidates, size_t q, /* IN  q x d */
                       KMF_T *closest,                    /* INOUT n squared distances */
                       int32_t *nearest,                  /* INOUT n, or NULL */
                       const double *sample_weight,       /* IN  n, or NULL */
                       double *potential,                 /* INOUT q */
                       KMF_T *work);

    /* Lists for each proposal the samples that lie nearer to it than `closest` and how near (kmf_propose_tpl.h); 0 where
     * the blocks did not suffice. Row 0 is called `first`. */
    int (*improvements)(const KMF_T *X, size_t n, size_t d,
                        const KMF_T *shift, /* IN  d, the one given to `pack` */
                        const KMF_API(kmf_proposals) *batch,
                        const int32_t *nearest, /* IN  n: index of the nearest chosen sample */
                        const KMF_T *closest,   /* IN  n: squared distance to it */
                        uint32_t first,
                        KMF_API(kmf_lists) *lists, /* INOUT */
                        KMF_T *work);              /* kmf_improve_size_<dtype>() */

    /* sum w max(0, closest - distance) over the list of proposal p; `closest` and weights begin at row 0. */
    double (*list_gain)(const KMF_API(kmf_lists) *lists, size_t p, const KMF_T *closest, const double *sample_weight);

    /* Proposal p is chosen: closest = min(closest, distance), and `label` where that is new. */
    void (*list_apply)(const KMF_API(kmf_lists) *lists, size_t p, int32_t label, int32_t *nearest, KMF_T *closest);

    /* For d <= 3: puts the samples in Morton order, or in the order given, as patches (kmf_patches_tpl.h) with infinite
     * distances. */
    void (*patch)(const KMF_T *X, size_t n, size_t d,
                  const uint32_t *given, /* IN  n, or NULL */
                  uint32_t *order,       /* OUT n */
                  const KMF_API(kmf_patches) *patches,
                  void *work); /* 16 n bytes */

    /* What a point would take off the potential, or lets it lower the distances. */
    double (*patch_gain)(const KMF_API(kmf_patches) *patches, const KMF_T *point, size_t d);
    void (*patch_choose)(const KMF_API(kmf_patches) *patches, const KMF_T *point, size_t d);

    /* sums[f] += sum w (x - shift), squares[f] += sum w (x - shift)^2, most[f] = max(most[f], |x - shift|). A NaN or an
     * infinity anywhere in X makes squares[] NaN or infinite. */
    void (*survey)(const KMF_T *X, size_t n, size_t d,
                   const double *shift,         /* IN  d */
                   const double *sample_weight, /* IN  n, or NULL */
                   double *sums,                /* INOUT d */
                   double *squares, double *most); /* INOUT d */

    /* losses[j] += how far the sum of w |x - c|^2 over the nearest of k >= 2 centroids rises without centroid j. */
    void (*removal_losses)(const KMF_T *X, size_t n, size_t d,
                           const KMF_T *shift,          /* IN  d, the one given to `pack` */
                           const KMF_T *packed,         /* IN */
                           size_t k,
                           const double *sample_weight, /* IN  n, or NULL */
                           double *losses,              /* INOUT k */
                           KMF_T *work);

    /* Boxes (kmf_boxes_tpl.h), for 1 <= d <= 8. A span of samples is cut into groups along its widest feature: the
     * range of that, samples counted by bins of it, and copied to their groups. rank[bin], at first how many samples lie
     * in earlier bins, says which group a sample belongs to; it goes to next[group]++. */
    void (*cut_range)(const KMF_T *X, size_t n, size_t d, kmf_cut *cut /* OUT */);
    void (*cut_count)(const KMF_T *X, size_t n, size_t d, const kmf_cut *cut, uint32_t *count /* INOUT KMF_CUT_BINS */);
    void (*cut_scatter)(const KMF_T *X, size_t n, size_t d,
                        size_t start, /* where in the span X lies */
                        const kmf_cut *cut,
                        uint32_t *rank,  /* INOUT KMF_CUT_BINS */
                        uint32_t *next,  /* INOUT ceil(samples of the span / KMF_GROUP) */
                        uint32_t *order, /* OUT   where in the span each sample comes from */
                        KMF_T *copy);    /* OUT   the samples in this order */

    /* Orders n <= KMF_GROUP samples so that leaves of so many are compact, and finds the boxes: least and greatest
     * value of each feature. `work`, for both, has kmf_boxes_work() elements. */
    void (*order)(size_t n, size_t d,
                  size_t leaf,     /* samples: a multiple of KMF_SLOT */
                  uint32_t *order, /* INOUT n */
                  KMF_T *copy,     /* INOUT n x d; in the end slots of KMF_SLOT samples, each turned */
                  KMF_T *leaves,   /* OUT   2 x d a leaf */
                  KMF_T *bricks,   /* OUT   2 x d a brick */
                  KMF_T *work);

    /* Centroids by features, for `boxes`, with how far they moved (rounded up; NULL: no bound holds). */
    void (*planes)(const KMF_T *packed, size_t k, size_t d, const float *moved, KMF_T *planes);

    /* The labels of `assign` for a group in its order; returns how many scores were computed. */
    size_t (*boxes)(const KMF_T *copy, size_t n, size_t d, size_t leaf, const KMF_T *shift, const KMF_T *planes,
                    size_t k,
                    int moving,            /* bounds and labels are those of the pass before */
                    const uint32_t *order, /* IN  n */
                    const KMF_T *leaf_boxes, const KMF_T *brick_boxes,
                    kmf_leaf *leaves,                    /* INOUT */
                    uint16_t *sorted,                    /* INOUT n: labels in this order; NULL where k > 65535 */
                    int32_t *labels, int32_t *old,       /* INOUT of the span; OUT where labels are new */
                    uint8_t *changed, size_t *n_changed, /* INOUT marks of the span, or NULL; their number */
                    KMF_T *work);

    /* `update` of the samples that are marked, whose marks are cleared. */
    void (*update_marked)(const KMF_T *X, size_t n, size_t d, uint8_t *changed, const int32_t *old_labels,
                          const int32_t *labels, const double *sample_weight, const double *shift, double *sums);

    /* labels[i] = the j with the least |x_i - c_j|, the sum of absolute differences; ties go to the lowest j. Returns the
     * sum w |x_i - c_labels[i]|. */
    double (*l1_assign)(const KMF_T *X, size_t n, size_t d,
                        const KMF_T *points, size_t k,       /* IN  k x d */
                        const double *sample_weight,         /* IN  n, or NULL */
                        int32_t *labels,                     /* OUT n */
                        KMF_T *work);

    /* out[i] = |x_i - c_labels[i]|, the sum of absolute differences, in double. */
    void (*own_l1_distances)(const KMF_T *X, size_t n, size_t d,
                             const double *centers, /* IN  k x d */
                             const int32_t *labels, /* IN  n */
                             double *out);          /* OUT n */

    /* `seed_round` with sums of absolute differences in place of squared distances, for any q. */
    void (*l1_round)(const KMF_T *X, size_t n, size_t d,
                     const KMF_T *late,                 /* IN  d, or NULL */
                     const KMF_T *candidates, size_t q, /* IN  q x d */
                     KMF_T *closest,                    /* INOUT n */
                     const double *sample_weight,       /* IN  n, or NULL */
                     double *potential,                 /* INOUT q */
                     KMF_T *work);

    /* The lower weighted median of n >= 1 values: the least at which the weights so far come to half of all. */
    KMF_T (*median)(KMF_T *values,   /* INOUT n, in another order afterwards */
                    double *weights, /* INOUT n, all > 0, or NULL: all 1 */
                    size_t n);
} KMF_API(kmf_kernels);
/* clang-format on */

/* Elements of the packed form of k centroids. */
KMF_INLINE size_t KMF_API(kmf_packed_size)(const KMF_API(kmf_kernels) * kernels, size_t k, size_t d)
{
    return (k + kernels->tile - 1) / kernels->tile * kernels->tile * (d + 2);
}

/* Elements of `work` that serve every kernel at this k and d: a panel and a few rows; where the centroids leave L2 or a
 * panel leaves L1, a group of panels and the scores of a block of tiles as well. */
KMF_INLINE size_t KMF_API(kmf_work_size)(const KMF_API(kmf_kernels) * kernels, size_t k, size_t d)
{
    const size_t l2 = KMF_L2_BYTES / sizeof(KMF_T);
    const size_t basic = kernels->panel * (d + 33) + d;
    const int spills = k + kernels->tile > l2 / (d + 2) || d > KMF_FEATURE_BLOCK;
    return basic + (spills ? l2 + (l2 / (d + 2) + kernels->tile) * kernels->panel : 0);
}

/* Elements of the filter of k centroids: words of 4 bytes. */
KMF_INLINE size_t KMF_API(kmf_filter_size)(const KMF_API(kmf_kernels) * kernels, size_t k, size_t d)
{
    const size_t n_tiles = (k + kernels->tile - 1) / kernels->tile;
    return n_tiles * kmf_filter_tile_bytes(kernels->tile, kernels->filter_bytes, d) / sizeof(KMF_T) + 1;
}

/* Elements of `work` that the filter takes beside the rest: two panels, the whole numbers of one and their turn, and the
 * scores of a block of tiles in L2. */
KMF_INLINE size_t KMF_API(kmf_filter_work)(const KMF_API(kmf_kernels) * kernels, size_t d)
{
    return d + 3 * (kernels->panel + 1) * (sizeof(KMF_T) / 4) * (d + 16) + 2 * KMF_L2_BYTES / sizeof(KMF_T);
}

/* Elements of `work` for `improvements` with up to m chosen samples and q proposals. */
KMF_INLINE size_t KMF_API(kmf_improve_size)(const KMF_API(kmf_kernels) * kernels, size_t n, size_t m, size_t q,
                                            size_t d)
{
    return 2 * n + m + 2 * q + 128 + (kernels->panel + kernels->tile) * (d + 2) + (kernels->panel + 1) * (d + 16);
}
