# cython: boundscheck=False, wraparound=False, cdivision=True
"""Sums of clusters under labels that some samples lack: the update step alone, for labels that are known.

Slices are those of `Lloyd` (src/_lloyd.pyx), and so is the promise: the same bits for any number of threads.
"""
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange
from libc.stdint cimport int32_t

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
