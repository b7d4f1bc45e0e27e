"""Samples of one slice by every method of the reader comparison, straight from trained networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from readers.published_loss import generator_of
from SUREUncertaintyLib.arrays.noise import standard_noise
from SUREUncertaintyLib.evaluation.slice_predictor import SlicePrediction
from SUREUncertaintyLib.inference.sampling.statistics import SampleStatistics
from torch import Tensor, nn

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class NetworkPredictor:
    """A ``SlicePredictor`` over networks in memory.

    Attributes:
        networks: one, or an ensemble's members.
        reading: ``latents``, ``draws``, ``dropout``, ``single`` or ``ensemble``.
        count: samples of ``latents``, ``draws`` and ``dropout``.
        levels: which are drawn, the others stay at their mean; all when None.
    """

    networks: Sequence[nn.Module]
    reading: str
    count: int = 16
    seed: int = 0
    levels: frozenset[int] | None = None

    @property
    def name(self) -> str:
        """The estimator's name in results."""
        return self.reading

    @torch.inference_mode()
    def predict(self, image: NDArray[np.uint8], key: tuple[int, ...]) -> SlicePrediction:
        """One slice (H, W); slices of one nodule share ``key`` and so their noise."""
        x = _prepared(image)
        logits = getattr(self, f"_{self.reading}")(x, key)
        return prediction_of(np.asarray(logits.float().softmax(1).numpy(), dtype=np.float32))

    def latent_score(self, image: NDArray[np.uint8]) -> float:
        """sum over levels of KL(p_l || N(0, 1)), mean over locations, nats; NaN for a method without a prior."""
        network: Any = self.networks[0]
        if self.reading != "latents" or network.latent_mode != "gaussian":
            return float("nan")
        with torch.inference_mode():
            priors = network.prior(network.encode(_prepared(image))[1])
            terms = [0.5 * (p.mean**2 + p.std**2 - 1.0) - p.log_std for p in priors]
            return float(sum(float(term.mean()) for term in terms))

    def _latents(self, x: Tensor, key: tuple[int, ...]) -> Tensor:
        network: Any = self.networks[0]
        bottleneck, skips = network.encode(x)
        latents = []
        for level, prior in enumerate(network.prior(skips)):
            if self.levels is not None and level not in self.levels:
                latents.append(prior.mean.expand(self.count, *prior.mean.shape[1:]))
                continue
            shape = tuple(prior.mean.shape[1:])
            noise = np.stack([standard_noise((self.seed, *key), k, level, shape) for k in range(self.count)])
            latents.append(prior.mean + prior.std * torch.from_numpy(noise))
        return network.decode(bottleneck, skips, latents)

    def _draws(self, x: Tensor, key: tuple[int, ...]) -> Tensor:
        network: Any = self.networks[0]
        logits: Tensor = network.draw(x, self.count, generator_of((self.seed, *key)))
        return logits

    def _dropout(self, x: Tensor, key: tuple[int, ...]) -> Tensor:
        network = self.networks[0]
        torch.manual_seed(int(np.random.default_rng((self.seed, *key)).integers(2**31)))
        layers = [m for m in network.modules() if isinstance(m, nn.Dropout | nn.Dropout2d)]
        for layer in layers:
            layer.train()
        logits = network(x.expand(self.count, -1, -1, -1))
        for layer in layers:
            layer.eval()
        return logits

    def _single(self, x: Tensor, key: tuple[int, ...]) -> Tensor:
        return self.networks[0](x)

    def _ensemble(self, x: Tensor, key: tuple[int, ...]) -> Tensor:
        return torch.cat([network(x) for network in self.networks])


def _prepared(image: NDArray[np.uint8]) -> Tensor:
    """(1, 1, H, W): whole slices reach from 0 to 255 each, so that this is what training saw of the part."""
    return torch.from_numpy(image.astype(np.float32)[np.newaxis, np.newaxis] / np.float32(255.0))


def prediction_of(samples: Float32) -> SlicePrediction:
    """What samples (N, C, H, W) of class probabilities say together.

    The uncertainty map is the mutual information of the samples; of a single answer its entropy.
    """
    statistics = SampleStatistics(samples.shape[1:])
    for sample in samples:
        statistics.add(sample)
    maps = statistics.maps()
    uncertainty = maps.mutual_information if len(samples) > 1 else maps.entropy
    return SlicePrediction(samples, maps.probability, maps.probability.argmax(0).astype(np.uint8), uncertainty)
