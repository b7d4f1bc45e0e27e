"""Every number of a fit, with the values that were chosen on tuning patients (docs/fit.md says what was tried)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..nn.losses.settings import SureSettings

SUPERVISION = SureSettings(
    form="margin",
    noise_place="field",
    points=2000,
    beta=1.0,
    gamma=1.0,
    margin_gradient=0.5,
    c_mu=1.5,
    margin_level=1.0,
    c_d=2.0,
    margin_distance=2.0,
    blurred=0.2,
    damaged=0.4,
    margin_blur=1.0,
    c_mistake=8.0,
    margin_mistake=2.0,
    c_scan=5.0,
    anchor=0.05,
    far_target=0.0005,
    far_floor=False,
    detach_clean=False,
    segmentation=0.0,
    start=0.0,
    full=0.1,
)
"""Those of ``hippocampus-t1``; only the lower end of what lies far away is the network's own."""


@dataclass(frozen=True)
class FitSettings:
    """How a head is fitted.

    Attributes:
        supervision: the relations; teacher: weight of what folds and mirrors say where there are several.
        order: weight of ``nn.losses.order``, on scans without labels where there is one pass.
        copies: pairs of disturbed copies of each window, at two strengths each.
        slices: windows a scan for a network that works slice by slice; networks in 3D get one.
        crop: most voxels along an edge of what the head learns from at a step, in 3D and in 2D.
        steps, learning_rate: of the head.
        fine, coarse, context: widths of the head, see ``nn.evidence_scale``.
        set_aside: share of the patients on whom the head is judged; never fewer than ``LEAST_ASIDE``.
    """

    supervision: SureSettings = field(default_factory=lambda: SUPERVISION)
    teacher: float = 1.0
    order: float = 4.0
    copies: int = 5
    slices: int = 4
    crop: tuple[int, int] = (32, 160)
    steps: int = 600
    learning_rate: float = 0.002
    fine: int = 8
    coarse: int = 8
    context: int = 8
    set_aside: float = 0.25
    seed: int = 0


LEAST_SCANS = 5
LEAST_ASIDE = 2
