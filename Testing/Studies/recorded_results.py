"""Results of a study by name: those of this run, a JSON file each, over those of the committed summary file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from SUREUncertaintyLib.comparison.study_summary import compact, recipe_checksums

SUMMARIES = Path(__file__).resolve().parent / "results"
Document = dict[str, Any]


class Names:
    """Lists of names that many results share, kept once and referred to by number."""

    def __init__(self) -> None:
        self.lists: list[list[str]] = []

    def place(self, names: list[str]) -> int:
        """The number of a list."""
        if names not in self.lists:
            self.lists.append(names)
        return self.lists.index(names)


@dataclass(frozen=True)
class Codec:
    """How a study's results are made small and read back.

    Attributes:
        summary: the committed file.
        pack: a result by name without what no page uses; may put names into the lists and keys into the head.
        unpack: the opposite, from the head.
    """

    summary: Path
    pack: Callable[[str, Mapping[str, Any], Names, Document], Document]
    unpack: Callable[[Mapping[str, Any], Mapping[str, Any]], Document]


class RecordedResults:
    """A study's results; a result that stands in the summary alone is as good as a file, but for what was left out.

    Args:
        codec: of the study.
        folder: where a run leaves its results and recipes; None to read the summary alone.
    """

    def __init__(self, codec: Codec, folder: Path | None = None) -> None:
        self._codec, self._folder = codec, folder
        document = json.loads(codec.summary.read_text(encoding="utf-8")) if codec.summary.is_file() else {}
        self._recipes: dict[str, str] = document.get("recipes", {})
        self._summarised = {name: codec.unpack(entry, document) for name, entry in document.get("results", {}).items()}

    def __contains__(self, name: str) -> bool:
        return bool(self.get(name))

    def get(self, name: str) -> Document:
        """A result; empty where there is none. Files are read anew, since several runs may share a folder."""
        path = None if self._folder is None else self._folder / f"{name}.json"
        if path is not None and path.is_file():
            found: Document = json.loads(path.read_text(encoding="utf-8"))
            return found
        return self._summarised.get(name, {})

    def of_kind(self, kind: str = "") -> dict[str, Document]:
        """Every result whose name begins so, by name, in the order of their files."""
        files = {path.stem for path in self._folder.glob("*.json")} if self._folder else set()
        names = sorted(files | self._summarised.keys(), key="{}.json".format)
        return {name: self.get(name) for name in names if name.startswith(kind)}

    def save(self, name: str, document: Document) -> None:
        """Keep a result of this run, whole or not at all."""
        assert self._folder is not None
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f"{name}.partial"
        partial.write_text(json.dumps(document, allow_nan=False) + "\n", encoding="utf-8")
        partial.replace(self._folder / f"{name}.json")

    def save_recipe(self, document: Document) -> Path:
        """Keep a recipe of this run, as ``sure train`` reads it."""
        assert self._folder is not None
        path = self._folder / "recipes" / f"{document['name']}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False, width=120), encoding="utf-8")
        return path

    def summarise(self) -> None:
        """Renew the summary file, recipes as their SHA-256."""
        fresh = recipe_checksums(self._folder / "recipes") if self._folder else {}
        names, head = Names(), Document()
        packed = {name: self._codec.pack(name, found, names, head) for name, found in self.of_kind().items()}
        recipes = dict(sorted((self._recipes | fresh).items()))
        self._codec.summary.parent.mkdir(parents=True, exist_ok=True)
        text = compact({**head, "names": names.lists, "recipes": recipes}, packed)
        self._codec.summary.write_text(text, encoding="utf-8")
