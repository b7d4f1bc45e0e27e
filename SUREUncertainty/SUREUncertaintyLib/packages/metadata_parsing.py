"""From ``configs/metadata.json`` to ``PackageMetadata``; a document that is wrong is refused with the field's name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..arrays.heads import HEADS
from ..arrays.normalisation import check_settings
from ..core.errors import PackageError
from ..core.geometry import STACK
from ..core.labels import Code, Label
from ..nn.registry import canonical_name
from .fitted_head import SETTING as FITTED, parse_fitted
from .locator import parse_locator
from .metadata import Cavity, Expected, PackageMetadata
from .metadata_fields import Fields, inner_path
from .pipeline import Pipeline
from .pipeline_parsing import parse_pipeline
from .whole import parse_wholes

BUNDLE_TEXTS = (
    "version",
    "monai_version",
    "pytorch_version",
    "numpy_version",
    "task",
    "description",
    "authors",
    "copyright",
)
GRAPH_ROLES = (("main",), ("decoder", "encoder"), ())
TENSOR_TEXTS = ("type", "format", "dtype")
AXES = ("RL", "AP", "SI")
MAXIMUM_CLASSES = 256


def parse_metadata(document: Mapping[str, Any]) -> PackageMetadata:
    """Check ``configs/metadata.json`` and turn it into facts.

    Args:
        document: the parsed JSON.

    Raises:
        PackageError: a field is missing or wrong; the sentence names it and says what was expected.
    """
    top = Fields(document)
    labels = tuple(_label(entry) for entry in top.inners("labels"))
    _check_labels(labels)
    patch = top.integers("patch", (2, 3))
    pipeline = parse_pipeline(top.inner("pipeline"), patch) if top.has("pipeline") else None
    outputs = pipeline.outputs if pipeline is not None else 0
    _check_bundle(top, outputs or len(labels), len(patch))
    network, uncertainty = top.inner("network"), top.inner("uncertainty")
    weights, graphs = _weights(top), _graphs(top)
    if not weights and not graphs:
        raise PackageError("The package names neither 'weights' nor 'graphs' in metadata.json; at least one is needed.")
    head = top.choice("head", tuple(HEADS))
    primary, kinds = _kinds(uncertainty, head)
    if pipeline is None:
        check_settings(top.mapping("normalisation"))
    else:
        _check_agreement(top, pipeline, labels)
    if not isinstance(top.content.get("centred", False), bool):
        top.fail("centred", "true for a model that sees the middle of a box alone, or false")
    return PackageMetadata(
        name=_name(top),
        version=top.text("version"),
        task=top.text("task"),
        description=top.text("description"),
        modality=top.text("modality"),
        network=canonical_name(network.text("name")),
        network_arguments=network.mapping("arguments"),
        head=head,
        weights=weights,
        graphs=graphs,
        orientation=_orientation(top) if pipeline is None else pipeline.orientation,
        spacing=_spacing(top),
        normalisation=top.mapping("normalisation"),
        patch=patch,
        overlap=top.number("overlap", 0.0, 0.95),
        labels=labels,
        primary=primary,
        kinds=kinds,
        threshold=uncertainty.number("threshold", 0.0, 1.0),
        expected=_expected(top),
        cavity=_cavity(top, labels),
        pipeline=pipeline,
        locator=parse_locator(top.inner("locator")) if top.has("locator") else None,
        wholes=parse_wholes(top, labels) if top.has("wholes") else (),
        fitted=parse_fitted(top) if top.has(FITTED) else None,
        raw=dict(document),
    )


def _check_agreement(top: Fields, pipeline: Pipeline, labels: tuple[Label, ...]) -> None:
    """What the pipeline says must fit what the rest of the document says."""
    image = top.inner("network_data_format").inner("inputs").inner("image")
    if image.integer("num_channels", 1, 64) != len(pipeline.channels):
        image.fail("num_channels", f"{len(pipeline.channels)}, the number of the pipeline's channels")
    values = {label.value for label in labels}
    unknown = sorted({value for part in pipeline.parts for value in part.values} - values)
    if unknown:
        raise PackageError(f"A part of the package paints the value {unknown[0]}, which 'labels' does not name.")
    missing = [region.name for region in pipeline.regions if region.value not in values]
    if missing:
        raise PackageError(f"The package's region '{missing[0]}' paints a value that 'labels' does not name.")


def _name(top: Fields) -> str:
    name = top.text("name")
    if not is_package_name(name):
        top.fail("name", "letters, digits, '-', '_' and '.', as it becomes a folder's name")
    return name


def is_package_name(name: str) -> bool:
    """Whether a name can be a folder's name on every system: ASCII letters, digits, '-', '_', '.', not first a '.'."""
    plain = name.replace("-", "").replace("_", "").replace(".", "")
    return name.isascii() and plain.isalnum() and not name.startswith(".") and not name.endswith(".")


def _check_bundle(top: Fields, classes: int, spatial_dims: int) -> None:
    """The fields that the MONAI Bundle specification requires."""
    for key in BUNDLE_TEXTS:
        top.text(key)
    top.mapping("changelog")
    top.mapping("optional_packages_version" if top.has("optional_packages_version") else "required_packages_version")
    tensors = top.inner("network_data_format")
    _tensor(tensors.inner("inputs").inner("image"), spatial_dims).integer("num_channels", 1, 64)
    prediction = _tensor(tensors.inner("outputs").inner("pred"), spatial_dims)
    if prediction.integer("num_channels", 1, MAXIMUM_CLASSES) != classes:
        prediction.fail("num_channels", f"{classes}, the number of entries in 'labels' (or of its regions)")


def _tensor(tensor: Fields, spatial_dims: int) -> Fields:
    for key in TENSOR_TEXTS:
        tensor.text(key)
    shape = tensor.content.get("spatial_shape")
    if not isinstance(shape, list) or len(shape) != spatial_dims:
        tensor.fail("spatial_shape", f"a list of {spatial_dims} sizes, as many as 'patch' has")
    if not isinstance(tensor.content.get("value_range"), list):
        tensor.fail("value_range", "[low, high], or [] when it is not known")
    tensor.mapping("channel_def")
    return tensor


def _weights(top: Fields) -> str:
    if not top.has("weights"):
        return ""
    return inner_path(top, "weights", ".safetensors")


def _graphs(top: Fields) -> dict[str, str]:
    graphs = top.inner("graphs")
    if tuple(sorted(graphs.content)) not in GRAPH_ROLES:
        top.fail("graphs", "{'main': file}, {'encoder': file, 'decoder': file} or {}")
    return {role: inner_path(graphs, role, ".onnx") for role in graphs.content}


def _orientation(top: Fields) -> str:
    code = top.text("orientation")
    if code == STACK:
        return code
    if (
        sorted(axis for letter in code for axis, pair in enumerate(AXES) if letter in pair) != [0, 1, 2]
        or len(code) != 3
    ):
        top.fail("orientation", "three letters, one each of R/L, A/P and S/I, such as 'RAS', or 'stack'")
    return code


def _spacing(top: Fields) -> tuple[float, float, float] | None:
    if "spacing" in top.content and top.content["spacing"] is None:
        return None
    x, y, z = top.numbers("spacing", 3, 0.0, 1e4)
    keeps_slices = z == 0.0 and top.text("orientation") == STACK
    if min(x, y) < 1e-4 or (z < 1e-4 and not keeps_slices):
        top.fail("spacing", "three numbers of mm above 0; across a stack also 0, for the scan's own")
    return (x, y, z)


def _cavity(top: Fields, labels: tuple[Label, ...]) -> Cavity | None:
    if not top.has("cavity"):
        return None
    section = top.inner("cavity")
    value = section.integer("value", 1, MAXIMUM_CLASSES - 1)
    if value not in {label.value for label in labels}:
        section.fail("value", "the value of one of its labels")
    factor = section.number("outline_factor", 0.0, 1e3) if section.has("outline_factor") else math.nan
    return Cavity(value, factor)


def _label(entry: Fields) -> Label:
    codes = entry.inner("terminology") if entry.has("terminology") else Fields({})
    r, g, b = entry.numbers("color", 3, 0.0, 1.0)
    return Label(
        value=entry.integer("value", 0, MAXIMUM_CLASSES - 1),
        name=entry.text("name"),
        color=(r, g, b),
        category=_code(codes, "category"),
        type=_code(codes, "type"),
        modifier=_code(codes, "modifier"),
    )


def _code(codes: Fields, key: str) -> Code | None:
    if not codes.has(key):
        return None
    parts = codes.texts(key)
    if len(parts) != 3:
        codes.fail(key, "[code, scheme, meaning], such as ['10200004', 'SCT', 'Liver']")
    return Code(*parts)


def _check_labels(labels: tuple[Label, ...]) -> None:
    values = [label.value for label in labels]
    names = [label.name for label in labels]
    if values[0] != 0:
        raise PackageError(
            f"The first of the package's labels must be the background with value 0; it has {values[0]}."
        )
    if len(labels) < 2 or len(set(values)) != len(values) or len(set(names)) != len(names):
        raise PackageError(
            "The package's labels need the background and at least one structure, each value and name once."
        )


def _kinds(uncertainty: Fields, head: str) -> tuple[str, tuple[str, ...]]:
    kinds = uncertainty.texts("kinds")
    if head == "softmax" and "vacuity" in kinds:
        uncertainty.fail("kinds", "no 'vacuity': only an evidential head has it")
    if uncertainty.has("volume_probability"):
        uncertainty.number("volume_probability", 0.5, 1.0)
    if uncertainty.has("size_stretch"):
        uncertainty.number("size_stretch", 0.1, 100.0)
    if uncertainty.has("sample_temperature"):
        uncertainty.number("sample_temperature", 0.1, 100.0)
    return uncertainty.choice("primary", kinds), kinds


def _expected(top: Fields) -> Expected:
    expected = top.inner("expected") if top.has("expected") else Fields({})
    contrast = expected.inner("contrast") if expected.has("contrast") else Fields({})
    volume = expected.inner("volume_ml") if expected.has("volume_ml") else Fields({})
    return Expected(
        spacing_mm=expected.interval("spacing_mm") if expected.has("spacing_mm") else None,
        extent_mm=expected.interval("extent_mm") if expected.has("extent_mm") else None,
        contrast={name: contrast.interval(name) for name in contrast.content},
        volume_ml={name: volume.interval(name) for name in volume.content},
    )
