"""What a bundle does with the network's output, as the second half of a pipeline."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...core.errors import PackageError
from ..pipeline import LINEAR, NEAREST, LargestParts, Resampling
from .config import Config
from .painting import read_painting
from .steps import Step, read_steps

LOGITS, PROBABILITY, LABELS, MASKS = "logits", "probability", "labels", "masks"
NEUTRAL = ("EnsureType", "ToTensor", "ToDevice", "CastToType", "FromMetaTensor")
SAVE_OPTIONS = (
    *("meta_keys", "meta_key_postfix", "output_dir", "output_ext", "output_dtype", "output_postfix", "separate_folder"),
    *("resample", "squeeze_end_dims", "data_root_dir", "print_log", "dtype", "padding_mode", "mode", "align_corners"),
    *("writer", "savepath_in_metadict", "folder_layout", "output_name_formatter"),
)
LABEL_TYPES = (None, "float32", "uint8", "int16", "int32", "int64")
INVERT_OPTIONS = ("orig_keys", "meta_keys", "orig_meta_keys", "meta_key_postfix", "to_tensor", "device", "transform")


@dataclass
class Reading:
    """The second half of a pipeline; fields as in ``Pipeline``.

    Attributes:
        sigmoid: whether outputs are regions.
        painted: what every region's channel paints and its rank, by channel; {} for a single one or classes.
        stage: what the result is at the moment, while it is read.
    """

    sigmoid: bool = False
    softmax: bool = False
    read_on: str = LOGITS
    outputs: Resampling = LINEAR
    labels: Resampling = NEAREST
    painted: dict[int, tuple[int, int]] = field(default_factory=dict)
    postprocessing: list[LargestParts] = field(default_factory=list)
    stage: str = LOGITS
    inverted: bool = False


def read_reading(config: Config, image_key: str, moves: bool, outputs: int) -> Reading:
    """The transforms of ``"postprocessing"``.

    Args:
        image_key: what the bundle calls its image.
        moves: whether the scan was turned, cropped or resampled, so that the result has to go back.
        outputs: channels of the network.

    Raises:
        PackageError: a transform, its place or an option that works differently here; the sentence names it.
    """
    found = Reading()
    for step in read_steps(config, "postprocessing"):
        if step.name == "SaveImage":
            step.allow(*SAVE_OPTIONS)
        elif step.name not in NEUTRAL:
            _require_one_key(step)
            _take(step, found, image_key, moves)
    if moves and not found.inverted:
        raise PackageError(
            "The bundle turns, crops or resamples the scan but does not bring its result back (Invertd)."
        )
    if found.sigmoid and outputs > 1 and not found.painted:
        raise PackageError(
            "The bundle's classes overlap (sigmoid) and it writes one mask for each; only results that are one label "
            "map are supported."
        )
    if outputs == 1 and not found.sigmoid:
        raise PackageError("The bundle's network has one output channel but no sigmoid; this is not supported.")
    if not moves:
        found.read_on = LOGITS
    return found


def _require_one_key(step: Step) -> None:
    if len(step.keys) != 1:
        step.refuse("keys")


def _take(step: Step, found: Reading, image_key: str, moves: bool) -> None:
    if step.name == "Activations":
        _activate(step, found)
    elif step.name == "Invert":
        _invert(step, found, image_key, moves)
    elif step.name == "AsDiscrete":
        _discrete(step, found)
    elif step.name == "KeepLargestConnectedComponent":
        _keep_largest(step, found)
    elif step.name == "Lambda":
        _paint(step, found)
    else:
        raise PackageError(f"The bundle changes its result by {step.name}; this library cannot do the same.")


def _activate(step: Step, found: Reading) -> None:
    step.allow("sigmoid", "softmax", other=(None,), dim=(0, None))
    sigmoid, softmax = step.truth("sigmoid"), step.truth("softmax")
    if found.stage != LOGITS or (sigmoid and softmax):
        step.refuse("sigmoid" if sigmoid else "softmax")
    if sigmoid or softmax:
        found.sigmoid, found.softmax, found.stage = sigmoid, softmax, PROBABILITY


def _invert(step: Step, found: Reading, image_key: str, moves: bool) -> None:
    step.allow(*INVERT_OPTIONS, "nearest_interp", post_func=(None,))
    if (
        step.get("orig_keys", image_key) != image_key
        or str(step.options.get("transform")).strip("$ @") != "preprocessing"
    ):
        step.refuse("orig_keys" if step.get("orig_keys", image_key) != image_key else "transform")
    if found.inverted:
        raise PackageError("The bundle brings its result back (Invertd) twice; this is not supported.")
    resampling = NEAREST if step.truth("nearest_interp", True) else LINEAR
    if found.stage == MASKS and resampling == LINEAR and moves:
        step.refuse("nearest_interp")
    found.inverted = True
    if found.stage in (LOGITS, PROBABILITY):
        found.read_on, found.outputs = found.stage, resampling
    else:
        found.read_on, found.labels = LABELS, resampling


def _discrete(step: Step, found: Reading) -> None:
    step.allow(
        "argmax", "threshold", to_onehot=(None,), rounding=(None,), dim=(0, None), keepdim=(True,), dtype=LABEL_TYPES
    )
    argmax, threshold = step.truth("argmax"), step.single("threshold")
    if found.stage not in (LOGITS, PROBABILITY):
        raise PackageError("The bundle makes its result discrete (AsDiscreted) twice; this is not supported.")
    if argmax and threshold is None and not found.sigmoid:
        found.stage = LABELS
    elif threshold is not None and not argmax and found.sigmoid:
        if threshold != 0.5:
            step.refuse("threshold")
        found.stage = MASKS
    else:
        step.refuse("threshold" if threshold is not None else "argmax")


def _keep_largest(step: Step, found: Reading) -> None:
    step.allow("applied_labels", "independent", "connectivity", "num_components", is_onehot=(None, False))
    if found.stage != LABELS:
        raise PackageError(f"The bundle uses {step.name} before the label map is made (argmax); this is not supported.")
    value = step.get("applied_labels")
    labels = value if isinstance(value, list) else [] if value is None else [value]
    if not all(type(label) is int and 0 < label < 256 for label in labels):
        step.refuse("applied_labels")
    connectivity, count = step.get("connectivity") or 3, step.get("num_components", 1)
    if connectivity not in (1, 2, 3) or type(count) is not int or count < 1:
        step.refuse("connectivity" if connectivity not in (1, 2, 3) else "num_components")
    grid = "scan" if found.inverted else "network"
    together = not step.truth("independent", True)
    found.postprocessing.append(LargestParts(tuple(labels), together, connectivity, count, grid))


def _paint(step: Step, found: Reading) -> None:
    step.allow("func", inv_func=(None,), track_meta=(True,), overwrite=(True,))
    if found.stage != MASKS:
        raise PackageError("The bundle calls a function of its own on the result (Lambdad); this is not supported.")
    found.painted = read_painting(str(step.options.get("func")))
    found.stage = LABELS
