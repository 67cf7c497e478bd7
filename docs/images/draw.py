"""Draw the picture of the README: ``.venv/bin/python docs/images/draw.py`` after ``make demo``.

A photograph in 8 colours and a dense board with its Voronoi cells, as the demo draws them, small.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from PIL import Image
from sklearn.datasets import load_sample_image

from kmeans_fast import kmeans
from kmeans_fast.datasets import init_board
from kmeans_fast.plots import voronoi

FILE = Path(__file__).parent / "kmeans.png"
STEP = 2  # every second row and column of the photograph
N_COLOURS, N_CELLS = 8, 100


def main() -> None:
    """Write the picture and print its path."""
    mpl.use("agg")
    pixels = load_sample_image("china.jpg")[::STEP, ::STEP]
    colours = kmeans(pixels.reshape(-1, 3).astype(np.float32), N_COLOURS, random_state=0)
    board = kmeans(init_board(20_000, random_state=3), N_CELLS, random_state=0)
    fig, axes = plt.subplots(1, 3, figsize=(9.6, 2.5), width_ratios=(3, 3, 2), layout="constrained")
    after = np.rint(colours.centroids).astype(np.uint8)[colours.labels].reshape(pixels.shape)
    axes[0].imshow(pixels)
    axes[1].imshow(after)
    voronoi(board.centroids, axes[2])
    axes[2].set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
    titles = ("a photograph", f"the same in {N_COLOURS} colours", f"a board in {N_CELLS} clusters")
    for ax, title in zip(axes, titles, strict=True):
        ax.set(xticks=[], yticks=[])
        ax.set_title(title, fontsize=10)
    fig.savefig(FILE, dpi=100)
    Image.open(FILE).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(FILE, optimize=True)
    print(FILE)


if __name__ == "__main__":
    main()
