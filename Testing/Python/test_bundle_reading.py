"""How bundles are read: expressions, painting, weights that are only a graph, and files that want to do more."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundles import (
    ARGMAX,
    ENSURE,
    FIRST,
    LOAD,
    RAS,
    SEARCH,
    SOFTMAX,
    UNET,
    config,
    document,
    inverted,
    made_network,
    scaled,
    write_bundle,
)
from foreign import assert_nothing_came_in
from needed_torch import torch
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.inference.native.label_map import keep_largest
from SUREUncertaintyLib.nn.export import export_onnx
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.monai_bundle.config import Config
from SUREUncertaintyLib.packages.monai_bundle.painting import read_painting
from SUREUncertaintyLib.packages.monai_bundle.search_code import read_search_code
from SUREUncertaintyLib.packages.pipeline import LargestParts

pytestmark = pytest.mark.usefixtures("user_models")
CONTENT = {
    "a": {"b": [1, {"c": 7}]},
    "high": True,
    "size": [96, 96],
    "root": ".",
    "name": "$@root + '/x'",
    "t": "$@a#b",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$[1.5, 1.5] if @high else [3.0, 3.0]", [1.5, 1.5]),
        ("$'a' if not @high else 'b'", "b"),
        ("$len(@size)", 2),
        ("$@size[0] // 10 + @a::b#0", 10),
        ("$@name + '/model.pt'", "./x/model.pt"),
        ("$(@size[0] - 6) / 2", 45.0),
        ("$@a#b#1#c >= 7 and @high", True),
        ("$torch.float32", "float32"),
        ("$None", None),
        ("$monai.utils.CommonKeys.IMAGE", "image"),
        ("$-1", -1),
        ("@t", [1, {"c": 7}]),
    ],
)
def test_literals_references_and_arithmetic_are_read(text: str, value: Any) -> None:
    assert Config(CONTENT).value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "$__import__('os').system('true')",
        "$(lambda: 1)()",
        "$[x for x in @size]",
        "$@size.append(1)",
        "$@size.__class__",
        "$open('/etc/passwd')",
        "$len",
        "$'a' * 1000000000",
        "$[0] * 1000000000",
        "$'%d' % 3",
        "$2 ** 99999999",
        "$f'{@a}'",
        "$os.sep",
        "$1 +",
        "$" + "(" * 3000,
    ],
)
def test_everything_else_is_refused_unevaluated(text: str) -> None:
    with pytest.raises(PackageError, match="Python expression"):
        Config(CONTENT).value(text)


@pytest.mark.parametrize("text", ["$1 / 0", "$@size[5]", "$len(3)", "$'a' + 1"])
def test_an_expression_without_a_value_gets_a_sentence(text: str) -> None:
    with pytest.raises(PackageError, match="has no value"):
        Config(CONTENT).value(text)


def test_a_config_that_grows_without_end_is_stopped() -> None:
    content: dict[str, Any] = {f"e{n}": [f"@e{n + 1}"] * 10 for n in range(20)} | {"e20": 1}
    with pytest.raises(PackageError, match="too deep"):
        Config(content).value("@e0")


def test_masks_that_paint_over_one_another_are_read_from_the_text() -> None:
    text = "$lambda x: torch.where(x[[2]] > 0, 4, torch.where(x[[0]] > 0, 1, 0))"
    assert read_painting(text) == {2: (4, 1), 0: (1, 0)}


@pytest.mark.parametrize(
    "text",
    [
        "$lambda x: torch.where(x[[2]] > 0, 4, 9)",
        "$lambda x: torch.where(x[[2]] < 0, 4, 0)",
        "$lambda x: torch.where(x[[2]] > 0.7, 4, 0)",
        "$lambda x: torch.where(y[[2]] > 0, 4, 0)",
        "$lambda x: torch.where(x[[2]] > 0, 4, torch.where(x[[2]] > 0, 1, 0))",
        "$lambda x: x",
        "$scripts.paint",
        "lambda",
    ],
)
def test_any_other_function_is_refused(text: str) -> None:
    with pytest.raises(PackageError):
        read_painting(text)


USUAL = config(UNET, [LOAD, FIRST, RAS, scaled(0, 1), ENSURE], [SOFTMAX, inverted(), ARGMAX])


def test_a_graph_needs_no_class(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "bundle", USUAL, document())
    export_onnx(made_network(USUAL, bundle), bundle / "models" / "model.onnx", (1, 1, 16, 16, 16))
    own = {**USUAL, "network_def": {"_target_": "scripts.networks.Mine", "in_channels": 1}}
    (bundle / "configs" / "inference.json").write_text(json.dumps(own))
    package = import_package(bundle)
    assert package.metadata.network == "graph"
    assert package.graph_path().is_file()
    with pytest.raises(PackageError, match="use the OpenVINO engine"):
        _ = package.weights_path


def test_a_class_of_its_own_without_a_graph_is_told_the_way(tmp_path: Path) -> None:
    own = {**USUAL, "network_def": {"_target_": "scripts.networks.Mine"}}
    bundle = write_bundle(tmp_path / "bundle", USUAL, document())
    (bundle / "configs" / "inference.json").write_text(json.dumps(own))
    with pytest.raises(PackageError, match=r"scripts\.networks\.Mine.*A graph of the network .* would need no class"):
        import_package(bundle)


def test_the_checkpoint_is_the_one_that_the_config_names(tmp_path: Path) -> None:
    loader = {"_target_": "CheckpointLoader", "load_path": "$@bundle_root + '/models/tuned.pt'"}
    settings = {**USUAL, "checkpointloader": loader}
    bundle = write_bundle(tmp_path / "bundle", settings, document(), "models/tuned.pt")
    torch.save({"x": torch.zeros(2)}, bundle / "models" / "model.pt")
    assert import_package(bundle).metadata.network == "monai.networks.nets.UNet"


@pytest.mark.parametrize("path", ["/models/../../model.pt", "C:/model.pt", ""])
def test_a_checkpoint_outside_is_refused(path: str, tmp_path: Path, user_models: Path) -> None:
    loader = {"_target_": "CheckpointLoader", "load_path": f"$@bundle_root + '{path}'"}
    bundle = write_bundle(tmp_path / "bundle", {**USUAL, "checkpointloader": loader}, document())
    with pytest.raises(PackageError, match="no file inside of it"):
        import_package(bundle)
    assert_nothing_came_in(user_models)


def test_codes_of_a_search_come_in_as_numbers(tmp_path: Path) -> None:
    turned = np.asfortranarray(np.arange(8).reshape(2, 4))
    torch.save({**SEARCH, "arch_code_c": turned, "best": np.float32(0.5)}, tmp_path / "codes.pt")
    found = read_search_code(tmp_path / "codes.pt")
    assert found["arch_code_c"] == turned.tolist()
    assert found["node_a"] == SEARCH["node_a"].tolist()


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.marker),))


@pytest.mark.parametrize("legacy", [False, True], ids=["torch.save", "plain pickle"])
def test_code_among_the_codes_of_a_search_never_runs(legacy: bool, tmp_path: Path) -> None:
    file, marker = tmp_path / "codes.pt", tmp_path / "it ran"
    content = {**SEARCH, "more": Payload(marker)}
    if legacy:
        file.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, file)
    with pytest.raises(PackageError, match="cannot be converted"):
        read_search_code(file)
    assert not marker.exists()


@pytest.mark.parametrize("codes", [{}, {"arch_code_a": np.array(["x"])}, {**SEARCH, "node_a": np.ones(3)}])
def test_codes_that_are_none_get_a_sentence(codes: dict[str, Any], tmp_path: Path) -> None:
    torch.save(codes, tmp_path / "codes.pt")
    with pytest.raises(PackageError, match="cannot be converted"):
        read_search_code(tmp_path / "codes.pt")


def test_only_the_largest_part_of_every_label_stays() -> None:
    labels = np.zeros((1, 4, 9), dtype=np.uint8)
    labels[0, :2, :3], labels[0, 3, 8], labels[0, :, 5], labels[0, 3, 3] = 1, 1, 2, 2
    one_by_one, together, two = (labels.copy() for _ in range(3))
    keep_largest(one_by_one, LargestParts((), False, 3, 1, "scan"))
    assert (one_by_one[0, 3, 8], one_by_one[0, 3, 3], (one_by_one == 1).sum(), (one_by_one == 2).sum()) == (0, 0, 6, 4)
    keep_largest(together, LargestParts((1, 2), True, 1, 1, "scan"))
    assert ((together == 1).sum(), (together == 2).sum()) == (6, 0)
    keep_largest(two, LargestParts((1,), False, 3, 2, "scan"))
    assert np.array_equal(two, labels)
