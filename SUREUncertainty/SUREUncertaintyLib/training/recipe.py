"""A training recipe: everything that decides what comes out, in one YAML file."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from ..core.errors import InputError
from ..files.documents import build_section, checked, find_document, read_document, require_keys

BUILT_IN = Path(__file__).resolve().parent.parent / "recipes"
SCHEDULES = ("cosine", "constant")
Section = TypeVar("Section")


@dataclass(frozen=True)
class DataSection:
    """Where cases come from: a CSV table inside ``folder``, one row a case.

    ``tuning_groups`` are the groups of the training split on which settings are chosen. They are trained on only
    with ``use_tuning_cases``, when every setting is fixed. ``label_values`` are the values in the label files that
    become classes 1, 2, ... in this order (others: background); empty: values are classes. With ``crop_margin_mm``
    a case is the box around its structures with this margin; 0: the whole scan. ``arrays`` names an npz of slices
    with several readers' marks (see ``evaluation.raters``) in the place of image and label files; ``row_column`` says
    which slice. With ``mask_array`` that npz holds one reader's marks: truth values, or bits packed along the rows.
    ``mask_inset_px``: by how many pixels such masks are too large, as where every pixel that an outline crosses was
    filled (see ``training.masked_slices``).

    ``phase_column`` says of slices of a beating heart whether they show ``ED`` or ``ES``.

    ``validation_groups`` are never opened by a training. An empty ``train_split`` takes the rows of every split.

    ``image_pattern``, ``label_pattern`` and ``id_pattern`` make file names and ids from a row's columns in the place of
    one column, for instance ``{patient}_{phase}.nii.gz``. With ``folds`` the groups are cut into that many parts (see
    ``training.folds``), balanced over the values of ``stratum_column``; part ``fold`` is held out.
    """

    table: str
    folder: str = ""
    image_column: str = "image"
    image_folder: str = ""
    label_folder: str = ""
    label_column: str = ""
    id_column: str = "id"
    group_column: str = "group"
    arrays: str = ""
    row_column: str = "row"
    split_column: str = "split"
    train_split: str = "train"
    mask_array: str = ""
    mask_inset_px: float = 0.0
    validation_groups: tuple[str | int, ...] = ()
    phase_column: str = ""
    use_tuning_cases: bool = False
    tuning_groups: tuple[str | int, ...] = ()
    image_pattern: str = ""
    label_pattern: str = ""
    id_pattern: str = ""
    folds: int = 0
    fold: int = 0
    stratum_column: str = ""
    fold_seed: int = 1
    label_values: tuple[int, ...] = ()
    crop_margin_mm: float = 0.0


@dataclass(frozen=True)
class NetworkSection:
    """Name in ``nn.registry`` and its arguments."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class InputSection:
    """What the network sees; becomes part of the package. ``patch`` in array order (k, j, i).

    ``orientation: stack`` keeps the planes that were acquired, however they lie in the patient; a ``spacing`` of 0
    keeps the scan's own along that axis.
    """

    orientation: str
    spacing: tuple[float, float, float] | None
    normalisation: dict[str, Any]
    patch: tuple[int, ...]


@dataclass(frozen=True)
class LossSection:
    """The objective's name in ``training.objectives`` and its settings.

    ``continues``: the built-in recipe whose network this loss goes on from. A training with it is refused without a
    start, because it would spend its few steps on fresh weights.
    """

    name: str = "evidential"
    continues: str = ""
    criterion: str = "edl_a"
    ace: str = "digamma"
    kl_anneal_epochs: float = 20.0
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The loss itself: what ``duo`` weights, else the name."""
        return str(self.options.get("base", "evidential")) if self.name == "duo" else self.name


@dataclass(frozen=True)
class FilterSection:
    """Which training patients to leave out before training, by a table of ``sure difficulty``; empty table: none.

    ``keep`` is the share of patients to keep; ``combine`` and ``target`` as in ``difficulty.patient_filter``. A table
    whose gate did not find the extractor valid is refused unless ``allow_unproven``. ``random_seed``: drop as many
    patients at random instead, as a control.
    """

    table: str = ""
    keep: float = 0.95
    combine: str = "scan"
    target: str | None = None
    allow_unproven: bool = False
    random_seed: int | None = None


@dataclass(frozen=True)
class OptimisationSection:
    """AdamW with linear warm-up, then a cosine to zero; ``ema`` is the decay of the averaged weights that ship.

    ``validate_every``: steps between measurements on the tuning cases; 0: ten times a training, at least every 500.
    ``schedule: constant`` keeps the rate after the warm-up: for short continuations of a trained network.

    ``patch``: size of the training samples in array order, where it should be smaller than what inference reads at once
    (``input.patch``); empty: the same.

    ``train_only``: the part of the network that learns, by name (``scale``: the evidence-scaling head); empty: all of
    it.

    With ``restart_step`` the first cosine ends there and a second one starts from ``restart_learning_rate`` (a warm
    restart: Loshchilov and Hutter, ICLR 2017), for losses that set in when the segmentation has settled.
    """

    steps: int
    batch: int = 2
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    schedule: str = "cosine"
    restart_step: int = 0
    restart_learning_rate: float = 0.0
    weight_decay: float = 1e-4
    gradient_clip: float = 5.0
    ema: float = 0.998
    mixed_precision: bool = True
    patch: tuple[int, ...] = ()
    train_only: str = ""
    validate_every: int = 0

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise TypeError(f"schedule must be one of {', '.join(SCHEDULES)}, not {self.schedule!r}")


@dataclass(frozen=True)
class AugmentationSection:
    """Strengths and probabilities; see ``training.augmentation``. Zero switches a transform off.

    ``padding``: what lies outside the scan, ``zeros`` as in inference, or its ``border`` repeated. A network that is to
    tell a blurred image from a sharp one needs ``border``: the sharp edge of the zeros would give it away.

    ``cut_mm``, ``monotone_*`` and ``damage*`` change the scan before it is placed (``training.appearance``): how much a
    box drawn elsewhere cuts from a side, a random increasing curve over grey values, and one of ``damages`` (names in
    ``corruptions.registry``) with a strength between the two of ``damage_strength``.

    ``contraction``: shares of its radius to which the cavity of a slice shrinks, see ``training.contraction``.
    ``field_of_view``: shares of a slice's sides that a smaller field of view keeps, see ``training.field_of_view``.
    ``curve_points``: number of points of a random rising curve that grey values are bent by.
    """

    flip_axes: tuple[int, ...] = ()
    flip_probability: float = 0.5
    rotate_degrees: float = 0.0
    scale: float = 0.0
    translate_mm: float = 0.0
    elastic_probability: float = 0.0
    elastic_sigma: tuple[float, float] = (5.0, 8.0)
    elastic_magnitude: tuple[float, float] = (50.0, 150.0)
    noise_probability: float = 0.0
    noise_std: float = 0.1
    blur_probability: float = 0.0
    blur_sigma: tuple[float, float] = (0.5, 1.0)
    gamma_probability: float = 0.0
    gamma: tuple[float, float] = (0.7, 1.5)
    bias_probability: float = 0.0
    bias: float = 0.3
    low_resolution_probability: float = 0.0
    low_resolution_zoom: tuple[float, float] = (0.5, 1.0)
    field_of_view_probability: float = 0.0
    field_of_view: tuple[float, float] = (0.4, 1.0)
    contraction_probability: float = 0.0
    contraction: tuple[float, float] = (0.3, 1.0)
    curve_probability: float = 0.0
    curve_points: tuple[int, int] = (5, 10)
    padding: str = "zeros"
    cut_mm: float = 0.0
    monotone_probability: float = 0.0
    monotone_points: int = 4
    damage_probability: float = 0.0
    damages: tuple[str, ...] = ()
    damage_strength: tuple[float, float] = (0.0, 0.5)

    def __post_init__(self) -> None:
        if self.padding not in ("zeros", "border"):
            raise TypeError(f"padding must be zeros or border, not {self.padding!r}")
        if self.damage_probability and not self.damages:
            raise TypeError("damage_probability needs damages, names of corruptions")
        if not 0 < self.contraction[0] <= self.contraction[1] <= 1:
            raise TypeError("contraction must be two shares of a radius, the smaller first, above 0 and at most 1")


@dataclass(frozen=True)
class Recipe:
    """A whole recipe. ``document`` is the file as read, for the record.

    ``start_from``: a model package (name or folder) whose weights the training starts from; empty: fresh weights.
    ``start_scale``: factor on its last layer. Evidence is large numbers: read as logits of a softmax they are far too
    sure, so a softmax network that starts from an evidential one wants about 0.15.
    """

    name: str
    seed: int
    data: DataSection
    network: NetworkSection
    input: InputSection
    loss: LossSection
    optimisation: OptimisationSection
    augmentation: AugmentationSection
    package: dict[str, Any]
    document: dict[str, Any] = field(repr=False)
    filter: FilterSection = field(default_factory=FilterSection)
    start_from: str = ""
    start_scale: float = 1.0

    def lacks_start(self, given: str | Path | None = None) -> bool:
        """Whether it goes on from another recipe's network, and there is none: neither ``given`` nor ``start_from``."""
        return bool(self.loss.continues) and not (given or self.start_from)


def load_recipe(path_or_name: str | Path) -> Recipe:
    """Read a recipe from a YAML file, or one of the built-in recipes by name.

    Raises:
        InputError: no such recipe, not YAML, or a key that is missing or unknown; the sentence names it.
    """
    return parse_recipe(read_document(find_recipe(path_or_name), "recipe", "'name', 'data' and 'network'"))


def find_recipe(path_or_name: str | Path) -> Path:
    """The file of a recipe given by path or by built-in name. Raises ``InputError``."""
    return find_document(path_or_name, BUILT_IN, "recipe")


def parse_recipe(document: dict[str, Any]) -> Recipe:
    """Check a recipe document and turn it into sections. Raises ``InputError``, as ``load_recipe``."""
    known = {f.name for f in fields(Recipe)} - {"document"}
    unknown = sorted(set(document) - known)
    if unknown:
        raise InputError(f"Unknown key in the recipe: {', '.join(unknown)}. Known are: {', '.join(sorted(known))}.")
    package = document.get("package") or {}
    require_keys(package, "'package' of the recipe")
    return Recipe(
        name=_required(document, "name", str),
        seed=_required(document, "seed", int),
        data=_section(DataSection, document, "data"),
        network=_section(NetworkSection, document, "network"),
        input=_section(InputSection, document, "input"),
        loss=_section(LossSection, document, "loss"),
        optimisation=_section(OptimisationSection, document, "optimisation"),
        augmentation=_section(AugmentationSection, document, "augmentation"),
        package=dict(package),
        document=document,
        filter=_section(FilterSection, document, "filter"),
        start_from=str(document.get("start_from") or ""),
        start_scale=checked(document.get("start_scale", 1.0), float, "'start_scale' of the recipe"),
    )


def _required(document: dict[str, Any], key: str, kind: type) -> Any:
    if key not in document:
        raise InputError(f"The recipe lacks '{key}'.")
    return checked(document[key], kind, f"'{key}' of the recipe")


def _section(kind: type[Section], document: dict[str, Any], key: str) -> Section:
    return build_section(kind, document.get(key) or {}, f"'{key}' of the recipe")
