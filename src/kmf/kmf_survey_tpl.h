/* One pass that says whether X is finite, where it lies and how wide it spreads. */

/* Short rows are folded, FOLD / d at a time, so that the loop runs along memory whatever d is. */
#define FOLD 64

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

#undef FOLD
