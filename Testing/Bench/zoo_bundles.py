"""Which segmentation bundles of MONAI's model zoo come in, from their own configs and with weights made at random.

    git clone https://github.com/Project-MONAI/model-zoo
    python Testing/Bench/zoo_bundles.py model-zoo --work build/zoo

Nothing of a bundle is run: its configs are copied, MONAI's own class makes a network with random weights, and
``sure models import`` takes both. Bundles whose network is their own Python get a graph in its place, and the row says
so. With ``--read`` a bundle is read and its network built, but no graph is written and tested, which takes minutes for
large networks. Rows of whole imports that are there already are kept. Writes ``Testing/Bench/results/zoo.json``, from
which docs/foreign.md has its table.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

RESULT = Path(__file__).parent / "results" / "zoo.json"
SEGMENTATION = (
    *("spleen_ct_segmentation", "swin_unetr_btcv_segmentation", "pediatric_abdominal_ct_segmentation"),
    *("prostate_mri_anatomy", "wholeBody_ct_segmentation", "ventricular_short_axis_3label", "segmentation_template"),
    *("multi_organ_segmentation", "pancreas_ct_dints_segmentation", "renalStructures_UNEST_segmentation"),
    *("wholeBrainSeg_Large_UNEST_segmentation", "brats_mri_segmentation", "renalStructures_CECT_segmentation"),
    *("spleen_deepedit_annotation", "vista3d", "vista2d", "endoscopic_tool_segmentation"),
    *("pathology_nuclei_segmentation_classification", "pathology_nuclick_annotation"),
)
"""All bundles of the zoo (October 2024) whose output is a segmentation."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("zoo", type=Path, help="a checkout of Project-MONAI/model-zoo")
    parser.add_argument("--work", type=Path, required=True, help="a folder for the bundles with random weights")
    parser.add_argument("--read", action="store_true", help="read and build only, without graph and self-test")
    arguments = parser.parse_args()
    os.environ["SURE_MODELS"] = str(arguments.work.resolve() / "models")
    shutil.rmtree(arguments.work / "models", ignore_errors=True)
    earlier = json.loads(RESULT.read_text(encoding="utf-8"))["rows"] if RESULT.is_file() else []
    found = {row["bundle"]: row for row in earlier if "seconds" in row}
    for name in SEGMENTATION:
        if name not in found:
            found[name] = row_of(arguments.zoo / "models" / name, arguments.work / name, arguments.read)
        rows = [found[one] for one in SEGMENTATION if one in found]
        print(found[name], flush=True)
        RESULT.write_text(json.dumps({"zoo": _commit(arguments.zoo), "rows": rows}, indent=1) + "\n", encoding="utf-8")


def row_of(source: Path, target: Path, read: bool) -> dict[str, Any]:
    """Import (or only read) one bundle: with its own class if that is on our list, else with a graph."""
    from SUREUncertaintyLib.core.errors import PackageError
    from SUREUncertaintyLib.packages.importing import import_package
    from SUREUncertaintyLib.packages.metadata_parsing import parse_metadata
    from SUREUncertaintyLib.packages.monai_bundle.importing import describe_bundle, package_document

    shutil.rmtree(target, ignore_errors=True)
    (target / "models").mkdir(parents=True)
    shutil.copytree(source / "configs", target / "configs")
    problem = ""
    for way in ("its class", "a graph"):
        try:
            write_weights(target, way)
            start = time.monotonic()
            if read:
                document = json.loads((target / "configs" / "metadata.json").read_text(encoding="utf-8"))
                described = describe_bundle(target, document)
                parse_metadata(package_document(document, described, source.name))
                return {"bundle": source.name, "by": way, "network": described.network["name"]}
            package = import_package(target, source.name)
            seconds = round(time.monotonic() - start, 1)
            return {"bundle": source.name, "by": way, "seconds": seconds, "network": package.metadata.network}
        except PackageError as error:
            problem = problem or str(error)
    return {"bundle": source.name, "by": "", "why": problem}


def write_weights(target: Path, way: str) -> None:
    """Random weights where the config wants them, or a graph of one convolution in the place of the network."""
    from SUREUncertaintyLib.core.errors import PackageError
    from SUREUncertaintyLib.nn.registry import create_network
    from SUREUncertaintyLib.packages.monai_bundle.config import Config
    from SUREUncertaintyLib.packages.monai_bundle.network import CHECKPOINT, Weights, find_weights, read_network

    config = Config.load(target / "configs")
    _write_search_code(target, config.content)
    try:
        network = read_network(config, target, Weights(target / CHECKPOINT, "checkpoint"))
    except PackageError:
        if way == "a graph":
            _write_graph(target, json.loads((target / "configs" / "metadata.json").read_text(encoding="utf-8")))
        else:
            _save(target, {"weight": _zeros()})
        return
    _save(target, create_network(network["name"], network["arguments"]).state_dict())
    assert find_weights(target, config).kind == "checkpoint"


def _save(target: Path, state: Mapping[str, Any]) -> None:
    """Under every name that the zoo's bundles give their checkpoint."""
    import torch

    for name in ("model.pt", "dynunet_FT.pt"):
        torch.save(dict(state), target / "models" / name)


def _zeros() -> Any:
    import torch

    return torch.zeros(1)


def _write_search_code(target: Path, content: Mapping[str, Any]) -> None:
    if "arch_ckpt_path" not in content:
        return
    import torch

    random = np.random.default_rng(0)
    codes = {"arch_code_a": np.ones((12, 10)), "arch_code_c": random.integers(0, 5, (12, 10))}
    torch.save({**codes, "node_a": np.ones((13, 4), dtype=np.int64)}, target / "models" / "search_code_18590.pt")


def _write_graph(target: Path, document: Mapping[str, Any]) -> None:
    import torch
    from SUREUncertaintyLib.nn.export import export_onnx

    tensors = document["network_data_format"]
    channels = int(tensors["inputs"]["image"]["num_channels"])
    outputs = int(next(iter(tensors["outputs"].values()))["num_channels"])
    network = torch.nn.Conv3d(channels, outputs, 3, padding=1).eval()
    export_onnx(network, target / "models" / "model.onnx", (1, channels, 16, 16, 16))


def _commit(folder: Path) -> str:
    done = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
