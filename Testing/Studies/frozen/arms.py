"""The arms: each says of a window which class wins, how uncertain that is, and the probabilities."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from SUREUncertaintyLib.arrays.heads import normalised_entropy
from SUREUncertaintyLib.fitting.frozen_network import FrozenNetwork, Passed
from SUREUncertaintyLib.fitting.learning import export_log_factor, fit_head, sample_inputs
from SUREUncertaintyLib.fitting.samples import Sample, window_samples
from SUREUncertaintyLib.fitting.scan_windows import ScanWindow
from SUREUncertaintyLib.fitting.settings import FitSettings
from SUREUncertaintyLib.inference.native.choice import Pass
from torch import Tensor

from .scans import StudyScan
from .scores import Shown
from .segwithu import SegWithUHead, segwithu_loss

Float32 = NDArray[np.float32]
Arm = Callable[[Float32], Shown]
"""An image (channels, ...) to what the arm says."""

SEGWITHU_STEPS, SEGWITHU_RATE, CROP = 600, 1e-3, 32


@dataclass
class Timed:
    """Runs an arm and keeps the seconds of the processor."""

    arm: Arm
    seconds: list[float] = field(default_factory=list)

    def __call__(self, image: Float32) -> Shown:
        began = time.process_time()
        found = self.arm(image)
        self.seconds.append(time.process_time() - began)
        return found


def own_map(network: FrozenNetwork) -> Arm:
    """The network's own map: vacuity or entropy of one pass."""
    return scaled_map(network, None)


def entropy_map(network: FrozenNetwork) -> Arm:
    """Entropy of the class probabilities of one pass."""

    def arm(image: Float32) -> Shown:
        logits = network.run(image[np.newaxis]).logits[0]
        probability = network.probability(logits)
        return Shown(network.labels(logits), normalised_entropy(probability), probability)

    return arm


def scaled_map(network: FrozenNetwork, log_factor: np.float32 | None) -> Arm:
    """The network's map under one factor for all voxels."""

    def arm(image: Float32) -> Shown:
        logits = network.run(image[np.newaxis]).logits[0]
        factor = None if log_factor is None else np.full(image.shape[1:], log_factor, np.float32)
        scaled = logits if factor is None else logits * np.exp(factor)
        return Shown(network.labels(logits), network.uncertainty(logits, factor), network.probability(scaled))

    return arm


def temperature(network: FrozenNetwork, fitted: Sequence[StudyScan]) -> Arm:
    """One factor for all voxels, the one with the least negative log likelihood of the labels (Guo et al. 2017)."""
    examples = [(network.run(one.window.image[np.newaxis]).logits[0], one.window.label) for one in fitted]
    candidates = np.linspace(-2.0, 2.0, 41)
    losses = []
    for value in candidates:
        likelihood = [
            np.take_along_axis(network.probability(logits * np.float32(np.exp(value))), label[None].astype(int), 0)
            for logits, label in examples
            if label is not None
        ]
        losses.append(-np.mean([np.log(np.maximum(one, 1e-12)).mean() for one in likelihood]))
    best = np.float32(candidates[int(np.argmin(losses))])
    return scaled_map(network, best)


def mirrors(network: FrozenNetwork, axes: Sequence[int]) -> Arm:
    """Mean probability over all mirrorings of the spatial axes; the segmentation is that of one pass."""
    turns = [turn for count in range(len(axes) + 1) for turn in combinations(axes, count)]

    def arm(image: Float32) -> Shown:
        total, answer = None, None
        for turn in turns:
            along = tuple(axis + 1 for axis in turn)
            logits = network.run(np.ascontiguousarray(np.flip(image, along))[np.newaxis]).logits[0]
            logits = np.ascontiguousarray(np.flip(logits, along))
            answer = network.labels(logits) if answer is None else answer
            probability = network.probability(logits)
            total = probability if total is None else total + probability
        assert total is not None  # the first turn is none
        assert answer is not None
        mean = np.asarray(total / np.float32(len(turns)), np.float32)
        return Shown(answer, normalised_entropy(mean), mean)

    return arm


def members(network: FrozenNetwork, wanted: Callable[[Pass], bool]) -> Arm:
    """Mean probability over some of a package's passes; the segmentation is that of its first network alone."""
    engine = network.teachers
    assert engine is not None  # asked for where there are several passes
    chosen = [one for one in engine.run if wanted(one)]

    def arm(image: Float32) -> Shown:
        window = image[np.newaxis]
        found = [network.probability(np.ascontiguousarray(engine.pass_logits(one, window)[0])) for one in chosen]
        mean = np.mean(found, axis=0, dtype=np.float32)
        answer = network.labels(network.run(window).logits[0])
        return Shown(answer, normalised_entropy(mean), mean)

    return arm


def ours(
    network: FrozenNetwork,
    fitted: Sequence[StudyScan],
    labelled: bool,
    settings: FitSettings,
    work: Path,
    samples: Path,
) -> Arm:
    """The head of ``sure fit``, with the labels of the scans or without.

    Args:
        work: log and checkpoint of this fit; samples: what it learns from, made if it is not there: the same for all
            settings that differ in what is learnt alone.
    """
    if not samples.is_dir():
        _write_samples(network, fitted, labelled, settings, samples)
    files = sorted(samples.glob("*.npz"))
    head = fit_head(files, network.kind, settings, work)
    path = work / "head.onnx"
    export_log_factor(head, sample_inputs(Sample.load(files[0]), 0), path)
    graph = network.scaled_graph(path)

    def arm(image: Float32) -> Shown:
        logits, log_factor = (one[0] for one in graph.run((image[np.newaxis],)))
        scaled = logits * np.exp(log_factor)
        uncertainty = network.uncertainty(logits, log_factor[0])
        return Shown(network.labels(logits), uncertainty, network.probability(scaled))

    return arm


def _write_samples(
    network: FrozenNetwork, fitted: Sequence[StudyScan], labelled: bool, settings: FitSettings, folder: Path
) -> None:
    fresh = folder.with_name(f"{folder.name}.new")
    fresh.mkdir(parents=True, exist_ok=True)
    for number, scan in enumerate(fitted):
        window = scan.window if labelled else ScanWindow(scan.window.image, None, scan.window.spacing)
        for copy, sample in enumerate(window_samples(window, network, settings, (0, 2, number, 0))):
            sample.save(fresh / f"{number:03d}-{copy}.npz")
    fresh.rename(folder)


def segwithu(network: FrozenNetwork, fitted: Sequence[StudyScan], seed: int) -> Arm:
    """SegWithU's head, fitted with the labels of the same scans; classes are the network's."""
    torch.manual_seed(seed)
    examples = []
    for scan in fitted:
        passed = network.run(scan.window.image[np.newaxis])
        assert scan.window.label is not None
        label = torch.from_numpy(scan.window.label[np.newaxis].astype(np.int64))
        examples.append((*_tensors(network, passed), label))
    logits, features, _ = examples[0]
    head = SegWithUHead(logits.ndim - 2, [one.shape[1] for one in features], logits.shape[1])
    optimizer = torch.optim.AdamW(head.parameters(), SEGWITHU_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, SEGWITHU_STEPS, 3e-4)
    for step in range(SEGWITHU_STEPS):
        random = np.random.default_rng((seed, 9, step))
        chosen = _crop(examples[int(random.integers(len(examples)))], random)
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        optimizer.zero_grad()
        parts = segwithu_loss(head(chosen[0], chosen[1]), chosen[0], chosen[2], generator)
        torch.stack(list(parts.values())).sum().backward()
        optimizer.step()
        schedule.step()
    head.eval()

    def arm(image: Float32) -> Shown:
        passed = network.run(image[np.newaxis])
        logits, features = _tensors(network, passed)
        with torch.no_grad():
            maps = head(logits, features)
            probability = maps.tempered(logits).softmax(1)[0].numpy()
        return Shown(network.labels(passed.logits[0]), maps.ranking[0, 0].numpy(), probability)

    return arm


def _tensors(network: FrozenNetwork, passed: Passed) -> tuple[Tensor, list[Tensor]]:
    """Logits as SegWithU reads them, by a softmax, and features."""
    probability = network.probability(passed.logits[0])
    logits = torch.from_numpy(np.log(np.maximum(probability, 1e-12)))[None]
    return logits, [torch.from_numpy(one) for one in passed.features]


def _crop(
    example: tuple[Tensor, list[Tensor], Tensor], random: np.random.Generator
) -> tuple[Tensor, list[Tensor], Tensor]:
    """A piece of at most ``CROP`` voxels along each axis."""
    logits, features, label = example
    parts = []
    for length in label.shape[1:]:
        steps = max(0, length - CROP) // 8
        start = int(random.integers(steps + 1)) * 8
        parts.append(slice(start, min(start + CROP, length)))
    cut = (slice(None), *parts)
    near = []
    for one in features:
        ratios = [round(n / m) for n, m in zip(label.shape[1:], one.shape[2:], strict=True)]
        coarse = tuple(slice(p.start // r, p.stop // r) for p, r in zip(parts, ratios, strict=True))
        near.append(one[(slice(None), slice(None), *coarse)])
    return logits[(slice(None), *cut)], near, label[cut]
