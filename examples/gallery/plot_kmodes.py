"""
Categories: customers in groups by what they answer
===================================================

A survey of 3000 customers asks six questions with a few answers each. There is no mean of "train" and
"bicycle", but there is a most frequent answer: k-modes puts a customer in the group with the fewest
answers that differ from the group's own. The frame goes in as it is, and the groups come out in words.
"""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from kmeans_fast import KModes

answers = {
    "travels by": ["bicycle", "car", "train"],
    "lives in": ["city", "suburb", "village"],
    "shops": ["market", "mall", "online"],
    "pays by": ["card", "cash", "phone"],
    "reads": ["books", "news", "nothing"],
    "pet": ["cat", "dog", "none"],
}
typical = [[0, 0, 0, 2, 0, 0], [1, 1, 1, 0, 2, 1], [2, 0, 2, 2, 1, 2], [1, 2, 0, 1, 1, 1]]

# %%
# Four kinds of customers. How they travel and where they live says most of it; their pets say little.
rng = np.random.default_rng(0)
kind = rng.choice(4, 3000, p=[0.35, 0.3, 0.2, 0.15])
codes = np.array(typical)[kind]
other = rng.random(codes.shape) < [0.1, 0.15, 0.3, 0.4, 0.5, 0.7]  # who answer at random
codes[other] = rng.integers(0, 3, other.sum())
survey = pd.DataFrame({q: pd.Categorical.from_codes(codes[:, f], answers[q]) for f, q in enumerate(answers)})

model = KModes(n_clusters=4, n_init=10, random_state=0).fit(survey)
groups = model.to_frame().sort_values("size", ascending=False)
print(groups.to_string(index=False))

# %%
# Each group's own answers, darker where more of the group give them.
share = np.array(
    [[(survey.loc[model.labels_ == j, q] == row[q]).mean() for q in answers] for j, row in groups.iterrows()]
)
fig, ax = plt.subplots(figsize=(9, 3.8), layout="constrained")
image = ax.imshow(share, cmap="Blues", vmin=1 / 3, vmax=1, aspect="auto")
for row, (_, group) in enumerate(groups.iterrows()):
    for column, question in enumerate(answers):
        ink = "white" if share[row, column] > 0.7 else "black"
        ax.text(column, row, f"{group[question]}\n{share[row, column]:.0%}", ha="center", va="center", color=ink)
ax.set_xticks(range(len(answers)), answers)
ax.set_yticks(range(4), [f"{size} customers" for size in groups["size"]])
ax.tick_params(length=0)
ax.set_title("The answers of four groups of customers")
fig.colorbar(image, label="share of the group", format=lambda value, _: f"{value:.0%}")

plt.show()
