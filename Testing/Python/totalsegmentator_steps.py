"""TotalSegmentator's steps around nnU-Net by nibabel, SciPy and PyTorch: what the tests compare with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from needed_torch import torch
from nnunet_phantoms import make_phantom
from numpy.typing import NDArray
from scipy.ndimage import zoom
from SUREUncertaintyLib.core.progress import never, silent
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.native.tiles import blend_tiles, spread_tiles
from SUREUncertaintyLib.packages.totalsegmentator.structures import PARTS, STRUCTURES
from totalsegmentator_folders import CT

LPI = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def values_of(number: int) -> tuple[int, ...]:
    """Label value of every output of a network of the task ``total``."""
    return (0, *(STRUCTURES.index(name) + 1 for name in PARTS.get(number, STRUCTURES)))


def scan_file(folder: Path) -> Path:
    """A CT of whole numbers that is stored flipped, with thick slices."""
    phantom = make_phantom(3, (12, 30, 26), (1.1, 0.9, 2.4))
    grid = Grid(phantom.labels.shape, phantom.spacing, (12.0, -20.0, 40.0), LPI)
    write_volume(Volume(phantom.channels[0].astype(np.int16), grid, "scan"), folder / "scan.nii.gz")
    return folder / "scan.nii.gz"


LEAD = 1e-3
"""Of logits: where random networks of a hundred classes are nearer to a tie, two engines may round either way."""


def by_its_steps(
    file: Path, networks: Sequence[tuple[Any, Sequence[int]]], mm: float, step: float = 0.8
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """TotalSegmentator's own steps by nibabel and SciPy: the label map (k, j, i) as stored, and where it is clear.

    ``networks``: each with the label value of every output.
    """
    import nibabel as nib
    from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

    stored = nib.load(file)
    turned = nib.as_closest_canonical(stored)
    data = np.asarray(turned.get_fdata())
    small = zoom(data, np.array(turned.header.get_zooms()) / mm, mode="nearest", order=1).astype(np.int32)
    image = small.transpose(2, 1, 0).astype(np.float32)
    joined, lead = np.zeros(image.shape, np.uint8), np.full(image.shape, np.inf, np.float32)
    for network, values in networks:
        mean = 140.0 + (len(values) - 1) % 10
        seen = (np.clip(image, CT["percentile_00_5"], CT["percentile_99_5"]) - mean) / CT["std"]

        def logits_of(windows: NDArray[np.float32]) -> NDArray[np.float32]:
            with torch.no_grad():
                return np.asarray(network(torch.from_numpy(windows)).numpy())  # noqa: B023 - called at once

        tiles = spread_tiles(image.shape, (16, 16, 16), step)
        blended = blend_tiles(seen[None].astype(np.float32), tiles, logits_of, silent, never)
        found = blended.argmax(axis=0)
        second, first = np.partition(blended, -2, axis=0)[-2:]
        lead = np.minimum(lead, first - second)
        table = np.array(values, dtype=np.uint8)
        np.copyto(joined, table[found], where=found != 0)
    turn = ornt_transform(axcodes2ornt("RAS"), io_orientation(stored.affine))

    def stored_again(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        back = zoom(array.transpose(2, 1, 0), np.array(data.shape) / small.shape, mode="nearest", order=0)
        image_back = nib.Nifti1Image(back.astype(np.uint8), turned.affine)
        return np.asarray(image_back.as_reoriented(turn).dataobj).transpose(2, 1, 0).astype(np.uint8)

    return stored_again(joined), stored_again((lead > LEAD).astype(np.uint8)) > 0
