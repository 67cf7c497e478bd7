"""Bytes made from a good file's: a flipped bit, another number, a line too many, half of another file."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

NUMBER = re.compile(rb"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
NUMBERS = (
    *(b"0", b"1", b"-1", b"2", b"255", b"65536", b"2147483647", b"4294967296", b"9223372036854775807"),
    *(b"18446744073709551616", b"-9223372036854775809", b"1" + b"0" * 30, b"7" * 400, b"9" * 5000),
    *(
        b"1e308",
        b"1e999",
        b"-1e-999",
        b"nan",
        b"-inf",
        b"0.5",
        b"-0.0",
        b"1_0",
        b"0x1F",
        b"1L",
        b"True",
        b"",
        b"\xd9\xa3",
    ),
)
VALUES = (
    *(None, True, False, 0, 1, -1, 7, 2**31, 2**63, 2**64, 10**400, -(10**30), 0.5, -0.0, 1e308, float("inf")),
    *(float("nan"), "", "a", "x" * 300, "\ud800", "\0\n", [], {}, [[]], [0], [1, 2, 3], [None], ["a"], {"a": 1}),
    *([-1, -1], [2**40, 2**40], "<f8", "<f4", "O", "S5", "<i8"),
)
EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1)
USUAL, LARGEST = 1 << 12, 1 << 20  # bytes that a repetition fills, nearly always and one time in a hundred

Rng = random.Random


def mutate(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes] = ()) -> bytes:
    """Change `data` in one place or in some; `other` is spliced in, `words` are what its format knows."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        data = rng.choice(MUTATIONS)(rng, data, other, words)[:LARGEST]
    return data


def _span(rng: Rng, data: bytes) -> tuple[int, int]:
    start = rng.randint(0, len(data))
    return start, min(len(data), start + int(rng.expovariate(0.1)))


def _bit(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _noise(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    start, stop = _span(rng, data)
    return data[:start] + rng.randbytes(rng.randint(0, 8)) + data[rng.choice((start, stop)) :]


def _less(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    start, stop = _span(rng, data)
    return data[:start] + data[stop:]


def _cut(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    return data[: rng.randint(0, len(data))]


def _again(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    """Repeat some bytes, or a line: a few times, or until there is no room."""
    start, stop = _span(rng, data)
    if rng.random() < 0.5:
        start, stop = data.rfind(b"\n", 0, start) + 1, data.find(b"\n", start) + 1 or len(data)
    room = (LARGEST if rng.random() < 0.01 else USUAL) - len(data)
    times = rng.choice((1, 2, 3, max(room, 0) // max(stop - start, 1)))
    return data[:stop] + data[start:stop] * times + data[stop:]


def _splice(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


def _number(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    found = list(NUMBER.finditer(data))
    if not found:
        return data
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(NUMBERS) + data[one.end() :]


def _integer(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    """Put a binary integer in the place of another, an extreme one or a neighbour of what was there."""
    size, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "big"))
    if len(data) < size:
        return data
    at = rng.randint(0, len(data) - size)
    if rng.random() < 0.5:
        at -= at % size  # where fields mostly lie
    value = rng.choice((*EXTREMES, int.from_bytes(data[at : at + size], order) + rng.choice((-1, 1, 16))))
    return data[:at] + (value % 256**size).to_bytes(size, order) + data[at + size :]


def _word(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    """Put a word of the format somewhere, before others or in their place."""
    if not words:
        return data
    word, (start, stop) = rng.choice(words), _span(rng, data)
    if rng.random() < 0.5:
        start = data.rfind(b"\n", 0, start) + 1
    return data[:start] + word + data[rng.choice((start, max(start, stop))) :]


def _swap(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) < 2:
        return data
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"".join(lines)


def _json(rng: Rng, data: bytes, other: bytes, words: Sequence[bytes]) -> bytes:
    """Where there is JSON up to a zero byte: another value, another key, or one less."""
    text, zero, rest = data.partition(b"\0")
    if text[:1] != b"{":
        return data
    try:
        whole = json.loads(text)
        places = list(_places(whole))
        if not places:
            return data
        holder, key = rng.choice(places)
        match rng.randrange(4):
            case 0:
                del holder[key]
            case 1:
                there, at = rng.choice(places)
                holder[key] = there[at]
            case _:
                holder[key] = rng.choice(VALUES)
        return json.dumps(whole).encode() + zero + rest
    except (ValueError, LookupError, RecursionError):  # of an earlier mutation; a value that came to hold itself
        return data


def _places(value: Any) -> Any:
    """Give (holder, key or index) of all that JSON holds."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)


Mutation = Callable[[Rng, bytes, bytes, Sequence[bytes]], bytes]
MUTATIONS: tuple[Mutation, ...] = (
    *(_bit, _noise, _less, _cut, _again, _splice, _number, _number, _integer, _integer),
    *(_word, _word, _swap, _json, _json, _json),
)
