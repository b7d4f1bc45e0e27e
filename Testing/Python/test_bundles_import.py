"""Import of MONAI bundles that other people made: what comes in, and what would run differently here."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import CONFIG, DOCUMENT, assert_nothing_came_in, tensor_format, write_configs
from needed_torch import torch
from safetensors.torch import save_file
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.nn.export import export_onnx
from SUREUncertaintyLib.packages.foreign_bundle import describe_bundle, resolve
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.staging import copy_files
from SUREUncertaintyLib.packages.weights import load_network

pytestmark = pytest.mark.usefixtures("user_models")


def test_a_bundle_with_safetensors_becomes_a_package(bundle: Path, foreign_network: torch.nn.Module) -> None:
    save_file(foreign_network.state_dict(), bundle / "models" / "model.safetensors")
    package = import_package(bundle, name="spleen-ct")
    facts = package.metadata
    assert (facts.network, facts.network_arguments["out_channels"]) == ("monai.networks.nets.UNet", 2)
    assert (facts.orientation, facts.spacing, facts.patch) == ("SAR", (2.0, 1.6, 1.5), (16, 16, 32))
    assert facts.normalisation == {"kind": "range", "low": -57.0, "high": 164.0}
    assert [label.name for label in facts.labels] == ["background", "spleen"]
    assert (facts.head, facts.primary, facts.modality) == ("softmax", "entropy", "CT")
    assert (package.root / "LICENSE").read_text(encoding="utf-8") == "Their licence"
    assert facts.raw["authors"] == "Somebody else"


def test_an_imported_network_computes_what_the_original_does_in_both_engines(
    bundle: Path, foreign_network: torch.nn.Module
) -> None:
    from SUREUncertaintyLib.inference.engine_choice import create_engine

    save_file(foreign_network.state_dict(), bundle / "models" / "model.safetensors")
    package = import_package(bundle)
    window = np.random.default_rng(5).standard_normal((2, 1, 16, 16, 32)).astype(np.float32)
    with torch.no_grad():
        expected = foreign_network(torch.from_numpy(window)).numpy()
    assert torch.equal(load_network(package)(torch.from_numpy(window)), torch.from_numpy(expected))
    for engine in ("torch", "openvino"):
        found = create_engine(package, engine, "cpu").logits(window)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_bundle_that_only_has_a_graph_runs_without_torch_weights(
    bundle: Path, foreign_network: torch.nn.Module
) -> None:
    export_onnx(foreign_network, bundle / "models" / "model.onnx", (1, 1, 16, 16, 32))
    package = import_package(bundle)
    assert package.graph_path().is_file()
    with pytest.raises(PackageError, match="no PyTorch weights; use the OpenVINO engine"):
        _ = package.weights_path


def test_a_graph_with_other_classes_is_refused(
    bundle: Path, foreign_network: torch.nn.Module, user_models: Path
) -> None:
    document = copy.deepcopy(DOCUMENT)
    names = {"0": "background", "1": "spleen", "2": "tumour"}
    document["network_data_format"]["outputs"]["pred"] = tensor_format(3, names)
    write_configs(bundle, document, CONFIG)
    export_onnx(foreign_network, bundle / "models" / "model.onnx", (1, 1, 16, 16, 32))
    with pytest.raises(PackageError, match="give 3 classes"):
        import_package(bundle)
    assert_nothing_came_in(user_models)


def test_a_file_that_is_no_graph_is_refused(bundle: Path, user_models: Path) -> None:
    (bundle / "models" / "model.onnx").write_bytes(b"not ONNX")
    with pytest.raises(PackageError, match="OpenVINO cannot read"):
        import_package(bundle)
    assert_nothing_came_in(user_models)


def test_weights_of_another_network_are_refused(bundle: Path, user_models: Path) -> None:
    save_file({"a": torch.zeros(3)}, bundle / "models" / "model.safetensors")
    with pytest.raises(PackageError, match="do not fit the network"):
        import_package(bundle)
    assert_nothing_came_in(user_models)


def test_our_own_package_stripped_to_a_bundle_comes_back_with_the_same_facts(
    tiny_package: Package, tmp_path: Path
) -> None:
    """The reading of bundles undoes the writing of them."""
    copy_files(tiny_package.root, tmp_path / "plain")
    ours = {"head", "normalisation", "orientation", "spacing", "patch", "overlap", "labels", "uncertainty", "network"}
    document = {key: value for key, value in tiny_package.metadata.raw.items() if key not in ours}
    (tmp_path / "plain" / "configs" / "metadata.json").write_text(json.dumps(document))
    again = import_package(tmp_path / "plain").metadata
    first = tiny_package.metadata
    for fact in ("network", "network_arguments", "orientation", "spacing", "normalisation", "patch", "overlap"):
        assert getattr(again, fact) == getattr(first, fact), fact
    assert [label.name for label in again.labels] == [label.name for label in first.labels]


def change(*path: Any, value: Any = None) -> Callable[[dict[str, Any]], None]:
    """Set, or with ``value=None`` remove, an entry of a nested document."""

    def apply(content: Any) -> None:
        for key in path[:-1]:
            content = content[key]
        if value is None:
            del content[path[-1]]
        else:
            content[path[-1]] = value

    return apply


TRANSFORMS = ("preprocessing", "transforms")


REFUSED: list[tuple[str, Callable[[dict[str, Any]], None], str]] = [
    ("network not allowed", change("network_def", "_target_", value="os.system"), "not on the list"),
    ("network unknown", change("network_def"), "no 'network_def'"),
    ("argument is code", change("network_def", "norm", value="$__import__('os').getcwd()"), "Python expression"),
    ("reference to nothing", change("network_def", "norm", value="@nowhere"), "refers to '@nowhere'"),
    ("reference in circles", change("classes", value="@classes"), "in circles"),
    ("transforms are code", change(*TRANSFORMS, value="$@a + @b"), "Python expression"),
    ("no transforms", change(*TRANSFORMS), "no list of transforms"),
    ("no orientation", change(*TRANSFORMS, 2), "which orientation"),
    ("unknown transform", change(*TRANSFORMS, 5, value={"_target_": "CropForegroundd"}), "CropForeground"),
    ("range not 0..1", change(*TRANSFORMS, 4, "b_min", value=-1), "0..1"),
    ("range without clip", change(*TRANSFORMS, 4, "clip"), "0..1"),
    ("two spacings", change(*TRANSFORMS, 3, "pixdim", value=[1, 1]), "pixdim"),
    ("no intensities", change(*TRANSFORMS, 4), "nothing"),
    ("twice", change(*TRANSFORMS, 5, value={"_target_": "Spacingd"}), "twice"),
    ("no window", change("inferer"), "window is unknown"),
    ("odd window", change("inferer", "roi_size", value=[16, 0, 32]), "'patch'"),
    ("window too small for the network", change("inferer", "roi_size", value=[15, 15, 15]), "does not run on a window"),
    ("sliced sideways", change("inferer", "spatial_dim", value=2), "slices along another axis"),
    ("overlapping classes", change("postprocessing", "transforms", 0, "sigmoid", value=True), "sigmoid"),
]


@pytest.mark.parametrize(("damage", "words"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_bundle_that_would_run_differently_here_is_refused(
    damage: Callable[[dict[str, Any]], None],
    words: str,
    bundle: Path,
    foreign_network: torch.nn.Module,
    user_models: Path,
) -> None:
    config = copy.deepcopy(CONFIG)
    damage(config)
    write_configs(bundle, DOCUMENT, config)
    save_file(foreign_network.state_dict(), bundle / "models" / "model.safetensors")
    with pytest.raises(PackageError, match=words):
        import_package(bundle)
    assert_nothing_came_in(user_models)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (change("network_data_format", "inputs", "image", "num_channels", value=4), "one scan is segmented at a time"),
        (change("network_data_format", "outputs", "pred", "channel_def", "0", value="spleen"), "background"),
        (change("network_data_format"), "lacks 'network_data_format'"),
        (change("authors"), "lacks 'authors'"),
    ],
)
def test_a_bundle_whose_metadata_does_not_suit_is_refused(
    damage: Callable[[dict[str, Any]], None], words: str, bundle: Path, foreign_network: torch.nn.Module
) -> None:
    document = copy.deepcopy(DOCUMENT)
    damage(document)
    write_configs(bundle, document, CONFIG)
    save_file(foreign_network.state_dict(), bundle / "models" / "model.safetensors")
    with pytest.raises(PackageError, match=words):
        import_package(bundle)


def test_a_bundle_with_yaml_is_told_what_to_do(bundle: Path) -> None:
    (bundle / "configs" / "inference.json").rename(bundle / "configs" / "inference.yaml")
    with pytest.raises(PackageError, match=r"inference\.yaml; save that as JSON"):
        import_package(bundle)


@pytest.mark.parametrize(
    ("transforms", "expected"),
    [
        ([{"_target_": "NormalizeIntensityd", "nonzero": True}], {"kind": "zscore", "mask": "nonzero"}),
        ([{"_target_": "monai.transforms.ScaleIntensityd"}], {"kind": "minmax"}),
        (
            [{"_target_": "ClipIntensityPercentilesd", "lower": 1, "upper": 99}, {"_target_": "NormalizeIntensityd"}],
            {"kind": "zscore", "clip_percentiles": [1.0, 99.0]},
        ),
    ],
)
def test_the_usual_normalisations_are_understood(transforms: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    config = copy.deepcopy(CONFIG)
    config["preprocessing"]["transforms"][4:5] = transforms
    assert describe_bundle(DOCUMENT, config, "x")["normalisation"] == expected


def test_references_reach_into_lists_and_objects() -> None:
    config = {"a": {"b": [1, {"c": "@d"}]}, "d": 7}
    assert resolve(config, "@a::b::1::c") == 7
    assert resolve(config, ["@a#b#0", "plain"]) == [1, "plain"]
