"""Weights and graph of a package: the same numbers in both, in half the space."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
from needed_torch import torch
from package_files import document_of
from safetensors import safe_open
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.nn.export import graph_difference
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.packages.package import Package, load_package
from SUREUncertaintyLib.packages.package_building import build_package
from SUREUncertaintyLib.packages.weights import load_network
from tiny import tiny_document


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


def test_an_evidential_graph_is_compared_in_the_probabilities_that_its_head_reads(tiny_package: Package) -> None:
    network = load_network(tiny_package)
    windows = np.random.default_rng(0).standard_normal((1, 1, 16, 16, 16)).astype(np.float32)
    with torch.no_grad():
        network.head.weight.mul_(3.0)  # type: ignore[operator, union-attr]
        changed = network(torch.from_numpy(windows))
        alpha = torch.nn.functional.softplus(changed) + 1.0
        old = torch.nn.functional.softplus(load_network(tiny_package)(torch.from_numpy(windows))) + 1.0
    expected = float((alpha / alpha.sum(1, keepdim=True) - old / old.sum(1, keepdim=True)).abs().max())
    found = graph_difference(network, tiny_package.graph_path(), windows, "evidential")
    assert found == pytest.approx(expected, abs=1e-4)
    assert found < 0.9 * graph_difference(network, tiny_package.graph_path(), windows)


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
