import argparse
from typing import Any


def peak_suite(options: argparse.Namespace) -> tuple[str, list[dict[str, Any]]]:
    return "todo", []
