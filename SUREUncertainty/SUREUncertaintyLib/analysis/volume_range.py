"""The volume range (90 %) of a structure.

Voxels are not independent, so no standard error is formed. The range lies between the volume where the structure is
nearly certain, P > 0.95, and the volume where it cannot be ruled out, P > 0.05. Its coverage on held-out cases stands
in the package's model card.
"""

from __future__ import annotations

from dataclasses import dataclass

MM3_PER_ML = 1000.0


@dataclass(frozen=True)
class VoxelRange:
    """Voxel counts of one structure: where it is nearly certain, and where it cannot be ruled out."""

    low: int
    high: int


def volume_range_ml(voxels: int, voxel_range: VoxelRange | None, voxel_volume_mm3: float) -> tuple[float, float]:
    """The range in ml; it always holds the volume of the label map.

    Args:
        voxels: the structure's voxels in the label map.
        voxel_range: counts from the probabilities; NaN twice when there are none.
        voxel_volume_mm3: volume of one voxel.
    """
    if voxel_range is None:
        return float("nan"), float("nan")
    # among many classes the winner's probability can be below 0.05
    low, high = min(voxel_range.low, voxels), max(voxel_range.high, voxels)
    return low * voxel_volume_mm3 / MM3_PER_ML, high * voxel_volume_mm3 / MM3_PER_ML
