/* Random samples, centroids, a shift and weights, and the plain distance that kernels are held to. */

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
