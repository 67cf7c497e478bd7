"""OpenCV: ``cv2.kmeans`` from the labels of the same start, float32 only."""

from __future__ import annotations

from time import perf_counter

from ._base import Array, Competitor, Fit, nearest


class OpenCV(Competitor):
    """OpenCV takes labels, not centroids: its first assignment is done for it, untimed."""

    name = "OpenCV"
    package = "opencv-python-headless"
    module = "cv2"
    dtypes = ("float32",)
    note = "first assignment untimed"

    def prepare(self, X: Array, init: Array, n_iter: int, n_threads: int) -> None:
        import cv2

        cv2.setNumThreads(n_threads)
        self.start_labels = nearest(X, init).reshape(-1, 1)

    def fit(self, X: Array, init: Array, n_iter: int, n_threads: int) -> Fit:
        import cv2

        labels = self.start_labels.copy()  # overwritten by the call
        # One iteration is an update, then an assignment: n_iter of them end in the same centroids
        # as n_iter iterations from init. epsilon=0 stops only when no centroid moved.
        criteria = (cv2.TERM_CRITERIA_MAX_ITER + cv2.TERM_CRITERIA_EPS, n_iter, 0.0)
        start = perf_counter()
        compactness, _, centroids = cv2.kmeans(X, len(init), labels, criteria, 1, cv2.KMEANS_USE_INITIAL_LABELS)
        return Fit(perf_counter() - start, centroids, None, compactness)
