"""What the head of ``sure fit`` adds to one pass of a network: the joined graph against the network's own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pairs import interleaved
from SUREUncertaintyLib.fitting.learning import export_log_factor
from SUREUncertaintyLib.fitting.settings import FitSettings
from SUREUncertaintyLib.inference.graph_taps import find_taps
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoSettings
from SUREUncertaintyLib.inference.openvino_graph import HeadGraph, OpenVinoGraph, read_graph
from SUREUncertaintyLib.nn.export import export_onnx
from SUREUncertaintyLib.nn.frozen_scale import FrozenEvidenceScale, FrozenScaleShape
from SUREUncertaintyLib.nn.losses.scaled_uncertainty import OutputKind
from SUREUncertaintyLib.nn.registry import create_network

Array = np.ndarray[Any, Any]
THREADS = 1
WINDOW = (48, 64, 48)
FULL, ONE = [3, 3, 3], [1, 1, 1]


def nnunet_arguments(widths: list[int]) -> dict[str, Any]:
    """A plain U-Net as nnU-Net plans it in 3D: two convolutions a stage, halved by strides."""
    count = len(widths)
    return {
        "dimension": 3,
        "channels": 1,
        "classes": 3,
        "features": widths,
        "kernels": [FULL] * count,
        "strides": [ONE, *[[2, 2, 2]] * (count - 1)],
        "convolutions": [2] * count,
        "decoder_convolutions": [2] * (count - 1),
        "bias": True,
        "eps": 1e-5,
        "slope": 0.01,
    }


NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "U-Net, 16 to 128 channels": (
        "unet",
        {"spatial_dims": 3, "in_channels": 1, "out_channels": 3, "channels": [16, 32, 64, 128]},
    ),
    "nnU-Net, 32 to 256 channels": ("nnunet_plain", nnunet_arguments([32, 64, 128, 256])),
}


def bench_frozen_head() -> dict[str, Any]:
    """For every network: parameters, the head's own, and the times of one window."""
    return {name: _bench(*network) for name, network in NETWORKS.items()}


def _bench(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    torch.manual_seed(0)
    network = create_network(name, arguments).eval()
    settings = OpenVinoSettings.create(threads=THREADS)
    image = np.random.default_rng(0).standard_normal((1, 1, *WINDOW)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path, head_path = Path(folder) / "network.onnx", Path(folder) / "head.onnx"
        export_onnx(network, path, image.shape)
        taps = find_taps(read_graph(settings.core, path, name), name)
        plain = OpenVinoGraph(settings.core, path, settings.config, name)
        answer, *features = OpenVinoGraph(settings.core, path, settings.config, name, tapped=taps.seen).run((image,))
        head = _head(image, answer, features)
        export_log_factor(head, [torch.from_numpy(array) for array in (image, answer, *features)], head_path)
        joined = OpenVinoGraph(settings.core, path, settings.config, name, HeadGraph(head_path, taps.names))
        same = bool(np.array_equal(plain.run((image,))[0], joined.run((image,))[0]))
        # above 1: the joined graph is slower
        cost = interleaved(lambda: plain.run((image,)), lambda: joined.run((image,)), pairs=40)
    counts = {"parameters": _count(network), "head_parameters": _count(head), "same_bits": same}
    return {**counts, "plain_s": round(cost.ours_s, 4), "joined_s": round(cost.baseline_s, 4), **_interval(cost)}


def _interval(cost: Any) -> dict[str, float]:
    return {"cost": round(cost.ratio, 4), "low": round(cost.low, 4), "high": round(cost.high, 4), "pairs": cost.pairs}


def _head(image: Array, answer: Array, features: list[Array]) -> FrozenEvidenceScale:
    finest, *stages = features
    settings = FitSettings()
    step = tuple(min(4, n // m) for n, m in zip(image.shape[2:], features[-1].shape[2:], strict=True))
    widths = (settings.fine, settings.coarse, settings.context)
    sizes = image.shape[1], finest.shape[1], tuple(one.shape[1] for one in stages), step
    return FrozenEvidenceScale(FrozenScaleShape(3, OutputKind("softmax", answer.shape[1]), *sizes, *widths))


def _count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
