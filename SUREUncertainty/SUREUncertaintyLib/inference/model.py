"""For scripts: a model that is loaded once, and a scan segmented by it in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.roi import Roi
from ..core.volume import Volume
from ..files.reading import read_volume
from ..packages.catalogue import find_package
from ..packages.package import Package
from .engine import Engine
from .engine_choice import create_engine
from .result import SegmentationResult
from .sampling.samples_result import SamplingOptions
from .segmenter import segment as segment_volume


@dataclass(frozen=True, eq=False)
class Model:
    """A model package with the engine that runs it.

    Attributes:
        package: what is known of the network: ``package.metadata`` has labels, orientation, spacing, ranges.
        engine: loaded and ready.
    """

    package: Package
    engine: Engine

    @property
    def name(self) -> str:
        """As ``sure models list`` shows it."""
        return self.package.name


def load_model(name: str | Path, engine: str = "auto", device: str | None = None, threads: int | None = None) -> Model:
    """Load a model by its name or from the folder of its package.

    Args:
        name: such as ``"hippocampus-t1"``, or a path.
        engine: ``"auto"``, ``"openvino"`` or ``"torch"``.
        device: ``"cpu"``, ``"cuda"``, ``"mps"``; None lets the engine choose.
        threads: of the processor; None lets the engine choose.

    Raises:
        InputError: there is no such model, or no such engine.
        PackageError: a file of the package is missing or was changed.
        EngineError: what was asked for is not installed.
    """
    package = find_package(name)
    return Model(package, create_engine(package, engine, device, threads))


def segment(
    scan: Volume | str | Path,
    model: Model | str | Path,
    rois: Roi | Sequence[Roi] = (),
    sampling: SamplingOptions | None = None,
) -> SegmentationResult:
    """Segment a scan, or boxes of it, and say where the result cannot be trusted.

    Args:
        scan: a volume, or the path of a file or DICOM folder.
        model: from ``load_model``, which is worth it for several scans, or a name.
        rois: boxes in RAS mm; the whole scan when empty.
        sampling: what to draw from a model with latents; its defaults when None.

    Raises:
        SureError: the scan, a box or the model cannot be used; the text says why and what to do.
    """
    volume = scan if isinstance(scan, Volume) else read_volume(Path(scan))
    loaded = model if isinstance(model, Model) else load_model(model)
    boxes = (rois,) if isinstance(rois, Roi) else tuple(rois)
    return segment_volume(volume, loaded.package, loaded.engine, boxes, sampling=sampling)
