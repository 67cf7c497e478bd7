# cython: cdivision=True
"""How scratch is measured out, in whole cache lines."""
from kmf cimport kmf_kernels, kmf_packed_size_f32, kmf_packed_size_f64


cdef inline Py_ssize_t lines(Py_ssize_t n_bytes) noexcept nogil:
    """Round up to whole cache lines."""
    return (n_bytes + 63) // 64 * 64


cdef inline Py_ssize_t apart(Py_ssize_t n_bytes) noexcept nogil:
    """Bytes for one thread: a line more, so that threads share none wherever the first begins."""
    return lines(n_bytes) + 64


cdef inline Py_ssize_t share(const unsigned char[::1] work, int n_threads) noexcept nogil:
    """Bytes from one thread's scratch to the next one's, of fewer threads than `work` was made for, too."""
    return work.shape[0] // n_threads // 64 * 64


cdef inline Py_ssize_t packed_bytes(const kmf_kernels *K, bint single, Py_ssize_t k, Py_ssize_t d) noexcept nogil:
    """Bytes of k packed centroids."""
    if single:
        return kmf_packed_size_f32(&K.f32, k, d) * sizeof(float)
    return kmf_packed_size_f64(&K.f64, k, d) * sizeof(double)
