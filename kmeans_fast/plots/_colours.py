"""One colour a cluster, told apart by every eye."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

# Okabe and Ito, "Color Universal Design" (2008): safe in all common kinds of colour blindness.
OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
INK = "#222222"
OUTLIER = "#666666"  # darker than the palette's grey, and drawn as crosses


def palette(n_clusters: int) -> NDArray[np.float64]:
    """Give each cluster a colour that can be told from the others without telling red from green.

    Up to 8 clusters have the colours of Okabe and Ito; more have their shades and tints, so that
    equal hues differ in lightness.

    Returns
    -------
    float64 array of shape (n_clusters, 3)
        Red, green and blue in [0, 1].
    """
    hue, level = np.arange(n_clusters) % len(OKABE_ITO), np.arange(n_clusters) // len(OKABE_ITO)
    colours = mpl.colors.to_rgba_array(OKABE_ITO)[hue, :3]
    # Levels run 0, 1, -1, 2, -2 ... of the way to white (tints) and to black (shades).
    steps = -(-n_clusters // len(OKABE_ITO)) // 2
    share = (level + 1) // 2 / max(steps, 1) * np.where(level % 2, 0.6, 0.55)
    target = np.where(level % 2, 1.0, 0.0)
    return np.asarray(colours + (target[:, None] - colours) * share[:, None])


def palette_with_outliers(n_clusters: int) -> NDArray[np.float64]:
    """Return the palette with the colour of label -1 as its last row."""
    return np.vstack([palette(n_clusters), mpl.colors.to_rgb(OUTLIER)])
