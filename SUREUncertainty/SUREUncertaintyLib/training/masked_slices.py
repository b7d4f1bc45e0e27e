"""Slices that one reader outlined: one npz with images and a mask of each."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..core.errors import InputError

IMAGES = "images"


@dataclass(frozen=True, eq=False)
class MaskedSlices:
    """``images`` (N, H, W) and ``marked`` (N, H, W), 1 inside the outline."""

    images: NDArray[np.uint8]
    marked: NDArray[np.uint8]

    def masks(self, row: int) -> NDArray[np.uint8]:
        """The one reader's marks, (1, H, W)."""
        return self.marked[row][np.newaxis]


def read_masked_slices(path: Path, mask: str, inset_px: float = 0.0) -> MaskedSlices:
    """Read the npz file.

    Args:
        mask: name of the array of masks: (N, H, W), or (N, H, W / 8) with eight pixels a byte (``numpy.packbits``).
        inset_px: by how many pixels the masks are too large, see ``inset``.

    Raises:
        InputError: it is missing, unreadable, lacks an array, or the shapes do not fit.
    """
    wanted = f"Expected is an npz file with the arrays {IMAGES} and {mask}."
    if not path.is_file():
        raise InputError(f"There is no file {path}. {wanted}")
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, marked = np.asarray(archive[IMAGES]), np.asarray(archive[mask])
    except KeyError as error:
        raise InputError(f"The file {path} lacks an array: {error}. {wanted}") from error
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"The file {path} cannot be read as an npz file of plain numbers: {error}") from error
    if images.ndim == marked.ndim == 3 and marked.dtype == np.uint8 and 8 * marked.shape[-1] == images.shape[-1]:
        marked = np.unpackbits(marked, axis=-1)
    if images.ndim != 3 or images.shape != marked.shape:
        raise InputError(
            f"{IMAGES} {images.shape} and {mask} {marked.shape} in {path} must be (slices, rows, columns)."
        )
    marked = (marked > 0).astype(np.uint8)
    return MaskedSlices(images, np.stack([inset(each, inset_px) for each in marked]) if inset_px else marked)


def inset(mask: NDArray[np.uint8], pixels: float) -> NDArray[np.uint8]:
    """The mask (H, W) with its outline moved inwards by that many pixels, which may be less than one.

    True on average over the outline's directions: what stays is where the mask, smoothed by a Gaussian of one pixel,
    exceeds the value that it has at that distance from a straight edge. Filling every pixel that an outline touches
    makes a mask about half a pixel too large.
    """
    from scipy.ndimage import gaussian_filter
    from scipy.stats import norm

    return (gaussian_filter(mask.astype(np.float64), 1.0) > norm.cdf(pixels)).astype(np.uint8)
