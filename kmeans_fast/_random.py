"""Random numbers: one numpy Generator, made at the boundary and passed down."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np


def as_generator(random_state: Any) -> np.random.Generator:
    """Turn None, an int, a RandomState or a Generator into a Generator.

    A RandomState or Generator is shared, not copied: drawing here moves it on.
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.Generator(random_state._bit_generator)
    if random_state is np.random:
        return np.random.Generator(np.random.mtrand._rand._bit_generator)
    if random_state is None or (
        isinstance(random_state, (numbers.Integral, np.random.SeedSequence)) and not isinstance(random_state, bool)
    ):
        if isinstance(random_state, numbers.Integral) and random_state < 0:
            raise ValueError(f"random_state={random_state!r} must be >= 0.")
        return np.random.default_rng(random_state)  # type: ignore[arg-type]
    raise TypeError(f"random_state={random_state!r} must be None, an int, a numpy RandomState or a Generator.")
