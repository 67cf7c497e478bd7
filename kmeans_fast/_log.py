"""The logger "kmeans_fast": restarts, changes of algorithm and dtype, checkpoints; silent until someone listens."""

from __future__ import annotations

import sys


class _Log:
    """Loads no `logging`, which would cost some of `import kmeans_fast`: whoever listens has loaded it."""

    @staticmethod
    def info(message: str, *values: object) -> None:
        """Log at the level INFO."""
        logging = sys.modules.get("logging")
        if logging is not None:
            logging.getLogger("kmeans_fast").info(message, *values)


log = _Log()
