"""The network of a bundle: its name in our registry with plain arguments, and the files that hold its weights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ...core.errors import PackageError
from ...nn.registry import DINTS, GRAPH_ONLY, canonical_name
from ..bundle import GRAPH, WEIGHTS
from .config import Config
from .search_code import read_search_code

CHECKPOINT = "models/model.pt"
SEARCHED = re.compile(r"\$ ?@(\w+)\['(arch_code_a|arch_code_c)'\]")
NODE = re.compile(r"\$ ?torch\.from_numpy\(@(\w+)\['node_a'\]\)")
LOADED = re.compile(r"\$ ?torch\.load\(@(\w+)(, ?(map_location|weights_only)=[\w.]+(\([^()]*\))?)*\)")
SPACE_OPTIONS = {"_target_", "channel_mul", "num_blocks", "num_depths", "use_downsample", "arch_code", "device"}
WITHOUT_EFFECT = {"SwinUNETR": {"img_size"}}
"""Arguments of older versions that change neither the weights nor what is computed."""


@dataclass(frozen=True)
class Weights:
    """Where the numbers are: a safetensors file, a checkpoint that has to be converted, or only a graph."""

    path: Path
    kind: str


def find_weights(root: Path, config: Config) -> Weights:
    """The file of a bundle that holds its weights.

    Raises:
        PackageError: there is none, or only a program.
    """
    from ..conversion import is_torchscript

    if (root / WEIGHTS).is_file():
        return Weights(root / WEIGHTS, "safetensors")
    checkpoint = _checkpoint(root, config)
    if checkpoint.is_file() and not is_torchscript(checkpoint):
        return Weights(checkpoint, "checkpoint")
    if (root / GRAPH).is_file():
        return Weights(root / GRAPH, "graph")
    wanted = f"Needed is {WEIGHTS}, {_inside(checkpoint, root)} (a state dict) or {GRAPH}."
    if checkpoint.is_file() or (root / "models" / "model.ts").is_file():
        raise PackageError(
            f"The weights of {root.name} are TorchScript, a program and not only weights; refused. {wanted}"
        )
    raise PackageError(f"The bundle {root.name} holds no weights. {wanted}")


def _checkpoint(root: Path, config: Config) -> Path:
    """The file that the bundle's CheckpointLoader names."""
    loaders = [config.entry("checkpointloader"), *(config.entry("handlers") or [])]
    for entry in loaders:
        loader = config.follow(entry)
        if isinstance(loader, Mapping) and str(loader.get("_target_")).endswith("CheckpointLoader"):
            return _path(root, config, loader.get("load_path"))
    return root / CHECKPOINT


def _path(root: Path, config: Config, value: Any) -> Path:
    """A path in the bundle as its config writes it: behind "bundle_root", whatever that is."""
    inside = Config({**config.content, "bundle_root": ""})
    text = inside.value(value)
    parts = PurePosixPath(str(text).lstrip("/")).parts
    if not isinstance(text, str) or not parts or ".." in parts or "\\" in text or ":" in text:
        raise PackageError(f"The bundle loads its weights from '{text}', which is no file inside of it.")
    return root.joinpath(*parts)


def _inside(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def read_network(config: Config, root: Path, weights: Weights) -> dict[str, Any]:
    """``{"name", "arguments"}`` as ``configs/metadata.json`` holds them.

    A bundle that only has a graph needs no class, which may then be the bundle's own.

    Raises:
        PackageError: the network is not on our list, or an argument is not understood.
    """
    if weights.kind == "graph":
        return {"name": GRAPH_ONLY, "arguments": {}}
    definition = config.entry("network_def" if config.has("network_def") else "network")
    if not isinstance(definition, Mapping) or "_target_" not in definition:
        raise PackageError("The bundle's config has no 'network_def' with a '_target_', so its network is unknown.")
    target = str(definition["_target_"])
    if target.rpartition(".")[2] == "DiNTS" and target.startswith(("DiNTS", "monai.networks.nets.")):
        return {"name": DINTS, "arguments": _dints(definition, config, root)}
    name = canonical_name(target)
    ignored = WITHOUT_EFFECT.get(name.rpartition(".")[2], set())
    return {"name": name, "arguments": _arguments(definition, config, ignored)}


def _arguments(definition: Mapping[str, Any], config: Config, ignored: set[str]) -> dict[str, Any]:
    strange = sorted(key for key in definition if key.startswith("_") and key not in ("_target_", "_desc_"))
    if strange:
        raise PackageError(f"The bundle's network uses '{strange[0]}', which is not supported.")
    kept = {key: value for key, value in definition.items() if not key.startswith("_") and key not in ignored}
    return {key: config.value(value) for key, value in kept.items()}


def _dints(definition: Mapping[str, Any], config: Config, root: Path) -> dict[str, Any]:
    """A network whose shape a search found: its codes lie in a checkpoint of their own."""
    space = config.follow(definition.get("dints_space"))
    if not isinstance(space, Mapping) or str(space.get("_target_")).rpartition(".")[2] != "TopologyInstance":
        raise PackageError("The bundle's DiNTS network has no 'dints_space' that is a TopologyInstance.")
    strange = sorted(set(space) - SPACE_OPTIONS)
    if strange:
        raise PackageError(f"The bundle's dints_space uses '{strange[0]}', which is not supported.")
    codes = config.follow(space.get("arch_code"))
    found = [SEARCHED.fullmatch(str(code).strip()) for code in codes] if isinstance(codes, list) else []
    node = NODE.fullmatch(str(definition.get("node_a")).strip())
    if len(found) != 2 or not node or any(one is None for one in found):
        raise PackageError("The bundle's DiNTS network takes its codes from elsewhere than a search's checkpoint.")
    (first, second) = (one for one in found if one is not None)
    if {first[1], second[1], node[1]} != {node[1]} or (first[2], second[2]) != ("arch_code_a", "arch_code_c"):
        raise PackageError("The bundle's DiNTS network takes its codes from several places; this is not supported.")
    shape = {
        key: config.value(space[key])
        for key in ("channel_mul", "num_blocks", "num_depths", "use_downsample")
        if key in space
    }
    plain = {key: value for key, value in definition.items() if key not in ("dints_space", "node_a")}
    return {**_arguments(plain, config, set()), "space": shape, **read_search_code(_searched(root, config, node[1]))}


def _searched(root: Path, config: Config, entry: str) -> Path:
    loaded = LOADED.fullmatch(str(config.content.get(entry)).strip())
    if loaded is None:
        raise PackageError(f"The bundle's '{entry}' is no checkpoint that torch.load reads.")
    path = _path(root, config, config.content.get(loaded[1]))
    if not path.is_file():
        raise PackageError(f"The bundle {root.name} lacks {_inside(path, root)}, which describes its network.")
    return path
