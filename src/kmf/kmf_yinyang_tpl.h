/* Yinyang bounds over tiles: leave out the samples and tiles of centroids where nothing can have changed.
 *
 * `upper` holds for every sample an upper bound on the distance to its centroid, `bounds` for every sample and tile a
 * lower bound on the distance to the tile's centroids other than its own. When centroids move, the first rises by what
 * the own centroid moved, the others fall by what any of the tile moved (`drifted`). A sample whose upper bound stays
 * below all its lower bounds keeps its label and is not even read. The others are gathered: the tile of the label is
 * scored, and then each tile whose bound is not above the distance found, centroids along the lanes and the samples'
 * features broadcast. With one tile this is Hamerly's algorithm.
 *
 * Labels are those of `assign`: a score is the same chain of operations here and there, and the bounds carry the
 * rounding of scores, norms and shifts (slack and blur), so what is left out could not have won there, not even a tie.
 *
 * Right for d over 8, from the second iteration on; memory is one bound a sample and tile, and one a sample.
 * Source: Y. Ding et al., "Yinyang K-means", ICML 2015; G. Hamerly, "Making k-means even faster", SDM 2010. Tiles as groups
 * and the account of rounding are ours.
 */

#define TILE_VECTORS ((KMF_TILE + KMF_LANES - 1) / KMF_LANES) /* vectors that hold a tile's centroids */
/* Samples that share the loads of a tile: as many as leave room in the registers. */
#define BATCH (TILE_VECTORS * 8 <= (KMF_TILE >= 12 ? 24 : 12) ? 8 : 4)
#define UNIT ((KMF_T)(sizeof(KMF_T) == 4 ? 6.0e-8 : 1.12e-16)) /* rounding of one operation, a little over */
#define TINY ((KMF_T)1e-37)

KMF_INLINE KMF_T KMF_FN(root)(KMF_T x)
{
    return sizeof(KMF_T) == sizeof(float) ? (KMF_T)sqrtf((float)x) : (KMF_T)sqrt((double)x);
}

/* What rounding may do to twice a score: d products and sums, a norm, a shift. `squares` is |x|^2 + max |c|^2. */
KMF_INLINE KMF_T KMF_FN(slack)(size_t d, KMF_T squares) { return 2 * (KMF_T)(d + 16) * UNIT * squares; }

/* How far rounding to about the shift may move a sample and a centroid against each other. */
KMF_INLINE KMF_T KMF_FN(blur)(KMF_T squares) { return 4 * UNIT * KMF_FN(root)(squares); }

/* A true distance is at least this less all later drift: what `bounds` holds. */
KMF_INLINE KMF_T KMF_FN(lower)(KMF_T score, KMF_T norm, size_t d, KMF_T squares, KMF_T drifted)
{
    const KMF_T square = norm + 2 * score - KMF_FN(slack)(d, squares);
    const KMF_T distance = KMF_FN(root)(square > 0 ? square : 0) * (1 - 4 * UNIT) - KMF_FN(blur)(squares);
    return (distance > 0 ? distance : 0) * (1 - 8 * UNIT) + drifted * (1 - 8 * UNIT);
}

/* A tile whose bound, less its drift, is not below this has no score as low as `score`. */
KMF_INLINE KMF_T KMF_FN(upper)(KMF_T score, KMF_T norm, size_t d, KMF_T squares)
{
    const KMF_T square = norm + 2 * score + KMF_FN(slack)(d, squares);
    return KMF_FN(root)(square > 0 ? square : 0) * (1 + 8 * UNIT) + KMF_FN(blur)(squares) + TINY;
}

/* Scores of BATCH samples against one tile: score[r * TILE_VECTORS * LANES + j], and the least of the first nr. */
KMF_INLINE void KMF_FN(batch_scores)(const KMF_T *const *rows, size_t d, const KMF_T *tile, size_t nr, KMF_T *score,
                                     KMF_T *least)
{
    V sum[BATCH][TILE_VECTORS], floor[TILE_VECTORS];
    KMF_T padding[TILE_VECTORS * KMF_LANES];
    KMF_UNROLL
    for (size_t r = 0; r < BATCH; ++r) {
        KMF_UNROLL
        for (size_t v = 0; v < TILE_VECTORS; ++v)
            sum[r][v] = KMF_FN(load)(tile + v * KMF_LANES);
    }
    const KMF_T *c = tile + 2 * TILE;
    for (size_t f = 0; f < d; ++f, c += TILE) {
        V cv[TILE_VECTORS];
        KMF_UNROLL
        for (size_t v = 0; v < TILE_VECTORS; ++v)
            cv[v] = KMF_FN(load)(c + v * KMF_LANES);
        KMF_UNROLL
        for (size_t r = 0; r < BATCH; ++r) {
            const V xr = KMF_FN(set1)(rows[r][f]);
            KMF_UNROLL
            for (size_t v = 0; v < TILE_VECTORS; ++v)
                sum[r][v] = KMF_FN(fnmadd)(xr, cv[v], sum[r][v]);
        }
    }
    /* Lanes past the tile hold the neighbouring row: they must not be the least. */
    for (size_t j = 0; j < TILE_VECTORS * KMF_LANES; ++j)
        padding[j] = (KMF_T)(j < nr ? -1 : 1);
    for (size_t v = 0; v < TILE_VECTORS; ++v)
        floor[v] = KMF_FN(load)(padding + v * KMF_LANES);
    const V zero = KMF_FN(set1)(0), never = KMF_FN(set1)((KMF_T)HUGE_VAL);
    KMF_UNROLL
    for (size_t r = 0; r < BATCH; ++r) {
        V low = never;
        KMF_UNROLL
        for (size_t v = 0; v < TILE_VECTORS; ++v) {
            KMF_FN(store)(score + (r * TILE_VECTORS + v) * KMF_LANES, sum[r][v]);
            low = KMF_FN(min)(KMF_FN(select)(floor[v], zero, sum[r][v], never), low);
        }
        least[r] = KMF_FN(hmin)(low);
    }
}

/* The first pass: labels as `assign` gives them, and a bound for every sample and tile. */
KMF_STATIC void KMF_FN(assign_bounds)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed,
                                      size_t k, KMF_T largest, const KMF_T *drifted, int32_t *labels, KMF_T *upper,
                                      KMF_T *bounds, KMF_T *work)
{
    const size_t n_tiles = (k + TILE - 1) / TILE;
    KMF_T *panel = work, *spill = panel + PANEL * d;
    for (size_t start = 0; start < n; start += PANEL, bounds += n_tiles * PANEL) {
        const size_t m = n - start < PANEL ? n - start : PANEL;
        KMF_T norm[2 * KMF_LANES], best[2 * KMF_LANES];
        const KMF_T *ahead = start + 2 * PANEL <= n ? X + (start + PANEL) * d : NULL;
        KMF_FN(load_panel)(X + start * d, m, d, shift, panel);
        for (size_t i = 0; i < PANEL; ++i)
            norm[i] = 0, best[i] = (KMF_T)HUGE_VAL;
        for (size_t f = 0; f < d; ++f) {
            for (size_t i = 0; i < PANEL; ++i)
                norm[i] += panel[f * PANEL + i] * panel[f * PANEL + i];
        }
        for (size_t t = 0; t < n_tiles; ++t) {
            KMF_T score[2 * KMF_LANES], index[2 * KMF_LANES];
            V b[2], j[2];
            b[0] = b[1] = KMF_FN(set1)((KMF_T)HUGE_VAL);
            j[0] = j[1] = KMF_FN(set1)(0);
            KMF_FN(nearest_tiled)(panel, packed + t * TILE * (d + 2), k - t * TILE < TILE ? k - t * TILE : TILE, d,
                                  t == 0 ? ahead : NULL, spill, b, j);
            KMF_FN(store)(score, b[0]);
            KMF_FN(store)(score + KMF_LANES, b[1]);
            KMF_FN(store)(index, j[0]);
            KMF_FN(store)(index + KMF_LANES, j[1]);
            const KMF_T first = packed[t * TILE * (d + 2) + TILE]; /* indices count from their block of tiles */
            for (size_t i = 0; i < PANEL; ++i)
                bounds[t * PANEL + i] = KMF_FN(lower)(score[i], norm[i], d, norm[i] + largest, drifted[t]);
            for (size_t i = 0; i < m; ++i) {
                if (score[i] < best[i]) {
                    best[i] = score[i];
                    labels[start + i] = (int32_t)(t * TILE) + (int32_t)(index[i] - first);
                }
            }
        }
        for (size_t i = 0; i < m; ++i)
            upper[start + i] = KMF_FN(upper)(best[i], norm[i], d, norm[i] + largest);
    }
}

/* What `prune` keeps of a chunk. Arrays go by sample, `rows` by the slot of an active sample. */
typedef struct {
    size_t d, k, n_tiles;
    const KMF_T *packed, *drifted;
    KMF_T largest;
    int32_t *labels, *slot;
    KMF_T *bounds, *rows, *norm, *best, *rest;
} KMF_FN(chunk);

KMF_INLINE KMF_T *KMF_FN(bound_of)(const KMF_FN(chunk) * c, size_t i, size_t t)
{
    return c->bounds + (i / PANEL * c->n_tiles + t) * PANEL + i % PANEL;
}

/* Score up to BATCH samples against tile t; keep what is better, and the new bounds. In the tile of a sample's own label
 * (own != 0) `rest` gets the bound that leaves out the best. */
KMF_STATIC void KMF_FN(score_batch)(const KMF_FN(chunk) * c, const int32_t *samples, size_t count, size_t t, int own)
{
    const KMF_T *rows[BATCH];
    KMF_T score[BATCH * TILE_VECTORS * KMF_LANES], least[BATCH], norm[BATCH], low[BATCH];
    const size_t nr = c->k - t * TILE < TILE ? c->k - t * TILE : TILE;
    for (size_t r = 0; r < BATCH; ++r) {
        const size_t i = (size_t)samples[r < count ? r : 0];
        rows[r] = c->rows + (size_t)c->slot[i] * c->d;
        norm[r] = c->norm[i];
    }
    KMF_FN(batch_scores)(rows, c->d, c->packed + t * TILE * (c->d + 2), nr, score, least);
    for (size_t r = 0; r < BATCH; ++r)
        low[r] = KMF_FN(lower)(least[r], norm[r], c->d, norm[r] + c->largest, c->drifted[t]);
    for (size_t r = 0; r < count; ++r) {
        const size_t i = (size_t)samples[r];
        *KMF_FN(bound_of)(c, i, t) = low[r];
        if (!own && least[r] > c->best[i])
            continue;
        const KMF_T *s = score + r * TILE_VECTORS * KMF_LANES;
        KMF_T second = (KMF_T)HUGE_VAL;
        size_t j = 0;
        while (s[j] > least[r])
            ++j;
        const int32_t label = (int32_t)(t * TILE + j);
        if (own || least[r] < c->best[i] || label < c->labels[i])
            c->labels[i] = label;
        c->best[i] = least[r];
        if (own) {
            for (size_t other = 0; other < nr; ++other)
                second = other != j && s[other] < second ? s[other] : second;
            c->rest[i] = KMF_FN(lower)(second, norm[r], c->d, norm[r] + c->largest, c->drifted[t]);
        }
    }
}

/* A sample less the shift; returns its squared norm. */
KMF_INLINE KMF_T KMF_FN(shift_row)(const KMF_T *x, size_t d, const KMF_T *shift, KMF_T *row)
{
    KMF_T lanes[KMF_LANES], norm = 0;
    V sum = KMF_FN(set1)(0);
    size_t f = 0;
    for (; f + KMF_LANES <= d; f += KMF_LANES) {
        const V v = KMF_FN(sub)(KMF_FN(load)(x + f), KMF_FN(load)(shift + f));
        KMF_FN(store)(row + f, v);
        sum = KMF_FN(fmadd)(v, v, sum);
    }
    for (; f < d; ++f) {
        row[f] = x[f] - shift[f];
        norm += row[f] * row[f];
    }
    KMF_FN(store)(lanes, sum);
    for (size_t lane = 0; lane < KMF_LANES; ++lane)
        norm += lanes[lane];
    return norm;
}

/* Raise the upper bounds, and list the samples that a lower bound does not clear; limit[i] stays -inf for the others. */
KMF_STATIC size_t KMF_FN(find_active)(const KMF_FN(chunk) * c, size_t n, const KMF_T *moved, KMF_T *upper, KMF_T *limit,
                                      int32_t *active)
{
    const KMF_T reach = KMF_FN(root)(c->largest);
    size_t n_active = 0;
    for (size_t start = 0; start < n; start += PANEL) {
        const size_t m = n - start < PANEL ? n - start : PANEL;
        const KMF_T *bound = c->bounds + start * c->n_tiles;
        KMF_T low[2 * KMF_LANES];
        V low0 = KMF_FN(sub)(KMF_FN(load)(bound), KMF_FN(set1)(c->drifted[0]));
        V low1 = KMF_FN(sub)(KMF_FN(load)(bound + KMF_LANES), KMF_FN(set1)(c->drifted[0]));
        for (size_t t = 1; t < c->n_tiles; ++t) {
            const V drift = KMF_FN(set1)(c->drifted[t]);
            low0 = KMF_FN(min)(KMF_FN(sub)(KMF_FN(load)(bound + t * PANEL), drift), low0);
            low1 = KMF_FN(min)(KMF_FN(sub)(KMF_FN(load)(bound + t * PANEL + KMF_LANES), drift), low1);
        }
        KMF_FN(store)(low, low0);
        KMF_FN(store)(low + KMF_LANES, low1);
        for (size_t i = start; i < start + m; ++i)
            upper[i] = (upper[i] + moved[c->labels[i]]) * (1 + 4 * UNIT);
        for (size_t i = start; i < start + PANEL; ++i)
            limit[i] = -(KMF_T)HUGE_VAL;
        for (size_t i = start; i < start + m; ++i) {
            /* |x| <= |x - c| + |c|, so what rounding can do is known without x. */
            const KMF_T squares = (upper[i] + reach) * (upper[i] + reach) + c->largest;
            const KMF_T top = upper[i] * upper[i] + 2 * KMF_FN(slack)(c->d, squares);
            const KMF_T clear = KMF_FN(root)(top) * (1 + 8 * UNIT) + 2 * KMF_FN(blur)(squares) + TINY;
            active[n_active] = (int32_t)i;
            n_active += !(low[i - start] >= clear);
        }
    }
    return n_active;
}

/* The tile of its label first, for every active sample, in the order of tiles; then upper bounds and limits are fresh. */
KMF_STATIC void KMF_FN(score_own)(const KMF_FN(chunk) * c, const int32_t *active, size_t n_active, int32_t *own,
                                  int32_t *order, int32_t *ends)
{
    for (size_t t = 0; t <= c->n_tiles; ++t)
        ends[t] = 0;
    for (size_t a = 0; a < n_active; ++a) {
        own[a] = c->labels[active[a]] / KMF_TILE;
        ++ends[own[a] + 1];
    }
    for (size_t t = 0; t < c->n_tiles; ++t)
        ends[t + 1] += ends[t];
    for (size_t a = 0; a < n_active; ++a)
        order[ends[own[a]]++] = active[a];
    for (size_t t = 0, a = 0; t < c->n_tiles; ++t) {
        const size_t end = (size_t)ends[t];
        for (; a < end; a += BATCH)
            KMF_FN(score_batch)(c, order + a, end - a < BATCH ? end - a : BATCH, t, 1);
        a = end;
    }
}

/* Every other tile that the bounds of an active sample do not rule out; returns how often a tile was scored. */
KMF_STATIC size_t KMF_FN(score_others)(const KMF_FN(chunk) * c, size_t n, const KMF_T *limit)
{
    size_t scored = 0;
    for (size_t t = 0; t < c->n_tiles; ++t) {
        const V drift = KMF_FN(set1)(c->drifted[t]);
        int32_t queue[BATCH];
        size_t count = 0;
        for (size_t start = 0; start < n; start += PANEL) {
            KMF_T low[2 * KMF_LANES];
            const KMF_T *bound = c->bounds + start * c->n_tiles + t * PANEL;
            const V low0 = KMF_FN(sub)(KMF_FN(load)(bound), drift);
            const V low1 = KMF_FN(sub)(KMF_FN(load)(bound + KMF_LANES), drift);
            if (!KMF_FN(any_lt)(low0, KMF_FN(load)(limit + start)) &&
                !KMF_FN(any_lt)(low1, KMF_FN(load)(limit + start + KMF_LANES)))
                continue;
            KMF_FN(store)(low, low0);
            KMF_FN(store)(low + KMF_LANES, low1);
            for (size_t lane = 0; lane < PANEL; ++lane) {
                if (!(low[lane] < limit[start + lane]))
                    continue;
                queue[count++] = (int32_t)(start + lane);
                if (count == BATCH) {
                    KMF_FN(score_batch)(c, queue, count, t, 0);
                    scored += count;
                    count = 0;
                }
            }
        }
        if (count > 0)
            KMF_FN(score_batch)(c, queue, count, t, 0);
        scored += count;
    }
    return scored;
}

/* How many (sample, tile) pairs the bounds leave. */
KMF_STATIC size_t KMF_FN(count_left)(const KMF_FN(chunk) * c, size_t n, const KMF_T *limit)
{
    size_t left = 0;
    for (size_t start = 0; start < n; start += PANEL) {
        for (size_t t = 0; t < c->n_tiles; ++t) {
            const KMF_T *bound = c->bounds + start * c->n_tiles + t * PANEL;
            uint32_t below = 0;
            for (size_t lane = 0; lane < PANEL; ++lane)
                below += bound[lane] - c->drifted[t] < limit[start + lane];
            left += below;
        }
    }
    return left;
}

/* A later pass over one chunk. Returns how many distances were computed. */
KMF_STATIC size_t KMF_FN(prune)(const KMF_T *X, size_t n, size_t d, const KMF_T *shift, const KMF_T *packed, size_t k,
                                KMF_T largest, const KMF_T *drifted, const KMF_T *moved, int32_t *labels, KMF_T *upper,
                                KMF_T *bounds, KMF_T *work)
{
    const size_t n_tiles = (k + TILE - 1) / TILE;
    KMF_T *rows = work, *norm = rows + n * d, *best = norm + n, *rest = best + n, *limit = rest + n;
    int32_t *active = (int32_t *)(void *)(limit + n + PANEL), *slot = active + n + 1, *own = slot + n;
    int32_t *order = own + n, *ends = order + n;
    const KMF_FN(chunk) c = {d, k, n_tiles, packed, drifted, largest, labels, slot, bounds, rows, norm, best, rest};

    const size_t n_active = KMF_FN(find_active)(&c, n, moved, upper, limit, active);
    for (size_t a = 0; a < n_active; ++a) {
        const size_t i = (size_t)active[a];
        slot[i] = (int32_t)a;
        norm[i] = KMF_FN(shift_row)(X + i * d, d, shift, rows + a * d);
    }
    KMF_FN(score_own)(&c, active, n_active, own, order, ends);
    for (size_t a = 0; a < n_active; ++a) {
        const size_t i = (size_t)active[a];
        limit[i] = KMF_FN(upper)(best[i], norm[i], d, norm[i] + largest);
        /* The own tile is out of the way of the tests below; `upper` keeps its bound until then. */
        upper[i] = *KMF_FN(bound_of)(&c, i, (size_t)own[a]);
        *KMF_FN(bound_of)(&c, i, (size_t)own[a]) = (KMF_T)HUGE_VAL;
    }
    /* Where bounds rule out too little, the dense kernel is quicker, and its bounds are fresh. */
    const size_t left = KMF_FN(count_left)(&c, n, limit);
    if (left * (size_t)(2 * d + 32) > n * n_tiles * d) {
        KMF_FN(assign_bounds)(X, n, d, shift, packed, k, largest, drifted, labels, upper, bounds, work);
        return n * k;
    }
    const size_t scored = n_active + KMF_FN(score_others)(&c, n, limit);
    for (size_t a = 0; a < n_active; ++a) {
        const size_t i = (size_t)active[a];
        const int stayed = labels[i] / KMF_TILE == own[a];
        *KMF_FN(bound_of)(&c, i, (size_t)own[a]) = stayed ? rest[i] : upper[i];
        upper[i] = KMF_FN(upper)(best[i], norm[i], d, norm[i] + largest);
    }
    return scored * TILE;
}

#undef TINY
#undef UNIT
#undef BATCH
#undef TILE_VECTORS
