"""One training step of SURE: segmentation on the clean image, supervision of u on clean and noisy ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..evidential import EvidentialLoss, dirichlet, to_one_hot
from .geometry import SampleGeometry, batch_geometry
from .gradient_protection import backward_protected
from .gradient_uncertainty import gradient_uncertainty_loss
from .mistakes import anchor_loss, recorded_factors
from .noise_uncertainty import noise_uncertainty_loss
from .noisy_passes import Forward, NoisyInputs, frozen_statistics, hard_voxels, noisy_inputs
from .scan_uncertainty import dice_losses
from .schedule import ramp
from .settings import PRINCIPLED, SureSettings
from .supervision import JudgedPasses, margin_supervision


@dataclass(frozen=True)
class SureStep:
    """Computes the gradients of L_Seg + a(epoch) (beta L_gu + gamma L_nu).

    Before the first epoch of the ramp it costs one pass, exactly as plain evidential training; after it, three passes
    with gradient (clean and two noise levels) and one without (hard samples).

    Attributes:
        segmentation: L_Seg.
        epochs: length of the training, for the ramp.
        classes: background included.
        spacing: mm along the spatial axes, None for pixels.
        autocast: dtype of mixed precision, None for full precision.
    """

    segmentation: EvidentialLoss
    epochs: float
    classes: int
    spacing: tuple[float, ...] | None
    settings: SureSettings = field(default=PRINCIPLED)
    autocast: torch.dtype | None = None

    def backward(
        self, network: nn.Module, image: Tensor, label: Tensor, epoch: float, generator: torch.Generator
    ) -> dict[str, float]:
        """Accumulate gradients in ``network``; returns the weighted parts of the loss, and ``loss``, their sum."""
        first = round(self.settings.start * self.epochs)
        weight = ramp(epoch, max(self.settings.full * self.epochs, first + 1e-9), first)
        if weight == 0.0:
            return self._plain(network, image, label, epoch)
        geometries = batch_geometry(image, label, self.spacing, self.settings)
        batch = _Supervised(image, label, epoch, weight, geometries, generator)
        return self._one_graph(network, batch) if self.settings.one_graph else self._pass_by_pass(network, batch)

    def augmented(
        self, network: nn.Module, image: Tensor, label: Tensor, epoch: float, generator: torch.Generator
    ) -> dict[str, float]:
        """The control: the same noise as augmentation, without any supervision of u.

        L_Seg averaged over the clean batch and its two noisy copies, pass by pass.
        """
        geometries = batch_geometry(image, label, self.spacing, self.settings)
        batch = _Supervised(image, label, epoch, 0.0, geometries, generator)
        forward = self._forward(network)
        logits = forward(image)
        with frozen_statistics(network), torch.no_grad():
            inputs = self._inputs(forward, batch, dirichlet(logits.detach()).vacuity)
        totals: dict[str, float] = {}
        for x in (None, *inputs.images):
            parts = self._segmentation(logits if x is None else forward(x), batch)
            (_total(parts) / 3.0).backward()
            totals = {name: totals.get(name, 0.0) + float(part.detach()) / 3.0 for name, part in parts.items()}
        return {"loss": sum(totals.values()), **totals}

    def _forward(self, network: nn.Module) -> Forward:
        def logits(image: Tensor) -> Tensor:
            kind = image.device.type
            with torch.autocast(kind, dtype=self.autocast or torch.bfloat16, enabled=self.autocast is not None):
                output: Tensor = network(image)
            return output.float()

        return logits

    def _plain(self, network: nn.Module, image: Tensor, label: Tensor, epoch: float) -> dict[str, float]:
        parts = self.segmentation.parts(self._forward(network)(image), to_one_hot(label, self.classes), epoch)
        _total(parts).backward()
        return _report(parts)

    def _one_graph(self, network: nn.Module, batch: _Supervised) -> dict[str, float]:
        """All three passes in one graph."""
        forward = self._forward(network)
        with recorded_factors(network) as factors:
            logits = forward(batch.image)
        clean = dirichlet(logits).vacuity
        with frozen_statistics(network):
            inputs = self._inputs(forward, batch, clean.detach())
            noisy = [forward(x) for x in inputs.images]
        parts = self._clean_parts(logits, factors, batch)
        maps = (clean, *(dirichlet(x).vacuity for x in noisy))
        supervision = self._supervision(maps, _classes((logits, *noisy)), inputs, batch)
        parts |= self._under_noise(noisy[inputs.noisier], batch)
        if self.settings.protect:
            backward_protected(network, _total(parts), _total(supervision), self.settings.protect)
        else:
            _total(parts | supervision).backward()
        return _report(parts | supervision)

    def _pass_by_pass(self, network: nn.Module, batch: _Supervised) -> dict[str, float]:
        """One graph in memory at a time: the noisy u maps first without graph, dL/du for each map, then the clean
        pass's graph goes back, and each noisy pass is run again and goes back on its own.

        Exact, since the supervision sees the passes through u alone; dropout would draw anew.
        """
        forward = self._forward(network)
        with recorded_factors(network) as factors:
            logits = forward(batch.image)
        clean = dirichlet(logits).vacuity
        with frozen_statistics(network), torch.no_grad():
            inputs = self._inputs(forward, batch, clean.detach())
            noisy = [forward(x) for x in inputs.images]
        leaves = [u.detach().requires_grad_() for u in (clean, *(dirichlet(x).vacuity for x in noisy))]
        supervision = self._supervision(leaves, _classes((logits, *noisy)), inputs, batch)
        slopes = torch.autograd.grad(_total(supervision), leaves)
        parts = self._clean_parts(logits, factors, batch)
        (_total(parts) + (clean * slopes[0]).sum()).backward()
        del logits, clean, noisy
        with frozen_statistics(network):
            for number, (x, slope) in enumerate(zip(inputs.images, slopes[1:], strict=True)):
                again = forward(x)
                own = self._under_noise(again, batch) if number == inputs.noisier else {}
                torch.stack([(dirichlet(again).vacuity * slope).sum(), *own.values()]).sum().backward()
                parts |= {name: part.detach() for name, part in own.items()}
        return _report(parts | supervision)

    def _segmentation(self, logits: Tensor, batch: _Supervised) -> dict[str, Tensor]:
        return self.segmentation.parts(logits, to_one_hot(batch.label, self.classes), batch.epoch)

    def _clean_parts(self, logits: Tensor, factors: Sequence[Tensor], batch: _Supervised) -> dict[str, Tensor]:
        """L_Seg of the clean pass where it has weight, and the anchor of the evidence-scaling head if any."""
        settings, parts = self.settings, dict[str, Tensor]()
        if settings.segmentation:
            parts |= {name: settings.segmentation * part for name, part in self._segmentation(logits, batch).items()}
        if settings.anchor and factors:
            parts["anchor"] = settings.anchor * anchor_loss(factors[0], batch.geometries)
        return parts

    def _under_noise(self, logits: Tensor, batch: _Supervised) -> dict[str, Tensor]:
        """L_Seg of the noisier copy, where it is asked for."""
        share = self.settings.noisy_segmentation
        return {"noisy": share * _total(self._segmentation(logits, batch))} if share else {}

    def _inputs(self, forward: Forward, batch: _Supervised, clean: Tensor) -> NoisyInputs:
        settings = self.settings
        if settings.hard_samples and settings.noise_place == "patches":
            hard = hard_voxels(forward, batch.image, clean, settings.noise_kind, batch.generator)
        else:
            hard = torch.ones_like(batch.label, dtype=torch.bool)
        places = (batch.geometries, self.classes, self.spacing, settings, batch.generator)
        return noisy_inputs(batch.image, batch.label, hard, *places)

    def _supervision(
        self, maps: Sequence[Tensor], predicted: Sequence[Tensor], inputs: NoisyInputs, batch: _Supervised
    ) -> dict[str, Tensor]:
        """The weighted parts of a (beta L_gu + gamma L_nu).

        ``maps``: u clean, at the first and the second level; ``predicted``: their most probable classes.
        """
        settings, geometries = self.settings.for_copies(inputs.kind), batch.geometries
        if settings.form == "margin":
            wrong = [classes != batch.label for classes in predicted]
            lost = dice_losses(predicted, batch.label) if settings.c_scan else []
            passes = JudgedPasses(maps, wrong, lost, inputs.levels, inputs.centres)
            noise = margin_supervision(passes, geometries, settings, batch.generator)
            gradient = noise.pop("gradient")
        else:
            clean, first, second = maps
            read = (clean, (first, second), inputs.levels, inputs.centres, geometries, settings)
            gradient = gradient_uncertainty_loss(clean, geometries, settings, batch.generator)
            noise = noise_uncertainty_loss(*read)
        weighted = {name: batch.weight * settings.gamma * part for name, part in noise.items()}
        return {"gradient": batch.weight * settings.beta * gradient, **weighted}


@dataclass(frozen=True)
class _Supervised:
    """What a step with supervision needs; ``weight`` is the ramp's a(epoch)."""

    image: Tensor
    label: Tensor
    epoch: float
    weight: float
    geometries: Sequence[SampleGeometry | None]
    generator: torch.Generator


@torch.no_grad()
def _classes(passes: Sequence[Tensor]) -> list[Tensor]:
    """The most probable class of each pass's logits, (B, ...)."""
    return [logits.argmax(1) for logits in passes]


def _total(parts: dict[str, Tensor]) -> Tensor:
    return torch.stack(list(parts.values())).sum() if parts else torch.zeros(())


def _report(parts: dict[str, Tensor]) -> dict[str, float]:
    values = {name: float(part.detach()) for name, part in parts.items()}
    return {"loss": sum(values.values()), **values}
