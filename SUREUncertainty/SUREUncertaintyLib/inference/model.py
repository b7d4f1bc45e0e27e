"""For scripts: a model that is loaded once, and a scan segmented by it in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..core.roi import Roi
from ..core.volume import Volume
from ..files.reading import read_volume
from ..location.choice import Boxes, chosen_boxes, found_boxes
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
    rois: Roi | str | Sequence[Roi] = (),
    sampling: SamplingOptions | None = None,
    channels: Mapping[str, Volume | str | Path] | None = None,
) -> SegmentationResult:
    """Segment a scan, or boxes of it, and say where the result cannot be trusted: as ``sure segment`` does.

    Without a box a model that can search does so in a scan that is larger than its boxes, and segments the boxes that
    it finds; it never runs on the whole scan in their place. Other models take the whole scan.

    Args:
        scan: a volume, or the path of a file or DICOM folder.
        model: from ``load_model``, which is worth it for several scans, or a name.
        rois: boxes in RAS mm; or one as ``--roi`` writes it, ``"auto"`` to search in any case.
        sampling: what to draw from a model with latents; its defaults when None.
        channels: further images of the patient for a model with several channels: ``{"T2": "t2.nii.gz"}``.

    Returns:
        Maps on the scan's grid; ``rois`` of the result are the boxes as they were used.

    Raises:
        SureError: the scan, a box or the model cannot be used, or the search found nothing; the text says why and what
            to do.
    """
    volume = _volume(scan)
    loaded = model if isinstance(model, Model) else load_model(model)
    others = {name: _volume(image) for name, image in (channels or {}).items()}
    boxes = _boxes(rois, volume, loaded.package)
    return segment_volume(
        volume, loaded.package, loaded.engine, boxes.rois, sampling=sampling, channels=others, turn=boxes.turn
    )


def _volume(image: Volume | str | Path) -> Volume:
    return image if isinstance(image, Volume) else read_volume(Path(image))


def _boxes(rois: Roi | str | Sequence[Roi], volume: Volume, package: Package) -> Boxes:
    if isinstance(rois, str):
        return chosen_boxes((rois,), volume, package)
    return found_boxes(volume, package, (rois,) if isinstance(rois, Roi) else tuple(rois))
