/* The kernels of one dtype; kmf.h includes this for float (f32) and double (f64).
 *
 * Sizes: n samples, d features, k clusters. X is row-major and contiguous, n x d. Nothing is allocated: `work` is
 * scratch of kmf_work_size_<dtype>() elements that the caller owns, one for each thread.
 */
/* clang-format off */
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

    /* Centroids in 8 bits (kmf_filter_tpl.h): what `hamerly` reads first; kmf_filter_size_<dtype>() elements. NULL where the
     * processor takes no products of bytes. For d <= 65536. */
    void (*filter_pack)(const double *centroids, size_t k, size_t d, const KMF_T *shift, void *filter);

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

    /* A round of k-means++: for each of q <= 32 candidates, potential[j] += sum w min(closest, |x - c_j|^2), and bit
     * j of improved[p] says whether candidate j is nearer than `closest` to any sample of panel p. */
    void (*potentials)(const KMF_T *X, size_t n, size_t d,
                       const KMF_T *candidates, size_t q, /* IN  q x d */
                       const KMF_T *closest,              /* IN  n squared distances */
                       const double *sample_weight,       /* IN  n, or NULL */
                       double *potential,                 /* INOUT q */
                       uint32_t *improved,                /* OUT ceil(n / panel) */
                       KMF_T *work);

    /* closest = min(closest, |x - c|^2), in the panels whose `improved` has a bit of `mask` (NULL: in all). */
    void (*update_closest)(const KMF_T *X, size_t n, size_t d,
                           const KMF_T *candidate, /* IN  d */
                           const uint32_t *improved, uint32_t mask,
                           KMF_T *closest, /* INOUT n */
                           KMF_T *work);

    /* sums[f] += sum w (x - shift), squares[f] += sum w (x - shift)^2. A NaN or an infinity anywhere in X makes squares[]
     * NaN or infinite. */
    void (*survey)(const KMF_T *X, size_t n, size_t d,
                   const double *shift,         /* IN  d */
                   const double *sample_weight, /* IN  n, or NULL */
                   double *sums,                /* INOUT d */
                   double *squares);            /* INOUT d */

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

/* Elements of the filter of k centroids: a row-major copy, then words of 4 bytes. */
KMF_INLINE size_t KMF_API(kmf_filter_size)(const KMF_API(kmf_kernels) * kernels, size_t k, size_t d)
{
    const size_t n_tiles = (k + kernels->tile - 1) / kernels->tile;
    const size_t words = n_tiles * (2 * kernels->tile + 4 + kernels->tile * ((d + 3) / 4));
    return k * d + 1 + words * 4 / sizeof(KMF_T) + 1;
}

/* Elements of `work` that the filter takes beside the rest: five panels, and the scores of a block of tiles in L2. */
KMF_INLINE size_t KMF_API(kmf_filter_work)(const KMF_API(kmf_kernels) * kernels, size_t d)
{
    return d + 6 * kernels->panel * (sizeof(KMF_T) / 4) * (d + 4) + 2 * KMF_L2_BYTES / sizeof(KMF_T);
}
