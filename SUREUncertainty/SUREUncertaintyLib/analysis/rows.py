"""What the main job says about a result: one row a structure, one an uncertain region, one a warning."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StructureRow:
    """One segmented structure.

    Attributes:
        value: label value in the label map.
        volume_low_ml, volume_high_ml: the volume range (90 %) (``analysis.volume_range``); None without spacing.
        mean_uncertainty, p95_uncertainty: over the structure's voxels, NaN when it is empty.
        share_over_threshold: share of its voxels whose uncertainty exceeds the package's threshold.
        boundary_uncertainty, interior_uncertainty: means over boundary voxels and the others, NaN when there are none.
        perception_scale: S of the structure's logit map (``analysis.perception_scale``), low = hard; NaN where not
            measured.
        difficulty: the place of its scan or region among those that the network was not trained on, in words.
        predicted_dice: the Dice that a reader's outline is expected to give, from ``predicted_dice_low`` to ``_high``
            in 9 of 10 patients, and ``predicted_dice_at_least`` in 9 of 10; NaN without a forecast.
        predicted_surface_dice: the share of the surfaces within a tolerance of each other, as above.
        no_forecast: why there is none, where the model makes forecasts.
        axial_mm, longest_mm: longest diameter in an axial slice, and in any direction (``analysis.diameters``), with
            the ends of the middle 90 % of the samples; NaN for models without samples and scans without lengths.
        samples, samples_with: samples that sizes come from, and how many of them have a voxel of it; 0 for models
            without samples.
    """

    value: int
    name: str
    voxels: int
    volume_mm3: float
    volume_ml: float
    volume_low_ml: float
    volume_high_ml: float
    mean_uncertainty: float
    p95_uncertainty: float
    share_over_threshold: float
    boundary_uncertainty: float
    interior_uncertainty: float
    perception_scale: float = float("nan")
    difficulty: str = ""
    predicted_dice: float = float("nan")
    predicted_dice_low: float = float("nan")
    predicted_dice_high: float = float("nan")
    predicted_dice_at_least: float = float("nan")
    predicted_surface_dice: float = float("nan")
    predicted_surface_dice_low: float = float("nan")
    predicted_surface_dice_high: float = float("nan")
    no_forecast: str = ""
    axial_mm: float = float("nan")
    axial_low_mm: float = float("nan")
    axial_high_mm: float = float("nan")
    longest_mm: float = float("nan")
    longest_low_mm: float = float("nan")
    longest_high_mm: float = float("nan")
    samples: int = 0
    samples_with: int = 0


@dataclass(frozen=True)
class UncertainRegion:
    """One connected region of uncertain voxels; rank 1 is the one most worth a look.

    Attributes:
        centre_ras: the region's most uncertain voxel, mm, a point inside the region to jump to.
        score: summed uncertainty above the threshold times voxel volume (mm3): large and uncertain ranks first.
        structure: name of the structure that it touches most, or "background".
        reason: why it is listed, one of ``analysis.region_reasons.REASONS``; "" in results of before.
    """

    rank: int
    centre_ras: tuple[float, float, float]
    size_mm3: float
    voxels: int
    mean_uncertainty: float
    max_uncertainty: float
    score: float
    structure: str
    reason: str = ""

    @property
    def is_island(self) -> bool:
        """Whether it touches no structure."""
        return self.structure == "background"


@dataclass(frozen=True)
class Notice:
    """A warning in plain words. ``code`` is stable for machines, ``text`` is for people."""

    code: str
    text: str
