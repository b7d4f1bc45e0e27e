"""What a bundle runs: the engine must take the parts that are read, and nothing may change them on the way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...core.errors import PackageError
from .config import Config

RUN_KEYS = ("initialize", "run", "evaluating", "inference", "finalize")
ALLOWED = tuple(
    re.compile(pattern)
    for pattern in (
        r"\$ ?setattr\(torch\.backends\.cudnn, ?['\"]\w+['\"], ?(True|False)\)",
        r"\$ ?monai\.utils\.set_determinism\([\w=, ]*\)",
        r"\$ ?@\w+\(@evaluator\)( if @\w+ else None)?",
        r"\$ ?@evaluator\.run\(\)",
        r"\$ ?@load",
        r"\$ ?import \w+( as \w+)?",
    )
)
ENGINE_OPTIONS = {
    *("_target_", "device", "val_data_loader", "network", "inferer", "postprocessing", "val_handlers", "amp"),
    *("epoch_length", "non_blocking", "decollate", "key_val_metric", "additional_metrics", "metric_cmp_fn"),
}
HANDLERS = ("CheckpointLoader", "StatsHandler", "TensorBoardStatsHandler", "LogfileHandler", "MLFlowHandler")
PARTS = {"network": ("network", "network_def"), "inferer": ("inferer",), "postprocessing": ("postprocessing",)}
MOVED = re.compile(r"\$? ?@network_def(\.(to\(@device\)|eval\(\)))*")


def check_running(config: Config) -> None:
    """Refuse a bundle whose engine takes other parts, or that runs anything that could change them.

    Raises:
        PackageError: the sentence names it.
    """
    for key in RUN_KEYS:
        for text in _as_list(config.content.get(key, [])):
            if not isinstance(text, str) or not any(pattern.fullmatch(text.strip()) for pattern in ALLOWED):
                raise PackageError(f"The bundle runs '{str(text)[:80]}' ('{key}'), which is not known here.")
    _check_network(config)
    _check_engine(config)
    for handler in _as_list(config.entry("handlers") or []):
        name = str(handler.get("_target_", "")).rpartition(".")[2] if isinstance(handler, Mapping) else str(handler)
        if name not in HANDLERS:
            raise PackageError(f"The bundle's handler '{name}' is not known here.")


def _check_network(config: Config) -> None:
    network = config.content.get("network")
    if isinstance(network, str) and config.has("network_def") and not MOVED.fullmatch(network.strip()):
        raise PackageError(f"The bundle changes its network by '{network[:80]}', which is not known here.")


def _check_engine(config: Config) -> None:
    engine = config.entry("evaluator")
    if engine is None:
        return
    if not isinstance(engine, Mapping) or str(engine.get("_target_")).rpartition(".")[2] != "SupervisedEvaluator":
        raise PackageError("The bundle's evaluator is no SupervisedEvaluator; this is not supported.")
    strange = sorted(set(engine) - ENGINE_OPTIONS)
    if strange:
        raise PackageError(f"The bundle's evaluator uses '{strange[0]}', which is not known here.")
    for option, names in PARTS.items():
        if option in engine and str(engine[option]).strip("$ @") not in names:
            raise PackageError(
                f"The bundle's evaluator takes '{engine[option]}' as its {option}; expected @{names[0]}."
            )
    dataset = config.entry("dataset")
    if isinstance(dataset, Mapping) and str(dataset.get("transform", "@preprocessing")).strip("$ @") != "preprocessing":
        raise PackageError(f"The bundle's dataset is prepared by '{dataset['transform']}'; expected @preprocessing.")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
