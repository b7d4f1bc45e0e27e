"""The OpenVINO path against MONAI's SlidingWindowInferer with eager PyTorch; uncertainty against plain softmax."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from monai.inferers import SlidingWindowInferer
from pairs import interleaved
from SUREUncertaintyLib.arrays.heads import create_head
from SUREUncertaintyLib.inference.estimator import NativeEstimator
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoEngine
from SUREUncertaintyLib.inference.windows import blend_windows
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.weights import load_network

SIZE = 96
THREADS = 2


def bench_engines(model: str) -> dict[str, Any]:
    """Same shipped network, patch, overlap, Gaussian blending of evidence and threads; 96^3 noise."""
    torch.set_num_threads(THREADS)
    package = find_package(model)
    facts = package.metadata
    image = np.random.default_rng(0).standard_normal((1, SIZE, SIZE, SIZE)).astype(np.float32)
    network = load_network(package)
    head = create_head(facts.head)
    estimator = NativeEstimator(OpenVinoEngine(package, threads=THREADS), head)
    inferer = SlidingWindowInferer(facts.patch, sw_batch_size=1, overlap=facts.overlap, mode="gaussian")
    batch = torch.from_numpy(image)[None]

    def ours() -> np.ndarray[Any, Any]:
        return blend_windows(image, facts.patch, facts.overlap, estimator)

    @torch.inference_mode()
    def baseline() -> np.ndarray[Any, Any]:
        evidence = inferer(batch, lambda window: torch.nn.functional.softplus(network(window)))
        return evidence[0].numpy()  # type: ignore[index,return-value]

    difference = float(np.abs(head.probability(ours()) - head.probability(baseline())).max())
    return {"largest_probability_difference": difference, **interleaved(ours, baseline).document()}


def bench_uncertainty(model: str) -> dict[str, Any]:
    """One window with label, probability, vacuity and entropy against plain softmax and argmax."""
    package = find_package(model)
    engine = OpenVinoEngine(package, threads=THREADS)
    evidential = create_head("evidential")
    shape = (1, 1, *package.metadata.patch)
    window = np.random.default_rng(0).standard_normal(shape).astype(np.float32)

    def uncertainty() -> object:
        belief = evidential.belief(evidential.blended(engine.logits(window)[0]))
        return belief.probability.argmax(0), belief.uncertainty

    def plain() -> object:
        logits = engine.logits(window)[0]
        shifted = np.exp(logits - logits.max(0))
        return (shifted / shifted.sum(0)).argmax(0)

    result = interleaved(plain, uncertainty, pairs=40).document()
    return {"plain_s": result["ours_s"], "with_uncertainty_s": result["baseline_s"], "cost": result["ratio"]} | {
        key: result[key] for key in ("low", "high", "pairs")
    }
