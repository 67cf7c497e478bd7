# cython: boundscheck=False, wraparound=False, cdivision=True
"""The passes of greedy k-means++ over blocks of samples."""
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange, threadid
from libc.stdint cimport uint32_t

from kmf cimport kmf_kernels

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")


def panel_size(bint single):
    """Samples that share one word of `improved`."""
    return K.f32.panel if single else K.f64.panel


def potentials(const floating[:, ::1] X, Py_ssize_t start, const floating[:, ::1] candidates,
               const floating[::1] closest, sample_weight, double[:, ::1] potential, uint32_t[::1] improved,
               unsigned char[::1] work, Py_ssize_t chunk, int n_threads):
    """potential[c, j] = sum of w min(closest, |x - candidates[j]|^2) over chunk c; `improved`: see kmf_api_tpl.h."""
    cdef const double[::1] weight = sample_weight
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], c, first = start // chunk, share = work.shape[0] // n_threads
    with nogil:
        for c in prange((n + chunk - 1) // chunk, schedule="dynamic", chunksize=1, num_threads=n_threads):
            _potentials(&X[c * chunk, 0], min(chunk, n - c * chunk), d, candidates, &closest[start + c * chunk],
                        weight, start + c * chunk, &potential[first + c, 0], improved,
                        <floating *> &work[threadid() * share])


cdef void _potentials(const floating *X, Py_ssize_t m, Py_ssize_t d, const floating[:, ::1] candidates,
                      const floating *closest, const double[::1] sample_weight, Py_ssize_t row, double *potential,
                      uint32_t[::1] improved, floating *work) noexcept nogil:
    cdef Py_ssize_t j, q = candidates.shape[0]
    cdef const double *weight = NULL
    if sample_weight is not None:
        weight = &sample_weight[row]
    for j in range(q):
        potential[j] = 0.0
    if floating is float:
        K.f32.potentials(X, m, d, &candidates[0, 0], q, closest, weight, potential,
                         &improved[row // <Py_ssize_t> K.f32.panel], work)
    else:
        K.f64.potentials(X, m, d, &candidates[0, 0], q, closest, weight, potential,
                         &improved[row // <Py_ssize_t> K.f64.panel], work)


def update_closest(const floating[:, ::1] X, Py_ssize_t start, const floating[::1] candidate,
                   const uint32_t[::1] improved, uint32_t mask, floating[::1] closest, unsigned char[::1] work,
                   Py_ssize_t chunk, int n_threads):
    """closest = min(closest, |x - candidate|^2) in the panels that `improved` marks with `mask` (None: in all)."""
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], c, share = work.shape[0] // n_threads
    with nogil:
        for c in prange((n + chunk - 1) // chunk, schedule="dynamic", chunksize=1, num_threads=n_threads):
            _update_closest(&X[c * chunk, 0], min(chunk, n - c * chunk), d, &candidate[0], improved,
                            start + c * chunk, mask, &closest[start + c * chunk],
                            <floating *> &work[threadid() * share])


cdef void _update_closest(const floating *X, Py_ssize_t m, Py_ssize_t d, const floating *candidate,
                          const uint32_t[::1] improved, Py_ssize_t row, uint32_t mask, floating *closest,
                          floating *work) noexcept nogil:
    cdef Py_ssize_t panel = <Py_ssize_t> (K.f32.panel if floating is float else K.f64.panel)
    cdef const uint32_t *marks = NULL
    if improved is not None:
        marks = &improved[row // panel]
    if floating is float:
        K.f32.update_closest(X, m, d, candidate, marks, mask, closest, work)
    else:
        K.f64.update_closest(X, m, d, candidate, marks, mask, closest, work)
