"""Import of models that other people made: what comes in, what is refused, and that no code in them ever runs."""

import copy
import errno
import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from SUREUncertaintyLib.core.errors import OutputError
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.nn.export import export_onnx
from SUREUncertaintyLib.packages import catalogue
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.foreign_bundle import describe_bundle
from SUREUncertaintyLib.packages.foreign_bundle import resolve
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.staging import copy_files
from SUREUncertaintyLib.packages.weights import load_network

ARGUMENTS = {
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 2,
    "channels": [4, 8],
    "strides": [2],
    "num_res_units": 1,
    "norm": "batch",
}


def tensor_format(channels: int, names: dict[str, str]) -> dict[str, Any]:
    shape = {"type": "image", "dtype": "float32", "spatial_shape": [16, 16, 32], "value_range": []}
    return {**shape, "format": "hounsfield", "modality": "CT", "num_channels": channels, "channel_def": names}


DOCUMENT: dict[str, Any] = {
    "version": "0.5.3",
    "changelog": {"0.5.3": "first"},
    "monai_version": "1.4.0",
    "pytorch_version": "2.4.0",
    "numpy_version": "1.24.4",
    "required_packages_version": {"nibabel": "5.2.1"},
    "name": "Spleen CT segmentation",
    "task": "Spleen segmentation in CT",
    "description": "Made for this test",
    "authors": "Somebody else",
    "copyright": "Somebody else",
    "network_data_format": {
        "inputs": {"image": tensor_format(1, {"0": "image"})},
        "outputs": {"pred": tensor_format(2, {"0": "background", "1": "spleen"})},
    },
}
CONFIG: dict[str, Any] = {
    "imports": ["$import glob"],
    "image_key": "image",
    "classes": 2,
    "device": "$torch.device('cpu')",
    "network_def": {"_target_": "UNet", **ARGUMENTS, "out_channels": "@classes"},
    "preprocessing": {
        "_target_": "Compose",
        "transforms": [
            {"_target_": "LoadImaged", "keys": "@image_key"},
            {"_target_": "EnsureChannelFirstd", "keys": "@image_key"},
            {"_target_": "Orientationd", "keys": "@image_key", "axcodes": "RAS"},
            {"_target_": "Spacingd", "keys": "@image_key", "pixdim": [1.5, 1.6, 2.0], "mode": "bilinear"},
            {
                "_target_": "ScaleIntensityRanged",
                "keys": "@image_key",
                "a_min": -57,
                "a_max": 164,
                "b_min": 0,
                "b_max": 1,
                "clip": True,
            },
            {"_target_": "EnsureTyped", "keys": "@image_key"},
        ],
    },
    "inferer": {"_target_": "SlidingWindowInferer", "roi_size": [16, 16, 32], "overlap": 0.5},
    "postprocessing": {"_target_": "Compose", "transforms": [{"_target_": "Activationsd", "softmax": True}]},
}


@pytest.fixture(autouse=True)
def user_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models, empty; nothing is built in."""
    monkeypatch.setattr(catalogue, "BUILT_IN", tmp_path / "built-in")
    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "user models é"))
    return tmp_path / "user models é"


@pytest.fixture(scope="module")
def foreign_network() -> torch.nn.Module:
    from monai.networks.nets import UNet

    torch.manual_seed(3)
    return UNet(**ARGUMENTS).eval()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A MONAI Bundle as others make them, without weights yet."""
    root = tmp_path / "spleen_ct_segmentation"
    for folder in ("configs", "models", "docs"):
        (root / folder).mkdir(parents=True)
    (root / "docs" / "license.txt").write_text("Their licence")
    write_configs(root, DOCUMENT, CONFIG)
    return root


def write_configs(root: Path, document: dict[str, Any], config: dict[str, Any]) -> None:
    (root / "configs" / "metadata.json").write_text(json.dumps(document))
    (root / "configs" / "inference.json").write_text(json.dumps(config))


def assert_nothing_came_in(user_models: Path) -> None:
    assert not user_models.exists() or list(user_models.iterdir()) == []


# Packages of ours


def test_a_package_comes_in_whole_and_keeps_its_fingerprint(tiny_package: Package, user_models: Path) -> None:
    imported = import_package(tiny_package.root)
    assert imported.root == user_models / "tiny"
    assert imported.fingerprint == tiny_package.fingerprint
    assert find_package("tiny").root == imported.root


def test_a_package_can_get_another_name_and_names_are_taken_once(tiny_package: Package) -> None:
    assert import_package(tiny_package.root, name="hippo-2").name == "hippo-2"
    with pytest.raises(PackageError, match=r"named 'hippo-2' already.*--name"):
        import_package(tiny_package.root, name="hippo-2")


@pytest.mark.parametrize("name", ["../evil", "a b", ".hidden", "", "é"])
def test_a_name_that_is_no_folder_is_refused(tiny_package: Package, name: str, user_models: Path) -> None:
    if not name:
        assert import_package(tiny_package.root, name=name).name == "tiny"
        return
    with pytest.raises(PackageError, match="cannot name a model"):
        import_package(tiny_package.root, name=name)
    assert_nothing_came_in(user_models)


def test_a_tampered_package_stays_outside(tiny_package: Package, tmp_path: Path, user_models: Path) -> None:
    copy_files(tiny_package.root, tmp_path / "copy")
    (tmp_path / "copy" / "models" / "model.onnx").write_bytes(b"other")
    with pytest.raises(PackageError, match=r"changed: models/model\.onnx"):
        import_package(tmp_path / "copy")
    assert_nothing_came_in(user_models)


def test_a_sealed_package_with_a_pickle_in_it_stays_outside(
    tiny_package: Package, tmp_path: Path, user_models: Path
) -> None:
    from SUREUncertaintyLib.packages.integrity import seal

    copy_files(tiny_package.root, tmp_path / "copy")
    (tmp_path / "copy" / "models" / "model.pt").write_bytes(b"x")
    seal(tmp_path / "copy")
    with pytest.raises(PackageError, match=r"can carry code.*models/model\.pt"):
        import_package(tmp_path / "copy")
    assert_nothing_came_in(user_models)


def test_a_folder_that_cannot_be_written_gets_a_sentence(
    tiny_package: Package, user_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_models.write_bytes(b"a file where the folder should be")
    with pytest.raises(OutputError, match="cannot be written"):
        import_package(tiny_package.root)
    monkeypatch.setenv("SURE_MODELS", str(user_models.parent / "other"))
    monkeypatch.setattr(shutil, "copyfile", full_after(3, shutil.copyfile))
    with pytest.raises(OutputError, match="The disk is full"):
        import_package(tiny_package.root)
    assert_nothing_came_in(user_models.parent / "other")


def full_after(count: int, copyfile: Callable[..., Any]) -> Callable[..., Any]:
    copied: list[Any] = []

    def copy(*arguments: Any) -> Any:
        copied.append(arguments)
        if len(copied) > count:
            raise OSError(errno.ENOSPC, "No space left on device")
        return copyfile(*arguments)

    return copy


@pytest.mark.parametrize(
    ("file", "words"),
    [("model.pt", "can carry code"), ("model.ts", "can carry code"), ("bundle.zip", "Unpack"), ("nothing", "no model")],
)
def test_what_is_no_folder_gets_a_sentence(file: str, words: str, tmp_path: Path) -> None:
    if file != "nothing":
        (tmp_path / file).write_bytes(b"x")
    with pytest.raises(PackageError, match=words):
        import_package(tmp_path / file)


# Bundles of others


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
    from SUREUncertaintyLib.inference.choose import create_engine

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


# Pickles


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.marker),))


def test_a_pickle_is_refused_with_a_way_out(bundle: Path, foreign_network: torch.nn.Module, user_models: Path) -> None:
    torch.save(foreign_network.state_dict(), bundle / "models" / "model.pt")
    with pytest.raises(PackageError, match=r"are a pickle.*--convert"):
        import_package(bundle)
    assert_nothing_came_in(user_models)


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in s.items()}}]
)
def test_convert_takes_the_tensors_of_a_checkpoint(
    wrap: Callable[[Any], Any], bundle: Path, foreign_network: torch.nn.Module
) -> None:
    torch.save(wrap(foreign_network.state_dict()), bundle / "models" / "model.pt")
    package = import_package(bundle, convert=True)
    assert not list(package.root.rglob("*.pt"))
    found = load_network(package).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in foreign_network.state_dict().items())


@pytest.mark.parametrize("legacy", [False, True], ids=["torch.save", "plain pickle"])
def test_code_in_a_pickle_is_refused_and_never_runs(
    legacy: bool, bundle: Path, tmp_path: Path, user_models: Path
) -> None:
    file, marker = bundle / "models" / "model.pt", tmp_path / "it ran"
    if legacy:
        file.write_bytes(pickle.dumps({"weight": Payload(marker)}))
    else:
        torch.save({"weight": Payload(marker)}, file)
    with pytest.raises(PackageError, match="Python objects beside tensors"):
        import_package(bundle, convert=True)
    assert not marker.exists()
    assert_nothing_came_in(user_models)


@pytest.mark.parametrize("name", ["model.ts", "model.pt"])
@pytest.mark.parametrize("convert", [False, True])
def test_torchscript_is_refused_under_any_name(
    name: str, convert: bool, bundle: Path, foreign_network: torch.nn.Module, user_models: Path
) -> None:
    torch.jit.trace(torch.nn.Conv3d(1, 2, 1), torch.zeros(1, 1, 4, 4, 4)).save(str(bundle / "models" / name))
    with pytest.raises(PackageError, match="TorchScript"):
        import_package(bundle, convert=convert)
    assert_nothing_came_in(user_models)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04 half a zip"])
def test_a_broken_checkpoint_gets_a_sentence(content: bytes, bundle: Path, user_models: Path) -> None:
    (bundle / "models" / "model.pt").write_bytes(content)
    with pytest.raises(PackageError, match=r"model\.pt cannot be converted"):
        import_package(bundle, convert=True)
    assert_nothing_came_in(user_models)


def test_a_checkpoint_without_a_state_dict_gets_a_sentence(bundle: Path) -> None:
    torch.save({"epoch": 3}, bundle / "models" / "model.pt")
    with pytest.raises(PackageError, match="holds no state dict"):
        import_package(bundle, convert=True)


def test_a_bundle_without_weights_says_what_is_needed(bundle: Path) -> None:
    with pytest.raises(
        PackageError, match=r"holds no weights. Needed is models/model\.safetensors or models/model\.onnx"
    ):
        import_package(bundle)
