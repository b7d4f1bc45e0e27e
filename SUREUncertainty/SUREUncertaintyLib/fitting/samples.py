"""What the head learns from: a window and two disturbed copies of it, as the frozen network answers them.

All of it is found once and kept in files, in half precision; learning then never runs the network.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from ..files.output_errors import output_error
from ..nn.losses.geometry import SampleGeometry, batch_geometry
from ..nn.losses.noisy_passes import NoisyInputs, noisy_inputs
from ..nn.losses.scan_uncertainty import LEAST_LOSS, mean_dice
from .frozen_network import FrozenNetwork, Passed
from .scan_windows import ScanWindow
from .settings import FitSettings

Float16 = NDArray[np.float16]
MILD = 0.35
"""Copies below this level are what a scan might as well have looked like: where the answer differs on them, it is
unsure of the scan itself."""


@dataclass(frozen=True, eq=False)
class Sample:
    """A piece of a window three times: clean, and copies at two levels.

    Attributes:
        images: (3, channels, ...); logits: (3, C, ...); features: of every tap (3, channels, ...).
        wrong: (3, ...) where the answer counts as a mistake.
        losses: (3,) what each answer has lost of the Dice, of the whole window.
        distance, gradient: (...) as in ``SampleGeometry``, of the whole window; zones: (delta, t).
        levels: (2,) of the copies; kind: what they are, see ``nn.losses.settings``.
        taught: (...) uncertainty that folds and mirrors have together; empty without them.
        labelled: whether mistakes and losses are those against a label.
    """

    images: Float16
    logits: Float16
    features: tuple[Float16, ...]
    wrong: NDArray[np.bool_]
    losses: NDArray[np.float64]
    distance: NDArray[np.float32]
    gradient: NDArray[np.float32]
    zones: NDArray[np.float64]
    levels: NDArray[np.float64]
    kind: str
    taught: NDArray[np.float32]
    labelled: bool = False

    def save(self, path: Path) -> None:
        """Write it whole or not at all. Raises ``OutputError``, for instance where the disk is full."""
        arrays = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "features"}
        arrays |= {f"features_{n}": array for n, array in enumerate(self.features)}
        fresh = path.with_name(f".{path.name}")
        try:
            with fresh.open("wb") as stream:
                np.savez(stream, **arrays)
            os.replace(fresh, path)
        except OSError as error:
            raise output_error(error, path.parent) from error

    @classmethod
    def load(cls, path: Path) -> Sample:
        """The inverse of ``save``."""
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        count = sum(name.startswith("features_") for name in found)
        features = tuple(found.pop(f"features_{n}") for n in range(count))
        return cls(features=features, **(found | {"kind": str(found["kind"]), "labelled": bool(found.get("labelled"))}))


def window_samples(
    window: ScanWindow, network: FrozenNetwork, settings: FitSettings, seed: tuple[int, ...]
) -> list[Sample]:
    """``settings.copies`` samples of one window; none where the network's answer has no boundary there."""
    generator = torch.Generator().manual_seed(int(np.random.default_rng(seed).integers(2**62)))
    clean = network.run(window.image[np.newaxis])
    answer = network.labels(clean.logits[0])
    label = answer if window.label is None else window.label
    image = torch.from_numpy(window.image[np.newaxis].copy())
    target = torch.from_numpy(label[np.newaxis].astype(np.int64))
    (geometry,) = batch_geometry(image, target, window.spacing, settings.supervision)
    if geometry is None:
        return []
    taught = network.taught(window.image[np.newaxis])
    pairs = []
    for _ in range(settings.copies):
        hard = torch.ones_like(target, dtype=torch.bool)
        places = ([geometry], network.kind.classes, window.spacing, settings.supervision, generator)
        copies = noisy_inputs(image, target, hard, *places)
        pairs.append((copies, [network.run(copy.numpy().astype(np.float32)) for copy in copies.images]))
    judged = _Judged.of(window, answer, taught, pairs, network)
    random = np.random.default_rng((*seed, 1))
    return [_sample(pair, clean, window, geometry, judged, network, settings, random) for pair in pairs]


Pair = tuple[NoisyInputs, list[Passed]]


@dataclass(frozen=True, eq=False)
class _Judged:
    """What answers of one window are compared with.

    Attributes:
        truth: the label, or what stands for it: the answer to the clean window.
        unsure: (...) where the clean answer counts as a mistake.
        loss: what the clean answer has lost of the Dice, as far as that can be known.
        taught: entropy of folds and mirrors, or None.
    """

    truth: NDArray[np.uint8]
    labelled: bool
    unsure: NDArray[np.bool_] | None
    loss: float
    taught: NDArray[np.float32] | None

    @classmethod
    def of(
        cls,
        window: ScanWindow,
        answer: NDArray[np.uint8],
        taught: NDArray[np.float32] | None,
        pairs: Sequence[Pair],
        network: FrozenNetwork,
    ) -> _Judged:
        from ..arrays.heads import normalised_entropy

        entropy = None if taught is None else normalised_entropy(taught)
        if window.label is not None:
            return cls(window.label, True, answer != window.label, 1.0 - _dice(answer, window.label), entropy)
        if taught is not None:
            better = taught.argmax(axis=0).astype(np.uint8)
            return cls(answer, False, answer != better, 1.0 - _dice(answer, better), entropy)
        mild = [
            1.0 - _dice(network.labels(passed.logits[0]), answer)
            for copies, passes in pairs
            for level, passed in zip(copies.levels, passes, strict=True)
            if level < MILD
        ]
        return cls(answer, False, None, float(np.mean(mild)) if mild else LEAST_LOSS, None)


def _dice(found: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    return mean_dice(torch.from_numpy(found.astype(np.int64)), torch.from_numpy(truth.astype(np.int64)))


def _sample(
    pair: Pair,
    clean: Passed,
    window: ScanWindow,
    geometry: SampleGeometry,
    judged: _Judged,
    network: FrozenNetwork,
    settings: FitSettings,
    random: np.random.Generator,
) -> Sample:
    copies, passes = pair
    answers = [network.labels(passed.logits[0]) for passed in passes]
    wrong = [answer != judged.truth for answer in answers]
    lost = [1.0 - _dice(answer, judged.truth) for answer in answers]
    if not judged.labelled:  # a copy is at least as bad as the scan itself
        lost = [max(loss, judged.loss) for loss in lost]
    milder = int(copies.levels[1] < copies.levels[0])
    unsure = wrong[milder] if judged.unsure is None else judged.unsure
    every = (clean, *passes)
    ratios = [_ratios(window.image.shape[1:], one.shape[2:]) for one in clean.features]
    place = _place(np.asarray(geometry.distance), ratios, settings.crop[0 if window.image.ndim == 4 else 1], random)
    images = [window.image, *(np.asarray(copy[0]) for copy in copies.images)]
    features = tuple(
        np.stack([passed.features[n][0][(slice(None), *_coarser(place, ratio))] for passed in every]).astype(np.float16)
        for n, ratio in enumerate(ratios)
    )
    cut = (slice(None), *place)
    return Sample(
        images=np.stack([image[cut] for image in images]).astype(np.float16),
        logits=np.stack([passed.logits[0][cut] for passed in every]).astype(np.float16),
        features=features,
        wrong=np.stack([unsure[place], *(mask[place] for mask in wrong)]),
        losses=np.array([judged.loss, *lost]),
        distance=np.asarray(geometry.distance)[place],
        gradient=np.asarray(geometry.gradient)[place],
        zones=np.array([geometry.delta, geometry.t]),
        levels=np.array(copies.levels),
        kind=copies.kind,
        taught=np.empty(0, np.float32) if judged.taught is None else judged.taught[place],
        labelled=judged.labelled,
    )


def _ratios(finest: Sequence[int], coarse: Sequence[int]) -> tuple[int, ...]:
    """Voxels of the window along each axis for one of a feature map."""
    return tuple(max(1, round(n / m)) for n, m in zip(finest, coarse, strict=True))


def _place(
    distance: NDArray[np.float32], ratios: Sequence[tuple[int, ...]], crop: int, random: np.random.Generator
) -> tuple[slice, ...]:
    """A piece around a point of the boundary, whose ends lie on voxels of every feature map."""
    boundary = np.argwhere(distance == 0)
    middle = boundary[random.integers(len(boundary))]
    found = []
    for axis, (length, at) in enumerate(zip(distance.shape, middle, strict=True)):
        step = int(np.lcm.reduce([ratio[axis] for ratio in ratios]))
        if length % step or length <= crop:
            found.append(slice(0, length))
            continue
        size = max(crop // step, 1) * step
        start = int(np.clip(at - size // 2, 0, length - size)) // step * step
        found.append(slice(start, start + size))
    return tuple(found)


def _coarser(place: Sequence[slice], ratio: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(part.start // step, -(-part.stop // step)) for part, step in zip(place, ratio, strict=True))
