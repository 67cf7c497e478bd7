# cython: boundscheck=False, wraparound=False, cdivision=True
"""The rounds of greedy k-means++ that read all of X, over blocks of samples."""
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t

from _scratch cimport share
from kmf cimport kmf_kernels

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")


def panel_size(bint single):
    """Samples of a panel."""
    return K.f32.panel if single else K.f64.panel


def seed_round(const floating[:, ::1] X, Py_ssize_t start, const floating[:, ::1] late, int32_t label,
               const floating[:, ::1] candidates,
               floating[::1] closest, nearest, sample_weight, double[:, ::1] potential,
               unsigned char[::1] work, Py_ssize_t chunk, int n_threads):
    """`seed_round` of kmf_api_tpl.h; potential[c, j] is that of candidate j over chunk c."""
    cdef const double[::1] weight = sample_weight
    cdef int32_t[::1] labels = nearest
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], c, first = start // chunk
    cdef Py_ssize_t stride = share(work, n_threads)
    with nogil:
        for c in prange((n + chunk - 1) // chunk, schedule="dynamic", chunksize=1, num_threads=n_threads):
            _seed_round(&X[c * chunk, 0], min(chunk, n - c * chunk), d, &late[0, 0], late.shape[0], label,
                        &candidates[0, 0], candidates.shape[0], &closest[start + c * chunk], labels, weight,
                        start + c * chunk, &potential[first + c, 0], <floating *> &work[threadid() * stride])


cdef void _seed_round(const floating *X, Py_ssize_t m, Py_ssize_t d, const floating *late, Py_ssize_t n_late,
                      int32_t label, const floating *candidates, Py_ssize_t q, floating *closest, int32_t[::1] labels,
                      const double[::1] sample_weight, Py_ssize_t row, double *potential,
                      floating *work) noexcept nogil:
    cdef Py_ssize_t j
    cdef const double *weight = NULL
    cdef int32_t *nearest = NULL
    if labels is not None:
        nearest = &labels[row]
    if sample_weight is not None:
        weight = &sample_weight[row]
    for j in range(q):
        potential[j] = 0.0
    if floating is float:
        K.f32.seed_round(X, m, d, late, n_late, label, candidates, q, closest, nearest, weight, potential, work)
    else:
        K.f64.seed_round(X, m, d, late, n_late, label, candidates, q, closest, nearest, weight, potential, work)
