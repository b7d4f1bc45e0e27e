"""How much memory a sampled run needs, told before it starts."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from ...core.errors import InputError
from .samples_result import SamplingOptions

SAFE_SHARE = 0.8
BESIDE_SHARE = 0.2
"""Share of the free memory that level maps and kept samples may take where nobody asked for them by name."""


def bytes_needed(shape: tuple[int, int, int], classes: int, levels: int = 0, kept_samples: int = 0) -> int:
    """Bytes of the arrays that grow with a volume of ``shape`` (k, j, i) on the model's grid.

    Two float32 volumes a class for the sample at work, sums of probability (float32) and votes (uint16, as drawn and
    without specks) a class, a sum of entropies, the finest noise field, the maps that come out (float32), and a byte a
    kept sample. Label channels of all samples are kept packed, which is little beside these.
    ``levels``: how many maps of single levels are made as well.
    """
    a_voxel = classes * (4 + 4 + 4 + 2 + 2) + 4 + 4 + (2 * classes + 3) * 4 + 4 * levels + kept_samples
    return prod(shape) * a_voxel


def check_memory(
    shape: tuple[int, int, int], classes: int, levels: int = 0, kept_samples: int = 0, available: int | None = None
) -> None:
    """Refuse a run that would not fit, and say what would.

    Args:
        available: bytes; None asks the system.

    Raises:
        InputError: too little memory.
    """
    free = available_bytes() if available is None else available
    if free is None:
        return
    needed = bytes_needed(shape, classes, levels, kept_samples)
    if needed <= SAFE_SHARE * free:
        return
    share = (SAFE_SHARE * free / bytes_needed(shape, classes, levels)) ** (1.0 / 3.0)
    fitting = " x ".join(str(int(n * min(1.0, share))) for n in reversed(shape))
    advice = "keep fewer samples, or " if kept_samples else ""
    raise InputError(
        f"Sampling {' x '.join(map(str, reversed(shape)))} voxels needs about {needed / 1e9:.1f} GB of memory, and "
        f"{free / 1e9:.1f} GB are free. To make it fit, {advice}give a region of interest of about {fitting} voxels."
    )


def affordable(
    options: SamplingOptions, shape: tuple[int, int, int], levels: int, available: int | None = None
) -> SamplingOptions:
    """The options without level maps and kept samples where these would take much of the memory.

    They lie on the whole scan's grid, and exist in the process that makes them, on their way, and in the scene.

    Args:
        shape: of the scan (k, j, i).
        levels: of the network.
        available: bytes; None asks the system.
    """
    free = available_bytes() if available is None else available
    needed = prod(shape) * (4 * levels * options.level_maps + options.count * options.keep_samples)
    if free is None or needed <= BESIDE_SHARE * free:
        return options
    return replace(options, level_maps=False, keep_samples=False)


def available_bytes() -> int | None:
    """Free memory of this machine; None where it cannot be asked."""
    try:
        import psutil
    except ImportError:
        return None
    return int(psutil.virtual_memory().available)
