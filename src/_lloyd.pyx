# cython: boundscheck=False, wraparound=False, cdivision=True
"""Lloyd's algorithm: the assignment and update steps over blocks of samples, densely or with Hamerly's bounds.

Samples come in chunks of a fixed size. Chunk c belongs to slice c mod n_slices; a slice sums its chunks in order, and
slices are added in order, so every sum is the same for any number of threads and however X is cut into blocks.
"""
import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange, threadid
from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memcmp, memcpy, memset

from _scratch cimport lines, packed_bytes, share
from kmf cimport (
    KMF_RIVALS,
    kmf_codes,
    kmf_filter_holds,
    kmf_filter_tile_bytes,
    kmf_grid_f32,
    kmf_grid_f64,
    kmf_kernels,
    kmf_moves,
    kmf_work_size_f64,
)

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")

# Features of one task of an update step that has too few slices to share out.
cdef enum:
    FEATURES_OF_A_TASK = 32

# The filter is given up once it left more than one sample in so many to the dense kernel.
cdef enum:
    FILTER_PAYS = 3

# The grid is given up once it left more than one distance in so many.
cdef enum:
    GRID_PAYS = 4

# Codes in 16 bits are given up once they left more than one sample in so many to the dense kernel.
cdef enum:
    CODES_PAY = 4

# Centroids whose distances to the others are taken in one go.
cdef enum:
    FILTER_TILES_AT_ONCE = 4
    GAPS_AT_ONCE = 32
    CENTROIDS_AT_ONCE = 32

# The centroids looked at apart because they moved most (kmf_bounds_tpl.h): so many at most, and one of so many,
# fewer where the filter makes all centroids cheap.
cdef enum:
    MOVERS = 64
    SHARE_OF_MOVERS = 4
    SHARE_BEHIND_FILTER = 16

cdef enum:
    LABELS_AT_ONCE = 2097152

cdef float LARGE = 1e37  # stands for infinity in the kernels
cdef double UP = 1.0 + 1e-6  # outdoes the rounding of float
cdef double TINIEST = 1e-36  # squares below it lose their digits (kmf_assign_tpl.h)

RIVALS = KMF_RIVALS  # of a centroid (kmf_rivals_tpl.h)


def movers_bytes(bint single, Py_ssize_t k, Py_ssize_t d):
    """Return the bytes that the centroids that moved most take: rows, packed, in double, distances to others."""
    cdef Py_ssize_t m = min(MOVERS, k), size = sizeof(float) if single else sizeof(double)
    return m * d * sizeof(double) + (m * d + k * m) * size + packed_bytes(K, single, m, d)


cdef struct Counts:  # of a thread, which has a cache line to itself
    int64_t distances, filtered, unfiltered
    int64_t[5] padding


def scratch_bytes(bint single, Py_ssize_t k, Py_ssize_t d, Py_ssize_t n_slices, Py_ssize_t n_threads, Py_ssize_t n_old,
                  Py_ssize_t work):
    """Return the bytes of what only the engine looks at: n_old labels, for each thread `work` bytes, and the rest."""
    cdef Py_ssize_t threads = n_threads * (lines(work) + <Py_ssize_t> sizeof(Counts)) + lines(n_old * sizeof(int32_t))
    return (lines(packed_bytes(K, single, k, d)) + lines(d * sizeof(double)) + lines(n_slices * sizeof(Py_ssize_t))
            + threads)


cdef class Lloyd:
    """The contract of every algorithm: begin(centroids), visit(block) for each block of X, finish(new_centroids).

    The caller makes all arrays (kmeans_fast/_engines.py); they are trusted here.
    """
    cdef:
        bint single, all_new, fused
        Py_ssize_t d, k, chunk, strip, n_slices, n_parts
        int n_threads, finish_threads, gaps_threads
        int32_t[::1] labels, boxed_labels  # the second holds old_labels if boxes are kept
        int32_t *old_labels
        const double[::1] sample_weight
        const double[::1] origin
        unsigned char[::1] packed, shift, work, filter, rows, movers
        float[::1] upper, lower, moved, near, near_mover, drift
        int32_t[:, ::1] rivals
        int32_t[::1] mover
        double[::1] way
        float[:, ::1] apart, bounds, gaps
        double[:, ::1] last_centroids
        kmf_moves moves
        float reach
        void *filter_now  # NULL: no filter in this pass
        bint bounded, assigned, stale, mapped, grid_built
        object known  # the centroids that labels and upper bounds are by before a run's first pass, or None
        bint resumed, unlabelled
        object memory  # kmeans_fast._memory.Workspace
        object boxes  # kmeans_fast._boxes.Boxes, or None
        object grid  # kmeans_fast._grid.Grid, or None
        const void *grid_now
        int32_t[::1] codes, coded_centroids  # or None
        unsigned char[::1] codes_origin
        kmf_codes plan
        bint coded, codes_now  # the samples have codes; labels of this pass are found by codes
        double farthest, total_weight
        uint8_t[::1] marks
        Counts *scored
        double[:, :, ::1] sums
        double[:, ::1] totals
        const double[:, ::1] centroids
        unsigned char[::1] held  # what pointers point into
        Py_ssize_t *changed
        double total_squares
        public bint rounding
        readonly Py_ssize_t n_changed, n_empty
        int64_t n_distances, n_filtered, n_unfiltered
        readonly double inertia, centroid_shift

    def __init__(self, bint single, bint fused, Py_ssize_t chunk, Py_ssize_t strip, int n_threads, int finish_threads,
                 double total_squares, int32_t[::1] labels, sample_weight, const double[::1] origin,
                 double[:, :, ::1] sums, double[:, ::1] totals, unsigned char[::1] scratch, Py_ssize_t n_old):
        self.single, self.fused, self.chunk, self.strip = single, fused, chunk, strip
        self.n_threads = n_threads
        self.finish_threads = finish_threads
        self.total_squares = total_squares  # sum w |x - origin|^2
        self.labels = labels
        self.sample_weight = sample_weight
        self.origin, self.sums, self.totals = origin, sums, totals
        self.n_slices, self.k, self.d = sums.shape[0], sums.shape[1], sums.shape[2] - 2
        self._carve(scratch, n_old)
        self.upper, self.filter, self.apart, self.bounds, self.rows = None, None, None, None, None
        self.boxes, self.marks, self.memory, self.mapped = None, None, None, False
        self.grid, self.grid_now = None, NULL
        self.codes, self.coded, self.codes_now = None, False, False
        self.known, self.resumed, self.unlabelled = None, False, False
        self.n_parts = 1 if fused else max(1, self.d // FEATURES_OF_A_TASK)

    cdef void _carve(self, unsigned char[::1] scratch, Py_ssize_t n_old):
        """Cut up `scratch_bytes`: one array costs a small fit less than six."""
        cdef Py_ssize_t shift = lines(packed_bytes(K, self.single, self.k, self.d))
        cdef Py_ssize_t changed = shift + lines(self.d * sizeof(double))
        cdef Py_ssize_t scored = changed + lines(self.n_slices * sizeof(Py_ssize_t))
        cdef Py_ssize_t old = scored + self.n_threads * sizeof(Counts)
        self.held = scratch
        self.packed, self.shift = scratch[:shift], scratch[shift:changed]
        self.changed, self.scored = <Py_ssize_t *> &scratch[changed], <Counts *> &scratch[scored]
        self.old_labels = <int32_t *> &scratch[old]
        self.work = scratch[old + lines(n_old * sizeof(int32_t)):]
        self._count_anew()  # a start may `finish` before any `reset`

    cdef void _count_anew(self):
        memset(self.scored, 0, self.n_threads * sizeof(Counts))

    def keep_bounds(self, float[::1] upper, float[::1] lower, float[::1] moved, float[:, ::1] near,
                    int32_t[:, ::1] rivals, float[:, ::1] gaps, double[:, ::1] last_centroids,
                    unsigned char[::1] rows, int32_t[::1] mover, unsigned char[::1] movers,
                    unsigned char[::1] filter, int gaps_threads):
        """Use Hamerly's bounds from now on, and the filter if not None; this is their memory (kmf_hamerly_tpl.h).

        Unless they are None, gaps_threads find the rivals of each centroid before a pass (kmf_rivals_tpl.h).
        """
        self.upper, self.lower, self.moved, self.last_centroids = upper, lower, moved, last_centroids
        self.near, self.near_mover = near[0], near[1]
        self.rivals, self.gaps, self.rows, self.filter = rivals, gaps, rows, filter
        self.mover, self.movers = mover, movers
        self.gaps_threads = gaps_threads
        near[:] = 0.0

    def keep_elkan(self, float[:, ::1] bounds, float[:, ::1] apart, float[::1] drift, double[::1] way):
        """Use Elkan's bounds on top of Hamerly's; this is their memory (kmf_elkan_tpl.h)."""
        self.bounds, self.apart, self.drift, self.way = bounds, apart, drift, way

    def keep_pages(self, memory):
        """If arrays of the workspace are mapped from files, write only labels that differ, chunk by chunk."""
        self.memory, self.mapped = memory, memory.spilled

    def keep_grid(self, grid):
        """Label by a grid over the centroids from now on (_grid.pyx), until it does not pay."""
        self.grid = grid
        self.grid_now = PyCapsule_GetPointer(grid.pointer, "kmf_grid")

    cdef void _drop_grid(self):
        self.grid, self.grid_now = None, NULL

    cdef void _build_grid(self):
        """Make the grid of a pass, once, if the pass labels."""
        if self.grid is not None and not self.grid_built:
            self.grid.build(self.packed)
            self.grid_built = True

    def keep_codes(self, int32_t[::1] codes, int32_t[::1] centroids, unsigned char[::1] origin, double farthest,
                   double total_weight):
        """Label by codes in 16 bits (kmf_codes_tpl.h) until they do not pay; no sample is further from the origin."""
        cdef Py_ssize_t f
        self.codes, self.coded_centroids, self.codes_origin = codes, centroids, origin
        self.farthest, self.total_weight = farthest, total_weight
        for f in range(self.d):
            if self.single:
                (<float *> &origin[0])[f] = <float> self.origin[f]
            else:
                (<double *> &origin[0])[f] = self.origin[f]

    cpdef drop_codes(self):
        """Go on without codes."""
        self.codes, self.codes_now, self.coded = None, False, False

    cdef void _encode(self, const double *centroids):
        """Put the centroids of a pass into codes, if they hold and have paid so far."""
        cdef double n = self.total_weight, norm = sqrt(self.total_squares / n), distance
        distance = norm / self.k ** (1.0 / self.d) if self.inertia < 0.0 else sqrt(self.inertia / n)
        self.codes_now = False
        if CODES_PAY * self.n_unfiltered > self.n_filtered:
            self.drop_codes()
        else:
            self.plan.centroids = &self.coded_centroids[0]
            if self.single:
                self.codes_now = K.f32.codes_pack(centroids, self.k, self.d, <float *> &self.codes_origin[0],
                                                  <float *> &self.shift[0], self.farthest, norm, distance, &self.plan)
            else:
                self.codes_now = K.f64.codes_pack(centroids, self.k, self.d, <double *> &self.codes_origin[0],
                                                  <double *> &self.shift[0], self.farthest, norm, distance, &self.plan)

    def keep_boxes(self, boxes, uint8_t[::1] marks, int32_t[::1] old_labels):
        """Label by boxes from now on (_boxes.pyx); the other two have an element for each row of a block."""
        self._drop_grid()
        self.boxes, self.marks, self.boxed_labels, self.old_labels = boxes, marks, old_labels, &old_labels[0]
        self.marks[:] = 0

    @property
    def upper_bounds(self):
        """Upper bounds on the distance of each sample to the centroid that the last pass gave it, or None."""
        return None if self.upper is None else np.asarray(self.upper)

    def know(self, const double[:, ::1] centroids, const int32_t[::1] nearest, const floating[::1] squares):
        """Take what is known of a start, which Hamerly's bounds are kept for: the nearest centroid of each sample, and
        its squared distance by direct differences. If the next run is from there, its first pass has bounds.
        """
        cdef Py_ssize_t i, n = self.labels.shape[0]
        cdef double unit = 6.0e-8 if floating is float else 1.2e-16, grow = UP * (1.0 + unit * (self.d + 16))
        for i in prange(n, schedule="static", num_threads=self.n_threads, nogil=True):
            self.labels[i] = nearest[i]
            self.upper[i] = <float> (sqrt(squares[i] + TINIEST) * grow)
            self.lower[i] = 0.0
        self.known = np.array(centroids)

    cpdef reset(self):
        """Begin a new run: no sample has a label, and no bound holds, but what is known of its start."""
        self.resumed, self.bounded = self.known is not None, False
        if not self.resumed:
            self._forget_labels()
        self.inertia = -1.0  # not known
        if self.boxes is not None:
            self.boxes.reset()
        self.n_distances = self.n_filtered = self.n_unfiltered = 0
        self._count_anew()

    cdef void _forget_labels(self):
        cdef Py_ssize_t start, n = self.labels.shape[0]
        for start in range(0, n, LABELS_AT_ONCE):
            memset(&self.labels[start], 255, min(n - start, <Py_ssize_t> LABELS_AT_ONCE) * sizeof(int32_t))  # -1
            if self.mapped:
                self.memory.drop()

    cdef void _recall(self, const double[:, ::1] centroids):
        """Begin with what is known, if it is of these centroids."""
        known, self.known, self.resumed = self.known, None, False
        if np.array_equal(known, centroids):
            self.bounded = self.assigned = self.unlabelled = True
            self.last_centroids[:, :] = centroids
        else:
            self._forget_labels()

    cpdef begin(self, const double[:, ::1] centroids, bint all_new):
        """Pack the centroids; with `all_new` every sample is summed afresh."""
        cdef const double *c = &centroids[0, 0]
        self.unlabelled = False
        if self.resumed:
            self._recall(centroids)
        self.stale = not (self.bounded and self.assigned)  # gaps may be those of centroids that no pass labelled by
        self.centroids, self.all_new, self.assigned = centroids, all_new, False
        memset(self.changed, 0, self.n_slices * sizeof(Py_ssize_t))
        if all_new:
            self._clear_sums()
        if self.single:
            K.f32.score_shift(c, self.k, self.d, <float *> &self.shift[0])
            K.f32.pack(c, self.k, self.d, <float *> &self.shift[0], <float *> &self.packed[0])
        else:
            K.f64.score_shift(c, self.k, self.d, <double *> &self.shift[0])
            K.f64.pack(c, self.k, self.d, <double *> &self.shift[0], <double *> &self.packed[0])
        if self.boxes is not None:
            self.boxes.begin(centroids, self.packed)
        self.grid_built = False
        if self.codes is not None:
            self._encode(c)
        if self.upper is not None:
            if self.single:
                self._follow(<const float *> &self.shift[0])
            else:
                self._follow(<const double *> &self.shift[0])

    cdef void _clear_sums(self):
        cdef Py_ssize_t s, size = self.k * (self.d + 2) * sizeof(double)
        if self.finish_threads == 1:
            memset(&self.sums[0, 0, 0], 0, self.n_slices * size)
            return
        for s in prange(self.n_slices, schedule="static", num_threads=self.finish_threads, nogil=True):
            memset(&self.sums[s, 0, 0], 0, size)

    cdef void _follow(self, const floating *shift):
        """Find how far the centroids moved since the last pass that labelled, the largest norm, and the gaps."""
        cdef Py_ssize_t j, f
        cdef double norm, moved, reach = 0.0
        cdef floating *rows = <floating *> &self.rows[0]
        self.moves.moved, self.moves.most, self.moves.next, self.moves.farthest = &self.moved[0], 0, 0, 0
        for j in range(self.k):
            norm = moved = 0.0
            for f in range(self.d):
                norm += (self.centroids[j, f] - shift[f]) ** 2
                moved += (self.centroids[j, f] - self.last_centroids[j, f]) ** 2
                rows[j * self.d + f] = <floating> (self.centroids[j, f] - <double> shift[f])
            reach = max(reach, sqrt(norm))
            moved = sqrt(moved)
            self.moved[j] = <float> (moved * UP)
            if self.moved[j] > self.moves.most:
                self.moves.next, self.moves.most, self.moves.farthest = self.moves.most, self.moved[j], <int32_t> j
            elif self.moved[j] > self.moves.next:
                self.moves.next = self.moved[j]
            if self.bounds is not None:
                self.way[j] = self.way[j] + moved if self.bounded else 0.0
                self.drift[j] = <float> (self.way[j] * UP)
        self.reach = <float> (reach * UP)
        self.moves.near, self.moves.near_mover = &self.near[0], &self.near_mover[0]
        self.moves.apart = self.moves.drift = self.moves.gaps = NULL
        self.moves.rivals = NULL
        if self.bounds is not None:
            self._measure_gaps()
            self.moves.apart, self.moves.drift = &self.apart[0, 0], &self.drift[0]
        elif self.bounded and self.rivals is not None:
            self._find_rivals(rows)
            self.moves.rivals, self.moves.gaps = &self.rivals[0, 0], &self.gaps[0, 0]
        if self.bounded:
            self._measure_movers(rows, shift)
        self.filter_now = NULL
        if (self.filter is not None and kmf_filter_holds(reach)
                and FILTER_PAYS * self.n_unfiltered <= self.n_filtered):
            self.filter_now = &self.filter[0]
            self._pack_filter(shift)

    cdef void _pack_filter(self, const floating *shift):
        """Lay the centroids out for the filter, some tiles at a time."""
        cdef Py_ssize_t tile = K.f32.tile if floating is float else K.f64.tile
        cdef Py_ssize_t some = FILTER_TILES_AT_ONCE * tile, c, first
        cdef Py_ssize_t size = FILTER_TILES_AT_ONCE * kmf_filter_tile_bytes(tile, K.f32.filter_bytes, self.d)
        cdef int threads = max(self.gaps_threads, 1)
        for c in prange((self.k + some - 1) // some, schedule="static", num_threads=threads, nogil=True):
            first = c * some
            if floating is float:
                K.f32.filter_pack(&self.centroids[first, 0], min(some, self.k - first), self.d, shift,
                                  &self.filter[c * size])
            else:
                K.f64.filter_pack(&self.centroids[first, 0], min(some, self.k - first), self.d, shift,
                                  &self.filter[c * size])

    cdef void _find_rivals(self, const floating *rows):
        """Find the nearest others of each centroid, and the distance to the first of them."""
        cdef Py_ssize_t c, j, m = CENTROIDS_AT_ONCE, n_chunks = (self.k + CENTROIDS_AT_ONCE - 1) // CENTROIDS_AT_ONCE
        with nogil:
            for c in prange(n_chunks, schedule="static", num_threads=self.gaps_threads):
                self._rivals_of(rows, c * m, min(m, self.k - c * m), threadid())
        for j in range(self.k):
            self.near[j] = self.gaps[j, 0]

    cdef void _rivals_of(self, const floating *rows, Py_ssize_t j, Py_ssize_t m, int thread) noexcept nogil:
        cdef floating *work = <floating *> &self.work[thread * share(self.work, self.n_threads)]
        cdef const floating *packed = <const floating *> &self.packed[0]
        if floating is float:
            K.f32.find_rivals(rows, packed, self.k, self.d, j, m, self.reach, &self.rivals[0, 0],
                              &self.gaps[0, 0], work)
        else:
            K.f64.find_rivals(rows, packed, self.k, self.d, j, m, self.reach, &self.rivals[0, 0],
                              &self.gaps[0, 0], work)

    cdef void _measure_movers(self, const floating *rows, const floating *shift):
        """Find the few centroids that moved most, and how far the others are from them, rounded down."""
        cdef Py_ssize_t few = self.k // (SHARE_OF_MOVERS if self.filter is None else SHARE_BEHIND_FILTER)
        cdef Py_ssize_t most = min(<Py_ssize_t> MOVERS, self.k), m = 0, j, at
        cdef int32_t *which = &self.mover[0]
        cdef double *exact = <double *> &self.movers[0]
        cdef floating *points = <floating *> (exact + most * self.d)
        cdef floating *squares = points + most * self.d
        cdef floating *packed = squares + self.k * most
        cdef double unit = 6.0e-8 if self.single else 1.2e-16  # of rounding
        cdef double shrink = (1.0 - unit * (self.d + 16)) / UP, blur = 16.0 * unit * self.reach
        few = max(1, min(most, few))
        for j in range(self.k):
            if self.moved[j] == 0.0 or (m == few and self.moved[j] <= self.moved[which[m - 1]]):
                continue
            at = m if m < few else m - 1
            m = min(m + 1, few)
            while at > 0 and self.moved[which[at - 1]] < self.moved[j]:
                which[at] = which[at - 1]
                at -= 1
            which[at] = <int32_t> j
        for at in range(m):
            memcpy(points + at * self.d, rows + which[at] * self.d, self.d * sizeof(floating))
            memcpy(exact + at * self.d, &self.centroids[which[at], 0], self.d * sizeof(double))
        self.moves.mover, self.moves.movers, self.moves.n_movers = which, packed, m
        if m > 0:
            if floating is float:
                K.f32.pack(exact, m, self.d, shift, packed)
                K.f32.squared_distances(rows, self.k, self.d, points, m, squares, <float *> &self.work[0])
            else:
                K.f64.pack(exact, m, self.d, shift, packed)
                K.f64.squared_distances(rows, self.k, self.d, points, m, squares, <double *> &self.work[0])
        self.near_mover[:] = LARGE
        self.moves.rest = 0.0
        for j in range(self.k):
            for at in range(m):
                if j == which[at]:
                    break
            else:
                self.moves.rest = max(self.moves.rest, self.moved[j])
            for at in range(m):
                if j != which[at]:
                    self.near_mover[j] = min(self.near_mover[j],
                                             <float> (sqrt(squares[j * m + at]) * shrink - blur))

    cdef void _measure_gaps(self):
        """Find the distances between centroids of which one moved, rounded down, and to the nearest of each."""
        cdef Py_ssize_t i, j, first = 0, m, at
        cdef Py_ssize_t[GAPS_AT_ONCE] which
        cdef double[:, ::1] some = np.empty((GAPS_AT_ONCE, self.d)), squares = np.empty((self.k, GAPS_AT_ONCE))
        cdef double[::1] work = np.empty(kmf_work_size_f64(&K.f64, self.k, self.d))
        cdef float gap, near
        while first < self.k:
            m = 0
            while first < self.k and m < GAPS_AT_ONCE:
                if self.moved[first] > 0.0 or self.stale:
                    some[m, :] = self.centroids[first]
                    which[m] = first
                    m += 1
                first += 1
            if m == 0:
                break
            K.f64.squared_distances(&self.centroids[0, 0], self.k, self.d, &some[0, 0], m, &squares[0, 0], &work[0])
            for i in range(self.k):
                for j in range(m):
                    at = which[j]
                    gap = LARGE if i == at else <float> min(sqrt((&squares[0, 0])[i * m + j]) / UP, <double> LARGE)
                    self.apart[i, at] = gap
                    self.apart[at, i] = gap
        for i in range(self.k):
            near = LARGE
            for j in range(self.k):
                near = min(near, self.apart[i, j])
            self.near[i] = near

    cpdef visit(self, block, Py_ssize_t start, bint assign=True):
        """Label the samples of the block that begins at row `start`, a multiple of the chunk, and sum them.

        Without `assign` they are summed by the labels they have.
        """
        cdef const float[:, ::1] x32
        cdef const double[:, ::1] x64
        cdef bint marked = assign and self.boxes is not None and not self.all_new
        if assign and self.boxes is not None:
            self.changed[0] += self.boxes.label(block, start, self.shift, self.labels, self.boxed_labels,
                                                self.marks if marked else None)
            self.scored[0].distances += self.boxes.n_scored
            self.assigned, assign = True, False
        if assign:
            self._build_grid()
        if self.single:
            x32 = block
            with nogil:
                if marked:
                    self._update_marked(&x32[0, 0], x32.shape[0], start)
                else:
                    self._visit(&x32[0, 0], x32.shape[0], start, assign)
        else:
            x64 = block
            with nogil:
                if marked:
                    self._update_marked(&x64[0, 0], x64.shape[0], start)
                else:
                    self._visit(&x64[0, 0], x64.shape[0], start, assign)

    def relabel(self, row, Py_ssize_t i, int32_t label):
        """Move sample i, given as a block of one row, to another cluster."""
        cdef const float[:, ::1] x32
        cdef const double[:, ::1] x64
        cdef Py_ssize_t part
        self.old_labels[0] = self.labels[i]
        self.labels[i] = label
        self.all_new = False  # it leaves the sums of its old cluster
        if self.upper is not None:
            self.upper[i], self.lower[i] = INFINITY, 0.0  # its bounds are those of another cluster
        if self.bounds is not None:
            self.bounds[i, :] = 0.0
            self.bounds[i, label] = LARGE
        if self.boxes is not None:
            self.boxes.relabel(i, label)
        if self.single:
            x32 = row
            for part in range(self.n_parts):
                self._update(&x32[0, 0], i, 1, self.old_labels, part)
        else:
            x64 = row
            for part in range(self.n_parts):
                self._update(&x64[0, 0], i, 1, self.old_labels, part)

    cdef void _visit(self, const floating *X, Py_ssize_t n, Py_ssize_t start, bint assign) noexcept nogil:
        """Fused, a thread labels and sums a chunk while it is in cache; else all label first, then all sum."""
        cdef Py_ssize_t c, task
        cdef Py_ssize_t n_chunks = (n + self.chunk - 1) // self.chunk
        cdef Py_ssize_t n_tasks = min(self.n_slices, n_chunks)
        cdef int32_t *labels = &self.labels[start]
        self.assigned = self.assigned or assign
        if self.n_threads == 1:  # a parallel region would cost a small fit as much as its arithmetic
            for task in range(n_tasks):
                self._visit_slice(X, n, start, task, assign, 0)
            return
        if self.fused:
            for task in prange(n_tasks, schedule="dynamic", chunksize=1, num_threads=self.n_threads):
                self._visit_slice(X, n, start, task, assign, threadid())
            return
        if assign:
            memcpy(self.old_labels, labels, n * sizeof(int32_t))
            for c in prange(n_chunks, schedule="dynamic", chunksize=1, num_threads=self.n_threads):
                self._assign(X + c * self.chunk * self.d, min(self.chunk, n - c * self.chunk),
                             labels + c * self.chunk, start + c * self.chunk, threadid())
        for task in prange(n_tasks * self.n_parts, schedule="dynamic", chunksize=1, num_threads=self.n_threads):
            self._update_slice(X, n, start, task // self.n_parts, task % self.n_parts)

    cdef void _visit_slice(self, const floating *X, Py_ssize_t n, Py_ssize_t start, Py_ssize_t nth, bint assign,
                           int thread) noexcept nogil:
        """Label and sum the chunks of the block's nth slice, counted from the slice of its first chunk.

        Where all samples are read they come in strips that stay in cache; what bounds leave of a chunk comes at once.
        """
        cdef Py_ssize_t row = nth * self.chunk, end, m
        cdef Py_ssize_t step = self.chunk if self.bounded and not self.all_new else self.strip
        while row < n:
            end = min(row + self.chunk, n)
            while row < end:
                m = min(step, end - row)
                self._visit_strip(X + row * self.d, m, start + row, assign, thread)
                row += m
            row = end + (self.n_slices - 1) * self.chunk

    cdef void _visit_strip(self, const floating *X, Py_ssize_t m, Py_ssize_t start, bint assign,
                           int thread) noexcept nogil:
        cdef int32_t *old = &self.old_labels[2 * thread * self.chunk]
        cdef int32_t *new = old + self.chunk
        cdef int32_t *labels = &self.labels[start]
        if assign:
            memcpy(old, labels, m * sizeof(int32_t))
            if self.mapped:  # a page that is written goes to disk
                memcpy(new, old, m * sizeof(int32_t))
                self._assign(X, m, new, start, thread)
                if memcmp(new, old, m * sizeof(int32_t)) != 0:
                    memcpy(labels, new, m * sizeof(int32_t))
            else:
                self._assign(X, m, labels, start, thread)
        self._update(X, start, m, old, 0)

    cdef void _assign(self, const floating *X, Py_ssize_t m, int32_t *labels, Py_ssize_t row,
                      int thread) noexcept nogil:
        """Label m samples, the first of which is sample `row` of X."""
        cdef floating *work = <floating *> &self.work[thread * share(self.work, self.n_threads)]
        cdef const floating *shift = <const floating *> &self.shift[0]
        cdef const floating *packed = <const floating *> &self.packed[0]
        cdef Py_ssize_t scored = m, distances = 0
        cdef const floating *rows = NULL
        cdef const floating *origin
        cdef int32_t *codes
        cdef const kmf_moves *moves = NULL
        cdef size_t unfiltered = 0, settled = 0
        if self.bounded:
            moves = &self.moves
        if self.rows is not None:
            rows = <const floating *> &self.rows[0]
        if floating is float:
            if self.grid_now != NULL:
                scored = 0
                distances = K.f32.grid_assign(
                    X, m, self.d, shift, packed, self.k, <const kmf_grid_f32 *> self.grid_now, labels, work)
            elif self.codes_now:
                codes = &self.codes[row * ((self.d + 1) // 2)]
                origin = <const floating *> &self.codes_origin[0]
                if not self.coded:
                    K.f32.codes_round(X, m, self.d, origin, self.farthest, codes)
                unfiltered = K.f32.codes_assign(codes, X, m, self.d, shift, packed, self.k, &self.plan, labels, work)
                distances = unfiltered * self.k
            elif self.upper is None:
                K.f32.assign(X, m, self.d, shift, packed, self.k, labels, work)
            elif self.bounds is not None:
                scored = 0
                distances = K.f32.elkan(
                    X, m, self.d, shift, packed, rows, self.k, self.reach, &self.moves, self.bounded, labels,
                    &self.upper[row], &self.lower[row], &self.bounds[row, 0], work)
            else:
                scored = K.f32.hamerly(X, m, self.d, shift, packed, rows, self.filter_now, self.k, self.reach, moves,
                                       labels, &self.upper[row], &self.lower[row], &unfiltered, &settled, work)
        else:
            if self.grid_now != NULL:
                scored = 0
                distances = K.f64.grid_assign(
                    X, m, self.d, shift, packed, self.k, <const kmf_grid_f64 *> self.grid_now, labels, work)
            elif self.codes_now:
                codes = &self.codes[row * ((self.d + 1) // 2)]
                origin = <const floating *> &self.codes_origin[0]
                if not self.coded:
                    K.f64.codes_round(X, m, self.d, origin, self.farthest, codes)
                unfiltered = K.f64.codes_assign(codes, X, m, self.d, shift, packed, self.k, &self.plan, labels, work)
                distances = unfiltered * self.k
            elif self.upper is None:
                K.f64.assign(X, m, self.d, shift, packed, self.k, labels, work)
            elif self.bounds is not None:
                scored = 0
                distances = K.f64.elkan(
                    X, m, self.d, shift, packed, rows, self.k, self.reach, &self.moves, self.bounded, labels,
                    &self.upper[row], &self.lower[row], &self.bounds[row, 0], work)
            else:
                scored = K.f64.hamerly(X, m, self.d, shift, packed, rows, self.filter_now, self.k, self.reach, moves,
                                       labels, &self.upper[row], &self.lower[row], &unfiltered, &settled, work)
        self.scored[thread].distances += scored * self.k + distances + settled
        if self.filter_now != NULL or self.codes_now:
            self.scored[thread].filtered += scored - unfiltered
            self.scored[thread].unfiltered += unfiltered

    cdef void _update_slice(self, const floating *X, Py_ssize_t n, Py_ssize_t start, Py_ssize_t nth,
                            Py_ssize_t part) noexcept nogil:
        """Sum some features of the chunks of the block's nth slice."""
        cdef Py_ssize_t row = nth * self.chunk
        while row < n:
            self._update(X + row * self.d, start + row, min(self.chunk, n - row), &self.old_labels[row], part)
            row += self.n_slices * self.chunk

    cdef void _update(self, const floating *X, Py_ssize_t i, Py_ssize_t m, const int32_t *old_labels,
                      Py_ssize_t part) noexcept nogil:
        cdef Py_ssize_t s = i // self.chunk % self.n_slices, changed, j
        cdef Py_ssize_t first = self.d * part // self.n_parts, last = self.d * (part + 1) // self.n_parts
        cdef const double *weight = NULL
        cdef const int32_t *old = NULL
        if self.sample_weight is not None:
            weight = &self.sample_weight[i]
        if not self.all_new:
            old = old_labels
        if floating is float:
            changed = K.f32.update(
                X, m, self.d, old, &self.labels[i], weight, &self.origin[0], first, last, &self.sums[s, 0, 0])
        else:
            changed = K.f64.update(
                X, m, self.d, old, &self.labels[i], weight, &self.origin[0], first, last, &self.sums[s, 0, 0])
        if part == 0:
            if self.all_new:
                changed = 0
                for j in range(m if self.marks is None else 0):  # boxes have counted them
                    changed += old_labels[j] != self.labels[i + j]
            self.changed[s] += changed

    cdef void _update_marked(self, const floating *X, Py_ssize_t n, Py_ssize_t start) noexcept nogil:
        """Sum the samples of a block that boxes have marked."""
        cdef Py_ssize_t n_tasks = min(self.n_slices, (n + self.chunk - 1) // self.chunk), task
        for task in prange(n_tasks, schedule="dynamic", chunksize=1, num_threads=self.n_threads):
            self._update_marked_slice(X, n, start, task)

    cdef void _update_marked_slice(self, const floating *X, Py_ssize_t n, Py_ssize_t start,
                                   Py_ssize_t nth) noexcept nogil:
        cdef Py_ssize_t row = nth * self.chunk, s = (start // self.chunk + nth) % self.n_slices, m
        cdef const double *weight = NULL
        while row < n:
            m = min(self.chunk, n - row)
            if self.sample_weight is not None:
                weight = &self.sample_weight[start + row]
            if floating is float:
                K.f32.update_marked(X + row * self.d, m, self.d, &self.marks[row], &self.old_labels[row],
                                    &self.labels[start + row], weight, &self.origin[0], &self.sums[s, 0, 0])
            else:
                K.f64.update_marked(X + row * self.d, m, self.d, &self.marks[row], &self.old_labels[row],
                                    &self.labels[start + row], weight, &self.origin[0], &self.sums[s, 0, 0])
            row += self.n_slices * self.chunk

    cpdef finish(self, double[:, ::1] new_centroids):
        """Add the slices, move the centroids to the means, and price the labels against the old centroids.

        With `rounding` the means are rounded to float32. An empty cluster keeps its centroid. Sets n_changed, n_empty,
        inertia and centroid_shift (squared).
        """
        cdef Py_ssize_t j, s
        cdef int64_t distances = self.n_distances
        self.coded = self.coded or (self.codes_now and self.assigned)
        if self.assigned and self.upper is not None:
            self.bounded = True
            self.last_centroids[:, :] = self.centroids  # before they are overwritten, if new_centroids are the same
        if self.assigned and self.boxes is not None:
            self.boxes.finish(self.centroids)
        if self.finish_threads == 1:
            for j in range(self.k):
                self._finish_cluster(j, new_centroids)
        else:
            with nogil:
                for j in prange(self.k, schedule="static", num_threads=self.finish_threads):
                    self._finish_cluster(j, new_centroids)
        self.n_changed = self.n_empty = 0
        self.inertia, self.centroid_shift = self.total_squares, 0.0
        for s in range(self.n_slices):
            self.n_changed += self.changed[s]
        if self.unlabelled:  # labels that were known before the pass are new to the run
            self.n_changed = self.labels.shape[0]
        distances = self.count_distances() - distances
        if self.grid is not None and GRID_PAYS * <double> distances > <double> self.labels.shape[0] * self.k:
            self._drop_grid()  # centroids too crowded for its cells
        for j in range(self.k):
            self.n_empty += self.totals[j, self.d + 1] == 0.0
            self.inertia += self.totals[j, self.d + 2]
            self.centroid_shift += self.totals[j, self.d + 3]
        self.inertia = max(self.inertia, 0.0)

    def iterate(self, block, double[:, ::1] centroids, double[:, ::1] new_centroids, Py_ssize_t max_iter, double limit,
                list history):
        """Iterate on an X that is one small block until the caller has to decide; leave what `finish` leaves.

        Between the passes of a small fit Python would take most of the time. Returns the number of iterations: after an
        odd number new_centroids are the newest, else centroids are. The first one sums every sample afresh.
        """
        cdef Py_ssize_t n_iter = 0
        cdef bint all_new = True
        cdef double lowest = INFINITY
        cdef const float[:, ::1] x32
        cdef const double[:, ::1] x64
        if self.single:
            x32 = block
        else:
            x64 = block
        while True:
            self.begin(centroids, all_new)
            self._build_grid()
            with nogil:
                if self.single:
                    self._visit(&x32[0, 0], x32.shape[0], 0, True)
                else:
                    self._visit(&x64[0, 0], x64.shape[0], 0, True)
            self.finish(new_centroids)
            n_iter += 1
            history.append(self.inertia)
            if (self.n_changed == 0 or self.n_empty or self.centroid_shift <= limit or n_iter == max_iter
                    or self.inertia >= lowest):
                return n_iter
            lowest = self.inertia
            all_new = 3 * self.n_changed > self.labels.shape[0]
            centroids, new_centroids = new_centroids, centroids

    cpdef int64_t count_distances(self):
        """Add up what the threads counted; return the distances computed since `reset`."""
        cdef Py_ssize_t thread
        for thread in range(self.n_threads):
            self.n_distances += self.scored[thread].distances
            self.n_filtered += self.scored[thread].filtered
            self.n_unfiltered += self.scored[thread].unfiltered
        self._count_anew()
        return self.n_distances

    cdef void _finish_cluster(self, Py_ssize_t j, double[:, ::1] new_centroids) noexcept nogil:
        """Row j of `totals`: sums, weight, count, what the cluster takes off the total squares, squared shift."""
        cdef Py_ssize_t s, f, d = self.d
        cdef double *total = &self.totals[j, 0]
        cdef const double *part
        cdef double weight, c, moved, gain = 0.0, shift = 0.0
        for f in range(d + 2):
            total[f] = 0.0
        for s in range(self.n_slices):
            part = &self.sums[s, j, 0]
            for f in range(d + 2):
                total[f] += part[f]
        weight = total[d]
        for f in range(d):
            c = self.centroids[j, f]
            if total[d + 1] == 0.0:
                new_centroids[j, f] = c
                continue
            # sum w |x - c|^2 = sum w |x|^2 + w c.c - 2 c.sum(w x), all about the origin
            moved = self.origin[f] + total[f] / weight
            if self.rounding:
                moved = <float> moved
            gain = gain + (c - self.origin[f]) * (weight * (c - self.origin[f]) - 2.0 * total[f])
            shift = shift + (moved - c) * (moved - c)
            new_centroids[j, f] = moved
        total[d + 2] = gain
        total[d + 3] = shift
