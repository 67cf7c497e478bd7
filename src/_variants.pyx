# cython: boundscheck=False, wraparound=False, cdivision=True
"""What the loops of variants do to every sample beside a pass: sums without some, the cut, rows of norm 1.

Slices are those of `Lloyd` (src/_lloyd.pyx), and so is the promise: the same bits for any number of threads.
"""
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport int32_t, int64_t, uint8_t

from kmf cimport kmf_kernels

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")


def move(const floating[:, ::1] X, Py_ssize_t start, const int32_t[::1] old_labels, const int32_t[::1] labels,
         sample_weight, const double[::1] origin, double[:, :, ::1] sums, Py_ssize_t chunk, int n_threads):
    """Take the samples of the block that begins at row `start` from the sums of their old clusters to the new.

    A label of -1 belongs to no cluster. A row of sums[s] holds sum w (x - origin), then sum w and a count.
    """
    cdef const double[::1] weight = sample_weight
    cdef Py_ssize_t n_tasks = min(sums.shape[0], (X.shape[0] + chunk - 1) // chunk), nth
    with nogil:
        for nth in prange(n_tasks, schedule="dynamic", chunksize=1, num_threads=n_threads):
            _move(X, start, nth, old_labels, labels, weight, origin, sums, chunk)


cdef void _move(const floating[:, ::1] X, Py_ssize_t start, Py_ssize_t nth, const int32_t[::1] old_labels,
                const int32_t[::1] labels, const double[::1] sample_weight, const double[::1] origin,
                double[:, :, ::1] sums, Py_ssize_t chunk) noexcept nogil:
    cdef Py_ssize_t row = nth * chunk, n = X.shape[0], d = X.shape[1], m, i
    cdef Py_ssize_t s = (start // chunk + nth) % sums.shape[0]
    cdef const double *weight = NULL
    while row < n:
        m = min(chunk, n - row)
        i = start + row
        if sample_weight is not None:
            weight = &sample_weight[i]
        if floating is float:
            K.f32.update(&X[row, 0], m, d, &old_labels[i], &labels[i], weight, &origin[0], 0, d, &sums[s, 0, 0])
        else:
            K.f64.update(&X[row, 0], m, d, &old_labels[i], &labels[i], weight, &origin[0], 0, d, &sums[s, 0, 0])
        row += sums.shape[0] * chunk


def cut(const int32_t[::1] labels, const double[::1] far, double limit, sample_weight, const int32_t[::1] before,
        int32_t[::1] out, double[:, ::1] totals, int64_t[::1] changed, Py_ssize_t chunk, int n_threads):
    """out = labels, but -1 where far > limit.

    totals[c] = sum w far of the samples of chunk c that keep their label, and of the others; changed[c] = labels that
    are not those of `before`.
    """
    cdef const double[::1] weight = sample_weight
    cdef Py_ssize_t n = labels.shape[0], c
    with nogil:
        for c in prange((n + chunk - 1) // chunk, schedule="static", num_threads=n_threads):
            _cut(labels, far, limit, weight, before, out, &totals[c, 0], &changed[c], c * chunk,
                 min((c + 1) * chunk, n))


cdef void _cut(const int32_t[::1] labels, const double[::1] far, double limit, const double[::1] weight,
               const int32_t[::1] before, int32_t[::1] out, double *totals, int64_t *changed, Py_ssize_t first,
               Py_ssize_t last) noexcept nogil:
    cdef Py_ssize_t i
    cdef int64_t count = 0
    cdef double kept = 0.0, left = 0.0, value
    for i in range(first, last):
        value = far[i]
        if weight is not None:
            value = value * weight[i]
        if far[i] > limit:
            out[i] = -1
            left += value
        else:
            out[i] = labels[i]
            kept += value
        count += out[i] != before[i]
    totals[0], totals[1], changed[0] = kept, left, count


def collect(const double[::1] far, double floor, double[::1] out):
    """Write the values >= floor to `out`; return how many, or -1 where there is no room for all."""
    cdef Py_ssize_t i, m = 0
    with nogil:
        for i in range(far.shape[0]):
            if far[i] >= floor:
                if m == out.shape[0]:
                    m = -1
                    break
                out[m] = far[i]
                m += 1
    return m


def scale_rows(const floating[:, ::1] X, const double[::1] factors, floating[:, ::1] out, int n_threads):
    """out[i] = factors[i] X[i]; they may be the same array."""
    cdef Py_ssize_t i, f
    with nogil:
        for i in prange(X.shape[0], schedule="static", num_threads=n_threads):
            for f in range(X.shape[1]):
                out[i, f] = <floating> (factors[i] * X[i, f])


def touched(const int32_t[::1] old_labels, const int32_t[::1] labels, uint8_t[::1] flags):
    """flags[j] = 1 if a sample came to cluster j or left it; old labels may be -1."""
    cdef Py_ssize_t i
    with nogil:
        for i in range(labels.shape[0]):
            if old_labels[i] != labels[i]:
                flags[labels[i]] = 1
                if old_labels[i] >= 0:
                    flags[old_labels[i]] = 1
