/* Kernels for few features: boxes, the grid, codes in 16 bits. */

/* Boxes give the labels of dense passes while the centroids wander, and marks are what changed. */
static void F(check_boxes)(const kmf_kernels *kernels, const F(problem) * p)
{
    const size_t n = p->n, d = p->d, k = p->k, leaf = 32, slots = (n + 31) / 32, bricks = (slots + 31) / 32;
    T *packed = (T *)allocate(F(kmf_packed_size)(KERNELS, k, d), sizeof(T));
    T *planes = (T *)allocate((3 + d) * kmf_plane(k), sizeof(T)), *copy = (T *)allocate(slots * 32 * d, sizeof(T));
    T *boxes = (T *)allocate(slots * 2 * d, sizeof(T)), *brick_boxes = (T *)allocate(bricks * 2 * d, sizeof(T));
    uint16_t *sorted = (uint16_t *)allocate(n, sizeof(uint16_t));
    T *work = (T *)allocate(kmf_boxes_work(k, d, sizeof(T)), sizeof(T));
    kmf_leaf *leaves = (kmf_leaf *)allocate(slots, sizeof(kmf_leaf));
    uint32_t *order = (uint32_t *)allocate(n, sizeof(uint32_t));
    uint32_t *rank = (uint32_t *)allocate(KMF_CUT_BINS, sizeof(uint32_t)), next = 0, sum = 0;
    int32_t *labels = (int32_t *)allocate(n, sizeof(int32_t)), *old = (int32_t *)allocate(n, sizeof(int32_t));
    int32_t *dense = (int32_t *)allocate(n, sizeof(int32_t));
    int32_t *before = (int32_t *)allocate(n, sizeof(int32_t));
    uint8_t *marks = (uint8_t *)allocate(n, 1);
    float *moved = (float *)allocate(k, sizeof(float));
    double *centroids = (double *)allocate(k * d, sizeof(double));
    kmf_cut cut;
    KERNELS->cut_range(p->X, n, d, &cut);
    memset(rank, 0, KMF_CUT_BINS * sizeof *rank);
    KERNELS->cut_count(p->X, n, d, &cut, rank);
    for (size_t b = 0; b < KMF_CUT_BINS; ++b) {
        const uint32_t count = rank[b];
        rank[b] = sum;
        sum += count;
    }
    CHECK(sum == n, "cut_count", n, d, k);
    KERNELS->cut_scatter(p->X, n, d, 0, &cut, rank, &next, order, copy);
    KERNELS->order(n, d, leaf, order, copy, boxes, brick_boxes, work);
    memset(marks, 0, n);
    for (size_t at = 0; at < n; ++at) {
        CHECK(order[at] < n && !marks[order[at]], "order", n, d, k);
        marks[order[at]] = 1;
        for (size_t f = 0; f < d; ++f) {
            const T x = copy[at / 32 * 32 * d + f * 32 + at % 32];
            const T *box = boxes + at / leaf * 2 * d, *brick = brick_boxes + at / (32 * leaf) * 2 * d;
            CHECK(x == p->X[order[at] * d + f], "copy of order", n, d, k);
            CHECK(x >= box[f] && x <= box[d + f] && x >= brick[f] && x <= brick[d + f], "a box", n, d, k);
        }
        sorted[at] = 65535;
    }
    memset(marks, 0, n);
    memcpy(centroids, p->centroids, k * d * sizeof(double));
    for (int pass = 0; pass < 6; ++pass) {
        size_t changed = 0, marked = 0;
        for (size_t j = 0; j < k; ++j) {
            const double step = pass > 0 && random_bits() % 4 == 0 ? 1.0 / (1 << 2 * pass) : 0.0;
            centroids[j * d] += step;
            moved[j] = (float)(step * 1.000001);
        }
        memcpy(before, labels, n * sizeof *labels);
        KERNELS->pack(centroids, k, d, p->shift, packed);
        KERNELS->planes(packed, k, d, pass > 0 ? moved : NULL, planes);
        KERNELS->assign(p->X, n, d, p->shift, packed, k, dense, p->work);
        KERNELS->boxes(copy, n, d, leaf, p->shift, planes, k, pass > 0, order, boxes, brick_boxes, leaves, sorted,
                       labels, old, pass > 0 ? marks : NULL, &changed, work);
        CHECK(memcmp(labels, dense, n * sizeof *labels) == 0, "boxes", n, d, k);
        for (size_t i = 0; i < n && pass > 0; ++i) {
            CHECK(marks[i] == (before[i] != labels[i]), "a mark", n, d, k);
            CHECK(!marks[i] || old[i] == before[i], "an old label", n, d, k);
            marked += marks[i];
            marks[i] = 0;
        }
        CHECK(changed == (pass > 0 ? marked : n), "count of boxes", n, d, k);
    }
    free(centroids), free(moved), free(marks), free(before), free(dense), free(old), free(labels), free(rank),
        free(order);
    free(leaves), free(work), free(sorted), free(brick_boxes), free(boxes), free(copy), free(planes), free(packed);
}

/* The grid gives the labels of `assign`: with an even root or divided cells, with an outlier among the centroids, and
 * where its room does not suffice. */
static void F(check_grid)(const kmf_kernels *kernels, const F(problem) * p)
{
    const size_t n = p->n, d = p->d, k = p->k, lanes = KERNELS->panel / 2;
    const size_t n_cells = ((size_t)1 << 4 * d) + 1 + 64 * (k + 4), n_blocks = 400 * k + 64;
    int32_t *labels = (int32_t *)allocate(n, sizeof(int32_t)), *dense = (int32_t *)allocate(n, sizeof(int32_t));
    double *centroids = (double *)allocate(k * d, sizeof(double));
    T *packed = (T *)allocate(F(kmf_packed_size)(KERNELS, k, d), sizeof(T));
    T *work = (T *)allocate(kmf_grid_work(k, d), sizeof(T));
    T *shift = (T *)allocate(d, sizeof(T));
    F(kmf_grid)
    grid = {(uint32_t *)allocate(n_cells, sizeof(uint32_t)),
            (T *)allocate(n_blocks * (d + 2) * lanes, sizeof(T)),
            0,
            0,
            0,
            {0},
            {0},
            {0}};
    memcpy(centroids, p->centroids, k * d * sizeof(double));
    for (int outlier = 0; outlier < 2; ++outlier) {
        if (outlier)
            centroids[(k - 1) * d] = 1e4;
        KERNELS->score_shift(centroids, k, d, shift);
        KERNELS->pack(centroids, k, d, shift, packed);
        KERNELS->assign(p->X, n, d, shift, packed, k, dense, p->work);
        for (unsigned bits = 1; bits <= 4; bits += 3) {
            for (int scarce = 0; scarce < 2; ++scarce) {
                grid.bits = bits;
                grid.n_cells = scarce ? ((size_t)1 << bits * d) + 1 : n_cells;
                grid.n_blocks = scarce ? 1 + 8 / lanes : n_blocks;
                KERNELS->grid_build(packed, k, d, &grid, work);
                CHECK(grid.n_cells <= n_cells && grid.n_blocks <= n_blocks, "room of the grid", n, d, k);
                memset(labels, -1, n * sizeof *labels);
                KERNELS->grid_assign(p->X, n, d, shift, packed, k, &grid, labels, p->work);
                CHECK(memcmp(labels, dense, n * sizeof *labels) == 0, "grid", n, d, k);
            }
        }
    }
    free(grid.lists), free(grid.cells), free(shift), free(work), free(packed), free(centroids), free(dense),
        free(labels);
}

/* Codes in 16 bits give the labels of `assign`, with centroids that are equal, that lie on samples, and far out, and
 * whatever is taken for usual. */
static void F(check_codes)(const kmf_kernels *kernels, const F(problem) * p)
{
    const size_t n = p->n, d = p->d, k = p->k;
    if (d > 8 || !KERNELS->codes_round)
        return;
    int32_t *labels = (int32_t *)allocate(n, sizeof(int32_t)), *dense = (int32_t *)allocate(n, sizeof(int32_t));
    int32_t *codes = (int32_t *)allocate(kmf_codes_of_samples(n, d), sizeof(int32_t));
    double *centroids = (double *)allocate(k * d, sizeof(double));
    T *packed = (T *)allocate(F(kmf_packed_size)(KERNELS, k, d), sizeof(T));
    T *shift = (T *)allocate(d, sizeof(T)), *origin = (T *)allocate(d, sizeof(T));
    kmf_codes plan = {(int32_t *)allocate(kmf_codes_of_centroids(k, d), sizeof(int32_t)), 0, 0, 0, 0};
    double farthest = 0.0, squares = 0.0;
    memcpy(origin, p->X, d * sizeof(T));
    for (size_t i = 0; i < n; ++i) {
        double square = 0.0;
        for (size_t f = 0; f < d; ++f)
            square += ((double)p->X[i * d + f] - (double)origin[f]) * ((double)p->X[i * d + f] - (double)origin[f]);
        farthest = square > farthest ? square : farthest, squares += square;
    }
    farthest = sqrt(farthest) * 1.0001;
    KERNELS->codes_round(p->X, n, d, origin, farthest > 0 ? farthest : 1.0, codes);
    memcpy(centroids, p->centroids, k * d * sizeof(double));
    for (int kind = 0; kind < 4; ++kind) {
        for (size_t f = 0; f < d; ++f) {
            if (kind == 1) /* one of the samples, twice */
                centroids[f] = centroids[(k - 1) * d + f] = (double)p->X[(n - 1) * d + f];
            if (kind == 3) /* beyond all of them */
                centroids[f] = 3.0 * (farthest + (double)origin[f]);
        }
        const double usual = kind == 2 ? 1e-9 : sqrt(squares / (double)n);
        KERNELS->score_shift(centroids, k, d, shift);
        KERNELS->pack(centroids, k, d, shift, packed);
        KERNELS->assign(p->X, n, d, shift, packed, k, dense, p->work);
        if (!KERNELS->codes_pack(centroids, k, d, origin, shift, farthest, usual, 0.3 * usual, &plan))
            continue;
        memset(labels, -1, n * sizeof *labels);
        const size_t late = KERNELS->codes_assign(codes, p->X, n, d, shift, packed, k, &plan, labels, p->work);
        CHECK(late <= n && memcmp(labels, dense, n * sizeof *labels) == 0, "codes", n, d, k);
    }
    free(plan.centroids), free(origin), free(shift), free(packed), free(centroids), free(codes), free(dense),
        free(labels);
}
