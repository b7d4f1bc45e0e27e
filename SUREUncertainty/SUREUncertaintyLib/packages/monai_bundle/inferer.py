"""How a bundle cuts a scan into windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import PackageError
from .config import Config
from .steps import Step

SLIDING = ("SlidingWindowInferer", "SlidingWindowInfererAdapt")
SLICES, SIMPLE = "SliceInferer", "SimpleInferer"
NEUTRAL = (
    *("roi_size", "overlap", "mode", "padding_mode", "spatial_dim", "sw_batch_size", "sw_device", "device", "progress"),
    *("cache_roi_weight_map", "cpu_thresh", "buffer_steps", "buffer_dim"),
)
PADS = {"constant": "zero", "replicate": "edge"}
OVERLAP = 0.25
"""MONAI's own default."""


@dataclass(frozen=True)
class Windows:
    """Windows of a bundle.

    Attributes:
        patch: along MONAI's axes; two numbers for a network that works slice by slice; () for the whole image.
        overlap: share of a window that the next one repeats.
        blend, pad: as in ``Pipeline``.
        slice_axis: MONAI's axis along which slices lie.
    """

    patch: tuple[int, ...]
    overlap: float = OVERLAP
    blend: str = "constant"
    pad: str = "zero"
    slice_axis: int = 0


def read_windows(config: Config) -> Windows:
    """From ``"inferer"``.

    Raises:
        PackageError: there is none, or one that works differently here.
    """
    found = config.entry("inferer")
    target = str(found.get("_target_", "")) if isinstance(found, Mapping) else ""
    path, _, name = target.rpartition(".")
    if not isinstance(found, Mapping) or name not in (*SLIDING, SLICES, SIMPLE) or not _is_monai(path):
        known = ", ".join((*SLIDING, SLICES, SIMPLE))
        raise PackageError(f"The bundle's inferer is {target or 'not given'}; supported are {known}.")
    step = Step(name, found, config)
    if name == SIMPLE:
        step.allow()
        return Windows(())
    step.allow(*NEUTRAL, sigma_scale=(0.125,), cval=(0, 0.0), with_coord=(False,))
    return Windows(
        patch=_patch(step, 2 if name == SLICES else 3),
        overlap=_overlap(step),
        blend=_choice(step, "mode", {"constant": "constant", "gaussian": "gaussian"}),
        pad=_choice(step, "padding_mode", PADS),
        slice_axis=_slice_axis(step),
    )


def _is_monai(path: str) -> bool:
    return path == "" or path == "monai" or path.startswith("monai.inferers")


def _patch(step: Step, count: int) -> tuple[int, ...]:
    value = step.get("roi_size")
    sizes = [value] * count if isinstance(value, int) else value
    if not isinstance(sizes, list) or len(sizes) != count or not all(type(n) is int and n > 0 for n in sizes):
        step.refuse("roi_size")
    return tuple(sizes)


def _overlap(step: Step) -> float:
    value: Any = step.single("overlap", OVERLAP)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0.0 <= value <= 0.95:
        step.refuse("overlap")
    return float(value)


def _choice(step: Step, option: str, known: Mapping[str, str]) -> str:
    value = step.get(option, "constant")
    if value not in known:
        step.refuse(option)
    return known[str(value)]


def _slice_axis(step: Step) -> int:
    value = step.get("spatial_dim", 0)
    if value not in (0, 1, 2) or (step.name != SLICES and value != 0):
        step.refuse("spatial_dim")
    return int(value)
