"""Sphinx: the pages of `make docs`, the gallery among them, which runs every script of examples/gallery."""

from __future__ import annotations

from pathlib import Path

from sphinx_gallery.sorting import ExplicitOrder

import kmeans_fast

ROOT = Path(__file__).resolve().parents[1]

project = "kmeans_fast"
author = "the kmeans_fast developers"
release = version = kmeans_fast.__version__

extensions = ["sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build"]
html_theme = "alabaster"
html_theme_options = {"description": "Exact k-means for large point clouds", "page_width": "1060px"}
html_sidebars = {"**": ["about.html", "navigation.html", "searchfield.html"]}

# The order of the tutorial; what is not named comes after it.
STORY = ("board", "voronoi", "bad_start", "seeding", "initial_final", "film", "choose_k", "silhouette")

sphinx_gallery_conf = {
    "examples_dirs": str(ROOT / "examples" / "gallery"),
    "gallery_dirs": "gallery",
    "within_subsection_order": ExplicitOrder([f"plot_{name}.py" for name in STORY] + ["*"]),
    "filename_pattern": "/plot_",
    "capture_repr": (),  # pictures and what is printed; not the repr of the last line
    "matplotlib_animations": True,
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "write_computation_times": False,
}
