/* Hamerly's and Elkan's bounds, rivals, and the filter in 8 bits. */

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
