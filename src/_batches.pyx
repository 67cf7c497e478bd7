# cython: boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Greedy k-means++ in batches: list what proposals improve in one pass over X, play rounds on the lists."""
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange, threadid
from libc.math cimport INFINITY
from libc.stdint cimport int32_t, uint32_t

from _scratch cimport apart, share
from kmf cimport (
    KMF_LIST, kmf_filter_holds, kmf_improve_size_f32, kmf_improve_size_f64, kmf_kernels, kmf_lists_f32, kmf_lists_f64,
    kmf_patches_f32, kmf_patches_f64, kmf_proposals_f32, kmf_proposals_f64,
)

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")

ctypedef fused lists_of:
    kmf_lists_f32
    kmf_lists_f64

ctypedef fused patches_of:
    kmf_patches_f32
    kmf_patches_f64

ENTRIES = KMF_LIST  # of a block

cdef enum:
    MOST = 32

MAX_CANDIDATES = MOST  # of a round

cdef double UP = 1.0 + 1e-4  # outdoes the rounding of a sum of gains


def work_bytes(bint single, Py_ssize_t n, Py_ssize_t m, Py_ssize_t q, Py_ssize_t d):
    """Bytes of scratch for one thread."""
    cdef Py_ssize_t size
    if single:
        size = kmf_improve_size_f32(&K.f32, n, m, q, d) * sizeof(float)
    else:
        size = kmf_improve_size_f64(&K.f64, n, m, q, d) * sizeof(double)
    return apart(size)


cdef class Batch:
    """Proposals of a batch, and rounds played with them. A kind of batch says what candidates gain.

    X, distances and labels belong to the caller, who keeps them; they are trusted here.
    """
    cdef:
        bint single
        kmf_proposals_f32 p32
        kmf_proposals_f64 p64
        float[::1] closest32
        double[::1] closest64
        int32_t[::1] nearest
        const double[::1] weight
        object points, between, least, quarter, packed, filter, shift_array  # keep what the pointers point to
        const void *shift
        unsigned char[::1] work
        double[:, ::1] gains  # candidate x part of X
        Py_ssize_t size, d
        int n_threads

    def __init__(self, bint single, closest, int32_t[::1] nearest, sample_weight, unsigned char[::1] work,
                 Py_ssize_t size, Py_ssize_t d, int n_threads):
        self.single, self.nearest, self.weight = single, nearest, sample_weight
        self.work, self.size, self.d, self.n_threads = work, size, d, n_threads
        if single:
            self.closest32 = closest
        else:
            self.closest64 = closest

    def begin(self, const floating[:, ::1] points, Py_ssize_t n, const unsigned char[::1] packed, filter,
              const floating[::1] shift, const floating[:, ::1] between, const floating[::1] least,
              const floating[::1] quarter, double largest):
        """Begin a batch of n proposals."""
        cdef const unsigned char[::1] bytes = filter
        cdef const void *f = NULL
        if bytes is not None:
            f = &bytes[0]
        self.points, self.packed, self.filter, self.shift_array = points, packed, filter, shift
        self.between, self.least, self.quarter = between, least, quarter
        self.shift = &shift[0]
        if floating is float:
            self.p32.points, self.p32.packed = &points[0, 0], <const float *> &packed[0]
            self.p32.filter, self.p32.largest = f, largest
            self.p32.n, self.p32.n_chosen, self.p32.stride = n, between.shape[0], between.shape[1]
            self.p32.between, self.p32.least, self.p32.quarter = &between[0, 0], &least[0], &quarter[0]
        else:
            self.p64.points, self.p64.packed = &points[0, 0], <const double *> &packed[0]
            self.p64.filter, self.p64.largest = NULL, largest
            self.p64.n, self.p64.n_chosen, self.p64.stride = n, between.shape[0], between.shape[1]
            self.p64.between, self.p64.least, self.p64.quarter = &between[0, 0], &least[0], &quarter[0]
        self._clear(n)

    def find(self, X, Py_ssize_t start, int n_threads):
        """Find what proposals gain in a block of X; False where there was no room for that."""
        cdef const void *x = self._first(X)
        cdef Py_ssize_t n = X.shape[0], failed = 0, task
        with nogil:
            for task in prange(self._tasks(n), schedule="dynamic", chunksize=1, num_threads=n_threads):
                failed += self._find(x, n, start, task, threadid())
        return failed == 0

    def play(self, const Py_ssize_t[::1] rows, const double[::1] bar, Py_ssize_t n, Py_ssize_t[::1] taken,
             const Py_ssize_t[::1] wanted, Py_ssize_t m, Py_ssize_t[::1] chosen, int n_threads):
        """Play rounds with the first n proposals; one with m samples chosen wants wanted[m] candidates.

        Returns how many centroids are chosen now, how many candidates of the next round are taken (their positions are
        in `taken`), and what the potential fell by in rounds of more than one.
        """
        cdef Py_ssize_t p = 0, n_taken = 0, best
        cdef double total = 0.0
        with nogil:
            while m < chosen.shape[0]:
                while p < n and n_taken < wanted[m]:
                    if bar[p] < (self.closest32[rows[p]] if self.single else self.closest64[rows[p]]):
                        taken[n_taken] = p
                        n_taken = n_taken + 1
                    p = p + 1
                if n_taken < wanted[m]:
                    break
                best = taken[0]
                if n_taken > 1:
                    total = total + self._best(taken, n_taken, n_threads, &best)
                self._choose(best, p, m, n_threads)
                chosen[m] = rows[best]
                m = m + 1
                n_taken = 0
        return m, n_taken, total

    cdef void _clear(self, Py_ssize_t n) noexcept:
        """Forget the batch before."""

    cdef Py_ssize_t _tasks(self, Py_ssize_t n) noexcept nogil:
        """Tasks of a block of n samples."""

    cdef bint _find(self, const void *X, Py_ssize_t n, Py_ssize_t start, Py_ssize_t task, int thread) noexcept nogil:
        """Find the gains of one task; True where there was no room."""

    cdef double _gain(self, Py_ssize_t part, Py_ssize_t p) noexcept nogil:
        """What proposal p gains in a part of X."""

    cdef void _choose(self, Py_ssize_t p, Py_ssize_t next, Py_ssize_t label, int n_threads) noexcept nogil:
        """Proposal p is chosen; those before `next` are done with."""

    cdef double _bound(self, Py_ssize_t p) noexcept nogil:
        """No less than proposal p gains."""
        return INFINITY

    cdef double _best(self, const Py_ssize_t[::1] taken, Py_ssize_t q, int n_threads, Py_ssize_t *best) noexcept nogil:
        """Return the greatest gain of the q taken, and whose it is, the first of equals; parts are added in order.

        Those that may gain most come first, so that most of the others need not be asked.
        """
        cdef Py_ssize_t[MOST] order
        cdef double[MOST] bound
        cdef Py_ssize_t j, at, part, task, n, done = 0, first = 0, n_parts = self.gains.shape[1]
        cdef double most = -1.0, gain
        for j in range(q):
            bound[j] = self._bound(taken[j])
            at = j
            while at > 0 and bound[order[at - 1]] < bound[j]:
                order[at] = order[at - 1]
                at = at - 1
            order[at] = j
        while done < q and bound[order[done]] >= most:
            n = q if bound[order[0]] == INFINITY else min(<Py_ssize_t> n_threads, q - done)
            if n_threads == 1:
                for task in range(n * n_parts):
                    j = order[done + task % n]
                    self.gains[j, task // n] = self._gain(task // n, taken[j])
            else:
                for task in prange(n * n_parts, schedule="dynamic", chunksize=1, num_threads=n_threads):
                    self.gains[order[done + task % n], task // n] = self._gain(
                        task // n, taken[order[done + task % n]])
            for at in range(done, done + n):
                gain = 0.0
                for part in range(n_parts):
                    gain = gain + self.gains[order[at], part]
                if gain > most or (gain == most and order[at] < first):
                    most = gain
                    first = order[at]
            done = done + n
        best[0] = taken[first]
        return most

    cdef const void *_first(self, X) except NULL:
        """Return where a block of X begins; the caller keeps it."""
        cdef const float[:, ::1] x32
        cdef const double[:, ::1] x64
        if self.single:
            x32 = X
            return &x32[0, 0]
        x64 = X
        return &x64[0, 0]

    cdef void *_scratch(self, int thread) noexcept nogil:
        return &self.work[thread * share(self.work, self.n_threads)]

    cdef const double *_weight(self, Py_ssize_t row) noexcept nogil:
        if self.weight is None:
            return NULL
        return &self.weight[row]


cdef class Lists(Batch):
    """Improvement lists (kmf_propose_tpl.h); slice s lists the stretches s, s + n_slices, ... in order."""
    cdef:
        unsigned char[::1] distances
        uint32_t[::1] rows
        int32_t[::1] next
        int32_t[:, :, ::1] ends  # slice x (head, tail, fill) x proposal
        Py_ssize_t[::1] used
        double[:, ::1] listed  # slice x proposal: what it gained when it was listed
        Py_ssize_t n_slices, blocks

    def keep(self, unsigned char[::1] distances, uint32_t[::1] rows, int32_t[::1] next, int32_t[:, :, ::1] ends,
             Py_ssize_t[::1] used, double[:, ::1] listed, double[:, ::1] gains):
        """Use this memory."""
        self.distances, self.rows, self.next, self.ends, self.used = distances, rows, next, ends, used
        self.listed, self.gains = listed, gains
        self.n_slices, self.blocks = ends.shape[0], next.shape[0] // ends.shape[0]

    @property
    def n_used(self):
        """Entries that have been given room."""
        return KMF_LIST * sum(self.used[s] - s * self.blocks for s in range(self.n_slices))

    cdef void _clear(self, Py_ssize_t n) noexcept:
        cdef Py_ssize_t s, p
        for s in range(self.n_slices):
            self.used[s] = s * self.blocks
            for p in range(n):
                self.ends[s, 0, p] = self.ends[s, 1, p] = -1
                self.ends[s, 2, p] = KMF_LIST
                self.listed[s, p] = 0.0

    cdef Py_ssize_t _tasks(self, Py_ssize_t n) noexcept nogil:
        return min(self.n_slices, (n + self.size - 1) // self.size)

    cdef void _slice(self, Py_ssize_t s, lists_of *lists) noexcept nogil:
        if lists_of is kmf_lists_f32:
            lists.distances = <float *> &self.distances[0]
        else:
            lists.distances = <double *> &self.distances[0]
        lists.rows, lists.next = &self.rows[0], &self.next[0]
        lists.head, lists.tail, lists.fill = &self.ends[s, 0, 0], &self.ends[s, 1, 0], &self.ends[s, 2, 0]
        lists.gain = &self.listed[s, 0]
        lists.used, lists.end = self.used[s], (s + 1) * self.blocks

    cdef bint _find(self, const void *X, Py_ssize_t n, Py_ssize_t start, Py_ssize_t task, int thread) noexcept nogil:
        cdef kmf_lists_f32 l32
        cdef kmf_lists_f64 l64
        cdef Py_ssize_t row = task * self.size, s = (start // self.size + task) % self.n_slices
        cdef int ok = 1
        self._slice(s, &l32)
        self._slice(s, &l64)
        while ok and row < n:
            if self.single:
                ok = K.f32.improvements(
                    <const float *> X + row * self.d, min(self.size, n - row), self.d, <const float *> self.shift,
                    &self.p32, &self.nearest[start + row], &self.closest32[start + row], <uint32_t> (start + row), &l32,
                    <float *> self._scratch(thread))
            else:
                ok = K.f64.improvements(
                    <const double *> X + row * self.d, min(self.size, n - row), self.d, <const double *> self.shift,
                    &self.p64, &self.nearest[start + row], &self.closest64[start + row], <uint32_t> (start + row), &l64,
                    <double *> self._scratch(thread))
            row += self.n_slices * self.size
        self.used[s] = l32.used if self.single else l64.used
        return not ok

    cdef double _bound(self, Py_ssize_t p) noexcept nogil:
        cdef Py_ssize_t s
        cdef double sum = 0.0
        if self.weight is not None:
            return INFINITY
        for s in range(self.n_slices):
            sum = sum + self.listed[s, p]
        return sum * UP

    cdef double _gain(self, Py_ssize_t s, Py_ssize_t p) noexcept nogil:
        cdef kmf_lists_f32 l32
        cdef kmf_lists_f64 l64
        if self.single:
            self._slice(s, &l32)
            return K.f32.list_gain(&l32, p, &self.closest32[0], self._weight(0))
        self._slice(s, &l64)
        return K.f64.list_gain(&l64, p, &self.closest64[0], self._weight(0))

    cdef void _choose(self, Py_ssize_t p, Py_ssize_t next, Py_ssize_t label, int n_threads) noexcept nogil:
        cdef Py_ssize_t s
        cdef kmf_lists_f32 l32
        cdef kmf_lists_f64 l64
        for s in range(self.n_slices):
            if self.single:
                self._slice(s, &l32)
                K.f32.list_apply(&l32, p, <int32_t> label, &self.nearest[0], &self.closest32[0])
            else:
                self._slice(s, &l64)
                K.f64.list_apply(&l64, p, <int32_t> label, &self.nearest[0], &self.closest64[0])


cdef class Patches(Batch):
    """Patches of space (kmf_patches_tpl.h) for few features; rows are places in their order."""
    cdef:
        unsigned char[::1] panels, boxes, tops
        uint32_t[::1] order
        float[::1] weight32
        double[::1] weight64
        Py_ssize_t n_stretches, n_panels, box, top  # of a stretch

    def keep(self, unsigned char[::1] panels, unsigned char[::1] boxes, unsigned char[::1] tops, uint32_t[::1] order,
             double[:, ::1] gains):
        """Use this memory."""
        self.panels, self.boxes, self.tops, self.order, self.gains = panels, boxes, tops, order, gains
        self.n_stretches, self.weight32, self.weight64 = gains.shape[1], None, None
        self.n_panels = self.size // <Py_ssize_t> (K.f32.panel if self.single else K.f64.panel)
        self.box, self.top = boxes.shape[0] // self.n_stretches, tops.shape[0] // self.n_stretches

    def weigh(self, weight):
        """Use these weights; they follow the order."""
        if self.single:
            self.weight32 = weight
        else:
            self.weight64 = weight

    def patch(self, X, Py_ssize_t start, given, int n_threads):
        """Put the samples of a block in order, stretch by stretch."""
        cdef const uint32_t[::1] g = given
        cdef const uint32_t *order = NULL
        cdef const void *x = self._first(X)
        cdef Py_ssize_t n = X.shape[0], s
        if g is not None:
            order = &g[0]
        for s in prange((n + self.size - 1) // self.size, schedule="dynamic", chunksize=1, num_threads=n_threads,
                        nogil=True):
            self._patch(x, n, start, s * self.size, order, threadid())

    cdef void _patch(self, const void *X, Py_ssize_t n, Py_ssize_t start, Py_ssize_t row, const uint32_t *given,
                     int thread) noexcept nogil:
        cdef Py_ssize_t s = (start + row) // self.size, m = min(self.size, n - row)
        cdef kmf_patches_f32 p32
        cdef kmf_patches_f64 p64
        if self.single:
            self._stretch(s, &p32)
            K.f32.patch(<const float *> X + row * self.d, m, self.d, given, &self.order[start + row], &p32,
                        self._scratch(thread))
        else:
            self._stretch(s, &p64)
            K.f64.patch(<const double *> X + row * self.d, m, self.d, given, &self.order[start + row], &p64,
                        self._scratch(thread))

    def propose(self, const floating[:, ::1] points):
        """Play with these proposals from now on."""
        self.points = points
        if floating is float:
            self.p32.points = &points[0, 0]
        else:
            self.p64.points = &points[0, 0]

    def choose(self, Py_ssize_t p):
        """Choose a proposal."""
        self._choose(p, p + 1, 0, 1)

    cdef void _stretch(self, Py_ssize_t s, patches_of *patches) noexcept nogil:
        cdef void *boxes = &self.boxes[s * self.box]
        cdef void *tops = &self.tops[s * self.top]
        cdef Py_ssize_t row = s * self.size
        patches.n_panels, patches.weight = self.n_panels, NULL
        if patches_of is kmf_patches_f32:
            patches.panels, patches.closest = <float *> &self.panels[0] + row * self.d, &self.closest32[row]
            patches.boxes, patches.tops = <float *> boxes, <float *> tops
            if self.weight32 is not None:
                patches.weight = &self.weight32[row]
        else:
            patches.panels, patches.closest = <double *> &self.panels[0] + row * self.d, &self.closest64[row]
            patches.boxes, patches.tops = <double *> boxes, <double *> tops
            if self.weight64 is not None:
                patches.weight = &self.weight64[row]

    cdef double _gain(self, Py_ssize_t s, Py_ssize_t p) noexcept nogil:
        cdef kmf_patches_f32 p32
        cdef kmf_patches_f64 p64
        if self.single:
            self._stretch(s, &p32)
            return K.f32.patch_gain(&p32, self.p32.points + p * self.d, self.d)
        self._stretch(s, &p64)
        return K.f64.patch_gain(&p64, self.p64.points + p * self.d, self.d)

    cdef void _choose(self, Py_ssize_t p, Py_ssize_t next, Py_ssize_t label, int n_threads) noexcept nogil:
        cdef Py_ssize_t s
        if n_threads == 1:
            for s in range(self.n_stretches):
                self._choose_in(s, p)
        else:
            for s in prange(self.n_stretches, schedule="dynamic", chunksize=1, num_threads=n_threads):
                self._choose_in(s, p)

    cdef void _choose_in(self, Py_ssize_t s, Py_ssize_t p) noexcept nogil:
        cdef kmf_patches_f32 p32
        cdef kmf_patches_f64 p64
        if self.single:
            self._stretch(s, &p32)
            K.f32.patch_choose(&p32, self.p32.points + p * self.d, self.d)
        else:
            self._stretch(s, &p64)
            K.f64.patch_choose(&p64, self.p64.points + p * self.d, self.d)


def filter_pack(const double[:, ::1] points, const float[::1] shift, unsigned char[::1] filter, double largest):
    """Lay proposals out for the filter (kmf_filter_tpl.h); False if it does not hold for norms up to `largest`."""
    if not kmf_filter_holds(largest):
        return False
    K.f32.filter_pack(&points[0, 0], points.shape[0], points.shape[1], &shift[0], &filter[0])
    return True


def quarter_squares(const floating[:, ::1] chosen, const floating[:, ::1] points, Py_ssize_t n,
                    floating[:, ::1] between, floating[::1] least, floating[::1] quarter, unsigned char[::1] work,
                    int n_threads):
    """Fill `between`, `least` and `quarter` of kmf_proposals (kmf_api_tpl.h) for the first n points."""
    cdef Py_ssize_t i, stride = share(work, n_threads)
    for i in prange((chosen.shape[0] + 63) // 64, schedule="static", num_threads=n_threads, nogil=True):
        _quarter_squares(chosen, points, n, between, least, quarter, 64 * i, <floating *> &work[threadid() * stride])


cdef void _quarter_squares(const floating[:, ::1] chosen, const floating[:, ::1] points, Py_ssize_t n,
                           floating[:, ::1] between, floating[::1] least, floating[::1] quarter, Py_ssize_t first,
                           floating *work) noexcept nogil:
    """The same for 64 of the chosen."""
    cdef Py_ssize_t a, p, at, d = points.shape[1], step = max(1, n // 16), m = min(64, chosen.shape[0] - first)
    cdef floating sample[16]
    cdef floating value, low
    cdef double unit = 6.0e-8 if floating is float else 1.12e-16
    cdef floating shrink = <floating> (0.25 * (1.0 - 16.0 * (d + 16) * unit))
    if floating is float:
        K.f32.squared_distances(&chosen[first, 0], m, d, &points[0, 0], between.shape[1], &between[first, 0], work)
    else:
        K.f64.squared_distances(&chosen[first, 0], m, d, &points[0, 0], between.shape[1], &between[first, 0], work)
    for a in range(first, first + m):
        low = <floating> INFINITY
        for p in range(n):
            between[a, p] = between[a, p] * shrink
            low = min(low, between[a, p])
        for p in range(n, between.shape[1]):
            between[a, p] = <floating> INFINITY
        for p in range(min(16, n)):  # insertion sort of a sample
            value = between[a, p * step]
            at = p
            while at > 0 and sample[at - 1] > value:
                sample[at] = sample[at - 1]
                at = at - 1
            sample[at] = value
        least[a] = low
        quarter[a] = sample[min(16, n) // 4]
