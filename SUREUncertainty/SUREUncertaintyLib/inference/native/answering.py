"""Runs every pass over a prepared image, one after the other, and keeps sums instead of the passes.

Memory does not grow with the number of passes: the mean of their logits on the network's grid, and, where there are
several, running sums of their probabilities on the cropped image. Their label maps, which pairwise Dice needs, lie in
a temporary file, a byte a voxel.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...analysis.members import ClassMembers, RegionMembers
from ...core.progress import IsCancelled, Progress, part_of
from .engine import MemberEngine
from .joining import Joined, join_parts
from .preparing import Prepared
from .reading import Reader
from .tiling import tiling_of

Float32 = NDArray[np.float32]
SLAB_VOXELS = 2 * 1024 * 1024
Slab = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Answer:
    """What the passes said.

    Attributes:
        channels: the mean of their logits (C, ...) on the network's grid, or what its ``Reader.activate`` makes of it.
        joined: what parts said; the channels are then their entropy (1, ...).
        sums: running sums of probabilities, one a slab of the cropped image; None for a single pass.
        labels: (passes, ...) positions in the package's labels on the cropped image, in a file; None for a single pass.
    """

    channels: Float32
    sums: tuple[ClassMembers | RegionMembers, ...] | None = None
    labels: NDArray[np.uint8] | None = None
    joined: Joined | None = None


def slabs(prepared: Prepared) -> list[Slab]:
    """First and last + 1 of the planes of the cropped image that are treated at once."""
    planes, rows, columns = prepared.back.target
    depth = max(1, SLAB_VOXELS // (rows * columns))
    return [(low, min(low + depth, planes)) for low in range(0, planes, depth)]


def answer(
    prepared: Prepared,
    engine: MemberEngine,
    reader: Reader,
    progress: Progress,
    is_cancelled: IsCancelled,
    sure: float = 0.95,
) -> Answer:
    """Run the engine's passes.

    Args:
        sure: q of the volume range, which parts count at once.

    Raises:
        Cancelled: ``is_cancelled`` said so. EngineError: a network cannot be run.
    """
    if engine.pipeline.parts:
        joined = join_parts(prepared, engine, sure, progress, is_cancelled)
        return Answer(joined.entropy[np.newaxis], joined=joined)
    passes = _blended(prepared, engine, progress, is_cancelled)
    total = next(passes)
    if engine.is_single:
        return Answer(reader.activate(total))
    sums = tuple(reader.sums((high - low, *prepared.back.target[1:])) for low, high in slabs(prepared))
    labels = _label_file((len(engine.run), *prepared.back.target))
    _count_pass(reader.activate(total.copy()), prepared, reader, sums, labels[0])
    for number, logits in enumerate(passes, 1):
        total += logits
        _count_pass(reader.activate(logits), prepared, reader, sums, labels[number])
    total /= np.float32(len(engine.run))
    return Answer(reader.activate(total), sums, labels)


def _blended(
    prepared: Prepared, engine: MemberEngine, progress: Progress, is_cancelled: IsCancelled
) -> Iterator[Float32]:
    """Logits (C, ...) of one pass after the other."""
    metadata = engine.package.metadata
    blend = tiling_of(prepared.image, metadata.patch, metadata.overlap, engine.pipeline)
    for number, one in enumerate(engine.run):
        share = part_of(progress, number / len(engine.run), (number + 1) / len(engine.run))

        def logits_of(windows: Float32) -> Float32:
            return engine.pass_logits(one, windows)  # noqa: B023 - called before the next pass begins

        yield blend(logits_of, _named(share, one.name), is_cancelled)


def _named(progress: Progress, name: str) -> Progress:
    return lambda fraction, text: progress(fraction, f"{name}: {text}")


def _count_pass(
    shown: Float32,
    prepared: Prepared,
    reader: Reader,
    sums: tuple[ClassMembers | RegionMembers, ...],
    labels: NDArray[np.uint8],
) -> None:
    for (low, high), total in zip(slabs(prepared), sums, strict=True):
        channels = prepared.back.slab(shown, low, high)
        labels[low:high] = reader.labels(channels)
        total.add(reader.probability(channels))


def _label_file(shape: tuple[int, ...]) -> NDArray[Any]:
    """An array in a nameless file of the system's temporary folder, gone with the array."""
    return np.memmap(tempfile.TemporaryFile(), dtype=np.uint8, mode="w+", shape=shape)
