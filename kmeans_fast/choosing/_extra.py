"""Packages of the extra "choose", loaded when a method needs them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def load(module: str) -> Any:
    """Import a module, or say which extra brings it."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = {"sklearn": "scikit-learn"}.get(name := module.partition(".")[0], name)
        if error.name != name:
            raise
        message = f'choose_k needs {package}; install it with: pip install "kmeans_fast[choose]"'
        raise ImportError(message) from None
