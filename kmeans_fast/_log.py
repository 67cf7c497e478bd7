"""The logger "kmeans_fast": restarts, changes of algorithm and dtype, checkpoints; silent until someone listens."""

from __future__ import annotations

import logging

log = logging.getLogger("kmeans_fast")
