"""SURE Uncertainty: segmentation of medical scans with a map of where the result cannot be trusted.

For scripts, ``import SUREUncertaintyLib as sure`` has what they need; nothing is imported before it is used::

    model = sure.load_model("hippocampus-t1")
    result = sure.segment("scan.nii.gz", model, sure.Roi("Left", (-45, -47, -36), (-9, 4, 2)))

The rooms of the house, from the ground up. A room imports only from rooms that are named before it here;
``Testing/Python/test_layers.py`` reads every import and guards the order.

Values and files
    ``core``         scans, grids, boxes, labels, errors, progress
    ``files``        reading and writing: DICOM, NIfTI, NRRD, MetaImage, segmentations
    ``arrays``       pure functions of arrays: normalisation, heads, noise
Mathematics
    ``metrics``      overlap, surfaces, calibration, detection, UR and UCC, bootstrap
    ``corruptions``  noise and damage by kind and strength
Networks
    ``nn``           networks and losses (torch)
    ``packages``     model packages: metadata, integrity, import
Inference
    ``analysis``     one result: structures, volume ranges, uncertain regions, warnings, difficulty
    ``location``     where a model's structures lie in a whole scan
    ``inference``    a scan and a package to a result
Measurement
    ``report``       result folders, pictures and pages
    ``follow_up``    two scans of a patient: growth, and whether it is real
    ``cine``         scans over time: volume curve, ejection fraction
    ``fusion``       masks or probability maps that exist already, as a result
    ``evaluation``   a model on a list of labelled cases
    ``quality``      forecasts of how good a result is, fitted on labelled cases
    ``robustness``   a model under damage of rising strength
    ``difficulty``   how hard the scans of a cohort are
    ``training``     recipes, objectives, the training loop
    ``fitting``      a map of uncertainty for a network that stays as it is, from scans without labels
    ``cohort``       many scans, and a list of what to look at first
Presentation
    ``export``       DICOM, NIfTI, NRRD, tables
    ``mrml``         results in a MRML scene that the caller hands in
    ``worker``       the process that computes for a window
    ``comparison``   arms of a study side by side
Faces, which hold no algorithm
    ``presenters``   what the Slicer panel and the page share
    ``ui``           the panel in 3D Slicer
    ``view``         the page in the browser
    ``cli``          the command line
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core.errors import SureError
    from .core.roi import Roi
    from .core.volume import Grid, Volume
    from .files.reading import read_labels, read_volume
    from .files.writing import write_volume
    from .inference.model import Model, load_model, segment
    from .inference.result import SegmentationResult
    from .metrics.bootstrap import grouped_bootstrap, paired_bootstrap
    from .metrics.calibration import brier, expected_calibration_error
    from .metrics.detection import error_detection
    from .metrics.multirater import best_dice, cross_entropy_ncc, diversity, ged_squared
    from .metrics.overlap import dice, iou
    from .metrics.ranks import rank_statistics
    from .metrics.relations import distance_relation, gradient_relation, level_relation
    from .metrics.surface import surface_distance
    from .packages.catalogue import list_packages
    from .report.result_folder import write_results

__version__ = "0.1.0"

_FACE = {
    "core.errors": ["SureError"],
    "core.roi": ["Roi"],
    "core.volume": ["Grid", "Volume"],
    "files.reading": ["read_labels", "read_volume"],
    "files.writing": ["write_volume"],
    "inference.model": ["Model", "load_model", "segment"],
    "inference.result": ["SegmentationResult"],
    "metrics.bootstrap": ["grouped_bootstrap", "paired_bootstrap"],
    "metrics.calibration": ["brier", "expected_calibration_error"],
    "metrics.detection": ["error_detection"],
    "metrics.multirater": ["best_dice", "cross_entropy_ncc", "diversity", "ged_squared"],
    "metrics.overlap": ["dice", "iou"],
    "metrics.ranks": ["rank_statistics"],
    "metrics.relations": ["distance_relation", "gradient_relation", "level_relation"],
    "metrics.surface": ["surface_distance"],
    "packages.catalogue": ["list_packages"],
    "report.result_folder": ["write_results"],
}
_MODULES = {name: module for module, names in _FACE.items() for name in names}

__all__ = [
    "Grid",
    "Model",
    "Roi",
    "SegmentationResult",
    "SureError",
    "Volume",
    "best_dice",
    "brier",
    "cross_entropy_ncc",
    "dice",
    "distance_relation",
    "diversity",
    "error_detection",
    "expected_calibration_error",
    "ged_squared",
    "gradient_relation",
    "grouped_bootstrap",
    "iou",
    "level_relation",
    "list_packages",
    "load_model",
    "paired_bootstrap",
    "rank_statistics",
    "read_labels",
    "read_volume",
    "segment",
    "surface_distance",
    "write_results",
    "write_volume",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    """What an editor offers: the public names and the version."""
    return [*__all__, "__version__"]
