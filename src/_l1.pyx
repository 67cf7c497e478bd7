# cython: boundscheck=False, wraparound=False, cdivision=True
"""Sums of absolute differences over blocks of samples, and medians of clusters.

What is summed over samples is summed chunk by chunk and added in order by the caller: the same bits for any number of
threads. A median is one value of its cluster, whoever finds it.
"""
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t, int64_t

from _scratch cimport share
from kmf cimport kmf_kernels

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")


def assign(const floating[:, ::1] X, Py_ssize_t start, const floating[:, ::1] points, sample_weight,
           int32_t[::1] labels, double[::1] totals, unsigned char[::1] work, Py_ssize_t chunk, int n_threads):
    """Label a block that begins at row `start` of X; totals[c] = the weighted distances of chunk c."""
    cdef const double[::1] weight = sample_weight
    cdef Py_ssize_t n = X.shape[0], c, first = start // chunk, stride = share(work, n_threads)
    with nogil:
        for c in prange((n + chunk - 1) // chunk, schedule="dynamic", chunksize=1, num_threads=n_threads):
            totals[first + c] = _assign(X, c * chunk, min(chunk, n - c * chunk), points, weight, start,
                                        labels, <floating *> &work[threadid() * stride])


cdef double _assign(const floating[:, ::1] X, Py_ssize_t row, Py_ssize_t m, const floating[:, ::1] points,
                    const double[::1] sample_weight, Py_ssize_t start, int32_t[::1] labels,
                    floating *work) noexcept nogil:
    cdef const double *weight = NULL
    if sample_weight is not None:
        weight = &sample_weight[start + row]
    if floating is float:
        return K.f32.l1_assign(&X[row, 0], m, X.shape[1], &points[0, 0], points.shape[0], weight,
                               &labels[start + row], work)
    else:
        return K.f64.l1_assign(&X[row, 0], m, X.shape[1], &points[0, 0], points.shape[0], weight,
                               &labels[start + row], work)


def own_distances(const floating[:, ::1] X, const double[:, ::1] centers, const int32_t[::1] labels,
                  double[::1] out, Py_ssize_t chunk, int n_threads):
    """out[i] = the distance of X[i] to the center of its label, in float64."""
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], c, m, row
    with nogil:
        for c in prange((n + chunk - 1) // chunk, schedule="static", num_threads=n_threads):
            row = c * chunk
            m = min(chunk, n - row)
            if floating is float:
                K.f32.own_l1_distances(&X[row, 0], m, d, &centers[0, 0], &labels[row], &out[row])
            else:
                K.f64.own_l1_distances(&X[row, 0], m, d, &centers[0, 0], &labels[row], &out[row])


def seed_round(const floating[:, ::1] X, Py_ssize_t start, late, const floating[:, ::1] candidates,
               floating[::1] closest, sample_weight, double[:, ::1] potential, unsigned char[::1] work,
               Py_ssize_t chunk, int n_threads):
    """`l1_round` of kmf_api_tpl.h; potential[c, j] is that of candidate j over chunk c."""
    cdef const double[::1] weight = sample_weight
    cdef const floating[::1] chosen = late
    cdef const floating *c_late = NULL
    cdef Py_ssize_t n = X.shape[0], c, first = start // chunk, stride = share(work, n_threads)
    if chosen is not None:
        c_late = &chosen[0]
    with nogil:
        for c in prange((n + chunk - 1) // chunk, schedule="dynamic", chunksize=1, num_threads=n_threads):
            _seed_round(&X[c * chunk, 0], min(chunk, n - c * chunk), X.shape[1], c_late, candidates, closest,
                        weight, start + c * chunk, &potential[first + c, 0], <floating *> &work[threadid() * stride])


cdef void _seed_round(const floating *X, Py_ssize_t m, Py_ssize_t d, const floating *late,
                      const floating[:, ::1] candidates, floating[::1] closest, const double[::1] sample_weight,
                      Py_ssize_t row, double *potential, floating *work) noexcept nogil:
    cdef Py_ssize_t j, q = candidates.shape[0]
    cdef const double *weight = NULL
    if sample_weight is not None:
        weight = &sample_weight[row]
    for j in range(q):
        potential[j] = 0.0
    if floating is float:
        K.f32.l1_round(X, m, d, late, &candidates[0, 0], q, &closest[row], weight, potential, work)
    else:
        K.f64.l1_round(X, m, d, late, &candidates[0, 0], q, &closest[row], weight, potential, work)


def group(const int32_t[::1] labels, sample_weight, int64_t[:, ::1] places, int64_t[::1] order, int64_t[::1] starts,
          int n_threads):
    """order = the rows of weight > 0, cluster after cluster and ascending in each; starts[j] is where cluster j begins.

    `places` is scratch of slices x clusters.
    """
    cdef const double[::1] weight = sample_weight
    cdef Py_ssize_t n_slices = places.shape[0], k = places.shape[1], s, j
    cdef Py_ssize_t size = (labels.shape[0] + n_slices - 1) // n_slices
    cdef int64_t at = 0, count
    with nogil:
        for s in prange(n_slices, schedule="static", num_threads=n_threads):
            _count(labels, weight, s * size, min((s + 1) * size, labels.shape[0]), &places[s, 0], k)
        for j in range(k):
            starts[j] = at
            for s in range(n_slices):
                count = places[s, j]
                places[s, j] = at
                at = at + count
        starts[k] = at
        for s in prange(n_slices, schedule="static", num_threads=n_threads):
            _place(labels, weight, s * size, min((s + 1) * size, labels.shape[0]), &places[s, 0], order)


cdef void _count(const int32_t[::1] labels, const double[::1] weight, Py_ssize_t first, Py_ssize_t last,
                 int64_t *counts, Py_ssize_t k) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(k):
        counts[i] = 0
    for i in range(first, last):
        if weight is None or weight[i] > 0.0:
            counts[labels[i]] += 1


cdef void _place(const int32_t[::1] labels, const double[::1] weight, Py_ssize_t first, Py_ssize_t last,
                 int64_t *places, int64_t[::1] order) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(first, last):
        if weight is None or weight[i] > 0.0:
            order[places[labels[i]]] = i
            places[labels[i]] += 1


def medians(const floating[:, ::1] X, Py_ssize_t first, Py_ssize_t last, const int64_t[::1] order,
            const int64_t[::1] starts, sample_weight, const int64_t[::1] clusters, floating[:, ::1] centers,
            Py_ssize_t offset, floating[:, ::1] values, double[:, ::1] weights, int n_threads):
    """centers[j, offset + f] = the median of column f of X, first <= f < last, over cluster j, for these clusters.

    A thread has one row of `values`, as long as the largest cluster or longer, and one of `weights`. An empty cluster
    keeps its center.
    """
    cdef const double[::1] weight = sample_weight
    cdef Py_ssize_t n_parts = min(last - first, (4 * n_threads + clusters.shape[0] - 1) // max(clusters.shape[0], 1))
    cdef Py_ssize_t task, j, part, a, b
    n_parts = max(n_parts, 1)
    with nogil:
        for task in prange(clusters.shape[0] * n_parts, schedule="dynamic", chunksize=1, num_threads=n_threads):
            j = clusters[task // n_parts]
            part = task % n_parts
            a = first + (last - first) * part // n_parts
            b = first + (last - first) * (part + 1) // n_parts
            _medians(X, a, b, order, starts[j], starts[j + 1], weight, &centers[j, offset], values, weights,
                     threadid())


cdef void _medians(const floating[:, ::1] X, Py_ssize_t first, Py_ssize_t last, const int64_t[::1] order,
                   Py_ssize_t begin, Py_ssize_t end, const double[::1] weight, floating *center,
                   floating[:, ::1] values, double[:, ::1] weights, int thread) noexcept nogil:
    """Gather some columns of a cluster side by side, as many as there is room for, and take the median of each."""
    cdef Py_ssize_t n = end - begin, step, f, g, i
    cdef const floating *row
    cdef floating *column
    cdef double *copied = NULL
    if n == 0:
        return
    step = min(max(values.shape[1] // n, 1), 16)  # the columns of a cache line
    f = first
    while f < last:
        step = min(step, last - f)
        for i in range(n):
            row = &X[order[begin + i], f]
            for g in range(step):
                values[thread, g * n + i] = row[g]
        for g in range(step):
            column = &values[thread, g * n]
            if weight is not None:
                copied = &weights[thread, 0]
                for i in range(n):
                    copied[i] = weight[order[begin + i]]
            if floating is float:
                center[f + g] = K.f32.median(column, copied, n)
            else:
                center[f + g] = K.f64.median(column, copied, n)
        f += step
