"""Words that results, pages and faces share."""

from __future__ import annotations

from .glossary import DISAGREEMENT, ENTROPY, VACUITY
from .translation import tr as _

DISCLAIMER = _("Research use only - not a medical device")


MAP_NAMES = {
    "vacuity": _("Vacuity: lack of evidence"),
    "entropy": _("Entropy: how undecided"),
    "variance": _("Variance of samples"),
    "mutual_information": _("Where samples disagree"),
    "fg_variance": _("Variance of the foreground"),
    "class_variance": _("Variance of the structures"),
}


MAP_MEANINGS = {
    "vacuity": VACUITY.meaning,
    "entropy": ENTROPY.meaning,
    "mutual_information": DISAGREEMENT.meaning,
    "variance": _("How far the probabilities of several passes lie apart."),
    "fg_variance": _("Share of the samples that mark a voxel times the share that does not: highest at half and half."),
    "class_variance": _("The same for each structure alone, and the mean of all of them."),
}
"""A sentence about each map that has one."""


KIND_NAMES = {
    "fg_variance": _("variance of the foreground between samples"),
    "class_variance": _("variance of the structures between samples"),
    "expected_entropy": _("mean entropy of the members"),
}


def in_words(kind: str) -> str:
    """A kind of uncertainty as people write it: ``mutual_information`` as "mutual information"."""
    return KIND_NAMES.get(kind, kind.replace("_", " "))


ESTIMATOR_NAMES = {
    "native": _("the model's own"),
    "softmax": _("entropy of the softmax"),
    "dropout": _("dropout"),
    "tta": _("test-time augmentation"),
    "ensemble": _("ensemble"),
}
"""What ``--estimator`` takes, in words."""

ESTIMATOR_HELP = _("native (the model's own), softmax, dropout, tta (test-time augmentation) or ensemble")

METRIC_NAMES = {
    "dice": _("Dice"),
    "iou": _("Intersection over union"),
    "hd95_mm": _("95 % Hausdorff distance (mm)"),
    "assd_mm": _("Mean surface distance (mm)"),
    "ece": _("Calibration error (ECE)"),
    "brier": _("Brier score"),
    "auroc_error": _("Uncertainty finds errors (AUROC)"),
    "aupr_error": _("Uncertainty finds errors (AUPR)"),
    "aurc": _("Risk over coverage (AURC)"),
    "volume_error_ml": _("Volume error (ml)"),
    "range_coverage": _("Volume range holds the label's volume"),
    "ueo": _("Overlap of uncertainty and error (UEO)"),
    "far_uncertainty": _("Mean uncertainty far from the boundary"),
    "ucc_gradient": _("Uncertainty follows sharpness of edges (UCC)"),
    "ur_gradient": _("Certain at sharp edges, share of pairs (UR)"),
    "ur_star_gradient": _("Certain at sharp edges, share of pairs (UR*)"),
    "ucc_distance": _("Uncertainty follows distance to edges (UCC)"),
    "ur_distance": _("Certain far from edges, share of pairs (UR)"),
    "ur_star_distance": _("Certain far from edges, share of pairs (UR*)"),
    "ur_sigma": _("Uncertain under noise, share of pairs (UR)"),
    "ur_star_sigma": _("Uncertain under noise, share of pairs (UR*)"),
    "tau_sigma": _("Uncertainty follows noise (tau)"),
}
"""Metrics of an evaluation by their column: the question first, the symbol of the literature last."""


REASON_NAMES = {"edge": _("edge"), "inside": _("inside"), "away": _("near no structure")}
"""Where most of an uncertain region lies, by ``analysis.region_reasons``; the structure's name stands before it."""

VERDICT_NAMES = {"usable": _("Usable"), "check": _("Check"), "do_not_use": _("Do not use")}
VERDICT_MEANINGS = {
    "usable": _("No warning speaks against this result. Look at its uncertain regions all the same."),
    "check": _("Compare this result with the scan before it is used:"),
    "do_not_use": _("This result should not be used:"),
}
"""By ``analysis.verdict`` status; the reasons follow."""


def as_title(text: str) -> str:
    """The text with a capital at its start; names inside keep theirs, unlike with ``capitalize``."""
    return f"{text[:1].upper()}{text[1:]}"


def as_sentence(text: str) -> str:
    """The text with a capital at its start and a full stop."""
    return f"{as_title(text)}."
