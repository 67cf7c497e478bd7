# cython: boundscheck=False, wraparound=False, cdivision=True
"""Huang's algorithm on codes: samples are visited in order, and what moves changes the prototypes at once."""
import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer
from cython.parallel cimport prange
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t

from kmf cimport KMF_PROTOTYPES, kmf_kernels, kmf_nearest_prototype

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")

cdef uint8_t PADDING = 254
cdef Py_ssize_t CHUNK = 1024  # samples of a task
cdef Py_ssize_t NEAREST = 1 << 14, FARTHEST = 1 << 16  # samples that threads look ahead: some ms, to outweigh a barrier


cdef class Prototypes:
    """k prototypes of samples in codes and numbers, and what is counted to find them.

    Codes are (n, m) unsigned integers, numbers (n, d), and m or d may be 0. Category c of column f has its place
    offsets[f] + c among offsets[m]. No category has the greatest code, which a sample may, nor that of PADDING bytes.
    """

    cdef readonly Py_ssize_t n, m, d, k
    cdef Py_ssize_t width, ahead
    cdef double gamma
    cdef kmf_nearest_prototype nearest
    cdef object owners
    cdef const uint8_t *codes
    cdef const double *numbers
    cdef const double *weight
    cdef const int64_t *offsets
    cdef uint8_t[::1] modes
    cdef double[::1] means
    cdef double[:, ::1] frequencies, sums
    cdef double[::1] mass
    cdef int64_t[::1] members
    cdef int32_t[::1] labels, guess

    def __init__(self, codes, const double[:, ::1] numbers, sample_weight, const int64_t[::1] offsets, Py_ssize_t k,
                 double gamma, labels):
        self.n, self.m, self.d, self.k, self.gamma = codes.shape[0], codes.shape[1], numbers.shape[1], k, gamma
        self.width = codes.itemsize
        self.nearest = K.nearest_prototype[0 if self.width == 1 else 1 if self.width == 2 else 2]
        self.owners = codes, numbers, sample_weight, offsets
        cdef const uint8_t[::1] flat = codes.reshape(-1).view(np.uint8)
        cdef const double[::1] weight
        self.codes = &flat[0] if self.n * self.m > 0 else NULL
        self.numbers = &numbers[0, 0] if self.n * self.d > 0 else NULL
        self.offsets = &offsets[0]
        self.weight = NULL
        if sample_weight is not None:
            weight = sample_weight
            self.weight = &weight[0]
        cdef Py_ssize_t padded = (k + KMF_PROTOTYPES - 1) // KMF_PROTOTYPES * KMF_PROTOTYPES
        self.modes = np.full(max(padded * self.m * self.width, 1), PADDING, np.uint8)
        self.means = np.full(max(padded * self.d, 1), np.inf)
        self.frequencies = np.zeros((k, max(offsets[self.m], 1)))
        self.sums = np.zeros((k, max(self.d, 1)))
        self.mass = np.zeros(k)
        self.members = np.zeros(k, np.int64)
        self.labels = labels
        self.guess = np.empty(FARTHEST, np.int32)
        self.ahead = 0

    def place(self, const int64_t[:, ::1] modes, const double[:, ::1] means):
        """Set the prototypes."""
        cdef Py_ssize_t j, f
        for j in range(self.k):
            for f in range(self.m):
                self._set_mode(j, f, modes[j, f])
            for f in range(self.d):
                self.means[self._lane(j, f, self.d)] = means[j, f]

    def read(self):
        """Return the prototypes: codes of modes, and means."""
        modes, means = np.empty((self.k, self.m), np.int64), np.empty((self.k, self.d))
        cdef int64_t[:, :] codes = modes
        cdef double[:, :] numbers = means
        cdef Py_ssize_t j, f
        for j in range(self.k):
            for f in range(self.m):
                codes[j, f] = self._code(&self.modes[0], self._lane(j, f, self.m))
            for f in range(self.d):
                numbers[j, f] = self.means[self._lane(j, f, self.d)]
        return modes, means

    def assign(self, Py_ssize_t start, Py_ssize_t stop, int32_t[::1] labels, int n_threads):
        """labels[i] = the nearest prototype, from start to stop; returns the weighted sum of what each costs."""
        cdef Py_ssize_t n_chunks = (stop - start + CHUNK - 1) // CHUNK, c, row
        cdef double[::1] costs = np.empty(n_chunks)
        cdef double cost = 0.0
        with nogil:
            for c in prange(n_chunks, schedule="static", num_threads=n_threads):
                row = start + c * CHUNK
                costs[c] = self._assign(row, min(row + CHUNK, stop), &labels[row])
            for c in range(n_chunks):
                cost += costs[c]
        return cost

    def lower(self, Py_ssize_t start, Py_ssize_t stop, const int64_t[::1] mode, const double[::1] mean,
              double[::1] closest, int n_threads):
        """closest[i] = min(closest[i], how far sample i is from that point), from start to stop."""
        cdef Py_ssize_t n_chunks = (stop - start + CHUNK - 1) // CHUNK, c, row
        with nogil:
            for c in prange(n_chunks, schedule="static", num_threads=n_threads):
                row = start + c * CHUNK
                self._lower(row, min(row + CHUNK, stop), mode, mean, &closest[0])

    def clear(self):
        """Count anew."""
        self.frequencies[:] = 0.0
        self.sums[:] = 0.0
        self.mass[:] = 0.0
        self.members[:] = 0
        self.ahead = 0

    def count(self, Py_ssize_t start, Py_ssize_t stop):
        """Count samples as their labels say."""
        cdef Py_ssize_t i
        with nogil:
            for i in range(start, stop):
                self._add(i, self.labels[i], 1.0)

    def settle(self):
        """Put each prototype that has samples in their middle."""
        cdef Py_ssize_t j, f
        for j in range(self.k):
            if self.members[j] > 0:
                for f in range(self.m):
                    self._find_mode(j, f)
                self._find_mean(j)

    def walk(self, Py_ssize_t row, Py_ssize_t stop, int n_threads):
        """Visit the samples [row, stop) in order; returns where it went on, and the moves.

        It ends early where a sample left its cluster empty.
        """
        cdef Py_ssize_t moves = 0
        cdef bint emptied = False
        with nogil:
            while row < stop and not emptied:
                if n_threads > 1 and self.ahead >= NEAREST:
                    row = self._look_ahead(row, min(row + self.ahead, stop), n_threads, &moves, &emptied)
                else:
                    row = self._visit(row, min(row + CHUNK, stop), NULL, &moves, &emptied)
        return row, moves

    def move(self, Py_ssize_t row, int32_t label):
        """Move a sample to another cluster."""
        self._move(row, label)

    def empty_clusters(self):
        """List the clusters without a sample of weight > 0."""
        return np.flatnonzero(np.asarray(self.members) == 0)

    def largest_cluster(self):
        """Return the cluster with the most samples of weight > 0, the first of equals."""
        return int(np.argmax(self.members))

    cdef Py_ssize_t _look_ahead(self, Py_ssize_t row, Py_ssize_t stop, int n_threads, Py_ssize_t *moves,
                                bint *emptied) noexcept nogil:
        """Label a stretch on all threads, then walk it: the labels hold until a prototype changes."""
        cdef Py_ssize_t n_chunks = (stop - row + CHUNK - 1) // CHUNK, c
        for c in prange(n_chunks, schedule="static", num_threads=n_threads):
            self._assign(row + c * CHUNK, min(row + (c + 1) * CHUNK, stop), &self.guess[c * CHUNK])
        return self._visit(row, stop, &self.guess[0], moves, emptied)

    cdef Py_ssize_t _visit(self, Py_ssize_t row, Py_ssize_t stop, const int32_t *guess, Py_ssize_t *moves,
                           bint *emptied) noexcept nogil:
        """Visit samples one by one, or take their labels from `guess` up to the first change of a prototype."""
        cdef Py_ssize_t first = row
        cdef int32_t label, old
        cdef bint changed = False
        cdef double cost
        while row < stop and not emptied[0] and not (changed and guess != NULL):
            label = guess[row - first] if guess != NULL else self._nearest(row, &cost)
            old = self.labels[row]
            if label != old:
                changed |= self._move(row, label)
                if self.weight == NULL or self.weight[row] > 0.0:
                    moves[0] += 1
                    emptied[0] = self.members[old] == 0
            row += 1
        # As many are looked ahead as were visited without a change, so that little is in vain.
        self.ahead = 0 if changed else min(self.ahead + row - first, FARTHEST)
        return row

    cdef bint _move(self, Py_ssize_t row, int32_t label) noexcept nogil:
        """Move a sample and bring both prototypes up to date; whether they changed."""
        cdef int32_t old = self.labels[row]
        cdef Py_ssize_t f
        cdef int64_t code, mode
        cdef bint changed = self.d > 0
        self._add(row, label, 1.0)
        self._add(row, old, -1.0)
        self.labels[row] = label
        for f in range(self.m):
            code = self._code(self.codes, row * self.m + f)
            mode = self._code(&self.modes[0], self._lane(label, f, self.m))
            # A mode gives way only to what is more frequent, but a mode that lost a sample is looked for anew.
            if self._frequency(label, f, mode) < self._frequency(label, f, code):
                self._set_mode(label, f, code)
                changed = True
            if code == self._code(&self.modes[0], self._lane(old, f, self.m)):
                changed |= self._find_mode(old, f)
        self._find_mean(label)
        self._find_mean(old)
        return changed

    cdef void _add(self, Py_ssize_t row, int32_t label, double sign) noexcept nogil:
        cdef double weight = sign if self.weight == NULL else sign * self.weight[row]
        cdef Py_ssize_t f
        if weight == 0.0:
            return
        for f in range(self.m):
            self.frequencies[label, self.offsets[f] + self._code(self.codes, row * self.m + f)] += weight
        for f in range(self.d):
            self.sums[label, f] += weight * self.numbers[row * self.d + f]
        self.mass[label] += weight
        self.members[label] += 1 if sign > 0.0 else -1

    cdef bint _find_mode(self, Py_ssize_t j, Py_ssize_t f) noexcept nogil:
        """Make the most frequent category the mode, the first of equals; whether that is another one."""
        cdef Py_ssize_t low = self.offsets[f], n_categories = self.offsets[f + 1] - low, c, best = 0
        cdef const double *count = &self.frequencies[j, low]
        for c in range(1, n_categories):
            if count[c] > count[best]:
                best = c
        if best == self._code(&self.modes[0], self._lane(j, f, self.m)):
            return False
        self._set_mode(j, f, best)
        return True

    cdef void _find_mean(self, Py_ssize_t j) noexcept nogil:
        cdef Py_ssize_t f
        if self.members[j] > 0:
            for f in range(self.d):
                self.means[self._lane(j, f, self.d)] = self.sums[j, f] / self.mass[j]

    cdef double _assign(self, Py_ssize_t row, Py_ssize_t stop, int32_t *labels) noexcept nogil:
        cdef double total = 0.0, cost
        cdef Py_ssize_t i
        for i in range(row, stop):
            labels[i - row] = self._nearest(i, &cost)
            total += cost if self.weight == NULL else self.weight[i] * cost
        return total

    cdef inline int32_t _nearest(self, Py_ssize_t row, double *cost) noexcept nogil:
        return self.nearest(self.codes + row * self.m * self.width, self.m, self.numbers + row * self.d, self.d,
                            &self.modes[0], &self.means[0], self.k, self.gamma, cost)

    cdef void _lower(self, Py_ssize_t start, Py_ssize_t stop, const int64_t[::1] mode, const double[::1] mean,
                     double *closest) noexcept nogil:
        cdef Py_ssize_t i, f, apart
        cdef double distance, step
        for i in range(start, stop):
            apart = 0
            distance = 0.0
            for f in range(self.m):
                apart += self._code(self.codes, i * self.m + f) != mode[f]
            for f in range(self.d):
                step = self.numbers[i * self.d + f] - mean[f]
                distance += step * step
            closest[i] = min(closest[i], distance + self.gamma * apart)

    cdef inline double _frequency(self, Py_ssize_t j, Py_ssize_t f, int64_t code) noexcept nogil:
        return self.frequencies[j, self.offsets[f] + code]

    cdef inline Py_ssize_t _lane(self, Py_ssize_t j, Py_ssize_t f, Py_ssize_t n_features) noexcept nogil:
        """Return where prototype j keeps feature f."""
        return (j // KMF_PROTOTYPES * n_features + f) * KMF_PROTOTYPES + j % KMF_PROTOTYPES

    cdef inline int64_t _code(self, const uint8_t *codes, Py_ssize_t at) noexcept nogil:
        if self.width == 1:
            return codes[at]
        if self.width == 2:
            return (<const uint16_t *> codes)[at]
        return (<const uint32_t *> codes)[at]

    cdef inline void _set_mode(self, Py_ssize_t j, Py_ssize_t f, int64_t code) noexcept nogil:
        cdef Py_ssize_t at = self._lane(j, f, self.m)
        if self.width == 1:
            self.modes[at] = <uint8_t> code
        elif self.width == 2:
            (<uint16_t *> &self.modes[0])[at] = <uint16_t> code
        else:
            (<uint32_t *> &self.modes[0])[at] = <uint32_t> code
