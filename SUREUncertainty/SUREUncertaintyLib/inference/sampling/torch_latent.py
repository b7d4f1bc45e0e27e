"""PyTorch engine of networks with latents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..engine import OneNetwork
from ..torch_engine import TorchEngine, exactly, import_torch
from .encoding import Encoding

if TYPE_CHECKING:
    from ...packages.package import Package

Float32 = NDArray[np.float32]


class NetworkEngine(OneNetwork):
    """A network with latents that is in memory already, such as one in training."""

    name = "torch"

    def __init__(self, network: Any, device: str) -> None:
        self._torch = import_torch()
        self._network = network.to(device).eval()
        self.device = device

    def logits(self, windows: Float32) -> Float32:
        """Logits (B, C, ...) with every latent at its mean."""
        encoding = self.encode(windows)
        return self.decode(encoding, encoding.means)

    def encode(self, windows: Float32) -> Encoding:
        """The encoder on windows (B, channels, ...); features stay on the device."""
        with exactly(self._torch, self.device):
            bottleneck, skips = self._network.encode(self._tensor(windows))
            prior = self._network.prior(skips)
            features = (bottleneck, *skips)
            size = sum(feature.nelement() * feature.element_size() for feature in features)
            means = tuple(_array(gaussian.mean) for gaussian in prior)
            deviations = tuple(_array(gaussian.std) for gaussian in prior)
        return Encoding(features, means, deviations, size)

    def decode(self, encoding: Encoding, latents: Sequence[Float32]) -> Float32:
        """Logits (N, C, ...) for latents (N, latent_dim, ...) a level."""
        bottleneck, *skips = encoding.features
        with exactly(self._torch, self.device):
            return _array(self._network.decode(bottleneck, skips, [self._tensor(latent) for latent in latents]))

    def _tensor(self, array: Float32) -> Any:
        return self._torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)).to(self.device)


class TorchLatentEngine(TorchEngine):
    """Runs a package's network with latents from its safetensors weights. Args, raises: as ``TorchEngine``."""

    def __init__(self, package: Package, device: str | None = None, threads: int | None = None) -> None:
        super().__init__(package, device, threads)
        self._halves = NetworkEngine(self._network, self.device)

    def encode(self, windows: Float32) -> Encoding:
        """The encoder on windows (B, channels, ...)."""
        return self._halves.encode(windows)

    def decode(self, encoding: Encoding, latents: Sequence[Float32]) -> Float32:
        """Logits (N, C, ...) for latents (N, latent_dim, ...) a level."""
        return self._halves.decode(encoding, latents)


def _array(tensor: Any) -> Float32:
    return np.asarray(tensor.float().cpu().numpy(), dtype=np.float32)
