"""What a bundle does to a scan before the network, as the first half of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...core.errors import InputError, PackageError
from ...core.geometry import parse_orientation
from ..pipeline import LINEAR, NNUNET_ORDER, ChannelNormalisation, Resampling
from .config import Config
from .intensities import intensity_steps
from .steps import Step, read_steps

READERS = (None, "ITKReader", "NibabelReader", "itkreader", "nibabelreader")
FLOATS = ("float32", None)
NEUTRAL: dict[str, dict[str, tuple[Any, ...]]] = {
    "LoadImage": {
        "reader": READERS,
        "dtype": (*FLOATS, "float64"),
        "simple_keys": (False,),
        "prune_meta_pattern": (None,),
    },
    "EnsureChannelFirst": {"channel_dim": (None, "no_channel"), "strict_check": (True, False)},
    "EnsureType": {"dtype": FLOATS, "track_meta": (True, None), "data_type": ("tensor",)},
    "ToTensor": {"dtype": FLOATS, "track_meta": (True, None)},
    "CastToType": {"dtype": FLOATS},
    "ToDevice": {},
}
NEUTRAL_OPTIONS = (
    "image_only",
    "ensure_channel_first",
    "device",
    "wrap_sequence",
    "non_blocking",
    "overwriting",
    "meta_keys",
)
KEPT = 1e-4, 1e4


@dataclass
class Preparation:
    """The first half of a pipeline; fields as in ``Pipeline``.

    Attributes:
        image_key: what the bundle calls the image.
        pixdim: mm along MONAI's axes (i, j, k); () for none.
    """

    image_key: str
    orientation: str = "native"
    pixdim: tuple[float, ...] = ()
    image: Resampling = LINEAR
    crop: str = "none"
    intensities: tuple[ChannelNormalisation, ...] = ()
    events: list[str] = field(default_factory=list)

    @property
    def order(self) -> tuple[str, ...]:
        """The steps that the bundle has, in its order, then those that it does not have and that do nothing."""
        found = [name for name in self.events if name in NNUNET_ORDER]
        return (*found, *(name for name in ("normalise", "crop", "resample") if name not in found))

    @property
    def moves(self) -> bool:
        """Whether anything has to be brought back to the scan."""
        return any(name in self.events for name in ("orient", "crop", "resample"))


def read_preparation(config: Config, channels: int) -> Preparation:
    """The transforms of ``"preprocessing"``.

    Raises:
        PackageError: a transform, its place or an option that works differently here; the sentence names it.
    """
    steps = read_steps(config, "preprocessing")
    loads = [step for step in steps if step.name == "LoadImage"]
    if len(loads) != 1 or len(loads[0].keys) != 1:
        raise PackageError("The bundle must load one image by LoadImaged; it loads another number of them.")
    found = Preparation(loads[0].keys[0])
    for step in steps:
        if step.keys != [found.image_key]:
            step.refuse("keys")
        _take(step, found, channels)
    return found


def _take(step: Step, found: Preparation, channels: int) -> None:
    intensities = intensity_steps(step, channels)
    if step.name in NEUTRAL:
        step.allow(*NEUTRAL_OPTIONS, **NEUTRAL[step.name])
    elif intensities is not None:
        _note(found, "normalise", step, again=bool(found.events) and found.events[-1] == "normalise")
        found.intensities += intensities
    elif step.name == "Orientation":
        _orient(step, found)
    elif step.name == "Spacing":
        _space(step, found)
    elif step.name == "CropForeground":
        _crop(step, found)
    else:
        raise PackageError(f"The bundle prepares its input with {step.name}; this library cannot do the same.")


def _note(found: Preparation, event: str, step: Step, again: bool = False) -> None:
    if event in found.events and not again:
        raise PackageError(
            f"The bundle changes intensities by {step.name} once more after other steps; this is not supported."
            if event == "normalise"
            else f"The bundle prepares its input with {step.name} twice; this is not supported."
        )
    if not again:
        found.events.append(event)


def _orient(step: Step, found: Preparation) -> None:
    step.allow("axcodes", "as_closest_canonical", labels=(None, [["L", "R"], ["P", "A"], ["I", "S"]]))
    if "resample" in found.events:
        raise PackageError("The bundle turns the scan (Orientationd) after Spacingd; this is not supported.")
    code = "RAS" if step.truth("as_closest_canonical") else step.get("axcodes")
    try:
        parse_orientation(str(code))
    except InputError:
        step.refuse("axcodes")
    _note(found, "orient", step)
    found.orientation = str(code).upper()


def _space(step: Step, found: Preparation) -> None:
    step.allow(
        "pixdim",
        mode=("bilinear",),
        padding_mode=("border",),
        align_corners=(False, None, True),
        dtype=("float32", "float64", None),
        diagonal=(False,),
        scale_extent=(False,),
        recompute_affine=(False,),
        min_pixdim=(None,),
        max_pixdim=(None,),
        ensure_same_shape=(True, False),
    )
    value = step.get("pixdim")
    pixdim = value if isinstance(value, list) else [value]
    if not 1 <= len(pixdim) <= 3 or not all(_is_spacing(one) for one in pixdim):
        step.refuse("pixdim")
    _note(found, "resample", step)
    wide = [float(one) for one in pixdim]
    found.pixdim = (*wide, *[wide[-1]] * (3 - len(wide)))


def _is_spacing(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and KEPT[0] <= value <= KEPT[1]


def _crop(step: Step, found: Preparation) -> None:
    """To what is above 0; padding modes do not matter without a margin."""
    step.allow(
        "mode",
        "source_key",
        "start_coord_key",
        "end_coord_key",
        "return_coords",
        "allow_smaller",
        select_fn=(None,),
        margin=(0, None),
        k_divisible=(1,),
        channel_indices=(None,),
    )
    if step.get("source_key", found.image_key) != found.image_key:
        step.refuse("source_key")
    _note(found, "crop", step)
    found.crop = "foreground"
