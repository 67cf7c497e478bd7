# cython: boundscheck=False, wraparound=False, cdivision=True
"""What it would cost to take each centroid away, over blocks of samples."""
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange, threadid

from _scratch cimport share
from kmf cimport kmf_kernels

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")


def removal_losses(const floating[:, ::1] X, Py_ssize_t start, const floating[::1] shift,
                   const unsigned char[::1] packed, sample_weight, double[:, ::1] losses, unsigned char[::1] work,
                   Py_ssize_t chunk, int n_threads):
    """losses[s, j] += what the samples of slice s lose without centroid j; chunk c belongs to slice c mod n_slices."""
    cdef const double[::1] weight = sample_weight
    cdef Py_ssize_t n = X.shape[0], nth, stride = share(work, n_threads)
    cdef Py_ssize_t n_tasks = min(losses.shape[0], (n + chunk - 1) // chunk)
    with nogil:
        for nth in prange(n_tasks, schedule="dynamic", chunksize=1, num_threads=n_threads):
            _slice_losses(X, start, nth, &shift[0], <const floating *> &packed[0], weight, losses,
                          <floating *> &work[threadid() * stride], chunk)


cdef void _slice_losses(const floating[:, ::1] X, Py_ssize_t start, Py_ssize_t nth, const floating *shift,
                        const floating *packed, const double[::1] sample_weight, double[:, ::1] losses,
                        floating *work, Py_ssize_t chunk) noexcept nogil:
    cdef Py_ssize_t row = nth * chunk, n = X.shape[0], d = X.shape[1], n_slices = losses.shape[0], m
    cdef Py_ssize_t k = losses.shape[1], s = (start // chunk + nth) % n_slices
    cdef const double *weight = NULL
    while row < n:
        m = min(chunk, n - row)
        if sample_weight is not None:
            weight = &sample_weight[start + row]
        if floating is float:
            K.f32.removal_losses(&X[row, 0], m, d, shift, packed, k, weight, &losses[s, 0], work)
        else:
            K.f64.removal_losses(&X[row, 0], m, d, shift, packed, k, weight, &losses[s, 0], work)
        row += n_slices * chunk
