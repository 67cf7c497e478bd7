"""Optional packages, imported when they are used, and what they say when they fail."""

from __future__ import annotations

from importlib import import_module
from typing import Any

PACKAGES = {"PIL": "pillow", "sklearn": "scikit-learn"}  # that are not called as their modules


def need(module: str, purpose: str, extra: str) -> Any:
    """Import an optional package when it is used, or name the extra that brings it.

    Raises
    ------
    ImportError
        If it, or a package that it needs itself, isn't installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        missing = (error.name or module).partition(".")[0]
        package = PACKAGES.get(missing, missing)
        raise ImportError(f'{purpose} needs {package}; install it with: pip install "kmeans_fast[{extra}]"') from error


def one_line(error: BaseException | str, limit: int = 300) -> str:
    """Return the message of somebody else's error as one line, without its full stop."""
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return text if len(text) <= limit else text[: limit - 3] + "..."
