# cython: boundscheck=False, wraparound=False, cdivision=True
"""Distances and labels that need no fit: transform, predict, each sample to its own centroid."""
from cpython.pycapsule cimport PyCapsule_GetPointer
from cython cimport floating
from cython.parallel cimport prange, threadid
from libc.math cimport sqrt
from libc.stdint cimport int32_t

from _scratch cimport apart, packed_bytes as _packed_bytes, share
from kmf cimport (
    kmf_codes_of_centroids,
    kmf_codes_of_samples,
    kmf_filter_size_f32,
    kmf_filter_size_f64,
    kmf_filter_work_f32,
    kmf_filter_work_f64,
    kmf_grid_f32,
    kmf_grid_f64,
    kmf_kernels,
    kmf_work_size_f32,
    kmf_work_size_f64,
)

from kmeans_fast import _runtime

# Scores of centroids whose squares lie outside would leave float32's range.
cdef double LEAST_SQUARE = 1e-30, LARGEST_SQUARE = 1e30

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")


def work_bytes(bint single, Py_ssize_t n_clusters, Py_ssize_t n_features):
    """Bytes of scratch for one thread."""
    cdef Py_ssize_t size
    if single:
        size = kmf_work_size_f32(&K.f32, n_clusters, n_features) * sizeof(float)
    else:
        size = kmf_work_size_f64(&K.f64, n_clusters, n_features) * sizeof(double)
    return apart(size)


def packed_bytes(bint single, Py_ssize_t n_clusters, Py_ssize_t n_features):
    """Bytes of the packed centroids."""
    return _packed_bytes(K, single, n_clusters, n_features)


def takes_codes():
    """Say whether the processor has what codes in 16 bits take (kmf_codes_tpl.h)."""
    return K.f32.codes_round != NULL


def codes_lengths(Py_ssize_t n_samples, Py_ssize_t n_clusters, Py_ssize_t n_features):
    """Numbers of 32 bits that the codes of the samples and of the centroids take."""
    return kmf_codes_of_samples(n_samples, n_features), kmf_codes_of_centroids(n_clusters, n_features)


def filter_bytes(bint single, Py_ssize_t n_clusters, Py_ssize_t n_features):
    """Bytes of the filter and of its scratch for one thread; 0 and 0 where the processor has none."""
    if K.f32.filter_pack == NULL:
        return 0, 0
    if single:
        return (kmf_filter_size_f32(&K.f32, n_clusters, n_features) * sizeof(float),
                apart(kmf_filter_work_f32(&K.f32, n_features) * sizeof(float)))
    return (kmf_filter_size_f64(&K.f64, n_clusters, n_features) * sizeof(double),
            apart(kmf_filter_work_f64(&K.f64, n_features) * sizeof(double)))


def distances(const floating[:, ::1] X, const floating[:, ::1] points, floating[:, ::1] out,
              unsigned char[::1] work, Py_ssize_t chunk, int n_threads):
    """out[i, j] = |X[i] - points[j]|, by direct differences."""
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], q = points.shape[0], c
    cdef Py_ssize_t n_chunks = (n + chunk - 1) // chunk, stride = share(work, n_threads)
    with nogil:
        for c in prange(n_chunks, schedule="dynamic", chunksize=1, num_threads=n_threads):
            _distances(&X[c * chunk, 0], min(chunk, n - c * chunk), d, &points[0, 0], q, &out[c * chunk, 0],
                       <floating *> &work[threadid() * stride])


cdef void _distances(const floating *X, Py_ssize_t m, Py_ssize_t d, const floating *points, Py_ssize_t q,
                     floating *out, floating *work) noexcept nogil:
    cdef Py_ssize_t i
    if floating is float:
        K.f32.squared_distances(X, m, d, points, q, out, work)
    else:
        K.f64.squared_distances(X, m, d, points, q, out, work)
    for i in range(m * q):
        out[i] = <floating> sqrt(out[i])


def own_squared_distances(const floating[:, ::1] X, const double[:, ::1] centroids, const int32_t[::1] labels,
                          double[::1] out, Py_ssize_t chunk, int n_threads):
    """out[i] = |X[i] - centroids[labels[i]]|^2 in float64."""
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], c, m, row
    with nogil:
        for c in prange((n + chunk - 1) // chunk, schedule="static", num_threads=n_threads):
            row = c * chunk
            m = min(chunk, n - row)
            if floating is float:
                K.f32.own_squared_distances(&X[row, 0], m, d, &centroids[0, 0], &labels[row], &out[row])
            else:
                K.f64.own_squared_distances(&X[row, 0], m, d, &centroids[0, 0], &labels[row], &out[row])


def score_shift(const double[:, ::1] centroids, floating[::1] shift):
    """shift = the middle of the centroids: the origin of their scores."""
    if floating is float:
        K.f32.score_shift(&centroids[0, 0], centroids.shape[0], centroids.shape[1], &shift[0])
    else:
        K.f64.score_shift(&centroids[0, 0], centroids.shape[0], centroids.shape[1], &shift[0])


def share_apart(const double[:, ::1] centroids, double gap, Py_ssize_t step):
    """Share of every step-th centroid that lies more than `gap` times its norm from every other, unless equal to it.

    Norms are about the middle of the centroids, and those that float32 cannot square do not count as apart.
    """
    cdef Py_ssize_t k = centroids.shape[0], d = centroids.shape[1], j = 0, n_apart = 0, n_seen = 0
    cdef bytearray held = bytearray(d * sizeof(double))  # a fit asks twice, and an array costs as much as the answer
    cdef double *middle = <double *> <char *> held
    with nogil:
        K.f64.score_shift(&centroids[0, 0], k, d, middle)
        while j < k:
            n_apart += _is_apart(centroids, middle, gap * gap, j)
            n_seen += 1
            j += step
    return <double> n_apart / n_seen


cdef bint _is_apart(const double[:, ::1] centroids, const double *middle, double gap2, Py_ssize_t j) noexcept nogil:
    cdef Py_ssize_t other, f, d = centroids.shape[1]
    cdef double norm = 0.0, distance
    for f in range(d):
        norm += (centroids[j, f] - middle[f]) ** 2
    if norm != 0.0 and not LEAST_SQUARE < norm < LARGEST_SQUARE:
        return False
    for other in range(centroids.shape[0]):
        distance = 0.0
        for f in range(d):
            distance += (centroids[j, f] - centroids[other, f]) ** 2
            if distance > gap2 * norm:  # nearly always after the first features
                break
        if 0.0 < distance <= gap2 * norm:
            return False
    return True


def pack(const double[:, ::1] centroids, const floating[::1] shift, unsigned char[::1] packed):
    """Lay the centroids out for `assign`."""
    cdef Py_ssize_t k = centroids.shape[0], d = centroids.shape[1]
    if floating is float:
        K.f32.pack(&centroids[0, 0], k, d, &shift[0], <float *> &packed[0])
    else:
        K.f64.pack(&centroids[0, 0], k, d, &shift[0], <double *> &packed[0])


def assign(const floating[:, ::1] X, const floating[::1] shift, const unsigned char[::1] packed, Py_ssize_t k,
           int32_t[::1] labels, unsigned char[::1] work, Py_ssize_t chunk, int n_threads, grid=None):
    """labels[i] = the nearest of k packed centroids, looked up in their grid (_grid.pyx) if there is one."""
    cdef Py_ssize_t n = X.shape[0], d = X.shape[1], c
    cdef const void *cells = NULL if grid is None else PyCapsule_GetPointer(grid.pointer, "kmf_grid")
    cdef Py_ssize_t n_chunks = (n + chunk - 1) // chunk, stride = share(work, n_threads)
    with nogil:
        for c in prange(n_chunks, schedule="dynamic", chunksize=1, num_threads=n_threads):
            _assign(&X[c * chunk, 0], min(chunk, n - c * chunk), d, &shift[0], <const floating *> &packed[0], k, cells,
                    &labels[c * chunk], <floating *> &work[threadid() * stride])


cdef void _assign(const floating *X, Py_ssize_t m, Py_ssize_t d, const floating *shift, const floating *packed,
                  Py_ssize_t k, const void *grid, int32_t *labels, floating *work) noexcept nogil:
    if floating is float:
        if grid != NULL:
            K.f32.grid_assign(X, m, d, shift, packed, k, <const kmf_grid_f32 *> grid, labels, work)
        else:
            K.f32.assign(X, m, d, shift, packed, k, labels, work)
    elif grid != NULL:
        K.f64.grid_assign(X, m, d, shift, packed, k, <const kmf_grid_f64 *> grid, labels, work)
    else:
        K.f64.assign(X, m, d, shift, packed, k, labels, work)
