"""Another package's use of the kernels: the nearest of some places to every point."""
import numpy as np

from libc.stdint cimport int32_t

from kmeans_fast.kmf cimport kmf_kernels, kmf_packed_size_f64, kmf_select, kmf_work_size_f64


def nearest(const double[:, ::1] points, const double[:, ::1] places):
    """Return for every row of `points` the number of the nearest row of `places`."""
    cdef const kmf_kernels *kernels = kmf_select(NULL)
    cdef size_t n = points.shape[0], d = points.shape[1], k = places.shape[0]
    cdef double[::1] shift = np.zeros(d)
    cdef double[::1] packed = np.empty(kmf_packed_size_f64(&kernels.f64, k, d))
    cdef double[::1] work = np.empty(kmf_work_size_f64(&kernels.f64, k, d))
    cdef int32_t[::1] labels = np.empty(n, dtype=np.int32)
    with nogil:
        kernels.f64.pack(&places[0, 0], k, d, &shift[0], &packed[0])
        kernels.f64.assign(&points[0, 0], n, d, &shift[0], &packed[0], k, &labels[0], &work[0])
    return np.asarray(labels)
