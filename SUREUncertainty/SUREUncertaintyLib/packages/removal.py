"""Models that a person brought in go again; those that come with the program stay."""

from __future__ import annotations

import shutil

from ..core.errors import PackageError
from .catalogue import Entry, list_entries, user_folder


def own_model(name: str) -> Entry:
    """A model of the user's own folder. Raises ``PackageError`` for one that is not there, or lies elsewhere."""
    found = [entry for entry in list_entries() if entry.name == name]
    if not found:
        raise PackageError(f"There is no model '{name}'. 'sure models list' shows what there is.")
    if not is_own(found[0]):
        raise PackageError(f"The model '{name}' comes with the program and stays.")
    return found[0]


def is_own(entry: Entry) -> bool:
    """Whether it lies in the user's own folder."""
    return not entry.built_in and entry.root.parent.resolve() == user_folder().resolve()


def remove_model(entry: Entry) -> None:
    """Remove a model of the user's, whole: it goes out of the list first, then its files. Raises ``OSError``."""
    going = entry.root.with_name(f".{entry.root.name}.removed")
    shutil.rmtree(going, ignore_errors=True)
    entry.root.rename(going)
    shutil.rmtree(going)
