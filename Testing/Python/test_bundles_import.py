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
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.monai_bundle.config import Config
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.pipeline import LINEAR, Channel, ChannelNormalisation
from SUREUncertaintyLib.packages.staging import copy_files
from SUREUncertaintyLib.packages.weights import load_network

pytestmark = pytest.mark.usefixtures("user_models")


def test_a_bundle_with_safetensors_becomes_a_package(bundle: Path, foreign_network: torch.nn.Module) -> None:
    save_file(foreign_network.state_dict(), bundle / "models" / "model.safetensors")
    package = import_package(bundle, name="spleen-ct")
    facts = package.metadata
    assert (facts.network, facts.network_arguments["out_channels"]) == ("monai.networks.nets.UNet", 2)
    pipeline = facts.pipeline
    assert pipeline is not None
    assert (pipeline.orientation, pipeline.transpose, pipeline.spacing) == ("RAS", (2, 1, 0), (1.5, 1.6, 2.0))
    assert (facts.patch, pipeline.order, pipeline.image) == ((16, 16, 32), ("resample", "normalise", "crop"), LINEAR)
    scaling = ChannelNormalisation("range", low=-57.0, high=164.0, to_low=0.0, to_high=1.0, clip=True)
    assert pipeline.channels == (Channel("image", (scaling,)),)
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
        found = create_engine(package, engine, "cpu").logits(window[:1])
        np.testing.assert_allclose(found, expected[:1], atol=1e-4)


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


def test_our_own_package_stripped_to_a_bundle_comes_back_with_the_same_pipeline(
    tiny_package: Package, tmp_path: Path
) -> None:
    """The reading of bundles undoes the writing of them; MONAI counts axes the other way round."""
    copy_files(tiny_package.root, tmp_path / "plain")
    ours = {"head", "normalisation", "orientation", "spacing", "patch", "overlap", "labels", "uncertainty", "network"}
    document = {key: value for key, value in tiny_package.metadata.raw.items() if key not in ours}
    (tmp_path / "plain" / "configs" / "metadata.json").write_text(json.dumps(document))
    again, first = import_package(tmp_path / "plain").metadata, tiny_package.metadata
    for fact in ("network", "network_arguments", "patch", "overlap"):
        assert getattr(again, fact) == getattr(first, fact), fact
    pipeline = again.pipeline
    assert pipeline is not None
    assert (pipeline.orientation, pipeline.tiles, pipeline.blend) == (first.orientation[::-1], "monai", "gaussian")
    assert pipeline.spacing == tuple(reversed(first.spacing or ()))
    assert [one.kind for one in pipeline.channels[0].normalisation] == ["standardise"]
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
ACTIVATE = {"_target_": "Activationsd", "keys": "pred"}
FUNCTION = {"_target_": "Lambdad", "keys": "pred", "func": "$lambda x: x + 1"}
ENGINE = {"_target_": "SupervisedEvaluator", "network": "@network", "inferer": "@inferer"}


AFTER = ("postprocessing", "transforms")
KEEP = {"_target_": "KeepLargestConnectedComponentd", "keys": "pred"}
MAP = {"_target_": "MapLabelValued", "keys": "pred", "orig_labels": [1], "target_labels": [6]}
OTHER = {"_target_": "Activationsd", "keys": "pred", "softmax": False, "other": "$lambda x: torch.sigmoid(x)"}
TURN, SPACE = CONFIG["preprocessing"]["transforms"][2:4]

REFUSED: list[tuple[str, Callable[[dict[str, Any]], None], str]] = [
    ("network not allowed", change("network_def", "_target_", value="os.system"), "not on the list"),
    ("network unknown", change("network_def"), "no 'network_def'"),
    ("argument is code", change("network_def", "norm", value="$__import__('os').getcwd()"), "Python expression"),
    ("reference to nothing", change("network_def", "norm", value="@nowhere"), "refers to '@nowhere'"),
    ("reference in circles", change("classes", value="@classes"), "in circles"),
    ("entry from elsewhere", change("network_def", "norm", value="%other.json::norm"), "from elsewhere"),
    ("transforms are code", change(*TRANSFORMS, value="$@a + @b"), "refers to '@a'"),
    ("no transforms", change(*TRANSFORMS), "no list of transforms"),
    ("unknown transform", change(*TRANSFORMS, 5, value={"_target_": "Resized", "keys": "image"}), "with Resize;"),
    ("its own code", change(*TRANSFORMS, 5, value={"_target_": "scripts.mine.Stepd", "keys": "image"}), "scripts.mine"),
    ("another key", change(*TRANSFORMS, 5, "keys", value="label"), "EnsureType with 'keys'"),
    ("range without aim", change(*TRANSFORMS, 4, "b_min"), "ScaleIntensityRange with 'b_min'"),
    ("two spacings", change(*TRANSFORMS, 3, "pixdim", value=[1, 0]), "Spacing with 'pixdim'"),
    ("spacing by the nearest", change(*TRANSFORMS, 3, "mode", value="nearest"), "Spacing with 'mode': 'nearest'"),
    ("unknown option", change(*TRANSFORMS, 3, "warp", value=True), "Spacing with 'warp'"),
    ("turned after spacing", change(*TRANSFORMS, slice(2, 4), value=[SPACE, TURN]), "after Spacingd"),
    ("twice", change(*TRANSFORMS, 5, value=SPACE), "twice"),
    ("no window", change("inferer"), "inferer is not given"),
    ("its own inferer", change("inferer", "_target_", value="scripts.inferer.Mine"), "scripts.inferer.Mine"),
    ("odd window", change("inferer", "roi_size", value=[16, 0, 32]), "'roi_size'"),
    ("window too small for the network", change("inferer", "roi_size", value=[15, 15, 15]), "does not run on a window"),
    ("other blending", change("inferer", "mode", value="maximum"), "'mode'"),
    ("other sigma", change("inferer", "sigma_scale", value=0.25), "'sigma_scale'"),
    ("nothing goes back", change(*AFTER, 0), "does not bring its result back"),
    ("overlapping classes", change(*AFTER, 1, value={**ACTIVATE, "sigmoid": True}), "AsDiscrete with 'argmax'"),
    ("labels mapped", change(*AFTER, 3, value=MAP), "changes its result by MapLabelValue"),
    ("hidden sigmoid", change(*AFTER, 1, value=OTHER), "Activations with 'other'"),
    ("largest part of probabilities", change(*AFTER, 2, value=KEEP), "before the label map is made"),
    ("largest part of one-hot", change(*AFTER, 3, value={**KEEP, "is_onehot": True}), "'is_onehot'"),
    ("a function of its own", change(*AFTER, 3, value=FUNCTION), "function of its own"),
    ("another engine", change("evaluator", value={"_target_": "scripts.Mine"}), "no SupervisedEvaluator"),
    ("other parts", change("evaluator", value={**ENGINE, "inferer": "@other"}), "takes '@other' as its inferer"),
    ("another step", change("evaluator", value={**ENGINE, "iteration_update": "$f"}), "'iteration_update'"),
    ("something runs", change("initialize", value=["$os.system('x')"]), "runs .*os.system"),
    ("another network", change("network", value="$torch.nn.Sequential(@network_def, @more)"), "changes its network"),
]
"""Among them the six that came in silently once: what is done the same way now is in test_bundle_agreement.py."""


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
        (
            change("network_data_format", "inputs", "image", "num_channels", value=4),
            r"does not run on a window of \(1, 4,",
        ),
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


def test_references_reach_into_lists_and_objects() -> None:
    config = {"a": {"b": [1, {"c": "@d"}]}, "d": 7}
    assert Config(config).value("@a::b::1::c") == 7
    assert Config(config).value(["@a#b#0", "plain"]) == [1, "plain"]
