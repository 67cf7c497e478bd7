"""Build `nearest` on the kernels that the installed kmeans_fast carries."""

from Cython.Build import cythonize
from setuptools import Extension, setup

import kmeans_fast

nearest = Extension(
    "nearest",
    ["nearest.pyx"],
    include_dirs=[kmeans_fast.get_include()],
    define_macros=[("KMF_IMPLEMENTATION", None)],  # this module compiles the kernels into itself
)
setup(ext_modules=cythonize([nearest], language_level=3))
