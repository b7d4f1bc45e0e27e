"""Dense features pooled by class: a frozen encoder, and the voxels of each class as rows of a matrix.

The number of rows is fixed by drawing voxels, because S of white rows depends on it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from ...core.checks import check_scan
from ...core.errors import EngineError, InputError
from ...core.volume import Volume
from ...files.checksum import file_sha256
from ...inference.engine_choice import is_installed
from ...packages.package_fingerprint import Fingerprint
from .checkpoints import load_into, read_state_dict
from .controls import zscored
from .extractor import ABSENT, ClassMap, class_names, label_values, upright

if TYPE_CHECKING:
    import torch

ROWS = 256
Float32 = NDArray[np.float32]


class DenseNetwork(Protocol):
    """An encoder that gives features on a grid over the volume."""

    def features(self, image: Float32) -> Float32:
        """(F, d, h, w) for a z-scored volume (k, j, i) in RAS order; its grid covers the same field of view."""
        ...


@dataclass(frozen=True)
class DenseFeatures:
    """Class-pooled features of one frozen encoder.

    Attributes:
        name, sha256: of the encoder and its weights.
        rows: voxels drawn a class; a class with fewer is left out.
        known: names of label values.
    """

    kind: ClassVar[str] = "dense-features"
    needs_labels: ClassVar[bool] = True
    centred: ClassVar[bool] = False

    network: DenseNetwork
    name: str
    sha256: str
    known: dict[int, str]
    rows: int = ROWS

    @property
    def fingerprint(self) -> Fingerprint:
        """Encoder, weights, and how voxels are drawn."""
        preprocessing = {"orientation": "RAS", "normalisation": "zscore of the whole scan", "rows": self.rows}
        return Fingerprint(self.name, self.sha256, preprocessing)

    def seen(self, case_id: str) -> bool:
        """Unknown for foreign weights, so never claimed."""
        return False

    def extract(self, scan: Volume, labels: Volume | None, case_id: str = "") -> Iterator[ClassMap]:
        """One (rows, F) matrix a class of the label map."""
        if labels is None:
            raise InputError(f"The network '{self.name}' pools features inside a label map, and this scan has none.")
        check_scan(scan, needs_3d=False)
        image, mask = zscored(upright(scan).array), upright(labels, labels=True).array
        features = self.network.features(image)
        for value, name in class_names(self.known, label_values(labels)).items():
            yield self._pooled(name, features, np.argwhere(mask == value), mask.shape, case_id)

    def _pooled(
        self, name: str, features: Float32, voxels: NDArray[np.int64], shape: tuple[int, ...], case_id: str
    ) -> ClassMap:
        if not len(voxels):
            return ClassMap(name, reason=ABSENT)
        if len(voxels) < self.rows:
            return ClassMap(name, reason=f"the structure has fewer than {self.rows} voxels")
        rng = np.random.default_rng(zlib.crc32(f"{case_id}|{name}".encode()))
        chosen = voxels[rng.choice(len(voxels), self.rows, replace=False)]
        cells = (chosen + 0.5) * np.array(features.shape[1:]) / np.array(shape)
        k, j, i = np.minimum(cells.astype(int), np.array(features.shape[1:]) - 1).T
        return ClassMap(name, features[:, k, j, i].T)


class TimmEncoder:
    """A timm vision transformer or convolutional network, run slice by slice; DINOv2 is one of them.

    Args:
        architecture: timm's name, for instance ``"vit_small_patch14_dinov2"``.
        checkpoint: a local safetensors or PyTorch file of that architecture.

    Raises:
        EngineError: timm is not installed. InputError: the file does not belong to the architecture.
    """

    def __init__(self, architecture: str, checkpoint: Path, device: str | None = None) -> None:
        try:
            import timm  # type: ignore[import-not-found]
        except ImportError as error:
            raise EngineError("This network needs the package timm: pip install timm.") from error
        network = timm.create_model(architecture, pretrained=False, num_classes=0)
        self._run = PlanarEncoder(load_into(network, checkpoint), int(network.default_cfg["input_size"][-1]), device)

    def features(self, image: Float32) -> Float32:
        """(F, k, h, w)."""
        return self._run.features(image)


class PlanarEncoder:
    """Slices through ``forward_features`` of a network for RGB pictures of a fixed size.

    Tokens (B, T, F) are put back on their square grid without the prefix tokens; maps (B, F, h, w) are taken as they
    are.
    """

    def __init__(self, network: Any, size: int, device: str | None = None) -> None:
        self.network, self.size, self.device = network.to(device or "cpu").eval(), size, device or "cpu"

    def features(self, image: Float32) -> Float32:
        """(F, k, h, w)."""
        import torch
        from torch.nn.functional import interpolate

        slices = []
        with torch.inference_mode():
            for plane in torch.from_numpy(np.ascontiguousarray(image)):
                picture = interpolate(plane[None, None], (self.size, self.size), mode="bilinear", antialias=True)
                output = self.network.forward_features(picture.expand(1, 3, -1, -1).to(self.device))
                slices.append(self._grid(output)[0].float().cpu().numpy())
        return np.stack(slices, axis=1)

    def _grid(self, output: torch.Tensor) -> torch.Tensor:
        if output.ndim == 4:
            return output
        tokens = output[:, int(getattr(self.network, "num_prefix_tokens", 0)) :]
        side = round(tokens.shape[1] ** 0.5)
        return tokens.transpose(1, 2).reshape(tokens.shape[0], -1, side, side)


class SwinEncoder:
    """The Swin encoder of MONAI's SwinUNETR, for instance its self-supervised weights; 3D.

    Args:
        feature_size: 48 for the published weights.
        stage: which of the five outputs, 0 (finest) to 4.

    Raises:
        EngineError: einops is not installed. InputError: the file does not belong to the encoder.
    """

    def __init__(self, checkpoint: Path, feature_size: int = 48, stage: int = 2, device: str | None = None) -> None:
        if not is_installed("einops"):
            raise EngineError("MONAI's SwinUNETR needs the package einops: pip install einops.")
        from monai.networks.nets import SwinUNETR

        whole = SwinUNETR(in_channels=1, out_channels=2, feature_size=feature_size, spatial_dims=3)
        self._encoder = load_into(whole.swinViT, checkpoint, _swin_prefix(checkpoint)).to(device or "cpu")
        self._stage, self._device = stage, device or "cpu"

    def features(self, image: Float32) -> Float32:
        """(F, d, h, w), padded at the far ends to multiples of 32 and cut back."""
        import torch

        pads = [(-n) % 32 for n in image.shape]
        padded = np.pad(image, [(0, pad) for pad in pads], mode="edge")
        with torch.inference_mode():
            output = self._encoder(torch.from_numpy(padded)[None, None].to(self._device))[self._stage][0]
        cells = [
            max(1, round(size * n / whole))
            for size, n, whole in zip(output.shape[1:], image.shape, padded.shape, strict=True)
        ]
        return np.asarray(output[:, : cells[0], : cells[1], : cells[2]].float().cpu().numpy())


def _swin_prefix(checkpoint: Path) -> str:
    return "swinViT." if any(name.startswith("swinViT.") for name in read_state_dict(checkpoint)) else ""


def timm_features(architecture: str, checkpoint: Path, known: dict[int, str], device: str | None) -> DenseFeatures:
    """Features of a timm network from a local file."""
    network = TimmEncoder(architecture, checkpoint, device)
    return DenseFeatures(network, f"timm:{architecture}", file_sha256(checkpoint), known)


def swin_features(feature_size: int, checkpoint: Path, known: dict[int, str], device: str | None) -> DenseFeatures:
    """Features of a SwinUNETR encoder from a local file."""
    network = SwinEncoder(checkpoint, feature_size, device=device)
    return DenseFeatures(network, f"swinunetr:{feature_size}", file_sha256(checkpoint), known)
