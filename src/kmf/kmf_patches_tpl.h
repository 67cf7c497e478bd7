/* Greedy k-means++ where samples lie near each other in memory: few features.
 *
 * Samples are put in Morton order, stretch by stretch, and their coordinates kept as panels in that order: patches of
 * space. A panel has a box and the greatest distance of its samples to their nearest chosen one; so has each group of
 * KMF_LANES panels. A candidate that lies further from the box than that gains nothing there, so a round reads about as
 * many panels as the candidate's cluster has. A distance to a box is the same chain of operations as one to a sample of
 * it, each of them monotone, so rounding cannot set the box further away than the sample.
 *
 * Right for d <= 3, where coordinates take no more room than the lists of kmf_propose_tpl.h.
 * Source of the order: G. M. Morton, "A computer oriented geodetic data base", IBM, 1966.
 */

#define CODE_BITS 30
#define DIGIT 10                              /* bits of one round of the radix sort */
#define BOX ((size_t)KMF_LANES * (2 * d + 1)) /* of LANES boxes: lowest, highest of each feature, greatest distance */

/* Bits 0, 1, 2 ... of `value` at 0, d, 2 d ... */
KMF_INLINE uint64_t KMF_FN(spread)(uint64_t value, size_t d)
{
    if (d == 2) {
        value = (value | value << 8) & 0x00ff00ffu;
        value = (value | value << 4) & 0x0f0f0f0fu;
        value = (value | value << 2) & 0x33333333u;
        value = (value | value << 1) & 0x55555555u;
    } else if (d == 3) {
        value = (value | value << 16) & 0x030000ffu;
        value = (value | value << 8) & 0x0300f00fu;
        value = (value | value << 4) & 0x030c30c3u;
        value = (value | value << 2) & 0x09249249u;
    }
    return value;
}

/* keys[i] = Morton code << 32 | i, sorted; `other` is as large. */
KMF_STATIC void KMF_FN(sort_by_place)(const KMF_T *X, size_t n, size_t d, uint64_t *keys, uint64_t *other)
{
    double low[3], scale[3];
    const double cells = (double)((1 << (CODE_BITS / d)) - 1);
    uint32_t counts[CODE_BITS / DIGIT][1 << DIGIT];
    for (size_t f = 0; f < d; ++f) {
        KMF_T least = X[f], most = X[f];
        for (size_t i = 1; i < n; ++i) {
            least = X[i * d + f] < least ? X[i * d + f] : least;
            most = X[i * d + f] > most ? X[i * d + f] : most;
        }
        low[f] = (double)least;
        scale[f] = most > least ? cells / ((double)most - (double)least) : 0.0;
    }
    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i < n; ++i) {
        uint64_t code = 0;
        for (size_t f = 0; f < d; ++f)
            code |= KMF_FN(spread)((uint64_t)(((double)X[i * d + f] - low[f]) * scale[f]), d) << f;
        keys[i] = code << 32 | i;
        for (size_t r = 0; r < CODE_BITS / DIGIT; ++r)
            counts[r][code >> r * DIGIT & ((1 << DIGIT) - 1)]++;
    }
    for (size_t r = 0; r < CODE_BITS / DIGIT; ++r) {
        uint32_t sum = 0;
        for (size_t c = 0; c < 1 << DIGIT; ++c) {
            const uint32_t count = counts[r][c];
            counts[r][c] = sum;
            sum += count;
        }
        const uint64_t *from = r % 2 ? other : keys;
        uint64_t *to = r % 2 ? keys : other;
        for (size_t i = 0; i < n; ++i)
            to[counts[r][from[i] >> (32 + r * DIGIT) & ((1 << DIGIT) - 1)]++] = from[i];
    }
}

/* The boxes of panels [first, first + LANES), or of groups of panels, from the samples or from the boxes within. */
KMF_INLINE void KMF_FN(bound_panel)(const KMF_T *panel, size_t m, size_t d, KMF_T *box, size_t lane)
{
    for (size_t f = 0; f < d; ++f) {
        KMF_T least = panel[f * PANEL], most = least;
        for (size_t i = 1; i < m; ++i) {
            least = panel[f * PANEL + i] < least ? panel[f * PANEL + i] : least;
            most = panel[f * PANEL + i] > most ? panel[f * PANEL + i] : most;
        }
        box[f * KMF_LANES + lane] = least;
        box[(d + f) * KMF_LANES + lane] = most;
    }
}

KMF_STATIC void KMF_FN(patch)(const KMF_T *X, size_t n, size_t d, const uint32_t *given, uint32_t *order,
                              const KMF_API(kmf_patches) * patches, void *work)
{
    uint64_t *keys = (uint64_t *)work, *other = keys + n;
    const size_t n_groups = patches->n_panels / KMF_LANES, n_tops = (n_groups + KMF_LANES - 1) / KMF_LANES;
    if (given == NULL)
        KMF_FN(sort_by_place)(X, n, d, keys, other); /* an odd number of rounds: the result is in `other` */
    for (size_t i = 0; i < n; ++i)
        order[i] = given ? given[i] : (uint32_t)other[i];
    memset(patches->boxes, 0, n_groups * BOX * sizeof(KMF_T));
    memset(patches->tops, 0, n_tops * BOX * sizeof(KMF_T));
    for (size_t p = 0; p < patches->n_panels; ++p) {
        KMF_T *panel = patches->panels + p * PANEL * d, *closest = patches->closest + p * PANEL;
        const size_t start = p * PANEL, m = start >= n ? 0 : n - start < PANEL ? n - start : PANEL;
        for (size_t i = 0; i < PANEL; ++i) {
            const size_t row = i < m ? order[start + i] : m > 0 ? order[n - 1] : 0;
            for (size_t f = 0; f < d; ++f)
                panel[f * PANEL + i] = X[row * d + f];
            closest[i] = i < m ? (KMF_T)HUGE_VAL : 0; /* a missing sample gains nothing */
        }
        if (m > 0) {
            KMF_T *box = patches->boxes + p / KMF_LANES * BOX;
            KMF_FN(bound_panel)(panel, m, d, box, p % KMF_LANES);
            box[2 * d * KMF_LANES + p % KMF_LANES] = (KMF_T)HUGE_VAL;
        }
    }
    for (size_t g = 0; g < n_groups; ++g) {
        const KMF_T *box = patches->boxes + g * BOX;
        KMF_T *top = patches->tops + g / KMF_LANES * BOX;
        const size_t lane = g % KMF_LANES, first = g * KMF_LANES * PANEL;
        for (size_t f = 0; f < d && first < n; ++f) {
            const size_t left = (n - first + PANEL - 1) / PANEL, m = left < KMF_LANES ? left : KMF_LANES;
            KMF_T least = box[f * KMF_LANES], most = box[(d + f) * KMF_LANES];
            for (size_t i = 1; i < m; ++i) {
                least = box[f * KMF_LANES + i] < least ? box[f * KMF_LANES + i] : least;
                most = box[(d + f) * KMF_LANES + i] > most ? box[(d + f) * KMF_LANES + i] : most;
            }
            top[f * KMF_LANES + lane] = least;
            top[(d + f) * KMF_LANES + lane] = most;
            top[2 * d * KMF_LANES + lane] = (KMF_T)HUGE_VAL;
        }
    }
}

/* Which of LANES boxes lie nearer to c than their greatest distance. */
KMF_INLINE uint32_t KMF_FN(near_boxes)(const KMF_T *box, const V *c, const size_t d)
{
    V sum = KMF_FN(set1)(0);
    KMF_UNROLL
    for (size_t f = 0; f < d; ++f) {
        const V below = KMF_FN(sub)(KMF_FN(load)(box + f * KMF_LANES), c[f]);
        const V above = KMF_FN(sub)(c[f], KMF_FN(load)(box + (d + f) * KMF_LANES));
        const V gap = KMF_FN(max)(KMF_FN(max)(below, above), KMF_FN(set1)(0));
        sum = KMF_FN(fmadd)(gap, gap, sum);
    }
    return KMF_FN(lt_bits)(sum, KMF_FN(load)(box + 2 * d * KMF_LANES));
}

KMF_INLINE void KMF_FN(panel_distance)(const KMF_T *panel, const V *c, const size_t d, V dist[2])
{
    dist[0] = dist[1] = KMF_FN(set1)(0);
    KMF_UNROLL
    for (size_t f = 0; f < d; ++f) {
        const V d0 = KMF_FN(sub)(KMF_FN(load)(panel + f * PANEL), c[f]);
        const V d1 = KMF_FN(sub)(KMF_FN(load)(panel + f * PANEL + KMF_LANES), c[f]);
        dist[0] = KMF_FN(fmadd)(d0, d0, dist[0]);
        dist[1] = KMF_FN(fmadd)(d1, d1, dist[1]);
    }
}

/* What c would take off the potential; with `choose` it does. */
KMF_INLINE double KMF_FN(visit_patches)(const KMF_API(kmf_patches) * patches, const KMF_T *point, const size_t d,
                                        const int choose)
{
    const size_t n_groups = patches->n_panels / KMF_LANES;
    const V zero = KMF_FN(set1)(0);
    V c[3];
    double gain = 0.0;
    KMF_UNROLL
    for (size_t f = 0; f < d; ++f)
        c[f] = KMF_FN(set1)(point[f]);
    for (size_t t = 0; t * KMF_LANES < n_groups; ++t) {
        KMF_T *top = patches->tops + t * BOX;
        for (uint32_t groups = KMF_FN(near_boxes)(top, c, d); groups; groups &= groups - 1) {
            const size_t g = t * KMF_LANES + KMF_LOWEST_BIT(groups);
            KMF_T *box = patches->boxes + g * BOX;
            V sum = zero;
            for (uint32_t bits = KMF_FN(near_boxes)(box, c, d); bits; bits &= bits - 1) {
                const size_t lane = KMF_LOWEST_BIT(bits), p = g * KMF_LANES + lane;
                KMF_T *closest = patches->closest + p * PANEL;
                const V old0 = KMF_FN(load)(closest), old1 = KMF_FN(load)(closest + KMF_LANES);
                V dist[2];
                KMF_FN(panel_distance)(patches->panels + p * PANEL * d, c, d, dist);
                if (choose) {
                    const V now0 = KMF_FN(min)(dist[0], old0), now1 = KMF_FN(min)(dist[1], old1);
                    KMF_FN(store)(closest, now0);
                    KMF_FN(store)(closest + KMF_LANES, now1);
                    box[2 * d * KMF_LANES + lane] = KMF_FN(largest)(KMF_FN(max)(now0, now1));
                    continue;
                }
                const V less0 = KMF_FN(max)(KMF_FN(sub)(old0, dist[0]), zero);
                const V less1 = KMF_FN(max)(KMF_FN(sub)(old1, dist[1]), zero);
                if (patches->weight) {
                    const KMF_T *weight = patches->weight + p * PANEL;
                    sum = KMF_FN(fmadd)(less0, KMF_FN(load)(weight), sum);
                    sum = KMF_FN(fmadd)(less1, KMF_FN(load)(weight + KMF_LANES), sum);
                } else {
                    sum = KMF_FN(fmadd)(less0, KMF_FN(set1)(1), KMF_FN(fmadd)(less1, KMF_FN(set1)(1), sum));
                }
            }
            if (choose)
                top[2 * d * KMF_LANES + g % KMF_LANES] = KMF_FN(largest)(KMF_FN(load)(box + 2 * d * KMF_LANES));
            else
                gain += (double)KMF_FN(total)(sum);
        }
    }
    return gain;
}

KMF_STATIC double KMF_FN(patch_gain)(const KMF_API(kmf_patches) * patches, const KMF_T *point, size_t d)
{
    switch (d) {
    case 1: return KMF_FN(visit_patches)(patches, point, 1, 0);
    case 2: return KMF_FN(visit_patches)(patches, point, 2, 0);
    default: return KMF_FN(visit_patches)(patches, point, 3, 0);
    }
}

KMF_STATIC void KMF_FN(patch_choose)(const KMF_API(kmf_patches) * patches, const KMF_T *point, size_t d)
{
    switch (d) {
    case 1: KMF_FN(visit_patches)(patches, point, 1, 1); break;
    case 2: KMF_FN(visit_patches)(patches, point, 2, 1); break;
    default: KMF_FN(visit_patches)(patches, point, 3, 1); break;
    }
}

#undef BOX
#undef DIGIT
#undef CODE_BITS
