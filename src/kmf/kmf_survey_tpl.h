/* One pass that says whether X is finite, where it lies and how wide it spreads. */

/* Short rows are folded, FOLD / d at a time, so that the loop runs along memory whatever d is. */
#define FOLD 64

#define LINE (64 / sizeof(KMF_T))

/* Longer ones come in fours, which share the loads and stores of the figures. */
KMF_INLINE void KMF_FN(survey_part)(const KMF_T *X, size_t d, const double *KMF_RESTRICT shift, const double weight[4],
                                    size_t first, size_t last, double *KMF_RESTRICT sums, double *KMF_RESTRICT squares,
                                    double *KMF_RESTRICT most)
{
    const double w0 = weight[0], w1 = weight[1], w2 = weight[2], w3 = weight[3];
    for (size_t f = first; f < last; ++f) {
        const double x0 = (double)X[f] - shift[f], x1 = (double)X[d + f] - shift[f];
        const double x2 = (double)X[2 * d + f] - shift[f], x3 = (double)X[3 * d + f] - shift[f];
        const double m0 = fabs(x0) > fabs(x1) ? fabs(x0) : fabs(x1), m1 = fabs(x2) > fabs(x3) ? fabs(x2) : fabs(x3);
        const double m2 = m0 > m1 ? m0 : m1;
        sums[f] = sums[f] + w0 * x0 + w1 * x1 + w2 * x2 + w3 * x3;
        squares[f] = squares[f] + w0 * (x0 * x0) + w1 * (x1 * x1) + w2 * (x2 * x2) + w3 * (x3 * x3);
        most[f] = m2 > most[f] ? m2 : most[f];
    }
}

/* The rows after the next four are fetched meanwhile, in the order of memory: four rows side by side are more than the
 * processor foresees. */
KMF_INLINE void KMF_FN(survey_four)(const KMF_T *X, size_t d, const double *shift, const double weight[4],
                                    const KMF_T *ahead, double *sums, double *squares, double *most)
{
    size_t f = 0;
    for (; f + LINE <= d; f += LINE) {
        for (size_t line = 0; ahead && line < 4; ++line)
            KMF_PREFETCH(ahead + 4 * f + line * LINE);
        KMF_FN(survey_part)(X, d, shift, weight, f, f + LINE, sums, squares, most);
    }
    KMF_FN(survey_part)(X, d, shift, weight, f, d, sums, squares, most);
}

KMF_STATIC void KMF_FN(survey)(const KMF_T *X, size_t n, size_t d, const double *shift, const double *sample_weight,
                               double *sums, double *squares, double *most)
{
    const size_t rows = FOLD / d, period = rows * d;
    size_t i = 0;
    if (rows > 1 && !sample_weight) {
        double s[FOLD], q[FOLD], r[FOLD], origin[FOLD];
        for (size_t t = 0; t < period; ++t)
            s[t] = q[t] = r[t] = 0.0, origin[t] = shift[t % d];
        for (; i + rows <= n; i += rows) {
            for (size_t t = 0; t < period; ++t) {
                const double x = (double)X[i * d + t] - origin[t];
                s[t] += x;
                q[t] += x * x;
                r[t] = fabs(x) > r[t] ? fabs(x) : r[t];
            }
        }
        for (size_t t = 0; t < period; ++t) {
            sums[t % d] += s[t];
            squares[t % d] += q[t];
            most[t % d] = r[t] > most[t % d] ? r[t] : most[t % d];
        }
    }
    for (; i + 4 <= n; i += 4) {
        static const double ones[4] = {1.0, 1.0, 1.0, 1.0};
        KMF_FN(survey_four)(X + i * d, d, shift, sample_weight ? sample_weight + i : ones,
                            i + 12 <= n ? X + (i + 8) * d : NULL, sums, squares, most);
    }
    for (; i < n; ++i) {
        const double weight = sample_weight ? sample_weight[i] : 1.0;
        for (size_t f = 0; f < d; ++f) {
            const double x = (double)X[i * d + f] - shift[f];
            sums[f] += weight * x;
            squares[f] += weight * (x * x); /* a square that overflows shows, however small its weight */
            most[f] = fabs(x) > most[f] ? fabs(x) : most[f];
        }
    }
}

#undef LINE
#undef FOLD
