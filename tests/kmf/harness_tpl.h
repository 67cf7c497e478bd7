/* The checks of harness.c for one dtype: T is the type, F(name) appends the dtype, KERNELS is its table. */

typedef struct {
    size_t n, d, k;
    T *X, *points, *shift, *work;
    double *centroids, *shift64, *weight; /* the same points and shift in double */
    int32_t *labels;                      /* what `assign` said */
} F(problem);

static F(problem) F(make)(const kmf_kernels *kernels, size_t n, size_t d, size_t k, int integers)
{
    F(problem) p = {n, d, k, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    p.X = (T *)allocate(n * d, sizeof(T));
    p.points = (T *)allocate(k * d, sizeof(T));
    p.shift = (T *)allocate(d, sizeof(T));
    p.work = (T *)allocate(F(kmf_work_size)(KERNELS, k, d), sizeof(T));
    p.centroids = (double *)allocate(k * d, sizeof(double));
    p.shift64 = (double *)allocate(d, sizeof(double));
    p.weight = (double *)allocate(n, sizeof(double));
    p.labels = (int32_t *)allocate(n, sizeof(int32_t));
    for (size_t i = 0; i < n * d; ++i)
        p.X[i] = (T)random_coordinate(integers);
    for (size_t i = 0; i < k * d; ++i)
        p.centroids[i] = (double)(p.points[i] = (T)random_coordinate(integers));
    for (size_t f = 0; f < d; ++f)
        p.shift64[f] = (double)(p.shift[f] = (T)random_coordinate(integers));
    for (size_t i = 0; i < n; ++i)
        p.weight[i] = (double)(random_bits() % 4);
    return p;
}

static void F(discard)(F(problem) p)
{
    free(p.X), free(p.points), free(p.shift), free(p.work);
    free(p.centroids), free(p.shift64), free(p.weight), free(p.labels);
}

static double F(distance)(const F(problem) * p, size_t i, size_t j)
{
    double sum = 0.0;
    for (size_t f = 0; f < p->d; ++f) {
        const double diff = (double)p->X[i * p->d + f] - p->centroids[j * p->d + f];
        sum += diff * diff;
    }
    return sum;
}

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

/* A round with up to 32 of the points as candidates, after the last points were chosen. */
static void F(check_seed_round)(const kmf_kernels *kernels, const F(problem) * p, const double *weight)
{
    const size_t q = p->k < 32 ? p->k : 32;
    for (size_t n_late = 0; n_late <= 6 && n_late <= p->k; n_late += n_late < 2 ? 1 : 4) {
        const size_t late = p->k - n_late;
        T *closest = (T *)allocate(p->n, sizeof(T)), *before = (T *)allocate(p->n, sizeof(T));
        int32_t *nearest = (int32_t *)allocate(p->n, sizeof(int32_t));
        double *potential = (double *)allocate(q, sizeof(double));
        for (size_t i = 0; i < p->n; ++i)
            closest[i] = before[i] = (T)(random_unit() * 12.0 * (double)p->d), nearest[i] = -1;
        for (size_t j = 0; j < q; ++j)
            potential[j] = 1.0; /* it is added to */
        KERNELS->seed_round(p->X, p->n, p->d, p->points + late * p->d, n_late, 7, p->points, q, closest, nearest,
                            weight, potential, p->work);
        for (size_t i = 0; i < p->n; ++i) {
            const double now = (double)before[i];
            double least = now;
            for (size_t j = late; j < p->k; ++j)
                least = F(distance)(p, i, j) < least ? F(distance)(p, i, j) : least;
            CHECK(close_to((double)closest[i], least, rounding(p->d, EPSILON)), "closest of seed_round", p->n, p->d, q);
            CHECK((nearest[i] >= 7) == (closest[i] < before[i]), "nearest of seed_round", p->n, p->d, q);
            if (nearest[i] >= 7)
                CHECK(close_to(F(distance)(p, i, late + (size_t)nearest[i] - 7), least, rounding(p->d, EPSILON)),
                      "nearest of seed_round", p->n, p->d, q);
        }
        for (size_t j = 0; j < q; ++j) {
            double sum = 1.0;
            for (size_t i = 0; i < p->n; ++i) {
                const double distance = F(distance)(p, i, j), now = (double)closest[i];
                sum += (weight ? weight[i] : 1.0) * (distance < now ? distance : now);
            }
            CHECK(close_to(potential[j], sum, rounding(p->d + p->n, EPSILON)), "seed_round", p->n, p->d, q);
        }
        free(potential), free(nearest), free(before), free(closest);
    }
}

/* sum w min(now, |x - point j|^2) */
static double F(potential)(const F(problem) * p, const T *now, size_t j, const double *weight)
{
    double sum = 0.0;
    for (size_t i = 0; i < p->n; ++i) {
        const double distance = F(distance)(p, i, j);
        sum += (weight ? weight[i] : 1.0) * (distance < (double)now[i] ? distance : (double)now[i]);
    }
    return sum;
}

/* The lists of a batch: the first half of the points is chosen, the others are proposed. */
static void F(check_lists)(const kmf_kernels *kernels, const F(problem) * p, const double *weight, int filtered)
{
    const size_t m = (p->k + 1) / 2, q = p->k - m, n = p->n, d = p->d, stride = (q + 31) / 32 * 32;
    const size_t blocks = q * (n / KMF_LIST + 1);
    if (q == 0)
        return;
    T *closest = (T *)allocate(n, sizeof(T)), *between = (T *)allocate(m * stride, sizeof(T));
    T *least = (T *)allocate(m, sizeof(T)), *quarter = (T *)allocate(m, sizeof(T));
    double *gain = (double *)allocate(q, sizeof(double));
    T *packed = (T *)allocate(F(kmf_packed_size)(KERNELS, q, d), sizeof(T));
    T *filter = (T *)allocate(F(kmf_filter_size)(KERNELS, q, d), sizeof(T));
    T *work = (T *)allocate(F(kmf_improve_size)(KERNELS, n, m, q, d), sizeof(T));
    int32_t *nearest = (int32_t *)allocate(n, sizeof(int32_t)), *ends = (int32_t *)allocate(3 * q, sizeof(int32_t));
    F(kmf_lists)
    lists = {(T *)allocate(blocks * KMF_LIST, sizeof(T)),
             (uint32_t *)allocate(blocks * KMF_LIST, 4),
             (int32_t *)allocate(blocks, 4),
             ends,
             ends + q,
             ends + 2 * q,
             gain,
             0,
             blocks};
    F(kmf_proposals) batch = {p->points + m * d, packed, NULL, q, m, between, stride, least, quarter, 0.0};
    for (size_t a = 0; a < m; ++a) {
        least[a] = (T)HUGE_VAL;
        for (size_t j = 0; j < stride; ++j) {
            double square = 0.0;
            for (size_t f = 0; f < d && j < q; ++f) {
                const double diff = p->centroids[a * d + f] - p->centroids[(m + j) * d + f];
                square += diff * diff;
            }
            between[a * stride + j] = j < q ? (T)(0.25 * square * (1.0 - rounding(d, EPSILON))) : (T)HUGE_VAL;
            least[a] = between[a * stride + j] < least[a] ? between[a * stride + j] : least[a];
        }
        quarter[a] = between[a * stride + q / 2];
    }
    for (size_t j = 0; j < q; ++j) {
        double norm = 0.0;
        for (size_t f = 0; f < d; ++f) {
            const double c = p->centroids[(m + j) * d + f] - p->shift64[f];
            norm += c * c;
        }
        batch.largest = sqrt(norm) > batch.largest ? sqrt(norm) : batch.largest;
        ends[j] = ends[q + j] = -1, ends[2 * q + j] = KMF_LIST, gain[j] = 0.0;
    }
    batch.largest *= 1.000001;
    KERNELS->pack(p->centroids + m * d, q, d, p->shift, packed);
    if (filtered && KERNELS->filter_pack && sizeof(T) == 4 && d > 8) {
        KERNELS->filter_pack(p->centroids + m * d, q, d, p->shift, filter);
        batch.filter = filter;
    }
    for (size_t i = 0; i < n; ++i) {
        nearest[i] = 0;
        for (size_t a = 1; a < m; ++a)
            nearest[i] = F(distance)(p, i, a) < F(distance)(p, i, (size_t)nearest[i]) ? (int32_t)a : nearest[i];
        closest[i] = (T)F(distance)(p, i, (size_t)nearest[i]);
    }
    CHECK(KERNELS->improvements(p->X, n, d, p->shift, &batch, nearest, closest, 0, &lists, work), "improvements", n, d,
          q);
    const double now = F(potential)(p, closest, 0, weight);
    for (size_t j = 0; j < q; ++j) {
        CHECK(fabs(KERNELS->list_gain(&lists, j, closest, NULL) - gain[j]) <=
                  rounding(d + n, EPSILON) * (1.0 + gain[j]),
              "gain", n, d, q);
        CHECK(fabs(KERNELS->list_gain(&lists, j, closest, weight) - now + F(potential)(p, closest, m + j, weight)) <=
                  rounding(d + n, EPSILON) * (1.0 + now),
              "list_gain", n, d, q);
    }
    KERNELS->list_apply(&lists, q - 1, -7, nearest, closest);
    for (size_t i = 0; i < n; ++i) {
        const double distance = F(distance)(p, i, p->k - 1);
        CHECK((double)closest[i] <= distance * (1.0 + rounding(d, EPSILON)), "list_apply", n, d, q);
        CHECK(nearest[i] != -7 || close_to((double)closest[i], distance, rounding(d, EPSILON)), "list_apply", n, d, q);
    }
    if (lists.used > 1) { /* too few blocks */
        lists.end = lists.used - 1, lists.used = 0;
        for (size_t j = 0; j < q; ++j)
            ends[j] = ends[q + j] = -1, ends[2 * q + j] = KMF_LIST;
        for (size_t i = 0; i < n; ++i)
            nearest[i] = 0, closest[i] = (T)F(distance)(p, i, 0);
        CHECK(!KERNELS->improvements(p->X, n, d, p->shift, &batch, nearest, closest, 0, &lists, work),
              "end of improvements", n, d, q);
    }
    free(lists.next), free(lists.rows), free(lists.distances), free(ends), free(nearest), free(work), free(filter);
    free(packed), free(quarter), free(gain), free(least), free(between), free(closest);
}

/* Patches: two points are chosen, and what the others gain is that of all samples. */
static void F(check_patches)(const kmf_kernels *kernels, const F(problem) * p, const double *weight)
{
    const size_t n = p->n, d = p->d, panel = KERNELS->panel, group = panel / 2;
    const size_t n_panels = ((n + panel - 1) / panel + group - 1) / group * group, size = n_panels * panel;
    const size_t n_tops = (n_panels / group + group - 1) / group * group, box = 2 * d + 1;
    if (d > 3)
        return;
    uint32_t *order = (uint32_t *)allocate(n, sizeof(uint32_t)), *seen = (uint32_t *)allocate(n, sizeof(uint32_t));
    T *closest = (T *)allocate(size, sizeof(T)), *by_row = (T *)allocate(n, sizeof(T));
    F(kmf_patches)
    patches = {(T *)allocate(size * d, sizeof(T)),
               closest,
               weight ? (T *)allocate(size, sizeof(T)) : NULL,
               (T *)allocate(n_panels * box, sizeof(T)),
               (T *)allocate(n_tops * box, sizeof(T)),
               n_panels};
    uint64_t *work = (uint64_t *)allocate(2 * n, sizeof(uint64_t));
    KERNELS->patch(p->X, n, d, NULL, order, &patches, work);
    memset(seen, 0, n * sizeof(uint32_t));
    for (size_t i = 0; i < n; ++i)
        seen[order[i]]++, by_row[i] = (T)HUGE_VAL;
    for (size_t i = 0; i < size && weight; ++i)
        patches.weight[i] = i < n ? (T)weight[order[i]] : 1;
    for (size_t j = 0; j < p->k; ++j) {
        if (j > 0) {
            const double now = F(potential)(p, by_row, 0, weight), gain = now - F(potential)(p, by_row, j, weight);
            const double error = fabs(KERNELS->patch_gain(&patches, p->points + j * d, d) - gain);
            CHECK(error <= rounding(d + n, EPSILON) * (1.0 + now), "patch_gain", n, d, p->k);
        }
        if (j > 1)
            continue;
        KERNELS->patch_choose(&patches, p->points + j * d, d);
        for (size_t i = 0; i < n; ++i) {
            const double distance = F(distance)(p, order[i], j), now = (double)by_row[order[i]];
            CHECK(seen[i] == 1, "patch", n, d, p->k);
            CHECK(close_to((double)closest[i], distance < now ? distance : now, rounding(d, EPSILON)), "patch_choose",
                  n, d, p->k);
            by_row[order[i]] = closest[i];
        }
    }
    free(work), free(patches.tops), free(patches.boxes), free(patches.weight), free(patches.panels);
    free(by_row), free(closest), free(seen), free(order);
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

/* Distances between the centroids, and to the nearest other one, as a caller makes them for the bounds. */
static void F(measure_gaps)(const F(problem) * p, const double *centroids, float *apart, float *near)
{
    for (size_t i = 0; i < p->k; ++i) {
        near[i] = 1e37f;
        for (size_t j = 0; j < p->k; ++j) {
            double square = 0.0;
            for (size_t f = 0; f < p->d; ++f) {
                const double diff = centroids[i * p->d + f] - centroids[j * p->d + f];
                square += diff * diff;
            }
            apart[i * p->k + j] = i == j ? 1e37f : (float)(sqrt(square) * 0.999999);
            near[i] = fminf(near[i], apart[i * p->k + j]);
        }
    }
}

/* Rivals are other centroids, no farther than their gap says none is; the last gap bounds all that are not listed. */
static void F(check_rivals)(const F(problem) * p, const float *apart, const int32_t *rivals, const float *gaps)
{
    for (size_t i = 0; i < p->k; ++i) {
        const float *gap = gaps + i * (KMF_RIVALS + 1);
        for (size_t j = 0; j < p->k; ++j) {
            size_t r = 0;
            while (r < KMF_RIVALS && !(gap[r] < 1e37f && rivals[i * KMF_RIVALS + r] == (int32_t)j))
                ++r;
            CHECK(i != j || r == KMF_RIVALS, "a rival of itself", p->n, p->d, p->k);
            CHECK(i == j || gap[r] * 0.999999f <= apart[i * p->k + j], "a gap", p->n, p->d, p->k);
        }
        for (size_t r = 0; r < KMF_RIVALS; ++r)
            CHECK(gap[r] <= gap[r + 1], "the order of gaps", p->n, p->d, p->k);
    }
}

static double F(distance_to)(const F(problem) * p, size_t i, const double *centroid)
{
    double square = 0.0;
    for (size_t f = 0; f < p->d; ++f) {
        const double diff = (double)p->X[i * p->d + f] - centroid[f];
        square += diff * diff;
    }
    return sqrt(square);
}

/* Passes with bounds give the labels of dense ones while the centroids wander, on ties as well: Hamerly's, without and
 * with the filter, and Elkan's. */
enum F(bounds_kind) { F(HAMERLY), F(FILTERED), F(ELKAN) };

static void F(check_bounds)(const kmf_kernels *kernels, const F(problem) * p, enum F(bounds_kind) kind)
{
    const size_t k = p->k, elkan_work = k + KERNELS->panel * (k + KERNELS->tile);
    const size_t work =
        F(kmf_work_size)(KERNELS, k, p->d) + 3 * p->n + 1 + F(kmf_filter_work)(KERNELS, p->d) + elkan_work;
    T *filter = kind == F(FILTERED) ? (T *)allocate(F(kmf_filter_size)(KERNELS, k, p->d), sizeof(T)) : NULL;
    T *packed = (T *)allocate(F(kmf_packed_size)(KERNELS, k, p->d), sizeof(T));
    T *scratch = (T *)allocate(work, sizeof(T)), *rows = (T *)allocate(k * p->d, sizeof(T));
    float *upper = (float *)allocate(p->n, sizeof(float)), *lower = (float *)allocate(p->n, sizeof(float));
    float *moved = (float *)allocate(k, sizeof(float)), *near = (float *)allocate(k, sizeof(float));
    float *apart = (float *)allocate(k * k, sizeof(float)), *drift = (float *)allocate(k, sizeof(float));
    float *bounds = (float *)allocate(p->n * k, sizeof(float)), *near_even = (float *)allocate(k, sizeof(float));
    double *centroids = (double *)allocate(k * p->d, sizeof(double));
    int32_t *labels = (int32_t *)allocate(p->n, sizeof(int32_t));
    const size_t n_movers = (k + 1) / 2; /* every other centroid: any will do */
    T *movers = (T *)allocate(F(kmf_packed_size)(KERNELS, n_movers, p->d), sizeof(T));
    double *evens = (double *)allocate(n_movers * p->d, sizeof(double));
    int32_t *mover = (int32_t *)allocate(n_movers, sizeof(int32_t));
    int32_t *rivals = (int32_t *)allocate(k * KMF_RIVALS, sizeof(int32_t));
    float *gaps = (float *)allocate(k * (KMF_RIVALS + 1), sizeof(float));
    memcpy(centroids, p->centroids, k * p->d * sizeof(double));
    memset(drift, 0, k * sizeof(float));
    for (int pass = 0; pass < 6; ++pass) {
        kmf_moves moves = {moved, near, NULL, NULL, apart, drift, near_even, mover, movers, n_movers, 0, 0, 0, 0};
        double largest = 0.0;
        for (size_t j = 0; j < k; ++j) {
            double norm = 0.0, step = pass > 0 && random_bits() % 4 == 0 ? 1.0 / (1 << pass) : 0.0;
            centroids[j * p->d] += step;
            moved[j] = (float)(step * 1.000001);
            drift[j] += moved[j];
            for (size_t f = 0; f < p->d; ++f) {
                const double c = centroids[j * p->d + f] - p->shift64[f];
                rows[j * p->d + f] = (T)c;
                norm += c * c;
            }
            largest = norm > largest ? norm : largest;
            if (moved[j] > moves.most)
                moves.next = moves.most, moves.most = moved[j], moves.farthest = (int32_t)j;
            else if (moved[j] > moves.next)
                moves.next = moved[j];
        }
        const float reach = (float)(sqrt(largest) * 1.000001);
        F(measure_gaps)(p, centroids, apart, near);
        for (size_t i = 0; i < k; ++i) {
            near_even[i] = 1e37f;
            for (size_t j = 0; j < k; j += 2)
                near_even[i] = apart[i * k + j] < near_even[i] ? apart[i * k + j] : near_even[i];
            if (i % 2 && moved[i] > moves.rest)
                moves.rest = moved[i];
        }
        for (size_t j = 0; j < n_movers; ++j) {
            mover[j] = (int32_t)(2 * j);
            memcpy(evens + j * p->d, centroids + 2 * j * p->d, p->d * sizeof(double));
        }
        KERNELS->pack(evens, n_movers, p->d, p->shift, movers);
        KERNELS->pack(centroids, k, p->d, p->shift, packed);
        KERNELS->assign(p->X, p->n, p->d, p->shift, packed, k, p->labels, p->work);
        if (filter)
            KERNELS->filter_pack(centroids, k, p->d, p->shift, filter);
        if (kind == F(ELKAN)) {
            const size_t computed = KERNELS->elkan(p->X, p->n, p->d, p->shift, packed, rows, k, reach, &moves, pass > 0,
                                                   labels, upper, lower, bounds, scratch);
            CHECK(pass > 0 ? computed <= 2 * p->n * k : computed == p->n * k, "count of elkan", p->n, p->d, k);
        } else {
            size_t unfiltered, settled;
            KERNELS->find_rivals(rows, packed, k, p->d, 0, k, reach, rivals, gaps, scratch);
            F(check_rivals)(p, apart, rivals, gaps);
            if (pass % 3 != 2)
                moves.rivals = rivals, moves.gaps = gaps;
            const size_t scored =
                KERNELS->hamerly(p->X, p->n, p->d, p->shift, packed, rows, filter, k, reach, pass == 0 ? NULL : &moves,
                                 labels, upper, lower, &unfiltered, &settled, scratch);
            CHECK(unfiltered <= scored, "unfiltered", p->n, p->d, k);
            CHECK(pass == 0 ? scored == p->n : scored <= p->n, "count of hamerly", p->n, p->d, k);
        }
        CHECK(memcmp(labels, p->labels, p->n * sizeof(int32_t)) == 0, "labels by bounds", p->n, p->d, k);
        for (size_t i = 0; i < p->n; ++i) {
            for (size_t j = 0; j < k; ++j) {
                const double distance = F(distance_to)(p, i, centroids + j * p->d);
                const int own = (int32_t)j == labels[i];
                CHECK(own ? distance <= upper[i] : distance >= lower[i], "a bound", p->n, p->d, k);
                if (kind == F(ELKAN) && !own)
                    CHECK(distance * 1.000001 >= bounds[i * k + j] - drift[j], "a bound of Elkan's", p->n, p->d, k);
            }
        }
    }
    free(rivals), free(gaps), free(mover), free(evens), free(movers), free(labels), free(centroids), free(bounds),
        free(drift), free(apart), free(near), free(moved), free(near_even);
    free(lower), free(upper), free(rows), free(scratch), free(packed), free(filter);
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
