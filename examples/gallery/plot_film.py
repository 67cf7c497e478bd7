"""
A run as a film
===============

``record`` keeps the centroids of the start and of every iteration; ``film`` shows them, here in the page, and
writes a GIF or a page of HTML when it is given a path. The lines are the ways that the centroids have come.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from matplotlib import pyplot as plt

from kmeans_fast.datasets import init_board_gauss
from kmeans_fast.plots import film, record

X = init_board_gauss(300, 5, random_state=3)
start = [[0.6, 0.6], [0.7, 0.5], [0.8, 0.7], [0.5, 0.8], [0.8, 0.4]]  # all in one corner
frames = record(X, 5, init=start, tol=0)

fig, ax = plt.subplots(figsize=(5, 5.2), layout="constrained")
run = film(X, frames, ax=ax)

# %%
# The same as a file.
with TemporaryDirectory() as folder:
    path = Path(folder, "run.gif")
    film(X, frames, path, ax=ax)
    print(f"{path.name}: {path.stat().st_size // 1000} kB")

plt.show()
