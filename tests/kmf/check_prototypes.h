/* Prototypes of codes and numbers (k-modes, k-prototypes); codes of 1, 2 or 4 bytes. */

/* Codes of one width, some of which are wider than a byte where that is. */
static uint32_t random_code(size_t width, int few) { return (random_bits() % (few ? 3 : 9)) * (width == 1 ? 1 : 257); }

static void put(void *codes, size_t width, size_t at, uint32_t code)
{
    if (width == 1)
        ((uint8_t *)codes)[at] = (uint8_t)code;
    else if (width == 2)
        ((uint16_t *)codes)[at] = (uint16_t)code;
    else
        ((uint32_t *)codes)[at] = code;
}

/* Integers and a gamma of 1/2 make every cost exact, so that ties are real. */
static void check_prototypes(const kmf_kernels *kernels, size_t log2_width, size_t m, size_t d, size_t k, int few)
{
    const size_t width = (size_t)1 << log2_width, lanes = KMF_PROTOTYPES, blocks = (k + lanes - 1) / lanes;
    uint32_t *modes = (uint32_t *)allocate(k * m, sizeof *modes), *sample = (uint32_t *)allocate(m, sizeof *sample);
    double *means = (double *)allocate(k * d, sizeof *means), *x = (double *)allocate(d, sizeof *x), cost;
    double *packed_means = (double *)allocate(blocks * lanes * d, sizeof *packed_means);
    void *packed_modes = allocate(blocks * lanes * m, width), *codes = allocate(m, width);
    for (size_t j = 0; j < blocks * lanes; ++j) {
        const size_t block = j / lanes, lane = j % lanes;
        for (size_t f = 0; f < m; ++f) {
            const uint32_t code = j < k ? modes[j * m + f] = random_code(width, few) : UINT32_MAX;
            put(packed_modes, width, (block * m + f) * lanes + lane, code);
        }
        for (size_t f = 0; f < d; ++f)
            packed_means[(block * d + f) * lanes + lane] =
                j < k ? means[j * d + f] = random_coordinate(1) : (double)INFINITY;
    }
    for (int trial = 0; trial < 20; ++trial) {
        size_t nearest = 0;
        double least = INFINITY;
        for (size_t f = 0; f < m; ++f)
            put(codes, width, f, sample[f] = random_code(width, few));
        for (size_t f = 0; f < d; ++f)
            x[f] = random_coordinate(1);
        for (size_t j = 0; j < k; ++j) {
            double score = 0.0;
            for (size_t f = 0; f < d; ++f)
                score += (x[f] - means[j * d + f]) * (x[f] - means[j * d + f]);
            for (size_t f = 0; f < m; ++f)
                score += 0.5 * (sample[f] != modes[j * m + f]);
            if (score < least)
                least = score, nearest = j;
        }
        const int32_t label =
            kernels->nearest_prototype[log2_width](codes, m, x, d, packed_modes, packed_means, k, 0.5, &cost);
        CHECK((size_t)label == nearest && cost == least, "nearest_prototype", m, d, k);
    }
    free(codes), free(packed_modes), free(packed_means), free(x), free(means), free(sample), free(modes);
}

static void all_prototypes(const kmf_kernels *kernels)
{
    const size_t ms[] = {0, 1, 2, 20, 255, 256, 700}, ds[] = {0, 1, 2, 7}, ks[] = {1, 2, 8, 31, 32, 33, 64, 101};
    for (size_t i = 0; i < sizeof ms / sizeof *ms; ++i) {
        for (size_t j = 0; j < sizeof ds / sizeof *ds; ++j) {
            for (size_t l = 0; l < sizeof ks / sizeof *ks; ++l) {
                for (size_t width = 0; width < 3; ++width) {
                    if (nth++ % every != 0)
                        continue;
                    check_prototypes(kernels, width, ms[i], ds[j], ks[l], 0);
                    check_prototypes(kernels, width, ms[i], ds[j], ks[l], 1);
                }
            }
        }
    }
}
