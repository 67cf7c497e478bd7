# cython: boundscheck=False, wraparound=False, cdivision=True
"""Labels by boxes (kmf_boxes_tpl.h): a copy of X in an order in which neighbours lie together, and passes over it.

X comes in blocks as everywhere; a block is cut into groups along its widest feature, and a group is ordered and passed
over by one thread. Labels do not depend on the order, so they are the same for any blocks, groups and threads.
"""
from cpython.exc cimport PyErr_CheckSignals
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange, threadid
from libc.math cimport sqrt
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from _scratch cimport apart, share
from kmf cimport KMF_BRICK, KMF_CUT_BINS, KMF_GROUP, kmf_boxes_work, kmf_cut, kmf_kernels, kmf_leaf, kmf_plane

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")

# Stands for no label among 16-bit labels, which serve up to so many clusters.
cdef enum:
    NO_LABEL = 65535

cdef double UP = 1.0 + 1e-6  # outdoes the rounding of float

# Tasks that a block is counted and cut in; more would count more bins than samples.
cdef enum:
    MAX_TASKS = 16
    MAX_GROUPS = 1024

# Samples times centroids of groups between two looks for a signal: well within a second.
cdef double WORK_OF_A_BATCH = 2e10


def sizes(bint single, Py_ssize_t n, Py_ssize_t d, Py_ssize_t k, Py_ssize_t leaf):
    """Return the bytes of: the copy, the leaf boxes, the brick boxes, the planes and the work of a thread."""
    cdef Py_ssize_t n_leaves = n // leaf + 1, n_bricks = n // (leaf * KMF_BRICK) + 1
    cdef Py_ssize_t size = sizeof(float) if single else sizeof(double)
    return ((n + 64) // 32 * 32 * d * size, n_leaves * 2 * d * size, n_bricks * 2 * d * size,
            (3 + d) * kmf_plane(k) * size, apart(kmf_boxes_work(k, d, size) * size))


cdef class Order:
    """X in the order of its leaves, their boxes, and what a pass keeps of them; the caller makes all arrays."""
    cdef:
        readonly Py_ssize_t leaf, block_rows, n_ordered
        uint32_t[::1] order
        unsigned char[::1] copy, boxes, bricks, leaves
        uint16_t[::1] sorted

    def __init__(self, Py_ssize_t leaf, Py_ssize_t block_rows, uint32_t[::1] order, unsigned char[::1] copy,
                 unsigned char[::1] boxes, unsigned char[::1] bricks, unsigned char[::1] leaves,
                 uint16_t[::1] sorted):
        self.leaf, self.block_rows, self.n_ordered = leaf, block_rows, 0
        self.order, self.copy, self.boxes, self.bricks = order, copy, boxes, bricks
        self.leaves, self.sorted = leaves, sorted  # bounds of each leaf, and labels in the order


cdef class Boxes:
    """Passes over an order, against k centroids; the caller makes all arrays."""
    cdef:
        Order x
        bint single, bounded, adopting
        Py_ssize_t d, k
        int n_threads
        unsigned char[::1] planes, work
        float[::1] moved
        double[:, ::1] last_centroids
        int64_t[:, ::1] counts
        readonly int64_t n_scored, n_changed

    def __init__(self, Order order, bint single, int n_threads, unsigned char[::1] planes, unsigned char[::1] work,
                 float[::1] moved, double[:, ::1] last_centroids, int64_t[:, ::1] counts):
        self.x, self.single, self.n_threads = order, single, n_threads
        self.k, self.d = last_centroids.shape[0], last_centroids.shape[1]
        self.planes, self.work, self.counts = planes, work, counts
        self.moved, self.last_centroids = moved, last_centroids
        self.bounded, self.adopting = False, True  # amid a run, samples have labels already

    def reset(self):
        """Begin a new run: no sample has a label and no bound holds. The order stays."""
        self.bounded = self.adopting = False
        self.x.sorted[:] = NO_LABEL

    def begin(self, const double[:, ::1] centroids, unsigned char[::1] packed):
        """Take the packed centroids, and how far they moved since the last pass that labelled."""
        cdef Py_ssize_t j, f
        cdef double moved
        for j in range(self.k):
            moved = 0.0
            for f in range(self.d):
                moved += (centroids[j, f] - self.last_centroids[j, f]) ** 2
            self.moved[j] = <float> (sqrt(moved) * UP)
        if self.single:
            K.f32.planes(<const float *> &packed[0], self.k, self.d, &self.moved[0] if self.bounded else NULL,
                         <float *> &self.planes[0])
        else:
            K.f64.planes(<const double *> &packed[0], self.k, self.d, &self.moved[0] if self.bounded else NULL,
                         <double *> &self.planes[0])

    def finish(self, const double[:, ::1] centroids):
        """After a pass that labelled: from now on bounds hold, against these centroids."""
        memcpy(&self.last_centroids[0, 0], &centroids[0, 0], self.k * self.d * sizeof(double))
        self.bounded, self.adopting = True, False

    def label(self, block, Py_ssize_t start, unsigned char[::1] shift, int32_t[::1] labels, int32_t[::1] old_labels,
              uint8_t[::1] changed):
        """Label a block; where `changed` is not None, mark the samples whose label is new and keep the old ones.

        Returns how many labels are new.
        """
        cdef const float[:, ::1] x32
        cdef const double[:, ::1] x64
        cdef uint8_t *marks = &changed[0] if changed is not None else NULL
        self.n_scored = self.n_changed = 0
        if self.single:
            x32 = block
            self._label(&x32[0, 0], x32.shape[0], start, <const float *> &shift[0], &labels[start], &old_labels[0],
                        marks)
        else:
            x64 = block
            self._label(&x64[0, 0], x64.shape[0], start, <const double *> &shift[0], &labels[start], &old_labels[0],
                        marks)
        return self.n_changed

    cdef _label(self, const floating *X, Py_ssize_t n, Py_ssize_t start, const floating *shift, int32_t *labels,
                int32_t *old_labels, uint8_t *changed):
        cdef Py_ssize_t n_groups = (n + KMF_GROUP - 1) // KMF_GROUP, first = 0, batch, thread, stop
        cdef bint fresh = start >= self.x.n_ordered
        batch = max(<Py_ssize_t> self.n_threads, <Py_ssize_t> (self.n_threads * WORK_OF_A_BATCH / KMF_GROUP / self.k))
        self.counts[:] = 0
        if fresh:
            with nogil:
                self._cut(X, n, start)
        while first < n_groups:
            stop = min(first + batch, n_groups)
            with nogil:
                self._label_groups(X, first, stop, n, start, fresh, shift, labels, old_labels, changed)
            first = stop
            PyErr_CheckSignals()
        if fresh:
            self.x.n_ordered = start + n
        for thread in range(self.n_threads):
            self.n_scored += self.counts[thread, 0]
            self.n_changed += self.counts[thread, 1]

    cdef void _cut(self, const floating *X, Py_ssize_t n, Py_ssize_t start) noexcept nogil:
        """Copy the samples of a block to their groups: slabs of its widest feature, each of KMF_GROUP samples."""
        cdef uint32_t count[MAX_TASKS][KMF_CUT_BINS]
        cdef uint32_t next[MAX_TASKS][MAX_GROUPS]
        cdef uint32_t rank = 0, size, part
        cdef Py_ssize_t t, b, n_tasks = max(1, min(<Py_ssize_t> MAX_TASKS, n // KMF_GROUP))
        cdef Py_ssize_t rows = (n + n_tasks - 1) // n_tasks, task
        cdef kmf_cut cut
        cdef floating *copy = <floating *> &self.x.copy[0] + start * self.d
        if floating is float:
            K.f32.cut_range(X, n, self.d, &cut)
        else:
            K.f64.cut_range(X, n, self.d, &cut)
        memset(&count[0][0], 0, sizeof(count))
        memset(&next[0][0], 0, sizeof(next))
        for task in prange(n_tasks, schedule="static", num_threads=self.n_threads):
            if floating is float:
                K.f32.cut_count(X + task * rows * self.d, min(rows, n - task * rows), self.d, &cut, &count[task][0])
            else:
                K.f64.cut_count(X + task * rows * self.d, min(rows, n - task * rows), self.d, &cut, &count[task][0])
        for b in range(KMF_CUT_BINS):
            for t in range(n_tasks):
                size = count[t][b]
                count[t][b] = rank
                while size > 0:  # these go to one group, or on to the next ones
                    part = min(size, KMF_GROUP - rank % KMF_GROUP)
                    next[t][rank // KMF_GROUP] += part
                    rank, size = rank + part, size - part
        for b in range((n + KMF_GROUP - 1) // KMF_GROUP):
            rank = b * KMF_GROUP
            for t in range(n_tasks):
                size = next[t][b]
                next[t][b] = rank
                rank = rank + size
        for task in prange(n_tasks, schedule="static", num_threads=self.n_threads):
            if floating is float:
                K.f32.cut_scatter(X + task * rows * self.d, min(rows, n - task * rows), self.d, task * rows, &cut,
                                  &count[task][0], &next[task][0], &self.x.order[start], copy)
            else:
                K.f64.cut_scatter(X + task * rows * self.d, min(rows, n - task * rows), self.d, task * rows, &cut,
                                  &count[task][0], &next[task][0], &self.x.order[start], copy)

    cdef void _label_groups(self, const floating *X, Py_ssize_t first, Py_ssize_t stop, Py_ssize_t n, Py_ssize_t start,
                            bint fresh, const floating *shift, int32_t *labels, int32_t *old_labels,
                            uint8_t *changed) noexcept nogil:
        cdef Py_ssize_t g
        for g in prange(first, stop, schedule="dynamic", chunksize=1, num_threads=self.n_threads):
            self._label_group(n, start, g, fresh, shift, labels, old_labels, changed, threadid())

    cdef void _label_group(self, Py_ssize_t n, Py_ssize_t start, Py_ssize_t g, bint fresh, const floating *shift,
                           int32_t *labels, int32_t *old_labels, uint8_t *changed, int thread) noexcept nogil:
        cdef Py_ssize_t row = start + g * KMF_GROUP, m = min(<Py_ssize_t> KMF_GROUP, n - g * KMF_GROUP)
        cdef floating *copy = <floating *> &self.x.copy[0] + row * self.d
        cdef floating *boxes = <floating *> &self.x.boxes[0] + row // self.x.leaf * 2 * self.d
        cdef floating *bricks = <floating *> &self.x.bricks[0] + row // (self.x.leaf * KMF_BRICK) * 2 * self.d
        cdef kmf_leaf *leaves = <kmf_leaf *> &self.x.leaves[0] + row // self.x.leaf
        cdef uint16_t *sorted = &self.x.sorted[row] if self.k <= NO_LABEL else NULL
        cdef floating *work = <floating *> &self.work[thread * share(self.work, self.n_threads)]
        cdef const floating *planes = <const floating *> &self.planes[0]
        cdef size_t n_changed = 0, scored
        cdef Py_ssize_t i
        if fresh:
            if floating is float:
                K.f32.order(m, self.d, self.x.leaf, &self.x.order[row], copy, boxes, bricks, work)
            else:
                K.f64.order(m, self.d, self.x.leaf, &self.x.order[row], copy, boxes, bricks, work)
        if self.adopting and sorted != NULL:
            for i in range(m):
                sorted[i] = <uint16_t> labels[self.x.order[row + i]]
        if floating is float:
            scored = K.f32.boxes(copy, m, self.d, self.x.leaf, shift, planes, self.k, self.bounded, &self.x.order[row],
                                 boxes, bricks, leaves, sorted, labels, old_labels, changed, &n_changed, work)
        else:
            scored = K.f64.boxes(copy, m, self.d, self.x.leaf, shift, planes, self.k, self.bounded, &self.x.order[row],
                                 boxes, bricks, leaves, sorted, labels, old_labels, changed, &n_changed, work)
        self.counts[thread, 0] += scored
        self.counts[thread, 1] += n_changed

    def relabel(self, Py_ssize_t i, int32_t label):
        """Take note that sample i has another label: no bound holds for it."""
        cdef Py_ssize_t start = i // self.x.block_rows * self.x.block_rows, at
        cdef Py_ssize_t stop = min(start + self.x.block_rows, self.x.order.shape[0])
        cdef kmf_leaf *leaf
        for at in range(start, stop):
            if self.x.order[at] == <uint32_t> (i - start):
                self.x.sorted[at] = <uint16_t> label
                leaf = <kmf_leaf *> &self.x.leaves[0] + at // self.x.leaf
                leaf.gap, leaf.label = -1.0, -1
                return
