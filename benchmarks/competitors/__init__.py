"""One file a competitor. To add one: copy a short file of this folder and list its class here."""

from __future__ import annotations

from ._base import Competitor, Fit, nearest
from .faiss import Faiss
from .kmeans_fast import (
    KMeansFast,
    KMeansFastBest,
    KMeansFastChains,
    KMeansFastEstimator,
    KMeansFastParallel,
    KMeansFastRandom,
)
from .mlpack import Mlpack
from .numpy_reference import NumpyReference
from .opencv import OpenCV
from .scikit_learn import ScikitLearn
from .scikit_learn_intelex import ScikitLearnIntelex
from .scipy import Scipy
from .superkmeans import SuperKMeans

COMPETITORS: dict[str, type[Competitor]] = {
    competitor.name: competitor
    for competitor in (
        KMeansFast,
        KMeansFastEstimator,
        KMeansFastBest,
        KMeansFastParallel,
        KMeansFastChains,
        KMeansFastRandom,
        ScikitLearn,
        ScikitLearnIntelex,
        Faiss,
        OpenCV,
        Mlpack,
        SuperKMeans,
        Scipy,
        NumpyReference,
    )
}
OURS = KMeansFast.name
ESTIMATOR = KMeansFastEstimator.name
BASELINE = ScikitLearn.name

__all__ = ["BASELINE", "COMPETITORS", "ESTIMATOR", "OURS", "Competitor", "Fit", "nearest"]
