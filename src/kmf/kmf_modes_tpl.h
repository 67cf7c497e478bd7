/* The nearest of k prototypes of categories and numbers (Huang, 1998), for codes of one width.
 *
 * Prototypes lie along the lanes, since Huang's algorithm changes them between two samples: a code of the sample is
 * compared with those of KMF_PROTOTYPES prototypes at once, and matches are counted in the width of the codes. The loops
 * over lanes have a constant length and no branch, so that compilers turn them into byte compares by themselves. */

#define W KMF_JOIN(vec, f64, KMF_ISA)
#define F64(operation) KMF_JOIN(operation, f64, KMF_ISA)
#define LANES KMF_PROTOTYPES

/* keys[j] = matches with prototype j in the high bits, and below them LANES - 1 - j: the lowest of equals is the greatest. */
KMF_INLINE void KMF_FN(match)(const KMF_CODE *codes, size_t m, const KMF_CODE *modes, uint32_t *keys)
{
    for (uint32_t j = 0; j < LANES; ++j)
        keys[j] = LANES - 1 - j;
    for (size_t f = 0; f < m;) {
        const size_t stop = m - f > 255 ? f + 255 : m; /* what a byte counts */
        KMF_CODE same[LANES] = {0};
        for (; f < stop; ++f) {
            const KMF_CODE code = codes[f];
            for (size_t j = 0; j < LANES; ++j)
                same[j] = (KMF_CODE)(same[j] + (modes[f * LANES + j] == code));
        }
        for (size_t j = 0; j < LANES; ++j)
            keys[j] += (uint32_t)same[j] * LANES;
    }
}

/* scores[j] = |x - mean_j|^2 + gamma * mismatches; returns the least. Lanes from `used` on are left out. */
KMF_INLINE double KMF_FN(mixed)(const double *x, size_t d, const double *means, size_t m, const uint32_t *keys,
                                double gamma, size_t used, double *scores)
{
    double mismatches[LANES];
    for (size_t j = 0; j < LANES; ++j)
        mismatches[j] = (double)(int32_t)((uint32_t)m - keys[j] / LANES);
    W least = F64(set1)(INFINITY);
    for (size_t j = 0; j < used; j += KMF_LANES_F64) {
        W score = F64(set1)(0.0);
        for (size_t f = 0; f < d; ++f) {
            const W apart = F64(sub)(F64(set1)(x[f]), F64(load)(means + f * LANES + j));
            score = F64(fmadd)(apart, apart, score);
        }
        score = F64(fmadd)(F64(set1)(gamma), F64(load)(mismatches + j), score);
        F64(store)(scores + j, score);
        least = F64(min)(least, score);
    }
    return F64(least)(least);
}

KMF_STATIC int32_t KMF_FN(nearest_prototype)(const void *sample, size_t m, const double *x, size_t d,
                                             const void *packed_modes, const double *means, size_t k, double gamma,
                                             double *cost)
{
    const KMF_CODE *codes = (const KMF_CODE *)sample, *modes = (const KMF_CODE *)packed_modes;
    uint32_t keys[LANES], matches = 0;
    double scores[LANES], best = INFINITY;
    int32_t label = 0;
    for (size_t first = 0; first < k; first += LANES, modes += m * LANES, means += d * LANES) {
        KMF_FN(match)(codes, m, modes, keys);
        if (d == 0) {
            uint32_t greatest = 0;
            for (size_t j = 0; j < LANES; ++j)
                greatest = keys[j] > greatest ? keys[j] : greatest;
            if (first == 0 || greatest / LANES > matches) {
                matches = greatest / LANES;
                label = (int32_t)(first + LANES - 1 - greatest % LANES);
            }
        } else {
            const size_t used = k - first < LANES ? k - first : LANES;
            const double least = KMF_FN(mixed)(x, d, means, m, keys, gamma, used, scores);
            if (least < best) {
                size_t j = 0;
                while (scores[j] > least)
                    ++j;
                best = least;
                label = (int32_t)(first + j);
            }
        }
    }
    *cost = d == 0 ? gamma * (double)(int32_t)((uint32_t)m - matches) : best;
    return label;
}

#undef LANES
#undef F64
#undef W
