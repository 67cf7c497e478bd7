# cython: boundscheck=False, wraparound=False, cdivision=True
"""The one pass over X before a fit: is it finite, where does it lie, how wide does it spread."""
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange

from kmf cimport kmf_kernels

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")


def survey(X, Py_ssize_t start, const double[::1] origin, sample_weight, double[:, :, ::1] parts, double[::1] largest,
           Py_ssize_t chunk, int n_threads):
    """Add a block that begins at row `start` to the figures of its slices, all about `origin`.

    parts[s] holds the weighted sums and squares by feature and the greatest distance along it, largest[s] the
    largest total square of one chunk. The slices are those of the update step, so the figures do not depend on the
    threads.
    """
    cdef const float[:, ::1] x32
    cdef const double[:, ::1] x64
    if X.itemsize == 4:  # a fused function would ask in Python, for as long as a small X takes
        x32 = X
        _survey(&x32[0, 0], x32.shape[0], start, origin, sample_weight, parts, largest, chunk, n_threads)
    else:
        x64 = X
        _survey(&x64[0, 0], x64.shape[0], start, origin, sample_weight, parts, largest, chunk, n_threads)


cdef void _survey(const floating *X, Py_ssize_t n, Py_ssize_t start, const double[::1] origin, sample_weight,
                  double[:, :, ::1] parts, double[::1] largest, Py_ssize_t chunk, int n_threads):
    cdef const double[::1] weight = sample_weight
    cdef Py_ssize_t n_tasks = min(parts.shape[0], (n + chunk - 1) // chunk), nth
    with nogil:
        if n_threads == 1:  # a parallel region of one thread costs as much as a small X
            for nth in range(n_tasks):
                _survey_slice(X, n, start, nth, origin, weight, parts, largest, chunk)
        else:
            for nth in prange(n_tasks, schedule="dynamic", chunksize=1, num_threads=n_threads):
                _survey_slice(X, n, start, nth, origin, weight, parts, largest, chunk)


cdef void _survey_slice(const floating *X, Py_ssize_t n, Py_ssize_t start, Py_ssize_t nth, const double[::1] origin,
                        const double[::1] sample_weight, double[:, :, ::1] parts, double[::1] largest,
                        Py_ssize_t chunk) noexcept nogil:
    cdef Py_ssize_t row = nth * chunk, d = parts.shape[2], n_slices = parts.shape[0], m
    cdef Py_ssize_t s = (start // chunk + nth) % n_slices
    cdef const double *weight = NULL
    cdef double before = _total(&parts[s, 1, 0], d), after
    while row < n:
        m = min(chunk, n - row)
        if sample_weight is not None:
            weight = &sample_weight[start + row]
        if floating is float:
            K.f32.survey(X + row * d, m, d, &origin[0], weight, &parts[s, 0, 0], &parts[s, 1, 0],
                         &parts[s, 2, 0])
        else:
            K.f64.survey(X + row * d, m, d, &origin[0], weight, &parts[s, 0, 0], &parts[s, 1, 0],
                         &parts[s, 2, 0])
        after = _total(&parts[s, 1, 0], d)
        largest[s] = max(largest[s], after - before)
        before = after
        row += n_slices * chunk


def summary(const double[:, :, ::1] parts, const double[::1] largest, double total_weight):
    """Add the slices in order; return the total squares, the mean variance of the features and the largest square."""
    cdef Py_ssize_t s, f
    cdef double total = 0.0, variance = 0.0, most = 0.0, first, second
    for s in range(parts.shape[0]):
        most = max(most, largest[s])
    for f in range(parts.shape[2]):
        first = second = 0.0
        for s in range(parts.shape[0]):
            first += parts[s, 0, f]
            second += parts[s, 1, f]
        total += second
        variance += second / total_weight - (first / total_weight) ** 2
    return total, variance / parts.shape[2], most


cdef double _total(const double *values, Py_ssize_t d) noexcept nogil:
    cdef double total = 0.0
    cdef Py_ssize_t f
    for f in range(d):
        total += values[f]
    return total
