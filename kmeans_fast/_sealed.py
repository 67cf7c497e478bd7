"""Files that are read whole or refused: a JSON header, raw arrays, a digest; no pickle. Models and checkpoints.

Layout, all integers little-endian::

    8 bytes   magic
    4 bytes   schema version
    4 bytes   length h of the header
    h bytes   header: JSON, UTF-8
    ...       the arrays, one after the other, in C order
    32 bytes  SHA-256 of everything before

The digest catches truncation and every flipped bit; it is no signature. So the header isn't trusted either: whoever
decodes it holds its sizes against those of the file before anything is allocated.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_START = struct.Struct("<8sII")
_DIGEST = hashlib.sha256().digest_size
MAX_HEADER = 1 << 24  # bytes: names of some 500,000 features


@dataclass(frozen=True)
class Kind:
    """What sort of file: its magic, what messages call it, the schemas known here, and how large it may be."""

    # As PNG's: not ASCII, so that it isn't taken for text, and line ends that a text transfer changes.
    magic: bytes
    name: str
    schemas: tuple[int, ...]
    max_bytes: int

    def encode(self, header: Mapping[str, Any], n_bytes: int) -> bytes:
        """Return the header as it is written before `n_bytes` of arrays; ValueError if the file would be too large."""
        text = json.dumps(header, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()
        size = _START.size + len(text) + n_bytes + _DIGEST
        if len(text) > MAX_HEADER or size > self.max_bytes:
            raise ValueError(
                f"A {self.name} of {size} bytes must be <= {self.max_bytes}, its header of {len(text)} <= {MAX_HEADER}."
            )
        return text

    def write(self, stream: BinaryIO, schema: int, text: bytes, arrays: Iterable[NDArray[Any]]) -> None:
        """Write a file; the arrays are little-endian and contiguous."""
        digest = hashlib.sha256()
        parts: list[Any] = [_START.pack(self.magic, schema, len(text)), text]
        for part in (*parts, *(array.reshape(-1).view(np.uint8) for array in arrays)):
            stream.write(part)
            digest.update(part)
        stream.write(digest.digest())

    def read(self, stream: BinaryIO, size: int, name: str) -> tuple[int, bytes, bytes]:
        """Return schema, header and arrays of a file of `size` bytes; ValueError names it where a byte is wrong."""
        start = stream.read(_START.size)
        if start[: len(self.magic)] != self.magic[: len(start)]:
            raise ValueError(f"{name} is not a kmeans_fast {self.name}.")
        if len(start) < _START.size:
            raise ValueError(f"{name} is truncated.")
        _, schema, length = _START.unpack(start)
        if schema not in self.schemas:
            known = " and ".join(map(str, self.schemas))
            raise ValueError(f"{name} has schema {schema}; this version reads {known}.")
        body = size - _START.size - _DIGEST
        if length > min(MAX_HEADER, body) or size > self.max_bytes:
            raise ValueError(f"{name} is truncated or damaged.")
        text, data = stream.read(length), stream.read(body - length)
        digest = hashlib.sha256(start)
        digest.update(text)
        digest.update(data)
        if digest.digest() != stream.read():
            raise ValueError(f"{name} is truncated or damaged: its SHA-256 doesn't match.")
        return schema, text, data
