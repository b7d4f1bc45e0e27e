"""The metadata of a package: what arrives, what is refused, and which networks it may name."""

from collections.abc import Callable
from typing import Any

import pytest
from package_files import document_of
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.nn.registry import canonical_name, create_network
from SUREUncertaintyLib.packages.metadata_parsing import parse_metadata
from SUREUncertaintyLib.packages.package import Package


def test_metadata_arrives_as_written(tiny_package: Package) -> None:
    facts = tiny_package.metadata
    assert (facts.name, facts.modality, facts.head, facts.orientation) == ("tiny", "MR", "evidential", "RAS")
    assert (facts.spacing, facts.patch, facts.overlap) == ((1.0, 1.0, 1.0), (16, 16, 16), 0.5)
    assert [(label.value, label.name) for label in facts.foreground] == [(1, "shell"), (2, "core")]
    assert (facts.primary, facts.kinds, facts.threshold) == ("vacuity", ("vacuity", "entropy"), 0.5)
    assert facts.channels == 1
    assert facts.graphs == {"main": "models/model.onnx"}


def test_terminology_and_expected_ranges_are_read(tiny_package: Package) -> None:
    document = document_of(tiny_package)
    document["labels"][1]["terminology"] = {
        "category": ["123037004", "SCT", "Anatomical Structure"],
        "type": ["3062003", "SCT", "Hippocampus"],
    }
    document["expected"] = {"spacing_mm": [0.8, 1.2], "extent_mm": [30, 60], "contrast": {"skewness": [-1, 1]}}
    facts = parse_metadata(document)
    kind = facts.labels[1].type
    assert kind is not None
    assert (kind.value, kind.scheme, kind.meaning) == ("3062003", "SCT", "Hippocampus")
    assert facts.labels[1].modifier is None
    assert facts.expected.spacing_mm == (0.8, 1.2)
    assert facts.expected.contrast == {"skewness": (-1.0, 1.0)}


@pytest.mark.parametrize(
    "key",
    [
        *("name", "version", "changelog", "monai_version", "pytorch_version", "numpy_version", "authors", "copyright"),
        *("task", "description", "modality", "network", "head", "graphs", "orientation", "spacing", "normalisation"),
        *("patch", "overlap", "labels", "uncertainty", "network_data_format", "required_packages_version"),
    ],
)
def test_a_missing_field_is_named(tiny_package: Package, key: str) -> None:
    document = document_of(tiny_package)
    del document[key]
    with pytest.raises(PackageError, match=f"lacks '{key}'"):
        parse_metadata(document)


Change = Callable[[dict[str, Any]], Any]


WRONG: list[tuple[str, Change, str]] = [
    ("name with a slash", lambda d: d.update(name="a/b"), "'name'"),
    ("name that climbs", lambda d: d.update(name=".."), "'name'"),
    ("empty text", lambda d: d.update(task=" "), "'task'.*a text"),
    ("unknown head", lambda d: d.update(head="magic"), "'head'.*'evidential'"),
    ("unknown network", lambda d: d["network"].update(name="os.system"), "not on the list"),
    ("arguments no object", lambda d: d["network"].update(arguments=[1]), r"'network\.arguments'"),
    ("pickle as weights", lambda d: d.update(weights="models/model.pt"), "refused"),
    ("weights outside", lambda d: d.update(weights="../model.safetensors"), "inside the package"),
    ("weights on a drive", lambda d: d.update(weights="C:/model.safetensors"), "inside the package"),
    ("absolute graph", lambda d: d.update(graphs={"main": "/m.onnx"}), "inside the package"),
    ("half a pair of graphs", lambda d: d.update(graphs={"encoder": "e.onnx"}), "'graphs'"),
    ("neither weights nor graphs", lambda d: d.update(weights=None, graphs={}), "neither"),
    ("orientation twice", lambda d: d.update(orientation="RLS"), "'orientation'"),
    ("orientation small", lambda d: d.update(orientation="ras"), "'orientation'"),
    ("zero spacing", lambda d: d.update(spacing=[1, 0, 1]), "'spacing'"),
    ("two spacings", lambda d: d.update(spacing=[1, 1]), "'spacing'.*3 numbers"),
    ("unknown normalisation", lambda d: d.update(normalisation={"kind": "magic"}), "normalisation"),
    ("patch of text", lambda d: d.update(patch=["16", 16, 16]), "'patch'"),
    ("patch of zero", lambda d: d.update(patch=[16, 16, 0]), "'patch'"),
    ("full overlap", lambda d: d.update(overlap=1.0), "'overlap'"),
    ("overlap true", lambda d: d.update(overlap=True), "'overlap'"),
    ("no labels", lambda d: d.update(labels=[]), "'labels'"),
    ("no background", lambda d: d["labels"].pop(0), "background"),
    ("label twice", lambda d: d["labels"][1].update(value=2), "once"),
    ("name twice", lambda d: d["labels"][1].update(name="core"), "once"),
    ("bright colour", lambda d: d["labels"][1].update(color=[255, 0, 0]), r"'labels\[1\]\.color'"),
    ("label 300", lambda d: d["labels"][1].update(value=300), r"'labels\[1\]\.value'"),
    ("code of two", lambda d: d["labels"][1].update(terminology={"type": ["1", "SCT"]}), r"labels\[1\]\.terminology"),
    ("primary not a kind", lambda d: d["uncertainty"].update(primary="noise"), r"'uncertainty\.primary'"),
    ("threshold 2", lambda d: d["uncertainty"].update(threshold=2), r"'uncertainty\.threshold'"),
    ("volume range 0.2", lambda d: d["uncertainty"].update(volume_probability=0.2), "volume_probability"),
    ("softmax with vacuity", lambda d: d.update(head="softmax"), "vacuity"),
    ("backward range", lambda d: d.update(expected={"spacing_mm": [2, 1]}), r"'expected\.spacing_mm'"),
    ("range with NaN", lambda d: d.update(expected={"contrast": {"a": [float("nan"), 1]}}), r"'expected\.contrast\.a'"),
    (
        "more classes than labels",
        lambda d: d["network_data_format"]["outputs"]["pred"].update(num_channels=4),
        r"'network_data_format\.outputs\.pred\.num_channels'",
    ),
    (
        "no image",
        lambda d: d["network_data_format"]["inputs"].clear(),
        r"lacks 'network_data_format\.inputs\.image'",
    ),
    (
        "planar shape",
        lambda d: d["network_data_format"]["inputs"]["image"].update(spatial_shape=[16, 16]),
        "as many as 'patch'",
    ),
]


@pytest.mark.parametrize(("change", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_wrong_field_is_named(tiny_package: Package, change: Change, words: str) -> None:
    document = document_of(tiny_package)
    change(document)
    with pytest.raises(PackageError, match=words):
        parse_metadata(document)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("unet", "unet"),
        ("SUREUncertaintyLib.nn.unet.UNet", "unet"),
        ("UNet", "monai.networks.nets.UNet"),
        ("monai.networks.nets.segresnet.SegResNet", "monai.networks.nets.SegResNet"),
    ],
)
def test_allowed_networks_have_one_name(target: str, name: str) -> None:
    assert canonical_name(target) == name


@pytest.mark.parametrize(
    "target", ["os.system", "evil.UNet", "monai.networks.netsx.UNet", "monai.bundle.run", "", "torch.load"]
)
def test_other_targets_are_refused(target: str) -> None:
    with pytest.raises(PackageError, match="not on the list"):
        canonical_name(target)


@pytest.mark.torch
def test_every_allowed_network_exists_in_monai() -> None:
    import monai.networks.nets
    from SUREUncertaintyLib.nn.registry import MONAI_NETWORKS

    assert [name for name in sorted(MONAI_NETWORKS) if not hasattr(monai.networks.nets, name)] == []


@pytest.mark.torch
def test_arguments_that_a_network_does_not_take_get_a_sentence() -> None:
    with pytest.raises(PackageError, match="cannot be built"):
        create_network("unet", {"spatial_dims": 3, "colour": "blue"})
