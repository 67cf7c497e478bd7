/* Elkan's bounds: a lower bound for every sample and centroid, so that few distances of few samples are computed.
 *
 * Beside Hamerly's two bounds a sample (kmf_hamerly_tpl.h), which leave out whole samples first, `bounds` holds one for
 * each sample and centroid, plus the way that the centroid has come so far (`drift`): what a move takes off every bound
 * is taken off when it is read. A centroid is also ruled out where it lies so far from the sample's own that the
 * triangle inequality forbids it (`apart`).
 *
 * A sample with centroids left is read as it lies, row by row: first against its own centroid, which rules out most of
 * the others, then against those left. These scores round otherwise than those of `assign`. Where the two could disagree
 * the sample is scored by the dense kernel, so labels are those of `assign`, ties and rounding included.
 *
 * Right for d in the hundreds, where a bound costs far less than a distance. Memory: 8 + 4 k bytes a sample.
 * Source: C. Elkan, "Using the triangle inequality to accelerate k-means", ICML 2003; drift in place of updates after
 * Hamerly and Drake, "Accelerating Lloyd's algorithm for k-means clustering", 2015; the account of rounding is ours.
 */

#define STRIP 16 /* bounds looked at in one go, so that the compiler uses vectors */

/* What a pass with Elkan's bounds reads, in one place. */
typedef struct {
    const KMF_T *shift, *packed, *rows;
    size_t d, k;
    float reach;
    const float *drift, *apart;
} KMF_FN(elkan_pass);

/* The least lower bound of the centroids that are not the own one; `bounds` of that one is LARGE. */
KMF_STATIC float KMF_FN(least_bound)(const KMF_FN(elkan_pass) * pass, const float *bounds, int32_t own, float up)
{
    const float *apart = pass->apart + (size_t)own * pass->k, *drift = pass->drift;
    float least[STRIP], bound;
    for (size_t t = 0; t < STRIP; ++t)
        least[t] = LARGE;
    size_t j = 0;
    for (; j + STRIP <= pass->k; j += STRIP) {
        for (size_t t = 0; t < STRIP; ++t) {
            const float stored = bounds[j + t] - drift[j + t], geometric = apart[j + t] - up;
            const float low = stored > geometric ? stored : geometric;
            least[t] = low < least[t] ? low : least[t];
        }
    }
    bound = least[0];
    for (size_t t = 1; t < STRIP; ++t)
        bound = least[t] < bound ? least[t] : bound;
    for (; j < pass->k; ++j) {
        const float stored = bounds[j] - drift[j], geometric = apart[j] - up;
        const float low = stored > geometric ? stored : geometric;
        bound = low < bound ? low : bound;
    }
    return bound * SHRINK;
}

/* List the centroids that may be nearer than the own one; with `rivals` NULL only say whether there are any. */
KMF_STATIC size_t KMF_FN(list_rivals)(const KMF_FN(elkan_pass) * pass, const float *bounds, int32_t own, float up,
                                      int32_t *rivals)
{
    const float *apart = pass->apart + (size_t)own * pass->k, *drift = pass->drift;
    const float hurdle = KMF_FN(hurdle)(pass->d, pass->reach, up) * GROW;
    size_t count = 0;
    for (size_t start = 0; start < pass->k; start += STRIP) {
        const size_t m = pass->k - start < STRIP ? pass->k - start : STRIP;
        int32_t close = 0;
        if (m == STRIP) {
            for (size_t j = start; j < start + STRIP; ++j)
                close += !((bounds[j] - drift[j] > hurdle) | (apart[j] - up > hurdle));
            if (close == 0)
                continue;
        }
        for (size_t j = start; j < start + m; ++j) {
            if ((bounds[j] - drift[j] > hurdle) | (apart[j] - up > hurdle))
                continue;
            if (!rivals)
                return 1;
            rivals[count++] = (int32_t)j;
        }
    }
    return count;
}

/* Label one sample that Hamerly's bounds do not clear. Returns the distances computed; sets *unsure where only `assign`
 * can tell the nearest, and then every bound but that of the own centroid is set. */
KMF_STATIC size_t KMF_FN(relabel_row)(const KMF_FN(elkan_pass) * pass, const KMF_T *x, const KMF_T *ahead,
                                      int32_t *label, float *upper, float *lower, float *bounds, int32_t *rivals,
                                      int *unsure)
{
    const int32_t own = *label;
    int32_t best = own;
    KMF_T squares[DOTS];
    if (KMF_FN(list_rivals)(pass, bounds, own, *upper, NULL) == 0) {
        *lower = KMF_FN(least_bound)(pass, bounds, own, *upper);
        return 0;
    }
    const KMF_T norm = KMF_FN(row_squares)(x, pass->d, pass->shift, pass->packed, pass->rows, &own, 1, ahead, squares);
    const float span = sqrtf((float)norm) * GROW + pass->reach, off = KMF_FN(row_slack)(pass->d, span);
    const float own_square = (float)squares[0], up = KMF_FN(upper_of)(own_square, span, off);
    KMF_T best_square = squares[0], second_square = (KMF_T)HUGE_VAL;
    const size_t n_rivals = KMF_FN(list_rivals)(pass, bounds, own, up, rivals);
    for (size_t start = 0; start < n_rivals; start += DOTS) {
        const size_t nr = n_rivals - start < DOTS ? n_rivals - start : DOTS;
        KMF_FN(row_squares)(x, pass->d, pass->shift, pass->packed, pass->rows, rivals + start, nr, NULL, squares);
        for (size_t r = 0; r < nr; ++r) {
            const int32_t j = rivals[start + r];
            const KMF_T square = squares[r];
            bounds[j] = (KMF_FN(lower_of)((float)square, span, off) + pass->drift[j]) * SHRINK;
            if (square < best_square)
                second_square = best_square, best_square = square, best = j;
            else if (square < second_square)
                second_square = square;
        }
    }
    *unsure = !(second_square - best_square > (KMF_T)((off + KMF_FN(slack)(KMF_FN(chain)(pass->d), span)) * GROW));
    if (*unsure || best != own)
        bounds[own] = (KMF_FN(lower_of)(own_square, span, off) + pass->drift[own]) * SHRINK;
    if (*unsure) {
        *upper = KMF_FN(hurdle)(pass->d, pass->reach, up); /* the nearest may be so far, by rounding */
    } else {
        *label = best;
        *upper = best == own ? up : KMF_FN(upper_of)((float)best_square, span, off);
        bounds[best] = LARGE;
        *lower = KMF_FN(least_bound)(pass, bounds, best, *upper);
    }
    return 1 + n_rivals;
}

/* The first pass: every distance is computed, and every bound made. */
KMF_STATIC void KMF_FN(elkan_begin)(const KMF_FN(elkan_pass) * pass, const KMF_T *X, size_t n, int32_t *labels,
                                    float *upper, float *lower, float *bounds, KMF_T *panel, KMF_T *scores)
{
    const size_t d = pass->d, k = pass->k;
    for (size_t start = 0; start < n; start += PANEL) {
        const size_t m = n - start < PANEL ? n - start : PANEL;
        const KMF_T *rows[4 * KMF_LANES];
        KMF_T norm[2 * KMF_LANES], best[2 * KMF_LANES], second[2 * KMF_LANES];
        float span[2 * KMF_LANES], off[2 * KMF_LANES];
        int32_t label[2 * KMF_LANES];
        KMF_FN(find_rows)(X + start * d, m, d, rows);
        if (start + PANEL < n)
            KMF_FN(find_rows)(X + (start + PANEL) * d, n - start - PANEL, d, rows + PANEL);
        KMF_FN(load_rows)(rows, d, pass->shift, panel);
        KMF_FN(norms)(panel, d, norm);
        KMF_FN(keep_scores)(panel, pass->packed, k, d, start + PANEL < n ? rows + PANEL : NULL, scores);
        for (size_t lane = 0; lane < PANEL; ++lane) {
            span[lane] = sqrtf((float)norm[lane]) * GROW + pass->reach;
            off[lane] = KMF_FN(slack)(KMF_FN(chain)(d), span[lane]);
            best[lane] = second[lane] = (KMF_T)HUGE_VAL;
            label[lane] = 0;
        }
        for (size_t j = 0; j < k; ++j) {
            const KMF_T *score = scores + j * PANEL;
            float low[2 * KMF_LANES];
            for (size_t lane = 0; lane < PANEL; ++lane) {
                const float square = (float)(norm[lane] + 2 * score[lane]);
                const KMF_T loser = score[lane] < best[lane] ? best[lane] : score[lane];
                low[lane] = KMF_FN(lower_of)(square, span[lane], off[lane]);
                second[lane] = loser < second[lane] ? loser : second[lane];
                label[lane] = score[lane] < best[lane] ? (int32_t)j : label[lane];
                best[lane] = score[lane] < best[lane] ? score[lane] : best[lane];
            }
            for (size_t lane = 0; lane < m; ++lane)
                bounds[(start + lane) * k + j] = (low[lane] + pass->drift[j]) * SHRINK;
        }
        for (size_t lane = 0; lane < m; ++lane) {
            const size_t i = start + lane;
            labels[i] = label[lane];
            upper[i] = KMF_FN(upper_of)((float)(norm[lane] + 2 * best[lane]), span[lane], off[lane]);
            lower[i] = k > 1 ? KMF_FN(lower_of)((float)(norm[lane] + 2 * second[lane]), span[lane], off[lane]) : LARGE;
            bounds[i * k + (size_t)label[lane]] = LARGE;
        }
    }
}

/* Label the samples on which row scores could not decide as `assign` does. */
KMF_STATIC void KMF_FN(settle)(const KMF_FN(elkan_pass) * pass, const KMF_T *X, const int32_t *unsure, size_t count,
                               int32_t *labels, float *upper, float *lower, float *bounds, KMF_T *panel, KMF_T *spill)
{
    for (size_t start = 0; start < count; start += PANEL) {
        const size_t m = count - start < PANEL ? count - start : PANEL;
        const KMF_T *rows[2 * KMF_LANES];
        KMF_T best[2 * KMF_LANES], second[2 * KMF_LANES];
        int32_t label[2 * KMF_LANES];
        for (size_t lane = 0; lane < PANEL; ++lane)
            rows[lane] = X + (size_t)unsure[start + (lane < m ? lane : m - 1)] * pass->d;
        KMF_FN(load_rows)(rows, pass->d, pass->shift, panel);
        KMF_FN(two_nearest)(panel, pass->packed, pass->k, pass->d, NULL, spill, best, second, label);
        for (size_t lane = 0; lane < m; ++lane) {
            const size_t i = (size_t)unsure[start + lane];
            labels[i] = label[lane];
            bounds[i * pass->k + (size_t)label[lane]] = LARGE;
            lower[i] = KMF_FN(least_bound)(pass, bounds + i * pass->k, label[lane], upper[i]);
        }
    }
}

KMF_STATIC size_t KMF_FN(elkan)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed,
                                const KMF_T *rows, size_t k, float reach, const kmf_moves *moves, int bounded,
                                int32_t *labels, float *upper, float *lower, float *bounds, KMF_T *work)
{
    const KMF_FN(elkan_pass) pass = {shift, packed, rows, d, k, reach, moves->drift, moves->apart};
    int32_t *active = (int32_t *)(void *)work, *rivals = active + n;
    KMF_T *panel = work + n + k + 1, *scores = panel + PANEL * d;
    if (!bounded) {
        KMF_FN(elkan_begin)(&pass, X, n, labels, upper, lower, bounds, panel, scores);
        return n * k;
    }
    const size_t n_active = KMF_FN(find_active)(n, d, reach, moves, labels, upper, lower, NULL, active);
    size_t n_distances = 0, n_unsure = 0;
    for (size_t a = 0; a < n_active; ++a) {
        const size_t i = (size_t)active[a];
        const KMF_T *ahead = a + AHEAD < n_active ? X + (size_t)active[a + AHEAD] * d : NULL;
        int unsure = 0;
        n_distances += KMF_FN(relabel_row)(&pass, X + i * d, ahead, labels + i, upper + i, lower + i, bounds + i * k,
                                           rivals, &unsure);
        active[n_unsure] = (int32_t)i;
        n_unsure += (size_t)unsure;
    }
    KMF_FN(settle)(&pass, X, active, n_unsure, labels, upper, lower, bounds, panel, scores);
    return n_distances + n_unsure * k;
}

#undef STRIP
