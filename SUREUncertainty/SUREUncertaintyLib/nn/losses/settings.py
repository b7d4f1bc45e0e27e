"""Every switch of the SURE losses, and three named sets of them.

total = L_Seg + a(epoch) (beta L_gu + gamma L_nu), L_nu = c_mu L_mu + c_d L_d + c_far L_far.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

DENOMINATORS = ("all", "violating")
NOISE_KINDS = ("spread", "mean")
NOISE_PLACES = ("patches", "field")
FORMS = ("product", "margin")
NOISY, BLURRED, DAMAGED = "noisy", "blurred", "damaged"
"""What the two copies of a step are."""


@dataclass(frozen=True)
class SureSettings:
    """Settings of the uncertainty losses; the defaults are the principled form.

    Attributes:
        beta, gamma: weights of L_gu and L_nu; c_mu, c_d, c_far: of the parts of L_nu.
        delta, t: widths of the boundary band and of the noise zone, mm (pixels without spacing); None: 1.5 and 6 mm, or
            1 and 4 pixels.
        pairs_per_case: most pairs of band voxels that L_gu looks at.
        denominator: what L_gu divides by: ``"all"`` pairs or the ``"violating"`` ones.
        num_patch: noise patches a class and image; patch_mm, patch_px: their side, the second without spacing.
        noise_kind: a noise level is the ``"spread"`` of the noise, or its ``"mean"``.
        noise_place: noise in small ``"patches"``, read at their centres, or over the whole ``"field"``, read at
            ``points`` random voxels within t.
        largest_level: the two noise levels of a step are drawn from 0 to this.
        blurred: share of the steps whose two copies are blurred, not noisy, with a sigma of 3 voxels at level 1; only
            with noise over the whole field and in margin form (our addition: uncertainty should rise with whatever
            hides a boundary).
        damaged: share of the steps whose copies have damage of another kind (``damaged_copies``), as with blurred.
        hard_samples: patches go where noise does not raise the uncertainty.
        detach_clean: the clean uncertainty is constant in L_mu and L_d.
        noisy_segmentation: weight of L_Seg on the noisier of the two copies (our addition; 0 in the publication).
        form: the relations as the published ``"product"`` of differences, or as a ``"margin"`` on log u (``margins``).
        margin_gradient, margin_level, margin_distance: by how much ln u has to follow, see ``margins``.
        margin_blur: the same for one unit of blur.
        margin_damage: the same for one unit of strength of such damage.
        far_target: in margin form, u beyond t; far_floor: whether it may not be less either, there and near a boundary.
        margin_mistake, c_mistake: in margin form, by how much ln u of a wrong voxel lies above that of a right one, and
            the weight of that, see ``mistakes``.
        c_scan: in margin form, weight of the relation between a pass's mean uncertainty and its Dice, see
            ``scan_uncertainty``;
            uncertainty_per_loss: the mean uncertainty near the boundary that belongs to a Dice of 0.
        segmentation: weight of L_Seg on the clean image; 0 where the segmentation is frozen and only uncertainty
            learns.
        anchor: for networks with an evidence-scaling head, the weight of the mean of (ln factor)^2 within t:
            uncertainty stays near what the segmentation network says by itself.
        protect: the supervision's gradient may be at most this many times the segmentation's, and never against it
            (``surgery``); 0: the two losses are just added.
        start: share of the training before the first uncertainty loss; full: where its ramp has reached 1.
        one_graph: all passes in one graph; False back-propagates pass by pass, with a third of the memory.
    """

    beta: float = 10.0
    gamma: float = 1.0
    c_mu: float = 1.0
    c_d: float = 1.0
    c_far: float = 1.0
    delta: float | None = None
    t: float | None = None
    pairs_per_case: int = 20_000
    denominator: str = "all"
    num_patch: int = 3
    patch_mm: float = 4.5
    patch_px: float = 3.0
    noise_kind: str = "spread"
    noise_place: str = "patches"
    points: int = 600
    largest_level: float = 1.0
    blurred: float = 0.0
    damaged: float = 0.0
    hard_samples: bool = True
    detach_clean: bool = True
    noisy_segmentation: float = 0.0
    form: str = "product"
    margin_gradient: float = 0.5
    margin_level: float = 0.5
    margin_distance: float = 0.3
    margin_blur: float = 1.0
    margin_damage: float = 0.0
    far_target: float = 0.02
    far_floor: bool = True
    margin_mistake: float = 1.5
    c_mistake: float = 0.0
    c_scan: float = 0.0
    uncertainty_per_loss: float = 0.25
    segmentation: float = 1.0
    anchor: float = 0.0
    protect: float = 0.0
    start: float = 0.3
    full: float = 1.0
    one_graph: bool = True

    def __post_init__(self) -> None:
        if self.denominator not in DENOMINATORS:
            raise ValueError(f"denominator must be one of {', '.join(DENOMINATORS)}, got {self.denominator!r}")
        if self.noise_kind not in NOISE_KINDS:
            raise ValueError(f"noise_kind must be one of {', '.join(NOISE_KINDS)}, got {self.noise_kind!r}")
        if self.noise_place not in NOISE_PLACES:
            raise ValueError(f"noise_place must be one of {', '.join(NOISE_PLACES)}, got {self.noise_place!r}")
        if self.form not in FORMS:
            raise ValueError(f"form must be one of {', '.join(FORMS)}, got {self.form!r}")
        if (self.blurred or self.damaged) and (self.noise_place != "field" or self.form != "margin"):
            raise ValueError("blurred and damaged need noise_place field and form margin: they change the whole image")
        if self.blurred < 0.0 or self.damaged < 0.0 or self.blurred + self.damaged > 1.0:
            raise ValueError("blurred and damaged are shares of the steps: together at most 1")
        if self.uncertainty_per_loss <= 0.0:
            raise ValueError(f"uncertainty_per_loss has to be above 0, got {self.uncertainty_per_loss}")
        if self.protect and not self.segmentation:
            raise ValueError("protect needs segmentation: there is no gradient of the segmentation to protect")
        if self.protect and not self.one_graph:
            raise ValueError("protect needs one_graph: both gradients are taken from the same graph")
        if not 0.0 <= self.start < self.full <= 1.0:
            raise ValueError(f"0 <= start < full <= 1 is needed, got start {self.start} and full {self.full}")

    def for_copies(self, kind: str) -> SureSettings:
        """What a step on such copies asks for: blur and damage have their own margin, and need not fade with distance.

        Args:
            kind: ``NOISY``, ``BLURRED`` or ``DAMAGED``.
        """
        if kind == NOISY:
            return self
        return replace(self, margin_level=self.margin_blur if kind == BLURRED else self.margin_damage, c_d=0.0)


PRINCIPLED = SureSettings()
REFERENCE = SureSettings(denominator="violating", noise_kind="mean")
MARGIN = SureSettings(form="margin", noise_place="field", points=3000, c_d=0.5, beta=1.0, gamma=1.0, protect=2.0)
PRESETS = {"principled": PRINCIPLED, "reference": REFERENCE, "margin": MARGIN}
