/* One pass that says whether X is finite, where it lies and how wide it spreads. */

/* Short rows are folded, FOLD / d at a time, so that the loop runs along memory whatever d is. */
#define FOLD 64

KMF_STATIC double KMF_FN(survey)(const KMF_T *X, size_t n, size_t d, const double *shift, const double *sample_weight,
                                 double *sums, double *squares)
{
    const size_t rows = d < FOLD ? FOLD / d : 1, period = rows * d;
    if (rows > 1) {
        double s[FOLD], q[FOLD], origin[FOLD];
        for (size_t t = 0; t < period; ++t)
            s[t] = q[t] = 0.0, origin[t] = shift[t % d];
        size_t i = 0;
        for (; i + rows <= n; i += rows) {
            for (size_t t = 0; t < period; ++t) {
                const double x = (double)X[i * d + t] - origin[t];
                s[t] += x;
                q[t] += x * x;
            }
        }
        for (size_t t = 0; t < (n - i) * d; ++t) {
            const double x = (double)X[i * d + t] - origin[t];
            s[t] += x;
            q[t] += x * x;
        }
        for (size_t t = 0; t < period; ++t) {
            sums[t % d] += s[t];
            squares[t % d] += q[t];
        }
    } else {
        for (size_t i = 0; i < n; ++i) {
            for (size_t f = 0; f < d; ++f) {
                const double x = (double)X[i * d + f] - shift[f];
                sums[f] += x;
                squares[f] += x * x;
            }
        }
    }
    double total = 0.0;
    if (sample_weight) {
        for (size_t i = 0; i < n; ++i) {
            double square = 0.0;
            for (size_t f = 0; f < d; ++f) {
                const double x = (double)X[i * d + f] - shift[f];
                square += x * x;
            }
            total += sample_weight[i] * square;
        }
    }
    return total;
}

#undef FOLD
