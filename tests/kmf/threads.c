/* Passes over shared samples by a team of threads, as the Cython layer makes them: for a thread sanitizer.
 *
 * Built with clang, -fsanitize=thread and its OpenMP. A thread has scratch of its own and labels, bounds and sums of
 * its own chunks; all else is shared and read. Holds the result to that of one thread, bit for bit.
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#define KMF_IMPLEMENTATION
#include "kmf.h"

enum { N = 6000, D = 10, K = 23, CHUNK = 256, CHUNKS = (N + CHUNK - 1) / CHUNK, SLICES = 8, PASSES = 4, TEAM = 4 };

typedef struct {
    float X[N * D], upper[N], lower[N], bounds[N * K], shift[D], rows[K * D], zeros[D];
    int32_t labels[N];
    double centroids[K * D], sums[SLICES][K * (D + 2)], shift64[D], squares[SLICES][2 * D];
    float moved[K], near[K], near_mover[K], drift[K], apart[K * K], closest[N];
} state;

static void make(state *s)
{
    uint64_t bits = 88172645463325252u;
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < N * D; ++i) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        s->X[i] = (float)(bits >> 40) / 16777216.0f;
    }
    for (size_t i = 0; i < K * D; ++i)
        s->centroids[i] = s->X[i];
    for (size_t i = 0; i < N; ++i)
        s->closest[i] = 1e30f;
}

/* One pass by one of the algorithms: label and sum the chunks of each slice, then move the centroids. */
static void pass(const kmf_kernels *kernels, state *s, int elkan, int first, int team)
{
    const kmf_kernels_f32 *f32 = &kernels->f32;
    const size_t scratch = kmf_work_size_f32(f32, K, D) + CHUNK + 2 * K + 64 + 32 * (K + 64);
    float *packed = (float *)malloc(kmf_packed_size_f32(f32, K, D) * sizeof(float));
    float *work = (float *)malloc(scratch * (size_t)team * sizeof(float));
    kmf_moves moves;
    if (packed == NULL || work == NULL)
        abort();
    memset(&moves, 0, sizeof moves);
    moves.moved = s->moved, moves.most = moves.next = 1.0f; /* more than any centroid moves: bounds stay bounds */
    moves.near = s->near, moves.near_mover = s->near_mover, moves.apart = s->apart, moves.drift = s->drift;
    for (size_t j = 0; j < K; ++j) {
        s->moved[j] = 1.0f;
        s->drift[j] += first ? 0.0f : 1.0f;
        for (size_t f = 0; f < D; ++f)
            s->rows[j * D + f] = (float)s->centroids[j * D + f];
    }
    f32->pack(s->centroids, K, D, s->shift, packed);
    memset(s->sums, 0, sizeof s->sums);
#pragma omp parallel for schedule(dynamic, 1) num_threads(team)
    for (int slice = 0; slice < SLICES; ++slice) {
        float *mine = work + scratch * (size_t)omp_get_thread_num();
        double potential[3] = {0.0};
        for (size_t c = (size_t)slice; c < CHUNKS; c += SLICES) {
            const size_t row = c * CHUNK, m = N - row < CHUNK ? N - row : CHUNK;
            size_t unfiltered;
            if (elkan)
                f32->elkan(s->X + row * D, m, D, s->shift, packed, s->rows, K, 4.0f, &moves, !first, s->labels + row,
                           s->upper + row, s->lower + row, s->bounds + row * K, mine);
            else
                f32->hamerly(s->X + row * D, m, D, s->shift, packed, s->rows, NULL, K, 4.0f, first ? NULL : &moves,
                             s->labels + row, s->upper + row, s->lower + row, &unfiltered, mine);
            f32->update(s->X + row * D, m, D, NULL, s->labels + row, NULL, s->shift64, 0, D, s->sums[slice]);
            f32->survey(s->X + row * D, m, D, s->shift64, NULL, s->squares[slice], s->squares[slice] + D);
            f32->seed_round(s->X + row * D, m, D, s->X, 0, s->X + D, 3, s->closest + row, NULL, NULL, potential, mine);
        }
    }
    for (size_t j = 0; j < K; ++j) {
        double total[D + 2] = {0.0};
        for (size_t slice = 0; slice < SLICES; ++slice)
            for (size_t f = 0; f < D + 2; ++f)
                total[f] += s->sums[slice][j * (D + 2) + f];
        for (size_t f = 0; f < D && total[D] > 0.0; ++f)
            s->centroids[j * D + f] = total[f] / total[D];
    }
    free(work), free(packed);
}

int main(void)
{
    static const char *const known[] = {"scalar", "avx2", "avx512", "neon"};
    static state alone, together;
    size_t passes = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; ++i) {
        const kmf_kernels *kernels = kmf_select(known[i]);
        for (int elkan = 0; kernels != NULL && elkan < 2; ++elkan) {
            make(&alone), make(&together);
            for (int nth = 0; nth < PASSES; ++nth, ++passes) {
                pass(kernels, &alone, elkan, nth == 0, 1);
                pass(kernels, &together, elkan, nth == 0, TEAM);
                if (memcmp(&alone, &together, sizeof alone) != 0) {
                    printf("%s: pass %d of %d threads differs from that of one\n", known[i], nth, TEAM);
                    return 1;
                }
            }
        }
    }
    printf("%zu passes of %d threads are those of one\n", passes, TEAM);
    return 0;
}
