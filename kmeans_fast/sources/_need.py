"""Optional packages, imported when they are used, and what they say when they fail."""

from __future__ import annotations

import importlib
from typing import Any


def need(module: str, purpose: str, extra: str = "sources") -> Any:
    """Import an optional package when it is used, or name the extra that brings it.

    Raises
    ------
    ImportError
        If the package isn't installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = {"PIL": "pillow"}.get(module.split(".")[0], module.split(".")[0])
        raise ImportError(f'{purpose} needs {package}; install it with: pip install "kmeans_fast[{extra}]"') from error


def one_line(error: BaseException | str, limit: int = 300) -> str:
    """Return the message of somebody else's error as one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= limit else text[: limit - 3] + "..."
