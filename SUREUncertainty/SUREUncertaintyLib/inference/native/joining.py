"""Several networks that share out the structures: one after the other, their label maps joined on the network's grid.

Memory holds one network's outputs at a time, however many structures all of them find together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...arrays.heads import normalised_entropy, softmax
from ...core.progress import IsCancelled, Progress, part_of
from ...packages.pipeline import Part
from ..region_merging import count_voxels, overlap_masses
from .cropping import nonzero_mask
from .engine import MemberEngine
from .largest_parts import keep_largest
from .normalising import normalise_channel
from .preparing import Prepared
from .tiling import tiling_of

Float32 = NDArray[np.float32]
PLANES = 8


@dataclass(frozen=True, eq=False)
class Joined:
    """What the parts said, on the network's grid.

    Attributes:
        values: (...) label values of the package; a later part wins where several find something.
        entropy: (...) normalised, of the part that is least sure.
        counts: (256, 2) voxels in which each value is nearly certain, and cannot be ruled out.
        masses: (256, 3) as ``region_merging.overlap_masses``, of the part that knows the value.
    """

    values: NDArray[np.uint8]
    entropy: Float32
    counts: NDArray[np.int64]
    masses: NDArray[np.float64]


def join_parts(
    prepared: Prepared, engine: MemberEngine, sure: float, progress: Progress, is_cancelled: IsCancelled
) -> Joined:
    """Run every part.

    Args:
        sure: q of the volume range, P > q to P > 1 - q.

    Raises:
        Cancelled: ``is_cancelled`` said so. EngineError: a network cannot be run.
    """
    shape = prepared.image.shape[1:]
    empty = np.zeros((256, 2), np.int64), np.zeros((256, 3))
    found = Joined(np.zeros(shape, np.uint8), np.zeros(shape, np.float32), *empty)
    for number, (part, one) in enumerate(zip(engine.pipeline.parts, engine.run, strict=True)):
        share = part_of(progress, number / len(engine.run), (number + 1) / len(engine.run), f"{one.member.name}: ")
        metadata = engine.package.metadata
        blend = tiling_of(_normalised(prepared, part), metadata.patch, metadata.overlap, engine.pipeline)

        def logits_of(windows: Float32) -> Float32:
            return engine.pass_logits(one, windows)  # noqa: B023 - called before the next part begins

        _add(found, blend(logits_of, share, is_cancelled), part, sure)
    for step in engine.pipeline.postprocessing:
        keep_largest(found.values, step, float(np.prod(prepared.spacing)))
    return found


def joined_slab(prepared: Prepared, joined: Joined, low: int, high: int) -> NDArray[np.uint8]:
    """Label values of planes low..high of the voxels that were analysed, in the network's axes."""
    numbers = joined.values[np.newaxis].astype(np.float32)
    return np.rint(prepared.back_labels.slab(numbers, low, high)[0]).astype(np.uint8)


def _normalised(prepared: Prepared, part: Part) -> Float32:
    image = prepared.image.copy()
    mask = nonzero_mask(image)
    for number, (channel, steps) in enumerate(zip(image, part.normalisation, strict=True)):
        normalise_channel(channel, mask, steps, str(number))
    return image


def _add(found: Joined, logits: Float32, part: Part, sure: float) -> None:
    """One part's outputs (C, ...), a few planes at a time."""
    values = np.array(part.values, dtype=np.uint8)
    for low in range(0, logits.shape[1], PLANES):
        planes = slice(low, low + PLANES)
        probability = softmax(logits[:, planes])
        winners = probability.argmax(axis=0)
        marked = values[winners]
        np.copyto(found.values[planes], marked, where=marked != 0)
        np.maximum(found.entropy[planes], normalised_entropy(probability), out=found.entropy[planes])
        np.add.at(found.counts, values, count_voxels(probability, None, sure))
        np.add.at(found.masses, values, overlap_masses(probability, winners, None))
