"""
How many clusters?
==================

``choose_k`` clusters a board into 1 to 12 clusters once and lets eleven methods say which number is right. They rarely
agree: ``docs/choosing_k.md`` says how often each of them finds the number that a board was drawn with.
"""

from matplotlib import pyplot as plt

from kmeans_fast import choose_k
from kmeans_fast.datasets import init_board_gauss
from kmeans_fast.plots import clusters

X = init_board_gauss(600, 6, min_separation=2, random_state=8)
choice = choose_k(X, 12, random_state=0)
print(choice)
print(choice.table.round(2))

# %%
# Every curve, with a ring at its suggestion.
choice.plot()

# %%
# The board in as many clusters as the default, the ICL, suggests.
best = choice.best_k
fig, ax = plt.subplots(figsize=(5, 5), layout="constrained")
clusters(X, choice.labels(), choice.centroids[best], ax)
ax.set_title(f"{best} clusters, drawn from 6")

plt.show()
