"""One transform of a bundle's config: its class by name, and its options, each of which is on a list or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import PackageError
from .config import Config

MODULES = ("", "monai.transforms")
NEUTRAL = frozenset({"keys", "allow_missing_keys", "lazy", "_target_", "_desc_", "_disabled_"})
"""Options that change nothing in what this library does with one image and one result."""


@dataclass(frozen=True)
class Step:
    """A transform.

    Attributes:
        name: its class without the suffix for dictionaries.
        options: as written in the config; a value is read when it is asked for.
        config: that it belongs to.
    """

    name: str
    options: Mapping[str, Any]
    config: Config

    @property
    def keys(self) -> list[str]:
        """What it acts on."""
        keys = self.config.value(self.options.get("keys", []))
        return keys if isinstance(keys, list) else [str(keys)]

    def get(self, option: str, default: Any = None) -> Any:
        """The value of an option; the default where it is not given."""
        return self.config.value(self.options[option]) if option in self.options else default

    def allow(self, *neutral: str, **wanted: Sequence[Any]) -> None:
        """Refuse every option but the neutral ones, and those with other values than the wanted ones.

        Options that the caller reads itself count as neutral here.
        """
        for option in self.options:
            if option in NEUTRAL or option in neutral:
                continue
            if option not in wanted:
                self.refuse(option)
            if not self._is_one_of(option, wanted[option]):
                self.refuse(option)

    def _is_one_of(self, option: str, wanted: Sequence[Any]) -> bool:
        try:
            found = self.single(option)
        except PackageError:  # an expression: the sentence about the option says more
            return False
        return any(_same(found, value) for value in wanted)

    def single(self, option: str, default: Any = None) -> Any:
        """An option that may be given once a key, as all of them are the same."""
        value = self.get(option, default)
        if isinstance(value, list) and value and all(_same(one, value[0]) for one in value):
            return value[0]
        return value

    def truth(self, option: str, default: bool = False) -> bool:
        """A truth value; the text "True" counts as one, as it does in Python."""
        value = self.get(option, default)
        if value in (True, "True"):
            return True
        if value in (False, None):
            return False
        self.refuse(option)
        raise AssertionError

    def number(self, option: str, default: float | None = None) -> float:
        """A number."""
        value = self.get(option, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.refuse(option)
        return float(value)

    def refuse(self, option: str) -> None:
        """Refuse the bundle because of an option."""
        value = self.options.get(option, "nothing")
        shown = repr(value)
        raise PackageError(
            f"The bundle uses {self.name} with '{option}': {shown if len(shown) <= 80 else shown[:77] + '...'}, which "
            "would work differently here."
        )


def read_steps(config: Config, key: str) -> list[Step]:
    """The transforms of ``"preprocessing"`` or ``"postprocessing"`` in order, without the disabled ones.

    Raises:
        PackageError: it is no ``Compose`` of named transforms.
    """
    found = config.entry(key)
    if found is None and key == "postprocessing":
        return []
    if not isinstance(found, Mapping) or _class_name(found) != "Compose" or set(found) - {"_target_", "transforms"}:
        raise PackageError(f"The bundle's config has no 'Compose' with a list of transforms in '{key}'.")
    listed = config.follow(found.get("transforms"))
    if isinstance(listed, str):
        config.value(listed)  # an expression is refused with its own sentence
    if not isinstance(listed, list):
        raise PackageError(f"The bundle's config has no list of transforms in '{key}'.")
    steps = [_step(config, config.follow(entry), key) for entry in listed]
    return [step for step in steps if not step.truth("_disabled_")]


def _step(config: Config, entry: Any, key: str) -> Step:
    name = _class_name(entry)
    if not isinstance(entry, Mapping) or not name:
        raise PackageError(f"An entry of the transforms in the bundle's '{key}' names no '_target_'.")
    strange = sorted(option for option in entry if str(option).startswith("_") and option not in NEUTRAL)
    if strange:
        raise PackageError(f"The bundle uses {name} with '{strange[0]}', which is not supported.")
    return Step(_without_suffix(name), {str(option): value for option, value in entry.items()}, config)


def _class_name(entry: Any) -> str:
    """The class of MONAI that an entry names; another module's path stays whole."""
    target = entry.get("_target_") if isinstance(entry, Mapping) else None
    if not isinstance(target, str):
        return ""
    path, _, last = target.rpartition(".")
    return last if path in MODULES or path.startswith("monai.transforms.") else target


def _without_suffix(name: str) -> str:
    for suffix in ("Dict", "d", "D"):
        if name.endswith(suffix) and name != "Pad":
            return name.removesuffix(suffix)
    return name


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other if isinstance(other, bool) else one == other
