/* The lower weighted median by selection: the values are cut in three about two of a sorted sample that should lie on
 * either side of the median, and the part that has it is kept.
 *
 * Source: R. W. Floyd and R. L. Rivest, "Expected time bounds for selection", Communications of the ACM 18 (1975).
 */

#define MEDIAN_SAMPLE 127 /* its sort costs some 4000 steps, of values that are 16 times as many at least */
#define MEDIAN_SMALL 24   /* so few are sorted */

KMF_INLINE void KMF_FN(insertion_sort)(KMF_T *v, double *w, size_t n)
{
    for (size_t i = 1; i < n; ++i) {
        const KMF_T value = v[i];
        const double weight = w ? w[i] : 0.0;
        size_t at = i;
        for (; at > 0 && v[at - 1] > value; --at) {
            v[at] = v[at - 1];
            if (w)
                w[at] = w[at - 1];
        }
        v[at] = value;
        if (w)
            w[at] = weight;
    }
}

/* Keeps the values below low (part 0), from low to high (1) or above high (2); returns how many. */
KMF_INLINE size_t KMF_FN(keep_part)(KMF_T *v, double *w, size_t n, KMF_T low, KMF_T high, const int part)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; ++i) {
        const KMF_T value = v[i];
        v[kept] = value;
        if (w)
            w[kept] = w[i];
        kept += part == 0 ? value < low : part == 1 ? (value >= low) & (value <= high) : value > high;
    }
    return kept;
}

/* With w == NULL a constant where weights are all 1. */
KMF_INLINE KMF_T KMF_FN(select_half)(KMF_T *v, double *w, size_t n)
{
    double inside = 0.0, below = 0.0; /* weight of v[0 .. n), and of what was cut off below it */
    for (size_t i = 0; i < n && w; ++i)
        inside += w[i];
    inside = w ? inside : (double)n;
    const double half = 0.5 * inside;
    int wide = 1;
    while (n > MEDIAN_SMALL) {
        KMF_T sample[MEDIAN_SAMPLE];
        size_t size = n / 16 | 1;
        size = size < MEDIAN_SAMPLE ? size : MEDIAN_SAMPLE;
        for (size_t i = 0; i < size; ++i)
            sample[i] = v[i * (n / size)];
        KMF_FN(insertion_sort)(sample, NULL, size);
        const double at = (half - below) / inside * (double)size, margin = wide ? 1.0 + sqrt((double)size) : 0.0;
        const double last = (double)(size - 1), left = at - margin, right = at + margin;
        const KMF_T low = sample[(size_t)(left < 0.0 ? 0.0 : left > last ? last : left)];
        const KMF_T high = sample[(size_t)(right < 0.0 ? 0.0 : right > last ? last : right)];
        double lower = 0.0, upper = 0.0; /* weight below low, and up to high */
        if (w) {
            for (size_t i = 0; i < n; ++i) {
                lower += v[i] < low ? w[i] : 0.0;
                upper += v[i] <= high ? w[i] : 0.0;
            }
        } else {
            size_t n_lower = 0, n_upper = 0;
            for (size_t i = 0; i < n; ++i) {
                n_lower += v[i] < low;
                n_upper += v[i] <= high;
            }
            lower = (double)n_lower, upper = (double)n_upper;
        }
        size_t kept;
        if (below + lower >= half) {
            kept = KMF_FN(keep_part)(v, w, n, low, high, 0);
            inside = lower;
        } else if (below + upper >= half) {
            if (low == high)
                return low;
            kept = KMF_FN(keep_part)(v, w, n, low, high, 1);
            inside = upper - lower;
            below += lower;
        } else {
            kept = KMF_FN(keep_part)(v, w, n, low, high, 2);
            inside -= upper;
            below += upper;
            if (kept == 0) /* weights that rounded: the last has it */
                return high;
        }
        wide = kept <= n / 2; /* else cut at one value, which leaves the other parts smaller in any case */
        n = kept;
    }
    KMF_FN(insertion_sort)(v, w, n);
    size_t at = 0;
    for (below += w ? w[0] : 1.0; below < half && at + 1 < n; below += w ? w[at] : 1.0)
        ++at;
    return v[at];
}

KMF_STATIC KMF_T KMF_FN(median)(KMF_T *values, double *weights, size_t n)
{
    return weights ? KMF_FN(select_half)(values, weights, n) : KMF_FN(select_half)(values, NULL, n);
}

#undef MEDIAN_SMALL
#undef MEDIAN_SAMPLE
