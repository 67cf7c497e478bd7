/* Kernels that score every centroid, and what goes with a pass: sums, the survey of X, prices of removal. */

static void F(check_assign)(const kmf_kernels *kernels, const F(problem) * p, int integers)
{
    T *packed = (T *)allocate(F(kmf_packed_size)(KERNELS, p->k, p->d), sizeof(T));
    /* Some centroid's coordinate, with as many of the sampled ones below as above. */
    T *shift = (T *)allocate(p->d, sizeof(T));
    KERNELS->score_shift(p->centroids, p->k, p->d, shift);
    for (size_t f = 0; f < p->d; ++f) {
        const size_t step = (p->k + 14) / 15;
        size_t below = 0, same = 0, above = 0;
        for (size_t j = 0; j < p->k; j += step) {
            const T c = (T)p->centroids[j * p->d + f];
            below += c<shift[f], same += c == shift[f], above += c> shift[f];
        }
        CHECK(same > 0 && below <= above + same && above <= below + same, "score_shift", p->n, p->d, p->k);
    }
    free(shift);
    KERNELS->pack(p->centroids, p->k, p->d, p->shift, packed);
    KERNELS->assign(p->X, p->n, p->d, p->shift, packed, p->k, p->labels, p->work);
    for (size_t i = 0; i < p->n; ++i) {
        size_t nearest = 0;
        for (size_t j = 1; j < p->k; ++j) {
            if (F(distance)(p, i, j) < F(distance)(p, i, nearest))
                nearest = j;
        }
        CHECK(p->labels[i] >= 0 && (size_t)p->labels[i] < p->k, "range of assign", p->n, p->d, p->k);
        if (integers) /* the lowest of equals */
            CHECK((size_t)p->labels[i] == nearest, "assign", p->n, p->d, p->k);
        else /* scores are as large as the squared coordinates, 64 each, and so is their rounding */
            CHECK(F(distance)(p, i, (size_t)p->labels[i]) <=
                      F(distance)(p, i, nearest) + 64.0 * rounding(p->d, EPSILON) * (double)p->d,
                  "assign", p->n, p->d, p->k);
    }
    free(packed);
}

/* sums[j] += weight (x - shift), then the weight and the count */
static void F(add_naively)(const F(problem) * p, size_t i, int32_t j, double weight, double *sums)
{
    if (j < 0)
        return;
    double *sum = sums + (size_t)j * (p->d + 2);
    for (size_t f = 0; f < p->d; ++f)
        sum[f] += weight * ((double)p->X[i * p->d + f] - p->shift64[f]);
    sum[p->d] += weight;
    sum[p->d + 1] += weight > 0.0;
}

static void F(check_update)(const kmf_kernels *kernels, const F(problem) * p, const double *weight)
{
    const size_t size = p->k * (p->d + 2), middle = p->d / 2;
    double *sums = (double *)allocate(size, sizeof(double)), *expected = (double *)allocate(size, sizeof(double));
    int32_t *moved = (int32_t *)allocate(p->n, sizeof(int32_t));
    for (size_t i = 0; i < size; ++i)
        sums[i] = expected[i] = 0.0;
    size_t changed = 0;
    for (size_t i = 0; i < p->n; ++i) {
        moved[i] = i % 3 ? p->labels[i] : (int32_t)(random_bits() % (p->k + 1)) - 1;
        changed += moved[i] != p->labels[i];
        F(add_naively)(p, i, moved[i], weight ? weight[i] : 1.0, expected);
    }
    CHECK(KERNELS->update(p->X, p->n, p->d, NULL, p->labels, weight, p->shift64, 0, p->d, sums) == p->n,
          "count of update", p->n, p->d, p->k);
    for (int half = middle > 0 ? 0 : 1; half < 2; ++half)
        CHECK(KERNELS->update(p->X, p->n, p->d, p->labels, moved, weight, p->shift64, half ? middle : 0,
                              half ? p->d : middle, sums) == changed,
              "count of update", p->n, p->d, p->k);
    for (size_t i = 0; i < size; ++i)
        CHECK(fabs(sums[i] - expected[i]) <= 1e-12 * 8.0 * 4.0 * (double)(p->n + 1), "update", p->n, p->d, p->k);
    free(moved), free(expected), free(sums);
}

static void F(check_distances)(const kmf_kernels *kernels, const F(problem) * p)
{
    T *out = (T *)allocate(p->n * p->k, sizeof(T));
    double *own = (double *)allocate(p->n, sizeof(double));
    KERNELS->squared_distances(p->X, p->n, p->d, p->points, p->k, out, p->work);
    KERNELS->own_squared_distances(p->X, p->n, p->d, p->centroids, p->labels, own);
    for (size_t i = 0; i < p->n; ++i) {
        CHECK(close_to(own[i], F(distance)(p, i, (size_t)p->labels[i]), rounding(p->d, DBL_EPSILON)),
              "own_squared_distances", p->n, p->d, p->k);
        for (size_t j = 0; j < p->k; ++j)
            CHECK(close_to((double)out[i * p->k + j], F(distance)(p, i, j), rounding(p->d, EPSILON)),
                  "squared_distances", p->n, p->d, p->k);
    }
    free(own), free(out);
}

static void F(check_survey)(const kmf_kernels *kernels, const F(problem) * p, const double *weight)
{
    double *sums = (double *)allocate(p->d, sizeof(double)), *squares = (double *)allocate(p->d, sizeof(double));
    double *most = (double *)allocate(p->d, sizeof(double));
    for (size_t f = 0; f < p->d; ++f)
        sums[f] = 3.0, squares[f] = 5.0, most[f] = 0.5; /* they are added to */
    KERNELS->survey(p->X, p->n, p->d, p->shift64, weight, sums, squares, most);
    for (size_t f = 0; f < p->d; ++f) {
        double sum = 3.0, square = 5.0, far = 0.5;
        for (size_t i = 0; i < p->n; ++i) {
            const double x = (double)p->X[i * p->d + f] - p->shift64[f], w = weight ? weight[i] : 1.0;
            sum += w * x;
            square += w * x * x;
            far = fabs(x) > far ? fabs(x) : far;
        }
        CHECK(most[f] == far, "the most of survey", p->n, p->d, p->k);
        CHECK(fabs(sums[f] - sum) <= 1e-12 * 8.0 * (double)(p->n + 1), "sums of survey", p->n, p->d, p->k);
        CHECK(close_to(squares[f], square, rounding(p->n, DBL_EPSILON)), "squares of survey", p->n, p->d, p->k);
    }
    free(most), free(squares), free(sums);
}

/* losses[j] = how much farther the second nearest centroids of the samples of j are. */
static void F(check_removal)(const kmf_kernels *kernels, const F(problem) * p, const double *weight)
{
    T *packed = (T *)allocate(F(kmf_packed_size)(KERNELS, p->k, p->d), sizeof(T));
    double *losses = (double *)allocate(p->k, sizeof(double)), *expected = (double *)allocate(p->k, sizeof(double));
    double total = 0.0, expected_total = 0.0;
    for (size_t j = 0; j < p->k; ++j)
        losses[j] = expected[j] = 1.0; /* they are added to */
    KERNELS->pack(p->centroids, p->k, p->d, p->shift, packed);
    KERNELS->removal_losses(p->X, p->n, p->d, p->shift, packed, p->k, weight, losses, p->work);
    for (size_t i = 0; i < p->n && p->k > 1; ++i) {
        const size_t own = (size_t)p->labels[i];
        double next = HUGE_VAL;
        for (size_t j = 0; j < p->k; ++j) {
            if (j != own && F(distance)(p, i, j) < next)
                next = F(distance)(p, i, j);
        }
        expected[own] += (next - F(distance)(p, i, own)) * (weight ? weight[i] : 1.0);
    }
    /* Scores are as large as the squared coordinates, 64 each, and so is their rounding. */
    const double off = 4.0 * 64.0 * rounding(p->d, EPSILON) * (double)p->d * (double)p->n * 3.0;
    for (size_t j = 0; j < p->k && p->k > 1; ++j) {
        CHECK(fabs(losses[j] - expected[j]) <= off, "removal_losses", p->n, p->d, p->k);
        total += losses[j], expected_total += expected[j];
    }
    CHECK(fabs(total - expected_total) <= off * (double)p->k, "sum of removal_losses", p->n, p->d, p->k);
    free(expected), free(losses), free(packed);
}
