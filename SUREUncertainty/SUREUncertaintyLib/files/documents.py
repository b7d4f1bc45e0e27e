"""YAML documents whose keys are known, such as recipes and studies: found, read and checked with a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from ..core.errors import InputError

Section = TypeVar("Section")
EXPECTED = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def find_document(path_or_name: str | Path, built_in: Path, kind: str) -> Path:
    """The file of a document given by path, or by its name in the folder ``built_in``. Raises InputError.

    Args:
        kind: what it is called in sentences, for instance ``"recipe"``.
    """
    for candidate in (Path(path_or_name), built_in / f"{path_or_name}.yaml"):
        if candidate.is_file():
            return candidate
    known = ", ".join(sorted(path.stem for path in built_in.glob("*.yaml")))
    raise InputError(f"There is no {kind} {path_or_name}. Give a YAML file or one of: {known}.")


def read_document(path: Path, kind: str, keys: str) -> dict[str, Any]:
    """The content of a YAML (or JSON) file.

    Args:
        keys: some that are expected, for the sentence.

    Raises:
        InputError: it cannot be read, is not YAML, or holds no keys.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The {kind} {path} cannot be read as text. Give a YAML file.") from error
    except yaml.YAMLError as error:
        raise InputError(f"The {kind} {path} is not valid YAML: {error}") from error
    if not isinstance(document, dict):
        raise InputError(f"The {kind} {path} holds no keys; expected some such as {keys}.")
    return document


def build_section(kind: type[Section], content: Any, where: str) -> Section:
    """A dataclass from a part of a document; lists become tuples.

    Args:
        where: what the part is called in sentences, for instance ``"'data' of the recipe"``.

    Raises:
        InputError: a key is unknown or missing, or a value is of another kind.
    """
    require_keys(content, where)
    unknown = sorted(set(content) - {entry.name for entry in fields(kind)})  # type: ignore[arg-type]
    if unknown:
        raise InputError(f"Unknown key in {where}: {', '.join(map(str, unknown))}.")
    hints = get_type_hints(kind)
    try:
        return kind(**{key: checked(value, hints[key], f"'{key}' in {where}") for key, value in content.items()})
    except TypeError as error:
        raise InputError(f"{_capital(where)} is incomplete: {error}.") from error


def require_keys(content: Any, where: str) -> None:
    """Raise InputError unless this part of a document has keys."""
    if not isinstance(content, Mapping):
        raise InputError(f"{_capital(where)} must hold keys and values, not {content!r}.")


def checked(value: Any, hint: Any, where: str) -> Any:
    """A plain value of the kind that is expected; other kinds than number, text and truth value are passed on.

    YAML takes ``1e-3`` for a text, so a text that is a number counts as one.

    Raises:
        InputError: another kind of value.
    """
    if hint is float and not isinstance(value, bool):
        try:
            return float(value)
        except (TypeError, ValueError):
            pass
    elif hint not in EXPECTED or type(value) is hint:
        return as_tuples(value)
    raise InputError(f"{_capital(where)} must be {EXPECTED[hint]}, not {value!r}.")


def as_tuples(value: Any) -> Any:
    """Lists as tuples, nested."""
    return tuple(as_tuples(entry) for entry in value) if isinstance(value, list) else value


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
