/* Hamerly's bounds: samples whose nearest centroid cannot have changed are not even read.
 *
 * For every sample `upper` bounds the distance to its own centroid from above and `lower` the distance to every other one
 * from below. When centroids move, the first rises by what the own one moved, the second falls by what any other moved
 * at most. While upper < lower the label stays; the samples left are gathered into panels for the dense kernel, which
 * finds the two nearest and fresh bounds.
 *
 * Labels are those of `assign`: a score is the same chain of operations here and there, and the bounds carry what
 * rounding may do to scores, norms and shifts, so a centroid that is not scored could not have won, not even a tie.
 *
 * Right for d over 8, where reading two bounds costs less than the scores. Memory: two floats a sample.
 * Source: G. Hamerly, "Making k-means even faster", SDM 2010; the account of rounding is ours.
 */

#define UNIT (sizeof(KMF_T) == 4 ? 6.0e-8f : 1.12e-16f) /* rounding of one operation on samples, a little over */
#define LARGE 1e37f                                     /* stands for infinity: what is taken off it stays small */
#define GROW 1.0000005f                                 /* outdoes the rounding of a few operations on bounds */

/* What rounding may add to a squared distance taken from a score: d products and sums, norms, a shift. `span` is
 * |x| + |c| at most. */
KMF_INLINE float KMF_FN(slack)(size_t d, float span) { return 4.0f * (float)(d + 16) * UNIT * span * span; }

/* How far rounding to about the shift may move a sample and a centroid against each other. */
KMF_INLINE float KMF_FN(blur)(float span) { return 8.0f * UNIT * span; }

/* Let the bounds follow the centroids, and list the samples that they do not clear. */
KMF_STATIC size_t KMF_FN(find_active)(size_t n, size_t d, float reach, const kmf_moves *moves, const int32_t *labels,
                                      float *upper, float *lower, int32_t *active)
{
    size_t n_active = 0;
    for (size_t i = 0; i < n; ++i) {
        const float fall = labels[i] == moves->farthest ? moves->next : moves->most;
        const float up = (upper[i] + moves->moved[labels[i]]) * GROW, low = lower[i] * (2.0f - GROW) - fall * GROW;
        /* |x| <= |x - c| + |c|, so what rounding can do is known without x. */
        const float span = up + 2.0f * reach, room = low - 2.0f * KMF_FN(blur)(span);
        const float need = (up * up + 2.0f * KMF_FN(slack)(d, span)) * GROW;
        upper[i] = up;
        lower[i] = low;
        active[n_active] = (int32_t)i;
        n_active += !(room > 0.0f && room * room > need); /* so that NaN is active */
    }
    return n_active;
}

/* The two least scores of a panel over all centroids, and the index of the least. */
KMF_STATIC void KMF_FN(two_nearest)(const KMF_T *panel, const KMF_T *packed, size_t k, size_t d, const KMF_T *ahead,
                                    KMF_T *spill, KMF_T *best, KMF_T *second, int32_t *label)
{
    const size_t block = KMF_FN(tiles_per_block)(d) * TILE;
    for (size_t j = 0; j < k; j += block) {
        KMF_T least[2 * KMF_LANES], next[2 * KMF_LANES], index[2 * KMF_LANES];
        V b[2], s[2], i[2];
        b[0] = b[1] = s[0] = s[1] = KMF_FN(set1)((KMF_T)HUGE_VAL);
        i[0] = i[1] = KMF_FN(set1)(0);
        KMF_FN(nearest_tiled)(panel, packed + j * (d + 2), k - j < block ? k - j : block, d, j == 0 ? ahead : NULL,
                              spill, b, i, s);
        KMF_FN(store)(least, b[0]), KMF_FN(store)(least + KMF_LANES, b[1]);
        KMF_FN(store)(next, s[0]), KMF_FN(store)(next + KMF_LANES, s[1]);
        KMF_FN(store)(index, i[0]), KMF_FN(store)(index + KMF_LANES, i[1]);
        for (size_t lane = 0; lane < PANEL; ++lane) {
            if (j == 0 || least[lane] < best[lane]) {
                second[lane] = j > 0 && best[lane] < next[lane] ? best[lane] : next[lane];
                best[lane] = least[lane];
                label[lane] = (int32_t)j + (int32_t)index[lane];
            } else if (least[lane] < second[lane]) {
                second[lane] = least[lane];
            }
        }
    }
}

/* Labels and bounds of one chunk; returns how many samples were scored. Without `moves` all are, and bounds are made. */
KMF_STATIC size_t KMF_FN(hamerly)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed, size_t k,
                                  float reach, const kmf_moves *moves, int32_t *labels, float *upper, float *lower,
                                  KMF_T *work)
{
    int32_t *active = (int32_t *)(void *)work;
    KMF_T *panel = work + n + 1, *spill = panel + PANEL * d;
    const size_t n_active = moves ? KMF_FN(find_active)(n, d, reach, moves, labels, upper, lower, active) : n;
    for (size_t start = 0; start < n_active; start += PANEL) {
        const size_t m = n_active - start < PANEL ? n_active - start : PANEL;
        const KMF_T *rows[2 * KMF_LANES];
        KMF_T best[2 * KMF_LANES], second[2 * KMF_LANES], norm[2 * KMF_LANES];
        int32_t label[2 * KMF_LANES];
        for (size_t lane = 0; lane < PANEL; ++lane) {
            const size_t a = start + (lane < m ? lane : m - 1);
            rows[lane] = X + (moves ? (size_t)active[a] : a) * d;
            norm[lane] = 0;
        }
        KMF_FN(load_rows)(rows, d, shift, panel);
        for (size_t f = 0; f < d; ++f) {
            for (size_t lane = 0; lane < PANEL; ++lane)
                norm[lane] += panel[f * PANEL + lane] * panel[f * PANEL + lane];
        }
        const KMF_T *ahead = !moves && start + 2 * PANEL <= n ? X + (start + PANEL) * d : NULL;
        KMF_FN(two_nearest)(panel, packed, k, d, ahead, spill, best, second, label);
        for (size_t lane = 0; lane < m; ++lane) {
            const size_t i = moves ? (size_t)active[start + lane] : start + lane;
            const float span = sqrtf((float)norm[lane]) * GROW + reach;
            const float off = KMF_FN(slack)(d, span), blur = KMF_FN(blur)(span);
            const float near_square = (float)(norm[lane] + 2 * best[lane]) + off;
            const float far_square = (float)(norm[lane] + 2 * second[lane]) - off;
            labels[i] = label[lane];
            upper[i] = sqrtf(near_square > 0.0f ? near_square : 0.0f) * GROW + blur;
            lower[i] = far_square > 0.0f ? sqrtf(far_square) * (2.0f - GROW) - blur : 0.0f;
            if (!(lower[i] < LARGE)) /* a single centroid: there is no other */
                lower[i] = LARGE;
        }
    }
    return n_active;
}

#undef LARGE
#undef GROW
#undef UNIT
