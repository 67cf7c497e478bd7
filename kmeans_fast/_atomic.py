"""The one way a file is written here: whole, or not at all.

The bytes go to a temporary file in the same folder, are flushed to the disk, and only then take the
target's name. A full disk, an error or a kill leaves an old target as it was.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def check_target(path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Return the file that `path` names (links followed), if it may be written.

    Called before long work starts, and again when the file is written.

    Raises
    ------
    FileExistsError
        If it exists and `overwrite` is false.
    OSError
        If the folder is missing or not writable, or the target is a folder or a device.
    """
    # Following a link here keeps the link: the rename then replaces what it points at.
    target = Path(os.path.realpath(path))
    folder = target.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"{path} can't be written: there is no folder {folder}.")
    if target.exists():
        mode = target.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(f"{path} can't be written: it is a folder.")
        if not stat.S_ISREG(mode):
            # A rename would put a file where the device or pipe was.
            raise OSError(f"{path} can't be written: it isn't an ordinary file.")
        if not overwrite:
            raise FileExistsError(f"{path} exists; overwrite=True overwrites it.")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{path} can't be written: the folder {folder} is read-only.")
    return target


@contextmanager
def naming(path: str | os.PathLike[str], temporary: Path | None = None) -> Iterator[None]:
    """Name the file in errors that a full disk or a bad one raises without, or with the name of a temporary one."""
    try:
        yield
    except OSError as error:
        if error.strerror and (error.filename is None or error.filename in (temporary, str(temporary))):
            error.filename, error.filename2 = os.fspath(path), None
        raise


@contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool = False, mark: str = "") -> Iterator[BinaryIO]:
    """Open a binary stream whose bytes become the file `path` when the block ends without error.

    Parameters
    ----------
    path : str or path-like
        The file to create or to replace; an existing one keeps its permissions.
    overwrite : bool, default=False
        Whether an existing file may be replaced.
    mark : str, default ""
        Part of the temporary file's name, by which the one that a kill has left can be found.

    Raises
    ------
    OSError
        As `check_target`, or if the disk refuses; `path` is then as it was before.
    """
    target = check_target(path, overwrite=overwrite)
    temporary = target.with_name(f".kmeans-fast-{mark}{secrets.token_hex(8)}.tmp")
    # Not tempfile: it makes files of mode 0600, and what we write should follow the umask.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with naming(path, temporary):
            with os.fdopen(os.open(temporary, flags, 0o666), "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            if target.exists():
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
            _publish(temporary, target, overwrite)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _publish(temporary: Path, target: Path, overwrite: bool) -> None:
    """Give the finished file its name; without `overwrite`, never in place of another."""
    if not overwrite:
        # A link fails where the name has appeared since the check; a rename would replace it.
        try:
            os.link(temporary, target)
        except FileExistsError:
            raise FileExistsError(f"{target} exists and is not overwritten.") from None
        except OSError:
            check_target(target)  # a file system without hard links
        else:
            temporary.unlink()
            return
    os.replace(temporary, target)


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut, where folders can be synced (not on Windows)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
