"""nnU-Net's ``plans.json``, old and new, as facts of a package; whatever this library would do otherwise is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.errors import PackageError
from ..metadata_fields import Fields
from ..pipeline import Channel, ChannelNormalisation, Resampling
from .architecture import network_of

NORMALISATIONS = {
    "ZScoreNormalization": "zscore",
    "CTNormalization": "ct",
    "NoNormalization": "none",
    "RescaleTo01Normalization": "unit",
    "RGBTo01Normalization": "rgb",
}
READERS = {
    "SimpleITKIO": "native",
    "NibabelIO": "native",
    "NibabelIOWithReorient": "RAS",
    "SimpleITKIOWithReorient": "RAS",
}
PICTURE_READERS = ("NaturalImage2DIO", "Tiff3DIO")
RESAMPLING = "resample_data_or_seg_to_shape"
RESAMPLING_OPTIONS = {"is_seg", "order", "order_z", "force_separate_z", "separate_z_anisotropy_threshold"}
PREPROCESSOR = "DefaultPreprocessor"
FILE = "plans.json"


@dataclass(frozen=True)
class Plan:
    """One configuration of a plans file.

    Attributes:
        network: name in our registry and arguments, as in ``configs/metadata.json``.
        patch, spacing: along the transposed axes; two numbers each for ``2d``.
        others: as the fields of ``packages.pipeline.Pipeline``.
    """

    configuration: str
    network: dict[str, Any]
    patch: tuple[int, ...]
    spacing: tuple[float, ...]
    orientation: str
    transpose: tuple[int, int, int]
    image: Resampling
    logits: Resampling
    channels: tuple[Channel, ...]


def read_plan(plans: Mapping[str, Any], configuration: str, names: Sequence[str], outputs: int) -> Plan:
    """One configuration.

    Args:
        plans: the parsed plans file.
        configuration: its name, such as ``"3d_fullres"``.
        names: the input channels in order.
        outputs: output channels of the network.

    Raises:
        PackageError: the cascade, an unknown step, or a plan that is not whole.
    """
    top = Fields(plans, "", FILE)
    chosen = Fields(_resolved(plans, configuration), f"configurations.{configuration}", FILE)
    _refuse_cascade(chosen, configuration)
    _require(chosen, "preprocessor_name", (PREPROCESSOR,))
    if top.has("label_manager"):
        _require(top, "label_manager", ("LabelManager",))
    patch = chosen.integers("patch_size", (2, 3))
    transpose = _transpose(top)
    return Plan(
        configuration=configuration,
        network=network_of(chosen, len(patch), len(names), outputs),
        patch=patch,
        spacing=chosen.numbers("spacing", len(patch), 1e-4, 1e4),
        orientation=_orientation(top),
        transpose=transpose,
        image=_resampling(chosen, "data", 5),
        logits=_resampling(chosen, "probabilities", 1),
        channels=_channels(top, chosen, names),
    )


def channel_names(dataset: Mapping[str, Any]) -> tuple[str, ...]:
    """The input channels of ``dataset.json`` in order. Raises ``PackageError``."""
    names = dataset.get("channel_names", dataset.get("modality"))
    if not isinstance(names, dict) or not names or sorted(names) != sorted(str(n) for n in range(len(names))):
        raise PackageError("The dataset.json does not name its input channels 0, 1, ... in 'channel_names'.")
    found = [str(names[str(number)]) for number in range(len(names))]
    return tuple(name if found.count(name) == 1 else f"{name} {number}" for number, name in enumerate(found))


def _resolved(plans: Mapping[str, Any], name: str, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """A configuration with what it inherits from others."""
    every = plans.get("configurations")
    found = every.get(name) if isinstance(every, dict) else None
    if not isinstance(found, dict):
        known = ", ".join(every) if isinstance(every, dict) else "none"
        raise PackageError(f"The {FILE} has no configuration '{name}'; it has: {known}.")
    if name in seen:
        raise PackageError(f"The {FILE}'s configurations inherit from one another in a circle ('{name}').")
    parent = found.get("inherits_from")
    return {**(_resolved(plans, str(parent), (*seen, name)) if parent else {}), **found}


def _refuse_cascade(chosen: Fields, configuration: str) -> None:
    if chosen.has("previous_stage"):
        raise PackageError(
            f"The configuration '{configuration}' is the second half of a cascade: it needs the segmentation of "
            f"'{chosen.content['previous_stage']}' as input, which is not supported. Import '3d_fullres', "
            "'3d_lowres' or '2d' instead."
        )


def _require(fields: Fields, key: str, known: Sequence[str]) -> str:
    value = fields.content.get(key)
    if value not in known:
        raise PackageError(
            f"The {FILE} asks for '{fields.where(key)}': {value!r}, which works differently here. "
            f"Supported: {', '.join(known)}."
        )
    return str(value)


def _orientation(top: Fields) -> str:
    reader = top.content.get("image_reader_writer")
    if reader in PICTURE_READERS:
        raise PackageError(
            f"The network was trained on pictures without a voxel size, such as PNG or TIFF (reader '{reader}' in "
            f"{FILE}). This program takes medical images alone."
        )
    return READERS[_require(top, "image_reader_writer", tuple(READERS))]


def _transpose(top: Fields) -> tuple[int, int, int]:
    value = top.content.get("transpose_forward")
    if not isinstance(value, list) or sorted(value) != [0, 1, 2]:
        top.fail("transpose_forward", "the axes 0, 1 and 2 in some order")
    return (int(value[0]), int(value[1]), int(value[2]))


def _resampling(chosen: Fields, subject: str, highest: int) -> Resampling:
    name = f"resampling_fn_{subject}"
    _require(chosen, name, (RESAMPLING,))
    options = chosen.inner(f"{name}_kwargs")
    unknown = sorted(set(options.content) - RESAMPLING_OPTIONS)
    if unknown or options.content.get("is_seg"):
        what = unknown[0] if unknown else "is_seg"
        raise PackageError(f"The {FILE} resamples with '{what}' ({options.path}), which is not supported.")
    separate = options.content.get("force_separate_z", False)
    if separate is not None and not isinstance(separate, bool):
        options.fail("force_separate_z", "true, false or null")
    threshold = options.content.get("separate_z_anisotropy_threshold", 3.0)
    return Resampling(
        order=options.integer("order", 0 if subject == "data" else 1, highest),
        order_z=options.integer("order_z", 0, highest) if options.has("order_z") else 0,
        separate_z=separate,
        threshold=float(threshold),
    )


def _channels(top: Fields, chosen: Fields, names: Sequence[str]) -> tuple[Channel, ...]:
    schemes, masks = chosen.texts("normalization_schemes"), chosen.content.get("use_mask_for_norm")
    if not isinstance(masks, list) or not len(schemes) == len(masks) == len(names):
        raise PackageError(
            f"The {FILE} normalises {len(schemes)} channels, but dataset.json names {len(names)}: they do not belong "
            "together."
        )
    settings = [_normalisation(top, number, scheme, masks[number]) for number, scheme in enumerate(schemes)]
    return tuple(Channel(name, (one,)) for name, one in zip(names, settings, strict=True))


def _normalisation(top: Fields, channel: int, scheme: str, masked: object) -> ChannelNormalisation:
    if scheme not in NORMALISATIONS:
        raise PackageError(
            f"The {FILE} normalises with '{scheme}', which is not known here. Supported: {', '.join(NORMALISATIONS)}."
        )
    kind = NORMALISATIONS[scheme]
    if kind != "ct":
        return ChannelNormalisation(kind, kind == "zscore" and bool(masked))
    key = "foreground_intensity_properties_per_channel"
    found = top.inner(key if top.has(key) else "foreground_intensity_properties_by_modality").inner(str(channel))
    names = ("percentile_00_5", "percentile_99_5", "mean", "std")
    low, high, mean, std = (found.number(name, -1e9, 1e9) for name in names)
    return ChannelNormalisation(kind, False, low, high, mean, std)
