"""The logger "kmeans_fast": restarts, changes of algorithm and dtype, checkpoints; silent until someone listens."""

from __future__ import annotations

import sys
from typing import Any


class _Log:
    """Loads no `logging`, which would cost some of `import kmeans_fast`: whoever listens has loaded it."""

    logger: Any = None

    def info(self, message: str, *values: object) -> None:
        """Log at the level INFO."""
        if self.logger is None and "logging" in sys.modules:
            self.logger = sys.modules["logging"].getLogger("kmeans_fast")
        if self.logger is not None:
            self.logger.info(message, *values)


log = _Log()
