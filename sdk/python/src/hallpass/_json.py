"""Strict JSON: one UTF-8 document (RFC 8259), no name twice in any object, at most `MAX_DEPTH` levels. It never settles
for the first or the last of two members, because two readers could settle differently.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

MAX_DEPTH = 32
"""The most arrays and objects inside each other, the outermost counted."""


def read_object(document: bytes) -> dict[str, Any]:
    """Reads one JSON object. Raises `ValueError`, which tells nothing of what was read."""
    try:
        value = json.loads(
            document.decode("utf-8"),
            object_pairs_hook=_members,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
        _check(value)
    except (ValueError, RecursionError):
        raise ValueError("not strict JSON") from None
    if isinstance(value, dict):
        return value
    raise ValueError("not a JSON object")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name comes twice")
    return members


def _refuse_constant(_: str) -> NoReturn:
    # `NaN` and `Infinity`, which Python reads and JSON does not have.
    raise ValueError("not a JSON value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number beyond a double")
    return number


def _integer(text: str) -> int:
    _finite(text)
    return int(text)


def _check(root: Any) -> None:
    """Finds nesting that goes too deep, and halves of surrogate pairs, which are no Unicode text."""
    left = [(root, 1)]
    while left:
        value, depth = left.pop()
        if isinstance(value, str):
            value.encode("utf-8")  # Its error is a `ValueError`.
        elif isinstance(value, (dict, list)):
            if depth > MAX_DEPTH:
                raise ValueError("nested too deeply")
            inner = [*value, *value.values()] if isinstance(value, dict) else value
            left.extend((item, depth + 1) for item in inner)
