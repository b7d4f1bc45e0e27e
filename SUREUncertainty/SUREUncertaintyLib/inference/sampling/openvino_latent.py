"""OpenVINO engine of networks with latents: encoder and decoder graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..engine import OneNetwork
from ..openvino_engine import OpenVinoSettings
from ..openvino_graph import OpenVinoGraph
from .encoding import Encoding, latent_layout

if TYPE_CHECKING:
    from ...packages.package import Package

Float32 = NDArray[np.float32]


class OpenVinoLatentEngine(OneNetwork):
    """Runs ``graphs["encoder"]`` and ``graphs["decoder"]`` in float32 on the CPU.

    Args, raises: as ``OpenVinoEngine``; also ``PackageError`` for a package without a decoder graph.
    """

    name = "openvino"
    device = "cpu"

    def __init__(self, package: Package, device: str | None = None, threads: int | None = None) -> None:
        self._levels = latent_layout(package.metadata).levels
        settings = OpenVinoSettings.create(device, threads)
        self.version, self.threads = settings.version, settings.threads
        paths = [package.graph_path(role) for role in ("encoder", "decoder")]
        self._encoder, self._decoder = (
            OpenVinoGraph(settings.core, path, settings.config, package.metadata.name) for path in paths
        )

    def logits(self, windows: Float32) -> Float32:
        """Logits (B, C, ...) with every latent at its mean."""
        encoding = self.encode(windows)
        return self.decode(encoding, encoding.means)

    def encode(self, windows: Float32) -> Encoding:
        """The encoder on windows (B, channels, ...)."""
        found, levels = self._encoder.run((windows,)), self._levels
        first = len(found) - 2 * levels  # the decoder of some networks reads no skips
        features, prior = found[:first], found[first:]
        size = sum(array.nbytes for array in found)
        return Encoding(tuple(features), tuple(prior[:levels]), tuple(prior[levels:]), size)

    def decode(self, encoding: Encoding, latents: Sequence[Float32]) -> Float32:
        """Logits (N, C, ...) for latents (N, latent_dim, ...) a level."""
        return self._decoder.run((*encoding.features, *latents))[0]
