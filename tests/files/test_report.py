"""What a person is told about a fit."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from kmeans_fast import kmeans
from kmeans_fast.files import report

X = np.random.default_rng(0).random((50, 2))


def summary(n_init: int = 1, n_clusters: int = 3) -> dict[str, object]:
    result = kmeans(X, n_clusters, init="random", n_init=n_init, random_state=0)
    return report.summarise(result, input="a.csv", seed=0, init="random", seconds=0.1)


def test_a_summary_is_plain_values_that_agree_with_each_other() -> None:
    plain = json.loads(json.dumps(summary(4), allow_nan=False))
    assert plain["inertia"] == min(restart["inertia"] for restart in plain["restarts"])
    assert sum(plain["sizes"]) == plain["n_samples"] == 50
    assert list(plain)[:2] == ["input", "seed"], "what the caller adds comes first"
    table = report.table(plain)
    assert table["value"][table["name"].index("sizes")] == json.dumps(plain["sizes"])


@pytest.mark.parametrize(
    ("found", "words"),
    [(1, "found once; inertia 2 to 9; more restarts"), (2, "found twice;"), (3, "found 3 times;")],
)
def test_restarts_that_differ_are_told(found: int, words: str) -> None:
    changed = summary(3) | {
        "times_found": found,
        "restarts": [{"inertia": 2.0}, {"inertia": 9.0}, {"inertia": 3.0}],
    }
    assert f"best of 3 restarts {words}" in report.text(changed)


def test_the_sizes_of_few_clusters_are_listed_and_of_many_spanned() -> None:
    few, many = report.text(summary(n_clusters=3)), report.text(summary(n_clusters=20))
    assert few.split("\n")[1].count(",") == 3
    assert re.search(r"20, of \d+ to \d+ points", many)
