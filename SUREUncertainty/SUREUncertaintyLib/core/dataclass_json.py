"""Dataclasses as plain JSON and back, field by field, so that a new field travels without anybody naming it.

Numbers come back bit for bit, arrays travel beside the JSON. What a field's type does not say cannot come back, so a
type that is not understood is an error, never a loss.
"""

from __future__ import annotations

import collections.abc
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
T = TypeVar("T")


def to_json(value: Any, arrays: Arrays | None = None, path: str = "") -> Any:
    """The value in dictionaries, lists, texts and numbers. NaN is null; infinite numbers are texts.

    Args:
        value: a dataclass, or what its fields may hold.
        arrays: takes the arrays of the value by a name that also stands in their place.
        path: what the names of arrays begin with.

    Raises:
        TypeError: a value that cannot be described, or an array where ``arrays`` is None.
    """
    if is_dataclass(value) and not isinstance(value, type):
        parts = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: to_json(part, arrays, _join(path, name)) for name, part in parts.items()}
    if isinstance(value, np.ndarray):
        if arrays is None:
            raise TypeError(f"there is no place for the array {path}")
        arrays[path] = value
        return path
    if isinstance(value, Mapping):
        return {_key(key): to_json(part, arrays, _join(path, key)) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(part, arrays, _join(path, str(number))) for number, part in enumerate(value)]
    return _plain(value, path)


def from_json(kind: type[T], document: Any, arrays: Mapping[str, NDArray[Any]] | None = None) -> T:
    """What ``to_json`` described. Entries that the type does not know are passed over, missing ones take their default.

    Raises:
        KeyError: a field without a default, or an array, is missing. TypeError, ValueError: it is something else.
    """
    found: T = _read(kind, document, arrays or {})
    return found


def _read(kind: Any, document: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if is_dataclass(kind):
        return _dataclass(kind, document, arrays)
    if kind is Any:
        return document
    if kind is float:
        return math.nan if document is None else float(document)
    if kind in (int, str, bool):
        return _exactly(kind, document)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is np.ndarray:
        return arrays[document]
    if origin is tuple and inner[-1] is Ellipsis:
        return tuple(_read(inner[0], part, arrays) for part in document)
    if origin is tuple:
        return tuple(_read(part, entry, arrays) for part, entry in zip(inner, document, strict=True))
    if origin in (dict, collections.abc.Mapping) and inner[0] is str:
        return {key: _read(inner[1], part, arrays) for key, part in document.items()}
    if origin in (Union, types.UnionType) and _is_optional(inner):
        return None if document is None else _read(inner[0], document, arrays)
    raise TypeError(f"{kind} has no form in JSON")


def _dataclass(kind: Any, document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Any:
    hints = _hints(kind)
    values = {
        field.name: _read(hints[field.name], document[field.name], arrays)
        for field in fields(kind)
        if field.name in document
    }
    missing = [field.name for field in fields(kind) if field.name not in values and not _has_default(field)]
    if missing:
        raise KeyError(f"{kind.__name__} without {', '.join(missing)}")
    return kind(**values)


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _exactly(kind: type, document: Any) -> Any:
    if not isinstance(document, kind):
        raise TypeError(f"{document!r} is no {kind.__name__}")
    return document


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _is_optional(inner: tuple[Any, ...]) -> bool:
    """A kind or None; not for float, whose NaN would come back as None."""
    return len(inner) == 2 and inner[1] is type(None) and inner[0] is not float


def _plain(value: Any, path: str) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None if math.isnan(plain) else str(plain)
    if plain is None or isinstance(plain, bool | int | float | str):
        return plain
    raise TypeError(f"{path or 'the value'} is a {type(value).__name__}, which has no form in JSON")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"the key {key!r} is no text and would come back as one")
    return key


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
