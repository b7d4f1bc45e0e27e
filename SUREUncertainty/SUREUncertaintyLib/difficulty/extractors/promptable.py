"""Promptable networks of the SAM family: a box around each class on each slice gives mask logits, stacked to a map.

The boxes come from a label map, so with ground-truth labels this is not a label-free score.
"""

from __future__ import annotations

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
from ...packages.package_fingerprint import Fingerprint
from .checkpoints import load_into
from .extractor import ABSENT, ClassMap, class_names, label_values, upright

if TYPE_CHECKING:
    import torch

Box = tuple[float, float, float, float]
Float32 = NDArray[np.float32]
LOW, HIGH = 0.5, 99.5


class PromptableNetwork(Protocol):
    """A network that outlines what is in a box."""

    @property
    def size(self) -> int:
        """Pixels along each side of the square picture that it takes."""

    def embed(self, picture: Float32) -> Any:
        """Whatever ``mask_logits`` needs of a picture (3, size, size) with values in 0..1."""
        ...

    def mask_logits(self, embedding: Any, box: Box) -> Float32:
        """(h, w) logits of the mask for a box (x0, y0, x1, y1) in pixels of the picture."""
        ...


@dataclass(frozen=True)
class Promptable:
    """Mask logits of one promptable network, slice by slice. Slices without the class are filled with ``empty``."""

    kind: ClassVar[str] = "promptable"
    needs_labels: ClassVar[bool] = True
    centred: ClassVar[bool] = False

    network: PromptableNetwork
    name: str
    sha256: str
    known: dict[int, str]
    margin: float = 2.0
    empty: float = 0.0

    @property
    def fingerprint(self) -> Fingerprint:
        """Network, weights, and how boxes are made."""
        preprocessing = {
            "orientation": "RAS",
            "normalisation": f"percentiles {LOW} to {HIGH} of the scan to 0..1",
            "size": self.network.size,
            "prompt": f"box of the label map on each slice, {self.margin:g} voxels wider",
        }
        return Fingerprint(self.name, self.sha256, preprocessing)

    def seen(self, case_id: str) -> bool:
        """Unknown for foreign weights, so never claimed."""
        return False

    def extract(self, scan: Volume, labels: Volume | None, case_id: str = "") -> Iterator[ClassMap]:
        """One (slices, h, w) map a class of the label map, of the slices that hold it."""
        if labels is None:
            raise InputError(f"The network '{self.name}' is prompted with boxes of a label map; this scan has none.")
        check_scan(scan, needs_3d=False)
        pictures, mask = _pictures(upright(scan).array), upright(labels, labels=True).array
        names = class_names(self.known, label_values(labels))
        planes: dict[int, list[Float32]] = {value: [] for value in names}
        for picture, plane in zip(pictures, mask, strict=True):
            self._add_slice(picture, plane, planes)
        for value, name in names.items():
            stack = planes[value]
            yield ClassMap(name, np.stack(stack)) if stack else ClassMap(name, reason=ABSENT)

    def _add_slice(self, picture: Float32, plane: NDArray[Any], planes: dict[int, list[Float32]]) -> None:
        present = [value for value in planes if (plane == value).any()]
        if not present:
            return
        embedding = self.network.embed(_resized(picture, self.network.size))
        for value in present:
            planes[value].append(self.network.mask_logits(embedding, self._box(plane == value)))

    def _box(self, inside: NDArray[np.bool_]) -> Box:
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        y, x = self.network.size / inside.shape[0], self.network.size / inside.shape[1]
        low_x, high_x = (columns[0] - self.margin) * x, (columns[-1] + 1 + self.margin) * x
        low_y, high_y = (rows[0] - self.margin) * y, (rows[-1] + 1 + self.margin) * y
        limit = float(self.network.size)
        return (max(low_x, 0.0), max(low_y, 0.0), min(high_x, limit), min(high_y, limit))


class Sam2Network:
    """SAM2 and MedSAM2 through the package ``sam2``: its model, our checkpoint loader, box prompts.

    Args:
        model: a ``SAM2Base`` model whose weights are loaded.
    """

    def __init__(self, model: Any, device: str | None = None) -> None:
        self._device = device or "cpu"
        self._model = model.to(self._device).eval()

    @property
    def size(self) -> int:
        """``image_size`` of the model: 512 for MedSAM2."""
        return int(self._model.image_size)

    def embed(self, picture: Float32) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """The coarsest feature map and the finer ones for the decoder."""
        import torch

        mean, spread = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
        image = (torch.from_numpy(picture) - mean[:, None, None]) / spread[:, None, None]
        model = self._model
        with torch.inference_mode():
            output = model.forward_image(image[None].float().to(self._device))
            _, features, _, sizes = model._prepare_backbone_features(output)
            if model.directly_add_no_mem_embed:
                features[-1] = features[-1] + model.no_mem_embed
            maps = [part.permute(1, 2, 0).reshape(1, -1, *side) for part, side in zip(features, sizes, strict=True)]
        return maps[-1], maps[:-1]

    def mask_logits(self, embedding: tuple[torch.Tensor, list[torch.Tensor]], box: Box) -> Float32:
        """Logits on the decoder's grid (128 x 128 for MedSAM2)."""
        import torch

        coarse, finer = embedding
        model = self._model
        corners = torch.tensor([[box[:2], box[2:]]], dtype=torch.float32, device=self._device)
        kinds = torch.tensor([[2, 3]], dtype=torch.int32, device=self._device)
        with torch.inference_mode():
            sparse, dense = model.sam_prompt_encoder(points=(corners, kinds), boxes=None, masks=None)
            masks, *_ = model.sam_mask_decoder(
                image_embeddings=coarse,
                image_pe=model.sam_prompt_encoder.get_dense_pe(),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=False,
                repeat_image=False,
                high_res_features=finer,
            )
        return np.asarray(masks[0, 0].float().cpu().numpy())


def sam2_extractor(config: str, checkpoint: Path, known: dict[int, str], device: str | None) -> Promptable:
    """A SAM2 model from a configuration of the package ``sam2`` and a local checkpoint with the model's own key names.

    Args:
        config: the configuration's name, with ``@512`` behind it for pictures of 512 pixels, as MedSAM2 takes them.

    Raises:
        EngineError: the package is not installed, or does not know the configuration.
        InputError: the checkpoint does not belong to the model.
    """
    try:
        from sam2.build_sam import build_sam2  # type: ignore[import-not-found]
    except ImportError as error:
        raise EngineError("This network needs the package sam2: pip install sam2 (or MedSAM2's copy of it).") from error
    name, _, size = config.partition("@")
    overrides = [f"++model.image_size={int(size)}"] if size.isdigit() else []
    try:
        model = build_sam2(name, ckpt_path=None, device="cpu", hydra_overrides_extra=overrides)
    except Exception as error:
        raise EngineError(f"The package sam2 cannot build the configuration '{config}': {error}") from error
    network = Sam2Network(load_into(model, checkpoint), device)
    return Promptable(network, f"sam2:{config}", file_sha256(checkpoint), known)


def _pictures(array: NDArray[Any]) -> Float32:
    """The scan in 0..1 between two percentiles, as MedSAM2 wants intensities."""
    low, high = np.percentile(array, [LOW, HIGH])
    scaled = (array.astype(np.float32) - np.float32(low)) / np.float32(max(high - low, 1e-6))
    return np.clip(scaled, 0.0, 1.0)


def _resized(plane: Float32, size: int) -> Float32:
    """(3, size, size), bilinear."""
    from skimage.transform import resize

    square = resize(plane, (size, size), order=1, anti_aliasing=False, preserve_range=True)
    return np.repeat(square[None].astype(np.float32), 3, axis=0)
