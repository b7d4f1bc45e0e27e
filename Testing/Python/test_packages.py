"""Model packages: what is in one, what is refused, and that nothing in it can change unnoticed."""

import copy
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from SUREUncertaintyLib.core.errors import OutputError
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.nn.export import graph_difference
from SUREUncertaintyLib.nn.registry import canonical_name
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.packages import catalogue
from SUREUncertaintyLib.packages.building import amend_package
from SUREUncertaintyLib.packages.building import build_package
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.catalogue import list_entries
from SUREUncertaintyLib.packages.catalogue import list_packages
from SUREUncertaintyLib.packages.catalogue import user_folder
from SUREUncertaintyLib.packages.integrity import differences
from SUREUncertaintyLib.packages.metadata import Code
from SUREUncertaintyLib.packages.model_card import model_card
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package import load_package
from SUREUncertaintyLib.packages.parsing import parse_metadata
from SUREUncertaintyLib.packages.staging import copy_files
from SUREUncertaintyLib.packages.weights import load_network
from tiny import build_tiny
from tiny import tiny_document

FILES = {
    "LICENSE",
    "configs/checksums.json",
    "configs/inference.json",
    "configs/metadata.json",
    "docs/README.md",
    "models/model.onnx",
    "models/model.safetensors",
}


@pytest.fixture
def package(tiny_package: Package, tmp_path: Path) -> Package:
    """A copy of the tiny package that a test may damage."""
    copy_files(tiny_package.root, tmp_path / "tiny")
    return load_package(tmp_path / "tiny")


def document_of(package: Package) -> dict[str, Any]:
    return copy.deepcopy(package.metadata.raw)


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# Layout, fingerprint, integrity


def test_a_built_package_holds_exactly_the_files_of_the_format(tiny_package: Package) -> None:
    assert files_below(tiny_package.root) == FILES
    assert tiny_package.size_bytes == sum((tiny_package.root / name).stat().st_size for name in FILES)


def test_the_fingerprint_is_the_hash_of_what_sha256sum_prints(tiny_package: Package) -> None:
    names = sorted(FILES - {"configs/checksums.json"})
    lines = [f"{hashlib.sha256((tiny_package.root / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    assert tiny_package.fingerprint == hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.parametrize("name", sorted(FILES - {"configs/checksums.json", "configs/metadata.json"}))
def test_one_changed_bit_in_any_file_is_found_and_named(package: Package, name: str) -> None:
    content = bytearray((package.root / name).read_bytes())
    content[len(content) // 2] ^= 1
    (package.root / name).write_bytes(content)
    with pytest.raises(PackageError, match=f"not as it was made.*changed: {name}"):
        load_package(package.root)


def test_a_changed_but_valid_metadata_file_is_found(package: Package) -> None:
    document = document_of(package) | {"orientation": "LAS"}
    (package.root / "configs/metadata.json").write_text(json.dumps(document))
    with pytest.raises(PackageError, match=r"changed: configs/metadata\.json"):
        load_package(package.root)
    assert load_package(package.root, verify=False).metadata.orientation == "LAS"


def test_missing_and_added_files_are_named(package: Package) -> None:
    (package.root / "LICENSE").unlink()
    (package.root / "models" / "extra.bin").write_bytes(b"x")
    found = differences(package.root)
    assert (found.changed, found.missing, found.extra) == ((), ("LICENSE",), ("models/extra.bin",))
    with pytest.raises(PackageError, match=r"missing: LICENSE; not part of it: models/extra\.bin"):
        load_package(package.root)


def test_litter_of_a_file_browser_does_no_harm(package: Package) -> None:
    (package.root / ".DS_Store").write_bytes(b"x")
    assert load_package(package.root).fingerprint == package.fingerprint


@pytest.mark.parametrize("content", ["", "[]", '{"LICENSE": 1}'])
def test_unusable_checksums_are_refused(package: Package, content: str) -> None:
    (package.root / "configs/checksums.json").write_text(content)
    with pytest.raises(PackageError, match=r"checksums\.json"):
        load_package(package.root)


def test_a_package_without_checksums_cannot_be_trusted(package: Package) -> None:
    (package.root / "configs/checksums.json").unlink()
    with pytest.raises(PackageError, match="cannot be trusted"):
        load_package(package.root)


@pytest.mark.parametrize("content", ["{", "[1]", "\x00", "[" * 100_000])
def test_broken_json_gets_a_sentence(package: Package, content: str) -> None:
    (package.root / "configs/metadata.json").write_text(content)
    with pytest.raises(PackageError, match=r"configs/metadata\.json"):
        load_package(package.root)


def test_a_folder_that_is_no_package_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="no model package at"):
        load_package(tmp_path)


# Metadata


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


def test_every_allowed_network_exists_in_monai() -> None:
    import monai.networks.nets
    from SUREUncertaintyLib.nn.registry import MONAI_NETWORKS

    assert [name for name in sorted(MONAI_NETWORKS) if not hasattr(monai.networks.nets, name)] == []


def test_arguments_that_a_network_does_not_take_get_a_sentence() -> None:
    with pytest.raises(PackageError, match="cannot be built"):
        create_network("unet", {"spatial_dims": 3, "colour": "blue"})


# Weights and graph


def test_both_files_hold_the_same_kernels_rounded_to_half(tiny_package: Package) -> None:
    network = load_network(tiny_package)
    assert not network.training
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    for parameter in network.parameters():
        if parameter.ndim >= 2:
            assert torch.equal(parameter, parameter.half().float())
    with safe_open(tiny_package.weights_path, "np") as tensors:  # type: ignore[no-untyped-call]
        assert tensors.get_tensor("head.weight").dtype == np.float16
    windows = np.random.default_rng(1).standard_normal((3, 1, 16, 16, 16)).astype(np.float32)
    assert graph_difference(network, tiny_package.graph_path(), windows) < 1e-4


def test_the_graph_takes_any_batch_and_size(tiny_package: Package) -> None:
    network = load_network(tiny_package)
    for shape in ((1, 1, 8, 12, 20), (2, 1, 24, 16, 16)):
        windows = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
        assert graph_difference(network, tiny_package.graph_path(), windows) < 1e-4


def test_a_planar_graph_agrees_too(tiny_planar_package: Package) -> None:
    windows = np.random.default_rng(3).standard_normal((2, 1, 32, 16)).astype(np.float32)
    network = load_network(tiny_planar_package)
    assert graph_difference(network, tiny_planar_package.graph_path(), windows) < 1e-4


def test_batch_normalisation_agrees_after_training_and_variances_stay_exact(tmp_path: Path) -> None:
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 3, "channels": [4, 8], "norm": "batch"}
    network = create_network("unet", arguments)
    for _ in range(5):
        network(torch.randn(4, 1, 16, 16) * 50 + 300)
    document = tiny_document(network={"name": "unet", "arguments": arguments}, patch=[16, 16], spacing=None)
    package = build_package(tmp_path / "batch", document, network, "CC0", (1, 1, 16, 16))
    loaded = load_network(package).state_dict()
    vectors = {name: tensor for name, tensor in network.state_dict().items() if tensor.ndim < 2}
    assert vectors
    assert all(torch.equal(loaded[name], tensor) for name, tensor in vectors.items())


def test_the_graph_is_stored_in_half_and_says_nothing_of_its_maker(tiny_package: Package) -> None:
    import onnx

    model = onnx.load(str(tiny_package.graph_path()))
    large = [tensor for tensor in model.graph.initializer if np.prod(tensor.dims) >= 256]
    assert large
    assert {tensor.data_type for tensor in large} == {onnx.TensorProto.FLOAT16}
    assert all(not node.doc_string for node in model.graph.node)
    assert [port.name for port in (*model.graph.input, *model.graph.output)] == ["image", "logits"]


def test_building_leaves_the_network_as_it_was(tmp_path: Path) -> None:
    document = tiny_document()
    network = create_network("unet", document["network"]["arguments"]).train()
    before = copy.deepcopy(network.state_dict())
    build_package(tmp_path / "tiny", document, network, "CC0", (1, 1, 16, 16, 16))
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_weights_of_another_network_get_a_sentence(package: Package) -> None:
    document = document_of(package)
    document["network"]["arguments"]["channels"] = [4, 16]
    (package.root / "configs/metadata.json").write_text(json.dumps(document))
    with pytest.raises(PackageError, match="do not fit the network"):
        load_network(load_package(package.root, verify=False))


def test_truncated_weights_get_a_sentence(package: Package) -> None:
    package.weights_path.write_bytes(package.weights_path.read_bytes()[:1000])
    with pytest.raises(PackageError, match="cannot be read"):
        load_network(package)


def test_a_graph_or_weights_that_are_not_there_get_a_sentence(package: Package) -> None:
    with pytest.raises(PackageError, match="no 'encoder' ONNX graph"):
        package.graph_path("encoder")
    package.graph_path().unlink()
    with pytest.raises(PackageError, match=r"lacks its file models/model\.onnx"):
        package.graph_path()


# Whole or not at all


def test_an_existing_folder_is_kept(package: Package) -> None:
    with pytest.raises(OutputError, match="exists already"):
        build_tiny(package.root)
    assert load_package(package.root).fingerprint == package.fingerprint


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    document = tiny_document()
    network = create_network("unet", document["network"]["arguments"])
    with pytest.raises(PackageError, match="does not end in the patch"):
        build_package(tmp_path / "a", document, network, "CC0", (1, 1, 8, 8, 8))
    with pytest.raises(PackageError, match="'orientation'"):
        build_package(tmp_path / "b", document | {"orientation": "XYZ"}, network, "CC0", (1, 1, 16, 16, 16))
    with pytest.raises(ZeroDivisionError):
        build_package(tmp_path / "c", document, Stubborn(), "CC0", (1, 1, 16, 16, 16))
    assert list(tmp_path.iterdir()) == []


class Stubborn(torch.nn.Module):
    """Fails while it is exported, after the weights were written."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = torch.nn.Parameter(torch.zeros(2, 2))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        raise ZeroDivisionError


def test_a_graph_that_disagrees_is_never_packed(tmp_path: Path) -> None:
    document = tiny_document()
    with pytest.raises(PackageError, match="differs from the network"):
        build_package(tmp_path / "odd", document, Forgetful(), "CC0", (1, 1, 16, 16, 16))
    assert list(tmp_path.iterdir()) == []


class Forgetful(torch.nn.Module):
    """Depends on a Python number, which tracing freezes at the value for an empty image."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        factor = float(image.abs().max())
        return torch.cat([image * factor, -image, image], 1)


def test_amending_rewrites_card_and_checksums_and_nothing_else(package: Package) -> None:
    weights = package.weights_path.read_bytes()
    metrics = {"dice": {"core": {"mean": 0.8765, "low": 0.86, "high": 0.89, "n": 30}}}
    amended = amend_package(package, {"metrics": metrics})
    assert amended.metadata.raw["metrics"] == metrics
    assert "| Dice | core | 0.8765 | 0.86 to 0.89 | 30 |" in (amended.root / "docs/README.md").read_text(
        encoding="utf-8"
    )
    assert amended.fingerprint != package.fingerprint
    assert amended.weights_path.read_bytes() == weights
    assert [path.name for path in package.root.parent.iterdir()] == ["tiny"]
    with pytest.raises(PackageError, match="'overlap'"):
        amend_package(amended, {"overlap": 7})
    assert load_package(package.root).fingerprint == amended.fingerprint


# Model card


def test_the_card_follows_from_the_metadata(tiny_package: Package) -> None:
    card = (tiny_package.root / "docs/README.md").read_text(encoding="utf-8")
    assert card == model_card(tiny_package.metadata.raw)
    assert card.startswith("# tiny\n\nUntrained network for tests\n")
    assert "| 2 | core |  |" in card
    assert "voxels above 0.5 count as doubtful. Also given: entropy." in card
    assert "Research only" in card


def test_the_card_survives_awkward_texts_and_lists(tiny_package: Package) -> None:
    document = document_of(tiny_package) | {
        "training": {"attribution": "a | b\nc", "training_ids": list(range(20)), "seed": 3},
        "references": ["First", "Second"],
        "limits": "Adults only.",
    }
    card = model_card(document)
    assert r"| Attribution | a \| b c |" in card
    assert "| Cases trained on | 20, listed in metadata.json |" in card
    assert "## References\n\n- First\n- Second" in card
    assert "## Limits\n\nAdults only." in card


# Catalogue


@pytest.fixture
def models(tiny_package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty built-in folder, and a user's folder with two models, one of them broken."""
    monkeypatch.setattr(catalogue, "BUILT_IN", tmp_path / "built-in")
    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "user"))
    copy_files(tiny_package.root, tmp_path / "user" / "liver-ct")
    copy_files(tiny_package.root, tmp_path / "user" / "broken")
    (tmp_path / "user" / "broken" / "configs" / "metadata.json").write_text("{}")
    (tmp_path / "user" / "notes").mkdir()
    return tmp_path


def test_models_are_found_by_name_and_by_folder(models: Path) -> None:
    assert find_package("liver-ct").root == models / "user" / "liver-ct"
    assert find_package(models / "user" / "liver-ct").name == "liver-ct"
    assert [package.name for package in list_packages()] == ["liver-ct"]


def test_a_broken_model_is_listed_with_its_problem(models: Path) -> None:
    problems = {entry.name: entry.problem for entry in list_entries()}
    assert problems["liver-ct"] == ""
    assert "lacks 'labels'" in problems["broken"]


def test_an_unknown_model_lists_the_known_ones_and_guesses(models: Path) -> None:
    with pytest.raises(PackageError, match=r"no model 'Liver'. Did you mean 'liver-ct'. Available: broken, liver-ct"):
        find_package("Liver")
    with pytest.raises(PackageError, match=r"no model '\.\./user/liver-ct'"):
        find_package("../user/liver-ct")


def test_without_models_the_sentence_says_how_to_get_one(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SURE_MODELS", str(models / "nowhere"))
    with pytest.raises(PackageError, match="sure models import"):
        find_package("liver-ct")


def test_a_built_in_model_hides_a_user_model_of_its_name(models: Path, tiny_package: Package) -> None:
    copy_files(tiny_package.root, models / "built-in" / "liver-ct")
    assert find_package("liver-ct").root == models / "built-in" / "liver-ct"
    assert [entry.built_in for entry in list_entries() if entry.name == "liver-ct"] == [True]


def test_a_tampered_model_is_not_handed_out(models: Path) -> None:
    (models / "user" / "liver-ct" / "LICENSE").write_text("free for all")
    with pytest.raises(PackageError, match="changed: LICENSE"):
        find_package("liver-ct")


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [
        ("win32", "LOCALAPPDATA", "SUREUncertainty/models"),
        ("linux", "XDG_DATA_HOME", "sure-uncertainty/models"),
        ("darwin", "HOME", "Library/Application Support/SUREUncertainty/models"),
    ],
)
def test_the_users_folder_is_where_the_platform_keeps_data(
    platform: str, variable: str, tail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SURE_MODELS", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    assert user_folder() == tmp_path / tail


def test_every_model_that_ships_is_intact_small_and_has_a_card_that_is_up_to_date() -> None:
    for root in (path.parent.parent for path in catalogue.BUILT_IN.glob("*/configs/metadata.json")):
        package = load_package(root)
        assert package.name == package.metadata.name
        assert package.size_bytes <= 10_000_000
        assert (root / "docs/README.md").read_text(encoding="utf-8") == model_card(package.metadata.raw)
        assert (root / "LICENSE").read_text(encoding="utf-8").strip()


# MONAI reads it as a bundle


def test_the_config_has_every_entry_that_monai_requires_for_inference(tiny_package: Package) -> None:
    from monai.bundle.properties import InferProperties
    from monai.bundle.properties import MetaProperties
    from monai.utils import BundleProperty
    from monai.utils import BundlePropertyConfig

    configs = {
        "": json.loads((tiny_package.root / "configs/inference.json").read_text(encoding="utf-8")),
        "_meta_": tiny_package.metadata.raw,
    }
    required = [
        str(entry[BundlePropertyConfig.ID])
        for entry in (InferProperties | MetaProperties).values()
        if entry[BundleProperty.REQUIRED]
    ]
    assert "network_def" in required
    assert [name for name in required if not has_entry(configs, name)] == []


def has_entry(configs: dict[str, Any], name: str) -> bool:
    parts = name.split("::")
    content = configs["_meta_"] if parts[0] == "_meta_" else configs[""]
    for part in parts[1:] if parts[0] == "_meta_" else parts:
        if part not in content:
            return False
        content = content[part]
    return True


def test_monai_runs_the_network_on_the_shapes_that_the_metadata_gives(tiny_package: Package) -> None:
    from monai.bundle import verify_net_in_out

    configs = tiny_package.root / "configs"
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(configs / "metadata.json"),
        config_file=str(configs / "inference.json"),
        device="cpu",
    )


def test_monai_loads_the_same_network(tiny_package: Package) -> None:
    parser = bundle_parser(tiny_package)
    parser.get_parsed_content("load")
    network = parser.get_parsed_content("network").cpu().eval()
    window = torch.randn(1, 1, 16, 16, 16)
    with torch.no_grad():
        assert torch.equal(network(window), load_network(tiny_package)(window))


def test_monai_prepares_the_same_array(tiny_package: Package, tmp_path: Path) -> None:
    """The axes of a bundle are named the other way round; an asymmetric, turned and flipped scan tells."""
    from SUREUncertaintyLib.core.resampling import model_grid
    from SUREUncertaintyLib.core.resampling import resample
    from SUREUncertaintyLib.core.volume import Grid
    from SUREUncertaintyLib.core.volume import Volume
    from SUREUncertaintyLib.core.writing import write_volume
    from SUREUncertaintyLib.inference.normalisation import normalise

    array = np.random.default_rng(4).standard_normal((5, 6, 7)).astype(np.float32)
    turned = (0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
    volume = Volume(array, Grid((5, 6, 7), (1.0, 1.0, 1.0), (3.0, -4.0, 5.0), turned))
    write_volume(volume, tmp_path / "scan.nii.gz")
    found = bundle_parser(tiny_package).get_parsed_content("preprocessing")({"image": str(tmp_path / "scan.nii.gz")})
    expected = normalise(resample(volume, model_grid(volume.grid, "RAS", (1.0, 1.0, 1.0))).array, {"kind": "zscore"})
    np.testing.assert_allclose(np.asarray(found["image"])[0], expected, atol=1e-5)


def bundle_parser(package: Package) -> Any:
    from monai.bundle import ConfigParser

    parser = ConfigParser()
    parser.read_config(str(package.root / "configs/inference.json"))
    parser["bundle_root"] = str(package.root)
    return parser


# Documentation


def packages_page() -> str:
    return (Path(__file__).resolve().parents[2] / "docs" / "packages.md").read_text(encoding="utf-8")


def test_the_example_in_the_documentation_is_valid() -> None:
    example = packages_page().split("```json\n")[1].split("```")[0]
    facts = parse_metadata(json.loads(example))
    assert (facts.name, facts.spacing, facts.foreground[0].type) == (
        "liver-ct",
        (1.5, 1.5, 2.0),
        Code("10200004", "SCT", "Liver"),
    )


def test_the_documentation_names_every_field_that_a_package_holds_and_every_allowed_network(
    tiny_package: Package,
) -> None:
    from SUREUncertaintyLib.nn.registry import MONAI_NETWORKS

    page = packages_page()
    fields = set(tiny_package.metadata.raw) - {"schema"}
    assert [name for name in sorted(fields | MONAI_NETWORKS) if f"`{name}" not in page] == []
