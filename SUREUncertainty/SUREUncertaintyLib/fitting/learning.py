"""The head learns by SURE's relations, from samples that the frozen network has answered already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..core.progress import IsCancelled, Progress, never, silent
from ..nn.frozen_scale import FrozenEvidenceScale, FrozenScaleShape
from ..nn.losses.geometry import SampleGeometry
from ..nn.losses.mistakes import anchor_loss
from ..nn.losses.noise_fields import voxels_near
from ..nn.losses.order import order_loss
from ..nn.losses.scaled_uncertainty import LEAST, OutputKind, scaled_uncertainty
from ..nn.losses.schedule import ramp
from ..nn.losses.supervision import JudgedPasses, margin_supervision
from ..training.distributed import Processes
from ..training.learning_loop import LearningLoop
from ..training.recipe import OptimisationSection
from .samples import Sample
from .settings import FitSettings

EXAMPLES = 12
"""Samples from which the head takes mean and spread of its inputs."""


def fit_head(
    samples: Sequence[Path],
    kind: OutputKind,
    settings: FitSettings,
    output: Path,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> FrozenEvidenceScale:
    """Fit a head, or go on with one that was interrupted.

    Args:
        samples: files of ``Sample``; output: folder for log and checkpoint.

    Raises:
        Cancelled: what was learnt is kept in ``output``. EngineError: the loss became infinite.
    """
    torch.manual_seed(settings.seed)
    head = FrozenEvidenceScale(head_shape(Sample.load(samples[0]), kind, settings))
    examples = [Sample.load(path) for path in samples[:: max(1, len(samples) // EXAMPLES)]]
    head.standardise([sample_inputs(one, 0) for one in examples])
    objective = FitObjective(samples, kind, settings, head)
    optimisation = OptimisationSection(
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        warmup_steps=min(20, settings.steps // 4),
        gradient_clip=5.0,
        ema=0.98,
        mixed_precision=False,
    )
    every = max(1, min(50, settings.steps // 20))
    output.mkdir(parents=True, exist_ok=True)
    one = Processes(0, 1, torch.device("cpu"))
    loop = LearningLoop(head, optimisation, output, one, objective.gradients, log_every=every, save_every=every)
    loop.run(progress, is_cancelled)
    head.load_state_dict(loop.average)
    return head.eval()


def head_shape(sample: Sample, kind: OutputKind, settings: FitSettings) -> FrozenScaleShape:
    """Sizes of the head that reads such samples."""
    finest, *stages = sample.features
    coarsest = stages[-1] if stages else finest
    ratios = zip(sample.images.shape[2:], coarsest.shape[2:], strict=True)
    return FrozenScaleShape(
        spatial_dims=sample.images.ndim - 2,
        kind=kind,
        in_channels=sample.images.shape[1],
        features=finest.shape[1],
        stages=tuple(stage.shape[1] for stage in stages),
        step=tuple(min(4, max(1, round(n / m))) for n, m in ratios),
        fine=settings.fine,
        coarse=settings.coarse,
        context=settings.context,
    )


def sample_inputs(sample: Sample, number: int) -> list[Tensor]:
    """The head's inputs for one of the three passes, image and logits first, each (1, channels, ...)."""
    return [_numbers(array[number : number + 1]) for array in (sample.images, sample.logits, *sample.features)]


def _numbers(array: np.ndarray) -> Tensor:  # type: ignore[type-arg]
    return torch.from_numpy(array.astype(np.float32))


@dataclass(frozen=True)
class FitObjective:
    """The gradient of one sample, drawn by the number of the step."""

    samples: Sequence[Path]
    kind: OutputKind
    settings: FitSettings
    head: FrozenEvidenceScale

    def gradients(self, step: int) -> dict[str, float]:
        """Adds them to the head; the loss and its parts."""
        random = np.random.default_rng((self.settings.seed, 7, step))
        parts = self.parts(Sample.load(self.samples[int(random.integers(len(self.samples)))]), step)
        total = torch.stack(list(parts.values())).sum()
        total.backward()
        values = {name: float(part.detach()) for name, part in parts.items()}
        return {"loss": sum(values.values()), **values}

    def parts(self, sample: Sample, step: int) -> dict[str, Tensor]:
        """The weighted parts of the loss."""
        settings = self.settings.supervision.for_copies(sample.kind)
        generator = torch.Generator().manual_seed(
            int(np.random.default_rng((self.settings.seed, 8, step)).integers(2**62))
        )
        delta, t = (float(width) for width in sample.zones)
        geometry = SampleGeometry(torch.from_numpy(sample.distance), torch.from_numpy(sample.gradient), delta, t)
        # one call for all three: convolutions in 3D of a batch of one take torch several times as long
        logits = _numbers(sample.logits)
        factors = self.head(_numbers(sample.images), logits, *(_numbers(array) for array in sample.features))
        maps = scaled_uncertainty(logits, factors, self.kind).split(1)
        wrong = [torch.from_numpy(mask[np.newaxis]) for mask in sample.wrong]
        low, high = (float(level) for level in sample.levels)
        centres = [voxels_near(geometry, settings.points, generator)]
        passes = JudgedPasses(maps, wrong, [list(map(float, sample.losses))], (low, high), centres)
        relations = margin_supervision(passes, [geometry], settings, generator)
        gradient = settings.beta * relations.pop("gradient")
        weight = ramp(step, settings.full * self.settings.steps, settings.start * self.settings.steps)
        found = {"gradient": weight * gradient}
        found |= {name: weight * settings.gamma * part for name, part in relations.items()}
        if self.settings.order and not (sample.labelled or sample.taught.size):
            found["order"] = self.settings.order * order_loss(maps, logits, self.kind, [geometry] * 3)
        found["anchor"] = settings.anchor * anchor_loss(factors[:1].exp(), [geometry])
        if sample.taught.size:
            found["teacher"] = weight * self.settings.teacher * _teacher(maps[0][0], sample, geometry)
        return found


def _teacher(uncertainty: Tensor, sample: Sample, geometry: SampleGeometry) -> Tensor:
    """Mean of |ln u - ln u_t| where d <= t, u_t what folds and mirrors have together."""
    taught = torch.from_numpy(sample.taught) + LEAST
    return (uncertainty.log() - taught.log()).abs()[geometry.near].mean()


def export_log_factor(head: FrozenEvidenceScale, inputs: Sequence[Tensor], path: Path) -> None:
    """Write the head as ONNX: inputs ``image``, ``logits``, ``features_0``, ...; output ``log_factor``; all sizes free.

    Args:
        inputs: an example of each, (1, channels, ...).
    """
    from ..nn.export import write_onnx

    names = ["image", "logits", *(f"features_{n}" for n in range(len(inputs) - 2))]
    axes = {
        name: {0: "batch", **{axis: f"{name}_{axis}" for axis in range(2, inputs[0].ndim)}}
        for name in (*names, "log_factor")
    }
    write_onnx(head, path, tuple(inputs), names, ["log_factor"], axes)
