"""Where in a scan the networks of a pipeline look, when another network says it: a box around what that one finds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...core.errors import InputError
from ...core.progress import IsCancelled, Progress, never, part_of, silent
from ...core.volume import Volume
from ...packages.pipeline import CropBy
from ..network_regions import Region
from .answering import slabs
from .axes import Box
from .cropping import box_around
from .engine import MemberEngine
from .joining import join_parts, joined_slab
from .preparing import Prepared, prepare

LOOKING = "where to look: "
ANY = 0.5
"""q of the volume range, which nobody reads here."""


def prepare_where(
    channels: Sequence[Volume],
    region: Region,
    engine: MemberEngine,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Prepared:
    """``preparing.prepare``, after the network that says where to look, if the pipeline has one.

    Raises:
        InputError: that network finds nothing; a channel whose values cannot be what it says.
        EngineError, Cancelled: as the engine.
    """
    crop = engine.pipeline.crop_by
    if crop is None:
        return prepare(channels, region, engine.pipeline)
    first = engine.where_to_look()
    share = part_of(progress, 0.0, 0.5, LOOKING)
    prepared = prepare_where(channels, region, first, share, is_cancelled)
    joined = join_parts(prepared, first, ANY, part_of(progress, 0.5, 1.0, LOOKING), is_cancelled)
    blocks = [np.isin(joined_slab(prepared, joined, *slab), crop.values) for slab in slabs(prepared)]
    mask = prepared.axes.backward(np.concatenate(blocks))
    if not mask.any():
        raise InputError(
            f"The model '{engine.package.metadata.name}' looks around {_listed(crop)} only, of which its first network "
            "found nothing in this scan. Check that the scan shows it and is not stored upside down."
        )
    box = _with_margin(mask, prepared.axes.where(prepared.box), region, crop)
    return prepare(channels, region, engine.pipeline, box)


def _with_margin(mask: NDArray[np.bool_], whole: Box, region: Region, crop: CropBy) -> Box:
    """The box of a mask, which lies at ``whole`` in the region's block, with the margin around it."""
    found = []
    for part, outer, mm, length in zip(
        box_around(mask), whole, region.grid.spacing_kji, region.grid.shape, strict=True
    ):
        margin = int(crop.margin_mm / np.float32(mm))
        low, high = outer.start + part.start - margin, outer.start + part.stop + margin
        found.append(slice(max(low, 0), min(high, length)))
    return (found[0], found[1], found[2])


def _listed(crop: CropBy) -> str:
    return " and ".join(filter(None, (", ".join(crop.names[:-1]), crop.names[-1])))
