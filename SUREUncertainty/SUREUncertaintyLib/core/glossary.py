"""The words for what the program measures: one name, one sentence and, last of all, the symbol of the literature.

Report, page, Slicer panel and docs take them from here. ``docs/glossary.md`` shows a picture of each.
"""

from __future__ import annotations

from dataclasses import dataclass

from .translation import Text, tr as _

PAGE = "docs/glossary.md"
ADDRESS = "https://github.com/SUREUncertainty/SlicerSUREUncertainty/blob/main/docs/glossary.md"


@dataclass(frozen=True)
class Term:
    """One word.

    Attributes:
        name: the word, as people write it in a sentence.
        meaning: one or two sentences.
        symbol: how papers abbreviate it; empty without one.
        key: its anchor in a page and the name of its picture.
    """

    name: Text
    meaning: Text
    key: str
    symbol: str = ""

    @property
    def heading(self) -> str:
        """The name with a capital, and the symbol last."""
        named = f"{self.name[0].upper()}{self.name[1:]}"
        return f"{named} ({self.symbol})" if self.symbol else named


UNCERTAINTY = Term(
    _("uncertainty"),
    _("How little the model knows about a voxel: 0 is certain. It is a number for every voxel, the uncertainty map."),
    "uncertainty",
)
VACUITY = Term(
    _("vacuity, lack of evidence"),
    _(
        "The uncertainty of an evidence-scaling head: high where the network has seen little like this in training, "
        "and where the scan shows too little to decide."
    ),
    "vacuity",
)
ENTROPY = Term(
    _("entropy, how undecided"),
    _("High where several answers are about equally likely, whatever the reason; highest at every edge."),
    "entropy",
)
DISAGREEMENT = Term(
    _("mutual information, where samples disagree"),
    _("High where another plausible outline would give another answer; highest where half of the samples say so."),
    "disagreement",
)
SAMPLE = Term(
    _("sample"),
    _("One of several plausible outlines of the same structure, as different readers might draw them."),
    "sample",
)
LEVEL = Term(
    _("level of the samples"),
    _(
        "Samples differ in coarse things, such as whole parts, and in fine ones, such as the edge. Each level has a "
        "map of its own, coarse first; its colours cannot be compared with those of the map of all levels."
    ),
    "level",
)
WHICH_PARTS = Term(
    _("which parts"),
    _(
        "The coarse levels of the samples, 8 pixels and more: whether a part, such as a vessel beside a nodule, "
        "belongs to the structure at all."
    ),
    "which-parts",
)
HOW_FAR = Term(
    _("how far"),
    _("The levels in between, 2 to 7 pixels: how far the structure reaches on a side."),
    "how-far",
)
RIM = Term(
    _("rim"),
    _("The finest level of the samples, pixel by pixel: where exactly the edge runs."),
    "rim",
)
THRESHOLD = Term(
    _("threshold and band"),
    _("Voxels above the threshold count as uncertain. The band is the range of uncertainty that is drawn in colour."),
    "threshold",
)
REGION = Term(
    _("uncertain region"),
    _(
        "Uncertain voxels that belong together. It lies at the edge of a structure, inside one, or near none; the last "
        "may be something that was missed."
    ),
    "uncertain-region",
)
VOLUME_RANGE = Term(
    _("volume range (90 %)"),
    _(
        "The smallest and the largest volume that the model holds possible, made so that 9 of 10 true volumes lie in "
        "it. The model's card says how often they did."
    ),
    "volume-range",
)
DIAMETER = Term(
    _("longest diameter"),
    _(
        "The longest straight line across the structure in one axial slice, and in any direction. Its range is that of "
        "the middle 90 % of the samples; how many readers lie in it was not measured."
    ),
    "longest-diameter",
)
GROWTH = Term(
    _("growth between two scans"),
    _(
        "How much larger a structure is on the second scan, with the range that the samples of both leave open, and "
        "the share of pairs of samples in which it grew."
    ),
    "growth",
)
DOUBLING_TIME = Term(
    _("volume-doubling time"),
    _(
        "How many days the volume takes to double at the growth between two scans. It has no upper end where the "
        "structure may not have grown at all."
    ),
    "doubling-time",
    "VDT",
)
DICE = Term(
    _("overlap of two outlines"),
    _("Twice the common voxels over the sum of both: 1 for the same outline, 0 for nothing in common."),
    "dice",
    "Dice",
)
PREDICTED_DICE = Term(
    _("predicted Dice"),
    _(
        "What overlap with a reader's outline is to be expected of this result, with an interval that holds 9 of 10 "
        "patients. No forecast is made of scans that are unlike those that it was fitted on."
    ),
    "predicted-dice",
)
SURFACE_DISTANCE = Term(
    _("distance of two outlines"),
    _("95 of 100 points of either outline lie no further than this from the other, in mm."),
    "surface-distance",
    "HD95",
)
AGREEMENT = Term(
    _("agreement under noise"),
    _("Overlap of the result on the damaged scan with that on the scan as it is. Below 0.9 the result does not hold."),
    "agreement",
)
CALIBRATION_ERROR = Term(
    _("calibration error"),
    _("How far the model's percentages are from how often it is right: of voxels called 80 % sure, 80 % should be."),
    "calibration-error",
    "ECE",
)
ERROR_DETECTION = Term(
    _("uncertainty finds errors"),
    _("How often a wrong voxel is more uncertain than a right one: 1 always, 0.5 by chance."),
    "error-detection",
    "AUROC",
)
EDGE_CORRELATION = Term(
    _("uncertainty follows edges"),
    _(
        "Rank correlation of uncertainty with the sharpness of the edge a voxel lies at: -1 where uncertainty falls as "
        "edges get sharper, as it should; above 0 it is the wrong way round."
    ),
    "edge-correlation",
    "UCC",
)
ORDERED_PAIRS = Term(
    _("pairs in the right order"),
    _(
        "Of two voxels the one at the sharper edge, further inside or under less noise should be the more certain: the "
        "share of pairs where it is. 1 always, 0.5 by chance. The star leaves pairs out that are equal."
    ),
    "ordered-pairs",
    "UR, UR*",
)
NOISE_ORDER = Term(
    _("uncertainty follows noise"),
    _("Rank correlation of noise and uncertainty of a voxel: +1 where more noise always means more uncertainty."),
    "noise-order",
    "tau",
)
PERCEPTION_SCALE = Term(
    _("perception scale"),
    _(
        "How evenly detail is spread in the maps that a network makes of a scan: near 0 the scan is hard for it, near "
        "1 easy. Hard means likely to go wrong here, not a bad scan."
    ),
    "perception-scale",
)
HARDNESS = Term(
    _("hardness"),
    _("The scan's place among those that it is compared with: 0 for the easiest, 1 for the hardest."),
    "hardness",
    "AUV",
)
VALIDITY = Term(
    _("validity test"),
    _(
        "Whether hardness means anything on these scans: some are damaged on purpose, and hardness must find them. "
        "Without that nothing should be filtered by it."
    ),
    "validity",
)

TERMS = (
    UNCERTAINTY,
    VACUITY,
    ENTROPY,
    DISAGREEMENT,
    SAMPLE,
    LEVEL,
    WHICH_PARTS,
    HOW_FAR,
    RIM,
    THRESHOLD,
    REGION,
    VOLUME_RANGE,
    DIAMETER,
    GROWTH,
    DOUBLING_TIME,
    DICE,
    PREDICTED_DICE,
    SURFACE_DISTANCE,
    AGREEMENT,
    CALIBRATION_ERROR,
    ERROR_DETECTION,
    EDGE_CORRELATION,
    ORDERED_PAIRS,
    NOISE_ORDER,
    PERCEPTION_SCALE,
    HARDNESS,
    VALIDITY,
)
MAP_TERMS = {"vacuity": VACUITY, "entropy": ENTROPY, "mutual_information": DISAGREEMENT}
"""The word of a kind of uncertainty."""
