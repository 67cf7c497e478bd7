/* k-means++: rounds over all samples, lists of what a proposal improves, patches of space. */

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
