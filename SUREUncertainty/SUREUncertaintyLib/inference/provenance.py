"""How a result came about: what ran, on what, for how long. Ready for JSON."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..core.volume import Grid
from .engine import Engine
from .network_regions import Region

if TYPE_CHECKING:
    from ..packages.package import Package


class Stopwatch:
    """Seconds a stage, summed over repetitions."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block as part of stage ``name``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def rounded(self) -> dict[str, float]:
        """Milliseconds' precision, with their sum as ``total``."""
        stages = {name: round(seconds, 3) for name, seconds in self.seconds.items()}
        return stages | {"total": round(sum(self.seconds.values()), 3)}


def describe_run(
    package: Package, engine: Engine, grid: Grid, regions: Sequence[Region], watch: Stopwatch, options: dict[str, Any]
) -> dict[str, Any]:
    """The record of one run."""
    metadata = package.metadata
    return {
        "versions": library_versions(engine),
        "model": {"name": metadata.name, "version": metadata.version, "fingerprint": package.fingerprint},
        "engine": engine.name,
        "device": engine.device,
        "threads": engine.threads,
        "estimator": engine.estimator,
        "passes": engine.passes,
        "fitted_head": engine.scales,
        "seed": engine.seed,  # None where nothing is drawn, as in a native run
        "timings_s": watch.rounded(),
        "geometry": {
            "input": describe_grid(grid),
            "regions": [_describe_region(region) for region in regions],
        },
        "options": options,
    }


def library_versions(engine: Engine | None = None) -> dict[str, str]:
    """Versions of what computed the result; ``engine`` is None where no network ran."""
    import numpy
    import scipy
    import SimpleITK

    versions = {
        "sure-uncertainty": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "SimpleITK": SimpleITK.Version.VersionString(),
    }
    if engine is None:
        return versions
    return versions | ({engine.name: engine.version} if engine.version else {})


def describe_grid(grid: Grid) -> dict[str, Any]:
    """Shape (k, j, i), and ITK geometry (LPS mm, i j k)."""
    return {
        "shape_kji": list(grid.shape),
        "spacing_mm": list(grid.spacing),
        "origin_lps_mm": list(grid.origin),
        "direction_lps": list(grid.direction),
    }


def _describe_region(region: Region) -> dict[str, Any]:
    box = None if region.roi is None else {"low_ras_mm": list(region.roi.low), "high_ras_mm": list(region.roi.high)}
    return {
        "name": region.name,
        "box": box,
        "first_voxel_kji": [part.start for part in region.slices],
        "model_grid": describe_grid(region.model_grid),
    }
