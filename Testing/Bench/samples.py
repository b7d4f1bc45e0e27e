"""What 20 samples of one window cost, against the encoder + 20 decoders by themselves and against one pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from pairs import interleaved
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.sampling.draw import SampleSource
from SUREUncertaintyLib.inference.sampling.encoding import latent_layout
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package

SAMPLES = 20
THREADS = 2
PAIRS = 40


def bench_samples(model: str) -> dict[str, dict[str, Any]]:
    """Both engines: ``share`` of (encoder + 20 decoders), wanted <= 1.1, and ``passes``, wanted <= 14."""
    torch.set_num_threads(THREADS)
    package = find_package(model)
    return {name: _bench_engine(package, name) for name in ("openvino", "torch")}


def _bench_engine(package: Package, name: str) -> dict[str, Any]:
    engine: Any = create_engine(package, name, "cpu", THREADS)
    metadata, layout = package.metadata, latent_layout(package.metadata)
    window = np.random.default_rng(0).random((1, 1, *metadata.patch), dtype=np.float32)
    encoding = engine.encode(window)

    def samples() -> None:
        """As a run draws them: a new window, noise, decoder, softmax."""
        source = SampleSource(window[0][:, None], engine, layout, metadata.patch, metadata.overlap)
        for _ in source.draw(SAMPLES):
            pass

    def halves() -> None:
        """The encoder once and the decoder 20 times, nothing else."""
        found = engine.encode(window)
        for _ in range(SAMPLES):
            engine.decode(found, found.means)

    def one_pass() -> None:
        engine.logits(window)

    share, passes = _costs(samples, halves), _costs(samples, one_pass)
    decoder = _costs(lambda: engine.decode(encoding, encoding.means), lambda: engine.encode(window))
    return {
        "samples_s": share["ours_s"],
        "encoder_s": decoder["baseline_s"],
        "decoder_s": decoder["ours_s"],
        "one_pass_s": passes["baseline_s"],
        "share": share["cost"],
        "passes": passes["cost"],
    }


def _costs(ours: Callable[[], object], baseline: Callable[[], object]) -> dict[str, Any]:
    """Medians, and time of ours over time of the baseline with its interval."""
    found = interleaved(ours, baseline, PAIRS).document()
    cost = {"ratio": 1.0 / found["ratio"], "low": 1.0 / found["high"], "high": 1.0 / found["low"]}
    rounded = {name: round(value, 3) for name, value in cost.items()}
    return {"ours_s": found["ours_s"], "baseline_s": found["baseline_s"], "cost": {**rounded, "pairs": PAIRS}}
