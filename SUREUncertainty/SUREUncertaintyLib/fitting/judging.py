"""The guard: head against the network's own map on scans that nothing was fitted on, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.progress import IsCancelled, never, raise_if_cancelled
from ..inference.openvino_graph import OpenVinoGraph
from ..metrics.boundary import BoundaryZone, Widths, boundary_zone
from ..metrics.correlation import spearman
from ..metrics.detection import error_detection
from ..metrics.overlap import dice
from ..metrics.relations import DELTA_LEVEL, distance_relation, gradient_relation, level_relation, zone_gradient
from ..nn.losses.damaged_copies import damaged_image, sides_of_slices
from .frozen_network import FrozenNetwork
from .scan_windows import ScanWindow

Float32 = NDArray[np.float32]
LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)
DAMAGES = (("blur", 0.5), ("bias_field", 0.6), ("gamma", 0.6), ("ghosting", 0.5), ("thick_slices", 0.5))
"""Kind and strength; those that act on a scan's own grey values are normalised again."""
NEAR_MM, NEAR_PX = 5.0, 4.0
"""Errors are looked for this near to a boundary: far away every map finds them, since there are none."""
NO_WORSE = 0.005
BETTER = 0.01


@dataclass(frozen=True)
class MapScores:
    """How good one map is; each in the direction that larger is better, NaN where it cannot be known.

    Attributes:
        errors: AUROC of mistakes within 5 mm of the boundary, mean over passes, then scans.
        gradient, noise, distance: UR* of the three relations, mean over scans.
        scans: Spearman's rho between the mean near the boundary and what a pass has lost of the Dice, over all passes.
    """

    errors: float
    gradient: float
    noise: float
    distance: float
    scans: float

    @property
    def relations(self) -> float:
        """Mean of the three."""
        return float(np.mean([self.gradient, self.noise, self.distance]))


@dataclass(frozen=True)
class Judgement:
    """Head and own map side by side.

    Attributes:
        accepted: whether the package takes the head; sentence: why.
        labelled: whether mistakes are those against labels, or disagreement with the answer to the undamaged scan.
        identical: windows of ``passes`` in which the logits with the head are the network's to the last bit.
    """

    head: MapScores
    own: MapScores
    accepted: bool
    sentence: str
    labelled: bool
    scans: int
    passes: int
    identical: int

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; None for what is not known."""
        return _without_nan(asdict(self))


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nan(entry) for name, entry in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def judge(
    windows: Sequence[tuple[str, ScanWindow]],
    network: FrozenNetwork,
    graph: OpenVinoGraph,
    seed: int,
    is_cancelled: IsCancelled = never,
) -> Judgement:
    """Compare both maps on windows of scans that were set aside.

    Args:
        windows: with the name of the scan.
        graph: the network with the head on it.

    Raises:
        Cancelled: ``is_cancelled`` said so.
    """
    found: list[_WindowScores] = []
    for number, (_, window) in enumerate(windows):
        raise_if_cancelled(is_cancelled)
        scores = _WindowScores.of(window, network, graph, seed + number)
        found += [] if scores is None else [scores]
    own, head = (_scores([one.maps[which] for one in found]) for which in (0, 1))
    accepted, sentence = verdict(own, head)
    return Judgement(
        head=head,
        own=own,
        accepted=accepted,
        sentence=sentence,
        labelled=all(window.label is not None for _, window in windows),
        scans=len({name for name, _ in windows}),
        passes=sum(one.passes for one in found),
        identical=sum(one.identical for one in found),
    )


def verdict(own: MapScores, head: MapScores) -> tuple[bool, str]:
    """Whether the head is taken, and why: no worse at finding mistakes, and better at what it is for."""
    if not np.isfinite([own.errors, head.errors, own.relations, head.relations]).all():
        return False, "The scans set aside do not let the two maps be compared; the network's own map is kept."
    if head.errors < own.errors - NO_WORSE:
        return False, (
            f"The head finds mistakes less well than the network's own map (AUROC {head.errors:.3f} against "
            f"{own.errors:.3f}); the network's own map is kept."
        )
    if np.isfinite([own.scans, head.scans]).all() and head.scans < own.scans - BETTER:
        return False, (
            f"The head orders good and bad results less well than the network's own map (rho {head.scans:.2f} against "
            f"{own.scans:.2f}); the network's own map is kept."
        )
    if head.relations < own.relations + BETTER:
        return False, (
            "The head follows edges, noise and distance no better than the network's own map "
            f"({head.relations:.3f} against {own.relations:.3f}); the network's own map is kept."
        )
    return True, (
        f"The head is taken: it finds mistakes as well or better (AUROC {head.errors:.3f} against {own.errors:.3f}) "
        f"and follows edges, noise and distance better ({head.relations:.3f} against {own.relations:.3f})."
    )


@dataclass(frozen=True)
class _Pass:
    """One pass of one window: both maps within t of the boundary, mistakes there, and what the pass has lost."""

    maps: tuple[Float32, Float32]
    wrong: NDArray[np.bool_]
    lost: float
    identical: bool


@dataclass(frozen=True)
class _MapFindings:
    """Of one map in one window; ``pairs``: mean near the boundary and loss of every pass."""

    errors: float
    gradient: float
    noise: float
    distance: float
    pairs: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class _WindowScores:
    maps: tuple[_MapFindings, _MapFindings]
    passes: int
    identical: int

    @classmethod
    def of(cls, window: ScanWindow, network: FrozenNetwork, graph: OpenVinoGraph, seed: int) -> _WindowScores | None:
        clean = network.labels(network.run(window.image[np.newaxis]).logits[0])
        truth = clean if window.label is None else window.label
        zone = zone_of(truth, window.spacing)
        if zone is None:
            return None
        levels = {
            level: _pass(noisy(window.image, level, seed), truth, zone, network, graph) for level in (0.0, *LEVELS)
        }
        copies = [_pass(copy, truth, zone, network, graph) for copy in damaged(window, seed)]
        every = [*levels.values(), *copies]
        reach = NEAR_MM if zone.widths.unit == "mm" else NEAR_PX
        near = zone.near_distance <= reach
        maps = tuple(_findings(which, levels, every, near, window, zone) for which in (0, 1))
        return cls(maps, len(every), sum(one.identical for one in every))  # type: ignore[arg-type]


def zone_of(truth: NDArray[np.uint8], spacing: tuple[float, ...] | None) -> BoundaryZone | None:
    """The zone around the boundaries of a window's labels (...); a slice is a volume of one plane."""
    block = truth if truth.ndim == 3 else truth[np.newaxis]
    sides = spacing if spacing is None or len(spacing) == 3 else (1.0, *spacing)
    widths = Widths(1.0, 4.0, "px") if spacing is None else None
    return boundary_zone(block, sides, widths)


def _pass(
    image: Float32, truth: NDArray[np.uint8], zone: BoundaryZone, network: FrozenNetwork, graph: OpenVinoGraph
) -> _Pass:
    plain = network.run(image[np.newaxis]).logits
    logits, log_factor = graph.run((image[np.newaxis],))
    answer = network.labels(logits[0])
    maps = network.uncertainty(logits[0]), network.uncertainty(logits[0], log_factor[0, 0])
    wrong = answer != truth
    first, second = (read_near(zone, one) for one in maps)
    return _Pass((first, second), read_near(zone, wrong), lost_dice(answer, truth), bool(np.array_equal(plain, logits)))


def read_near(zone: BoundaryZone, array: NDArray[Any]) -> NDArray[Any]:
    """Values (n,) of a window (...) in its zone."""
    return zone.in_near(array if array.ndim == 3 else array[np.newaxis])


def lost_dice(answer: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    """1 - mean Dice of the structures that the truth has."""
    scores = [dice(answer == value, truth == value) for value in np.unique(truth) if value]
    return 1.0 - float(np.mean(scores)) if scores else 0.0


def noisy(image: Float32, level: float, seed: int) -> Float32:
    """The image with noise of a spread; one field for all levels."""
    if level == 0.0:
        return image
    field = np.random.default_rng((seed, 3)).standard_normal(image.shape, np.float32)
    return image + np.float32(level) * field


def damaged(window: ScanWindow, seed: int) -> Iterator[Float32]:
    """Copies of a window's image with each of ``DAMAGES``."""
    sides = sides_of_slices(window.spacing, window.image.ndim - 1)
    for kind, strength in DAMAGES:
        yield np.stack([damaged_image(channel, kind, strength, seed, sides) for channel in window.image])


def _findings(
    which: int,
    levels: Mapping[float, _Pass],
    every: Sequence[_Pass],
    near: NDArray[np.bool_],
    window: ScanWindow,
    zone: BoundaryZone,
) -> _MapFindings:
    found = [error_detection(one.maps[which][near], one.wrong[near]).auroc for one in every]
    clean = levels[0.0].maps[which]
    first = window.image[0] if window.image.ndim == 4 else window.image[0][np.newaxis]
    gradient = zone_gradient(first, zone, window.spacing if window.image.ndim == 4 else None)
    band = zone.near_distance <= zone.widths.delta
    noisy = {level: one.maps[which] for level, one in levels.items() if level > 0.0}
    return _MapFindings(
        errors=_mean(found),
        gradient=gradient_relation(gradient, clean[band]).ur_star,
        noise=level_relation(noisy).ur_star,
        distance=distance_relation(zone.near_distance, clean, noisy[DELTA_LEVEL]).ur_star,
        pairs=tuple((float(one.maps[which].mean()), one.lost) for one in every),
    )


def _scores(found: Sequence[_MapFindings]) -> MapScores:
    pairs = np.array([pair for one in found for pair in one.pairs]).reshape(-1, 2)
    return MapScores(
        errors=_mean([one.errors for one in found]),
        gradient=_mean([one.gradient for one in found]),
        noise=_mean([one.noise for one in found]),
        distance=_mean([one.distance for one in found]),
        scans=spearman(pairs[:, 0].tolist(), pairs[:, 1].tolist()) if len(pairs) > 2 else float("nan"),
    )


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")
