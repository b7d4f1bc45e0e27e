"""Whether two results can be compared at all, and what must be said where they can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..analysis.verdict import USABLE
from ..core.errors import InputError
from ..core.wording import VERDICT_NAMES
from .scan_result import ScanResult

UNLIKE_SPACING = 0.2
"""Share by which voxels may differ along an axis before it is said."""

SAME_SCAN = "Both results are of the same scan ({image}): growth needs two scans of the patient."
OTHER_MODEL = (
    "The results were made by different models ({before}; {after}), whose outlines differ without any growth. Run both "
    "scans with the same one."
)
OTHER_SAMPLES = (
    "The samples of both results were drawn or cleaned in different ways ({names}). Run both scans with the same "
    "options."
)
OTHER_STRUCTURES = (
    "The results do not hold the same structures: only before {before}; only after {after}. Give regions the same name "
    "in both runs, or name what is to be compared with --structure."
)
NO_SUCH = "There is no structure '{name}' in both results. In both there are: {common}."
OTHER_UNITS = (
    "One of the scans does not tell how large its voxels are ({which}), so that its sizes are counts and those of the "
    "other one ml. Export it again with its spacing."
)
IN_VOXELS = (
    "Neither scan tells how large its voxels are: sizes are counts of voxels, there are no diameters, and growth holds "
    "only if both scans have voxels of the same size."
)
IN_AREAS = (
    "A scan does not tell how thick its slices are, so that volumes hold only if both are equally thick; diameters in "
    "a slice hold."
)
VOXELS_DIFFER = (
    "The voxels of the scans differ in size ({before} and {after} mm): a part of the change may come from that alone."
)
NOT_USABLE = "The verdict on the {which} result is '{verdict}'; its report says why."


NOT_MATCHED = (
    "The samples of both scans were drawn with another noise (seed, or size of the region), so that every one is "
    "compared with every one of the other scan, and ranges are wide. Run both with one seed and regions of one size."
)


def are_matched(before: ScanResult, after: ScanResult) -> bool:
    """Whether samples of one number were drawn with the same noise."""
    same_count = all(len(after.drawn.get(name, ())) == len(drawn) for name, drawn in before.drawn.items())
    return same_count and before.noise_grid == after.noise_grid


def require_comparable(before: ScanResult, after: ScanResult) -> None:
    """Refuse two results whose sizes mean different things.

    Raises:
        InputError: one scan, two models, two ways of sampling, or two units.
    """
    if before.document["voxel_fingerprint"] == after.document["voxel_fingerprint"]:
        raise InputError(SAME_SCAN.format(image=after.document["image"]))
    if before.model.get("fingerprint") != after.model.get("fingerprint"):
        raise InputError(OTHER_MODEL.format(before=_model(before), after=_model(after)))
    unlike = sorted(
        name
        for name in {*before.sampling, *after.sampling} - {"samples"}
        if before.sampling.get(name) != after.sampling.get(name)
    )
    if unlike:
        raise InputError(OTHER_SAMPLES.format(names=", ".join(name.replace("_", " ") for name in unlike)))
    if before.tells_lengths != after.tells_lengths:
        raise InputError(OTHER_UNITS.format(which="the first" if after.tells_lengths else "the second"))


def common_structures(before: ScanResult, after: ScanResult, wanted: Sequence[str] = ()) -> list[str]:
    """The structures to compare, in the order of the first result.

    Args:
        wanted: names; all when empty.

    Raises:
        InputError: the results differ in their structures, or lack one that is wanted.
    """
    common = [name for name in before.drawn if name in after.drawn]
    missing = [name for name in wanted if name not in common]
    if missing:
        raise InputError(NO_SUCH.format(name=missing[0], common=", ".join(common) or "none"))
    if not wanted and set(before.drawn) != set(after.drawn):
        only = (_only(one, other) for one, other in ((before, after), (after, before)))
        raise InputError(OTHER_STRUCTURES.format(**dict(zip(("before", "after"), only, strict=True))))
    return [name for name in common if not wanted or name in wanted]


def cautions(before: ScanResult, after: ScanResult) -> Iterator[str]:
    """What must be said beside the numbers."""
    for which, result in (("first", before), ("second", after)):
        if result.document["status"] != USABLE:
            yield NOT_USABLE.format(which=which, verdict=VERDICT_NAMES[result.document["status"]])
    if not are_matched(before, after):
        yield NOT_MATCHED
    if not before.tells_lengths:
        yield IN_VOXELS
        return
    if not (before.tells_volumes and after.tells_volumes):
        yield IN_AREAS
    pairs = list(zip(before.spacing, after.spacing, strict=True))
    if any(abs(one - other) > UNLIKE_SPACING * min(one, other) for one, other in pairs):
        yield VOXELS_DIFFER.format(before=_size(before), after=_size(after))


def _only(one: ScanResult, other: ScanResult) -> str:
    return ", ".join(name for name in one.drawn if name not in other.drawn) or "none"


def _model(result: ScanResult) -> str:
    return f"{result.model.get('name')} {result.model.get('version')}"


def _size(result: ScanResult) -> str:
    return " x ".join(f"{mm:.3g}" for mm in result.spacing)
