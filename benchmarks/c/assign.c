/* Time the assignment kernels of src/kmf alone, with no Python: assign.c ISA THREADS DTYPE N D K, one line of seconds.
 *
 * The work of the kernel does not depend on the values, so the data are pseudo-random and the centroids the first
 * samples. Samples are handed to the threads in equal parts, a chunk a call, as the Cython layer does.
 */
#define KMF_IMPLEMENTATION
#include "kmf.h"

#include "measure.h"

#include <string.h>

#define CHUNK ((size_t)4096)

typedef struct {
    size_t n, d, k;
    int32_t *labels;
    const kmf_kernels *kernels;
    void *X, *packed, *shift;
    void *work[MAX_THREADS];
} problem;

#define BENCH(suffix, T)                                                                                               \
    static void assign_##suffix(void *argument, int thread, int n_threads, long repeats)                               \
    {                                                                                                                  \
        problem *p = (problem *)argument;                                                                              \
        const size_t chunks = (p->n + CHUNK - 1) / CHUNK, t = (size_t)thread, all = (size_t)n_threads;                 \
        for (long r = 0; r < repeats; ++r)                                                                             \
            for (size_t c = chunks * t / all; c < chunks * (t + 1) / all; ++c) {                                       \
                const size_t first = c * CHUNK, m = p->n - first < CHUNK ? p->n - first : CHUNK;                       \
                p->kernels->suffix.assign((const T *)p->X + first * p->d, m, p->d, (const T *)p->shift,                \
                                          (const T *)p->packed, p->k, p->labels + first, (T *)p->work[t]);             \
            }                                                                                                          \
    }                                                                                                                  \
    static void fill_##suffix(problem *p, int n_threads)                                                               \
    {                                                                                                                  \
        const kmf_kernels_##suffix *kernels = &p->kernels->suffix;                                                     \
        T *X = (T *)(p->X = get(p->n * p->d * sizeof(T)));                                                             \
        double *centroids = (double *)get(p->k * p->d * sizeof(double));                                               \
        uint32_t state = 1;                                                                                            \
        for (size_t i = 0; i < p->n * p->d; ++i) {                                                                     \
            state = state * 1664525u + 1013904223u;                                                                    \
            X[i] = (T)(state >> 8) / (T)(1 << 24);                                                                     \
        }                                                                                                              \
        for (size_t i = 0; i < p->k * p->d; ++i)                                                                       \
            centroids[i] = (double)X[i];                                                                               \
        p->shift = get(p->d * sizeof(T));                                                                              \
        memset(p->shift, 0, p->d * sizeof(T));                                                                         \
        p->packed = get(kmf_packed_size_##suffix(kernels, p->k, p->d) * sizeof(T));                                    \
        kernels->pack(centroids, p->k, p->d, (const T *)p->shift, (T *)p->packed);                                     \
        for (int i = 0; i < n_threads; ++i)                                                                            \
            p->work[i] = get(kmf_work_size_##suffix(kernels, p->k, p->d) * sizeof(T));                                 \
        free(centroids);                                                                                               \
    }

static void *get(size_t bytes)
{
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (memory == NULL)
        exit(3);
    return memory;
}

BENCH(f32, float)
BENCH(f64, double)

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    problem p = {(size_t)atol(argv[4]),
                 (size_t)atol(argv[5]),
                 (size_t)atol(argv[6]),
                 NULL,
                 kmf_select(argv[1]),
                 NULL,
                 NULL,
                 NULL,
                 {NULL}};
    const int n_threads = atoi(argv[2]), single = strcmp(argv[3], "float32") == 0;
    if (p.kernels == NULL || n_threads < 1 || n_threads > MAX_THREADS)
        return 4;
    p.labels = (int32_t *)get(p.n * sizeof(int32_t));
    (single ? fill_f32 : fill_f64)(&p, n_threads);
    printf("%.9g\n", best_time(single ? assign_f32 : assign_f64, &p, n_threads));
    return 0;
}
