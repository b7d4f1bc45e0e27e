"""What is analysed: the whole scan or boxes in it, each on the grid that the model wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..arrays.normalisation import normalise
from ..core.centred_window import voxels_within, window_around
from ..core.errors import InputError
from ..core.geometry import crop_grid, ras_to_ijk
from ..core.labels import Label
from ..core.resampling import model_grid, resample
from ..core.roi import Roi, roi_grid, roi_mask, roi_slices
from ..core.volume import Grid, Volume
from ..packages.metadata import PackageMetadata
from .turned import Turn, seen_voxels, turned_window, window_turn

LARGEST_LABEL = 255
MOST_VOXELS = 2**33
"""On the model's grid: 34 GB a channel, more than any scan of a whole body; beyond it the spacing must be wrong."""

LARGEST_BOX = 3
"""Times the window of a model that outlines one thing in the middle of a box; what lies around it is left out."""


@dataclass(frozen=True, eq=False)
class Region:
    """A block of input voxels and the grid on which the model sees it.

    Attributes:
        roi: the box, None for the whole scan.
        slices: the block in the input's array (k, j, i).
        grid: the block as a grid; ``model_grid`` covers the same field of view, or one window around the box's middle
            for a model that outlines one thing in a box: that may reach beyond the scan.
        label_set: foreground labels in the order of the package's foreground channels, with their final values.
        inside: (k, j, i) truth of "belongs to the box", None where the whole block does.
    """

    roi: Roi | None
    slices: tuple[slice, slice, slice]
    grid: Grid
    model_grid: Grid
    label_set: tuple[Label, ...]
    inside: NDArray[np.bool_] | None = None

    @property
    def name(self) -> str:
        """For progress and records."""
        return "scan" if self.roi is None else self.roi.name


def plan_regions(
    grid: Grid, metadata: PackageMetadata, rois: Sequence[Roi] = (), turn: Turn | None = None
) -> tuple[Region, ...]:
    """The regions of a run, before any voxel is read.

    Label values continue from region to region: with n as the package's largest value, region r adds r * n. ``turn``:
    how the structure's pose turns the windows, where it is known (``turned.window_turn``).

    Raises:
        InputError: a region outside the image, more labels than a label map holds, or a field of view too large.
    """
    if not rois:
        if metadata.centred:
            return (_centred_region(None, grid, grid, metadata, metadata.foreground),)
        everything = (slice(0, grid.shape[0]), slice(0, grid.shape[1]), slice(0, grid.shape[2]))
        on_model = _on_model(grid, metadata, _name(None))
        return (Region(None, everything, grid, on_model, metadata.foreground),)
    step = max(label.value for label in metadata.foreground)
    if step * len(rois) > LARGEST_LABEL:
        raise InputError(
            f"{len(rois)} regions of {step} labels each do not fit into one segmentation of {LARGEST_LABEL} labels. "
            "Segment them in several runs."
        )
    turned = window_turn(grid, metadata, turn)
    return tuple(_plan_region(grid, metadata, roi, number * step, turned) for number, roi in enumerate(rois))


def prepare_region(volume: Volume, region: Region, metadata: PackageMetadata) -> NDArray[np.float32]:
    """The region as the network wants it: (1, k, j, i) float32 on the model's grid, normalised over the region."""
    lowest = float(volume.array[region.slices].min())
    on_model = resample(volume, region.model_grid, "linear", lowest).array
    owned = on_model.dtype == np.float32 and not np.may_share_memory(on_model, volume.array)
    if owned:
        on_model.flags.writeable = True
    return normalise(on_model, metadata.normalisation, overwrite=owned)[np.newaxis]


def overlap(regions: Sequence[Region]) -> bool:
    """Whether any two regions share input voxels."""
    return any(
        all(a.start < b.stop and b.start < a.stop for a, b in zip(one.slices, other.slices, strict=True))
        for number, one in enumerate(regions)
        for other in regions[:number]
    )


def _plan_region(grid: Grid, metadata: PackageMetadata, roi: Roi, offset: int, turn: Turn | None) -> Region:
    block = roi_grid(grid, roi)
    labels = tuple(
        replace(label, value=label.value + offset, name=f"{roi.name} {label.name}") for label in metadata.foreground
    )
    if metadata.centred:
        return _centred_region(roi, grid, block, metadata, labels)
    if turn is not None:
        return _turned_region(roi, grid, metadata, labels, turn)
    inside = roi_mask(grid, roi)
    return Region(
        roi=roi,
        slices=roi_slices(grid, roi),
        grid=block,
        # from the block, not from the scan: the model's grid then covers every voxel of the block
        model_grid=_on_model(block, metadata, _name(roi)),
        label_set=labels,
        inside=None if inside.all() else inside,
    )


def _turned_region(roi: Roi, grid: Grid, metadata: PackageMetadata, labels: tuple[Label, ...], turn: Turn) -> Region:
    window = turned_window(roi, metadata, turn)
    slices, inside = seen_voxels(grid, window)
    k, j, i = slices
    size = (i.stop - i.start, j.stop - j.start, k.stop - k.start)
    return Region(roi, slices, crop_grid(grid, (i.start, j.start, k.start), size), window, labels, inside)


def _centred_region(
    roi: Roi | None, grid: Grid, block: Grid, metadata: PackageMetadata, labels: tuple[Label, ...]
) -> Region:
    """One window of the scan around the middle of a box: the model always sees as much as it was trained on."""
    on_model = _on_model(block, metadata, _name(roi))
    _check_box(on_model, metadata, _name(roi))
    middle = None if roi is None else (np.array([roi.low]) + roi.high) / 2
    window = window_around(on_model, metadata.patch, None if middle is None else ras_to_ijk(on_model, middle)[0])
    k, j, i = voxels_within(grid, window)
    size = (i.stop - i.start, j.stop - j.start, k.stop - k.start)
    if min(size) < 1:
        raise InputError(f"{_name(roi)} has its middle outside of the scan. Move it so that the structure lies there.")
    return Region(roi, (k, j, i), crop_grid(grid, (i.start, j.start, k.start), size), window, labels)


def _check_box(on_model: Grid, metadata: PackageMetadata, where: str) -> None:
    """Refuse a field of view in whose middle the structure cannot be meant to lie."""
    found, wanted = on_model.shape[::-1][: len(metadata.patch)], metadata.patch[::-1]
    if all(length <= LARGEST_BOX * window for length, window in zip(found, wanted, strict=True)):
        return
    spacing = on_model.spacing[: len(wanted)]
    large, small = (" x ".join(f"{n * mm:.0f}" for n, mm in zip(row, spacing, strict=True)) for row in (found, wanted))
    raise InputError(
        f"{where} measures {large} mm, but the model '{metadata.name}' outlines one structure in the middle of a box "
        f"of about {small} mm. Give a region of interest of that size around the structure."
    )


def _name(roi: Roi | None) -> str:
    """What is analysed, at the start of a sentence."""
    return "The scan" if roi is None else f"The region '{roi.name}'"


def _on_model(block: Grid, metadata: PackageMetadata, where: str) -> Grid:
    if metadata.pipeline is not None:
        return block  # its networks see a crop that depends on the voxels, see inference.native.preparing
    grid = model_grid(block, metadata.orientation, metadata.spacing)
    if np.prod(grid.shape, dtype=float) > MOST_VOXELS:
        extent = " x ".join(f"{mm / 1000:.1f}" for mm in block.extent_mm)
        spacing = " x ".join(f"{mm:g}" for mm in block.spacing)
        raise InputError(
            f"{where} covers {extent} metres (voxels of {spacing} mm), which is too much to segment. "
            "Check the voxel spacing of the scan, or give a smaller region."
        )
    return grid
