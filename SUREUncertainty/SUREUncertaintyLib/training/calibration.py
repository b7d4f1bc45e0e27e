"""What a package promises about its uncertainty, fitted on tuning cases that the network was never trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..arrays.heads import create_head
from ..inference.one_piece import keep_largest_pieces
from ..inference.sampling.sizes import size_interval
from .training_cases import TrainingCase

COVERAGE = 0.9
HIGHEST = 0.5
"""Of an evidential network's vacuity C / S: from here on there is less evidence than the prior alone brings."""
THRESHOLDS = np.round(np.arange(0.01, 1.0, 0.01), 2)
PROBABILITIES = np.round(np.arange(0.5, 0.996, 0.005), 3)


@dataclass(frozen=True, eq=False)
class TuningPrediction:
    """One tuning case as the network sees it: classes' probabilities (C, k, j, i), uncertainty and labels (k, j, i)."""

    probability: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    label: NDArray[np.uint8]


@torch.no_grad()
def predict_tuning(
    network: nn.Module, cases: Sequence[TrainingCase], patch: Sequence[int], head: str, one_piece: bool = False
) -> list[TuningPrediction]:
    """Probabilities and uncertainty of every tuning case, on the network's own grid.

    With ``one_piece`` each structure is one piece (``inference.one_piece``), over all slices of a stack: slices of one
    patient and phase, in the cases' order.
    """
    from monai.inferers import sliding_window_inference

    reader = create_head(head)
    channels = []
    for case in cases:
        image = torch.from_numpy(case.image)[None, None]
        logits = sliding_window_inference(image, tuple(patch), 1, network, overlap=0.5, mode="gaussian")
        channels.append(reader.blended(logits[0].numpy()))  # type: ignore[index,union-attr]
    if one_piece:
        for numbers in stacks(cases):
            whole = keep_largest_pieces(np.stack([channels[n] for n in numbers], axis=1), reader)
            for place, number in enumerate(numbers):
                channels[number] = whole[:, place]
    beliefs = [reader.belief(each) for each in channels]
    return [
        TuningPrediction(belief.probability, belief.uncertainty, case.label)
        for belief, case in zip(beliefs, cases, strict=True)
    ]


def whole_stacks(cases: Sequence[TrainingCase], predictions: Sequence[TuningPrediction]) -> list[TuningPrediction]:
    """The predictions with the slices of a stack as one volume: the range of a volume is promised for whole scans."""
    found = []
    for numbers in stacks(cases):
        parts = [predictions[n] for n in numbers]
        if len(parts) == 1:
            found += parts
            continue
        probability = np.stack([part.probability for part in parts], axis=1)
        uncertainty = np.stack([part.uncertainty for part in parts])
        found.append(TuningPrediction(probability, uncertainty, np.stack([part.label for part in parts])))
    return found


def stacks(cases: Sequence[TrainingCase]) -> list[list[int]]:
    """Numbers of the cases that make one stack: those of one patient and phase; a case without phase stands alone."""
    found: dict[tuple[str, str], list[int]] = {}
    for number, case in enumerate(cases):
        found.setdefault((case.group, case.phase or str(number)), []).append(number)
    return list(found.values())


def uncertainty_threshold(predictions: Sequence[TuningPrediction]) -> float:
    """The uncertainty above which voxels are shown as uncertain.

    It maximises the mean over cases of Dice([predicted != reference], uncertainty > threshold), the overlap between
    uncertainty and error (UEO); fixed here once, never chosen on the case that is looked at. It stays
    below ``HIGHEST``: a bad model is uncertain nearly everywhere, and a threshold that adapts to that would call
    nothing uncertain.
    """
    return best_threshold([(one.uncertainty, one.probability.argmax(0) != one.label) for one in predictions])


def best_threshold(cases: Sequence[tuple[NDArray[np.float32], NDArray[np.bool_]]]) -> float:
    """As ``uncertainty_threshold``, from the uncertainty (...) of each case and where its answer is wrong (...)."""
    scores = np.mean([_error_overlap(uncertainty, wrong) for uncertainty, wrong in cases], axis=0)
    return float(THRESHOLDS[int(np.argmax(scores[THRESHOLDS <= HIGHEST]))])


def _error_overlap(uncertainty: NDArray[np.float32], wrong: NDArray[np.bool_]) -> NDArray[np.float64]:
    edges = np.concatenate([[-np.inf], THRESHOLDS, [np.inf]])
    uncertain = _counts_above(uncertainty.ravel(), edges)
    hits = _counts_above(uncertainty[wrong], edges)
    total = uncertain + wrong.sum()
    return np.where(total > 0, 2.0 * hits / np.maximum(total, 1), 1.0)


def _counts_above(values: NDArray[np.float32], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.histogram(values, edges)[0][::-1].cumsum()[::-1]
    return counts[1:].astype(np.float64)


def volume_probability(predictions: Sequence[TuningPrediction], coverage: float = COVERAGE) -> float:
    """The probability q whose range of volumes, from P > q to P > 1 - q, is the narrowest that holds
    the reference volume in ``coverage`` of all tuning cases and structures."""
    held = np.mean([held_by for p in predictions for held_by in _volume_held(p)], axis=0)
    enough = np.flatnonzero(held >= coverage)
    return float(PROBABILITIES[enough[0]] if enough.size else PROBABILITIES[-1])


@dataclass(frozen=True, eq=False)
class TuningSizes:
    """Voxels of one structure in one tuning case: of at least 100 samples, and of every reader."""

    group: str
    samples: NDArray[np.float64]
    readers: NDArray[np.float64]


def size_stretch(cases: Sequence[TuningSizes], coverage: float = COVERAGE) -> float:
    """The smallest factor on the ends of ``size_interval`` with which it holds ``coverage`` of the readers' sizes.

    Cases of a group share its weight. Rounded up to two decimals; cases whose samples all have one size, and the wrong
    one, can never be held and count as missed.
    """
    needed = np.concatenate([_needed_stretch(case) for case in cases])
    counts = Counter(case.group for case in cases)
    weights = np.concatenate([np.full(len(c.readers), 1.0 / (counts[c.group] * len(c.readers))) for c in cases])
    order = np.argsort(needed)
    reached = np.cumsum(weights[order]) / weights.sum()
    enough = float(needed[order][np.searchsorted(reached, coverage - 1e-9)])
    finite = enough if np.isfinite(enough) else float(needed[np.isfinite(needed)].max(initial=1.0))
    return float(np.ceil(100.0 * max(finite, 0.1)) / 100.0)


def _needed_stretch(case: TuningSizes) -> NDArray[np.float64]:
    """The factor from which on each reader's size lies in the interval."""
    plain = size_interval(case.samples, COVERAGE)
    offset = case.readers - plain.median
    reach = np.where(offset > 0, plain.high - plain.median, plain.median - plain.low)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(offset == 0, 0.0, np.abs(offset) / reach)


def _volume_held(prediction: TuningPrediction) -> list[NDArray[np.bool_]]:
    rows = []
    for value in range(1, len(prediction.probability)):
        true = int((prediction.label == value).sum())
        probability = np.sort(prediction.probability[value].ravel())
        surely = probability.size - np.searchsorted(probability, PROBABILITIES, side="right")
        possibly = probability.size - np.searchsorted(probability, 1.0 - PROBABILITIES, side="right")
        rows.append((surely <= true) & (true <= possibly))
    return rows
