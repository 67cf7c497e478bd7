/* k-medians: sums of absolute differences, and medians. */

static double F(l1_distance)(const F(problem) * p, size_t i, size_t j)
{
    double sum = 0.0;
    for (size_t f = 0; f < p->d; ++f)
        sum += fabs((double)p->X[i * p->d + f] - p->centroids[j * p->d + f]);
    return sum;
}

static void F(check_l1)(const kmf_kernels *kernels, const F(problem) * p, const double *weight, int integers)
{
    const size_t n = p->n, d = p->d, k = p->k, q = k < 5 ? k : 5, late = k - 1;
    const double tolerance = 8.0 * rounding(d, EPSILON) * (double)d; /* coordinates differ by 8 at most */
    int32_t *labels = (int32_t *)allocate(n, sizeof(int32_t));
    double *own = (double *)allocate(n, sizeof(double)), *potential = (double *)allocate(q, sizeof(double));
    T *closest = (T *)allocate(n, sizeof(T)), *before = (T *)allocate(n, sizeof(T));
    const double total = KERNELS->l1_assign(p->X, n, d, p->points, k, weight, labels, p->work);
    KERNELS->own_l1_distances(p->X, n, d, p->centroids, labels, own);
    double expected = 0.0;
    for (size_t i = 0; i < n; ++i) {
        size_t nearest = 0;
        for (size_t j = 1; j < k; ++j) {
            if (F(l1_distance)(p, i, j) < F(l1_distance)(p, i, nearest))
                nearest = j;
        }
        CHECK(labels[i] >= 0 && (size_t)labels[i] < k, "range of l1_assign", n, d, k);
        if (integers) /* the lowest of equals */
            CHECK((size_t)labels[i] == nearest, "l1_assign", n, d, k);
        else
            CHECK(F(l1_distance)(p, i, (size_t)labels[i]) <= F(l1_distance)(p, i, nearest) + tolerance, "l1_assign", n,
                  d, k);
        CHECK(close_to(own[i], F(l1_distance)(p, i, (size_t)labels[i]), rounding(d, DBL_EPSILON)), "own_l1_distances",
              n, d, k);
        expected += (weight ? weight[i] : 1.0) * own[i];
        closest[i] = before[i] = (T)(random_unit() * 5.0 * (double)d);
    }
    CHECK(close_to(total, expected, rounding(d + n, EPSILON)), "sum of l1_assign", n, d, k);
    for (size_t j = 0; j < q; ++j)
        potential[j] = 1.0; /* it is added to */
    KERNELS->l1_round(p->X, n, d, p->points + late * d, p->points, q, closest, weight, potential, p->work);
    for (size_t i = 0; i < n; ++i) {
        const double distance = F(l1_distance)(p, i, late), now = (double)before[i];
        CHECK(close_to((double)closest[i], distance < now ? distance : now, rounding(d, EPSILON)),
              "closest of l1_round", n, d, q);
    }
    for (size_t j = 0; j < q; ++j) {
        double sum = 1.0;
        for (size_t i = 0; i < n; ++i) {
            const double distance = F(l1_distance)(p, i, j), now = (double)closest[i];
            sum += (weight ? weight[i] : 1.0) * (distance < now ? distance : now);
        }
        CHECK(close_to(potential[j], sum, rounding(d + n, EPSILON)), "l1_round", n, d, q);
    }
    free(before), free(closest), free(potential), free(own), free(labels);
}

/* Against a count of what lies below: values with many equals and with none, weights that are whole and that are not. */
static void F(check_median)(const kmf_kernels *kernels, size_t n, unsigned different, int weighted)
{
    T *values = (T *)allocate(n, sizeof(T)), *given = (T *)allocate(n, sizeof(T));
    double *weights = (double *)allocate(n, sizeof(double)), *given_weights = (double *)allocate(n, sizeof(double));
    double total = 0.0, below = 0.0, up_to = 0.0;
    size_t found = 0;
    for (size_t i = 0; i < n; ++i) {
        values[i] = given[i] = (T)(random_bits() % different) - (T)(different / 2);
        weights[i] = given_weights[i] = weighted ? (double)(1 + random_bits() % 7) / 4.0 : 1.0;
        total += weights[i];
    }
    const T median = KERNELS->median(values, weighted ? weights : NULL, n);
    for (size_t i = 0; i < n; ++i) {
        found += given[i] == median;
        below += given[i] < median ? given_weights[i] : 0.0;
        up_to += given[i] <= median ? given_weights[i] : 0.0;
    }
    CHECK(found > 0 && below < 0.5 * total && up_to >= 0.5 * total, "median", n, (size_t)different, (size_t)weighted);
    free(given_weights), free(weights), free(given), free(values);
}
