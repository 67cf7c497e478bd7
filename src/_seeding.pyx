# cython: boundscheck=False, wraparound=False, cdivision=True
"""Greedy k-means++: draws, and the rounds that read all of X, over blocks of samples."""
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange, threadid
from libc.stdint cimport int32_t
from libc.string cimport memset

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


def sum_masses(const floating[::1] closest, sample_weight, double[::1] mass, Py_ssize_t chunk, int n_threads):
    """mass[c] = sum of w closest over chunk c."""
    cdef const double[::1] weight = sample_weight
    cdef Py_ssize_t c
    for c in prange(mass.shape[0], schedule="static", num_threads=n_threads, nogil=True):
        mass[c] = _sum_mass(closest, weight, c * chunk, min(closest.shape[0], (c + 1) * chunk))


cdef double _sum_mass(const floating[::1] closest, const double[::1] weight, Py_ssize_t i,
                      Py_ssize_t stop) noexcept nogil:
    cdef double sums[8]
    cdef Py_ssize_t lane
    memset(sums, 0, sizeof(sums))
    if weight is not None:
        while i < stop:
            sums[0] += weight[i] * closest[i]
            i += 1
        return sums[0]
    while i + 8 <= stop:
        for lane in range(8):
            sums[lane] += closest[i + lane]
        i += 8
    while i < stop:
        sums[0] += closest[i]
        i += 1
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]))


def pick(const floating[::1] closest, sample_weight, const double[::1] mass, Py_ssize_t chunk,
         const double[::1] targets, Py_ssize_t[::1] rows):
    """rows[i] = where the cumulated mass passes targets[i]; targets ascend, from 0 to below the sum of all."""
    cdef const double[::1] weight = sample_weight
    cdef Py_ssize_t c = 0, i, j = 0, last = 0, stop
    cdef double before = 0.0, summed, w
    with nogil:
        while j < targets.shape[0]:
            while c + 1 < mass.shape[0] and targets[j] >= before + mass[c]:
                before += mass[c]
                c += 1
            stop = min(closest.shape[0], (c + 1) * chunk)
            summed = before
            for i in range(c * chunk, stop):
                w = closest[i] if weight is None else weight[i] * closest[i]
                if w > 0.0:
                    last = i
                    summed = summed + w
                    while j < targets.shape[0] and targets[j] < summed:
                        rows[j] = i
                        j += 1
            while j < targets.shape[0] and (targets[j] < before + mass[c] or c + 1 == mass.shape[0]):
                rows[j] = last  # rounding: the last one that has any mass
                j += 1
