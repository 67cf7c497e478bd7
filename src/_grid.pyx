# cython: boundscheck=False, wraparound=False, cdivision=True
"""A grid over the centroids (kmf_grid_tpl.h), for fits and predictions with few features and many clusters."""
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport uint32_t

from kmf cimport kmf_grid_f32, kmf_grid_f64, kmf_grid_work, kmf_kernels

from kmeans_fast import _runtime

cdef const kmf_kernels *K = <const kmf_kernels *> PyCapsule_GetPointer(_runtime.kernels, "kmf_kernels")

# Cells of the root: so many a centroid leave most samples of the plane alone with their label; more than samples / 16
# cost more to fill than they save, and more than 2^22 leave the caches.
cdef enum:
    CELLS_OF_A_CENTROID = 128
    SAMPLES_OF_A_CELL = 16
    MAX_ROOT_BITS = 22
    MAX_AXIS_BITS = 18  # of 20
    NODE_CELLS = 96  # of divided cells, a centroid; measured 25 to 75

# Candidates in all lists, a centroid, by features: measured 1 to 17 in the plane and 118 to 205 in space.
cdef Py_ssize_t[4] CANDIDATES = [0, 24, 40, 288]


def sizes(bint single, Py_ssize_t n_samples, Py_ssize_t k, Py_ssize_t d):
    """Return the bits of an axis of the root, its cells and others, and the bytes of lists and of scratch."""
    cdef Py_ssize_t bits = 1, lanes = (K.f32.panel if single else K.f64.panel) // 2, size = 4 if single else 8
    cdef Py_ssize_t cells = min(CELLS_OF_A_CENTROID * k, n_samples // SAMPLES_OF_A_CELL)
    while (<Py_ssize_t> 1 << bits * d) < cells and (bits + 1) * d <= MAX_ROOT_BITS and bits < MAX_AXIS_BITS:
        bits += 1
    blocks = (CANDIDATES[d] * k + 1024) // lanes
    return (bits, (1 << bits * d) + NODE_CELLS * k + 64, blocks * (d + 2) * lanes * size, kmf_grid_work(k, d) * size)


cdef class Grid:
    """The grid of k centroids, built anew for each set of them; the caller makes the arrays."""
    cdef:
        bint single
        Py_ssize_t k, d, n_cells, n_blocks
        uint32_t[::1] cells
        unsigned char[::1] lists, work
        kmf_grid_f32 f32
        kmf_grid_f64 f64
        readonly object pointer  # a capsule of the C struct

    def __init__(self, bint single, Py_ssize_t k, Py_ssize_t d, unsigned bits, uint32_t[::1] cells,
                 unsigned char[::1] lists, unsigned char[::1] work):
        cdef Py_ssize_t lanes = (K.f32.panel if single else K.f64.panel) // 2
        self.single, self.k, self.d, self.cells, self.lists, self.work = single, k, d, cells, lists, work
        self.n_cells, self.n_blocks = cells.shape[0], lists.shape[0] // ((d + 2) * lanes * (4 if single else 8))
        if single:
            self.f32.cells, self.f32.lists, self.f32.bits = &cells[0], <float *> &lists[0], bits
            self.pointer = PyCapsule_New(&self.f32, "kmf_grid", NULL)
        else:
            self.f64.cells, self.f64.lists, self.f64.bits = &cells[0], <double *> &lists[0], bits
            self.pointer = PyCapsule_New(&self.f64, "kmf_grid", NULL)

    def build(self, const unsigned char[::1] packed):
        """Make the grid of these centroids."""
        with nogil:
            if self.single:
                self.f32.n_cells, self.f32.n_blocks = self.n_cells, self.n_blocks
                K.f32.grid_build(<const float *> &packed[0], self.k, self.d, &self.f32, <float *> &self.work[0])
            else:
                self.f64.n_cells, self.f64.n_blocks = self.n_cells, self.n_blocks
                K.f64.grid_build(<const double *> &packed[0], self.k, self.d, &self.f64, <double *> &self.work[0])
