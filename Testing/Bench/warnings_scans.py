"""The scans on which warnings are measured: intact, damaged, of another source, and foreign to the model.

Settings are chosen on the 32 tuning scans of ``hippocampus-t1``; the validation scans are for scoring once. Another
source means T1 scans of heads whose results are plausible; they carry no labels. Foreign are other sequences, other
organs, a head without a box, and boxes that hold no hippocampus.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from accuracy import validation_cases
from SUREUncertaintyLib.analysis.noise_series import KINDS, damaged
from SUREUncertaintyLib.core.geometry import crop_grid
from SUREUncertaintyLib.core.phantom import PHANTOM_ROIS, make_phantom
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.demo_input import ROIS, demo_scan
from SUREUncertaintyLib.files.reading import read_labels, read_volume
from SUREUncertaintyLib.packages.package import Package

INTACT, DAMAGED, OTHER_SOURCE, FOREIGN = "intact", "damaged", "another source", "foreign"
STRENGTHS = (0.3, 0.6, 1.0)
CROPS = Path("ood_io") / "ms_brain_mri" / "hippocampus_region_crops"
HEAD = Path("ood_io") / "ms_brain_mri" / "patient19_MNI" / "patient19_T1.nii.gz"
ORGANS = (
    "ood_io/totalsegmentator_example/example_ct_sm.nii.gz",
    "ood_io/totalsegmentator_example/example_mr_sm.nii.gz",
    "ood_io/msd_spleen_crop/sub-spleen2/ct/sub-spleen2_ct.nii.gz",
)
EMPTY_BOXES = (
    Roi("Frontal", (-40.0, 20.0, 0.0), (-4.0, 70.0, 40.0)),
    Roi("Occipital", (4.0, -100.0, -10.0), (40.0, -50.0, 30.0)),
    Roi("Parietal", (-40.0, -60.0, 40.0), (-4.0, -10.0, 75.0)),
)
"""RAS mm in MNI space, of the size of the training crops; none of them holds a hippocampus."""
HALF = ((40, 140), (80, 180), (20, 120))
"""Voxels (k, j, i) of the template."""
HEARTS, WHOLE_HEARTS = 10, 5
"""Every tenth cropped heart of 100, every fifth whole one of 10."""


@dataclass(frozen=True, eq=False)
class Scan:
    """One scan to segment; ``label`` is None where nobody outlined it."""

    kind: str
    name: str
    volume: Volume
    label: Volume | None = None
    rois: tuple[Roi, ...] = ()


def labelled(package: Package, data: Path, split: str) -> Iterator[Scan]:
    """Every scan of the tuning (or validation) split, intact and under every other kind of damage."""
    tuning = {str(name) for name in package.metadata.raw["training"]["tuning_ids"]}
    cases = validation_cases(data, "val" if split == "validation" else "train")
    chosen = [case for case in cases if split == "validation" or case.id in tuning]
    for number, case in enumerate(chosen):
        assert case.label is not None
        scan = Scan(INTACT, case.id, read_volume(case.image), read_labels(case.label))
        yield scan
        for turn, kind in enumerate(KINDS[number % 2 :: 2]):
            strength = STRENGTHS[(number + turn) % len(STRENGTHS)]
            image = scan.volume.with_array(damaged(scan.volume, kind, strength, seed=number))
            yield replace(scan, kind=DAMAGED, name=f"{case.id} {kind} {strength:g}", volume=image)


def unlabelled(data: Path) -> Iterator[Scan]:
    """T1 heads of other sources, then what is foreign to the model."""
    for path in sorted((data / CROPS).glob("*.nii.gz")):
        yield Scan(OTHER_SOURCE if "_T1_" in path.name else FOREIGN, path.name, read_volume(path))
    template, head = demo_scan(), read_volume(data / HEAD)
    yield from _boxed(OTHER_SOURCE, template, ROIS)
    yield from _boxed(FOREIGN, template, EMPTY_BOXES)
    yield from _boxed(FOREIGN, head, EMPTY_BOXES)
    yield Scan(FOREIGN, f"{template.name}, half a head", crop_block(template, HALF))
    yield from _boxed(FOREIGN, make_phantom(), PHANTOM_ROIS)
    hearts = sorted((data / "acdc_noncommercial" / "roi").glob("*_ED.nii.gz"))[::HEARTS]
    whole = sorted((data / "acdc_noncommercial" / "original").glob("*/*_frame01.nii.gz"))[::WHOLE_HEARTS]
    cine = sorted((data / "sunnybrook_lv" / "volumes").glob("*_ED.nii.gz"))
    for path in (*hearts, *whole, *cine, *(data / organ for organ in ORGANS)):
        yield Scan(FOREIGN, path.name, read_volume(path))


def crop_block(volume: Volume, ranges: Sequence[tuple[int, int]]) -> Volume:
    """A block of a scan; ``ranges`` along (k, j, i)."""
    block = tuple(slice(*part) for part in ranges)
    k, j, i = block
    array = volume.array[block]
    grid = crop_grid(volume.grid, (i.start, j.start, k.start), array.shape[::-1])
    return replace(volume, array=array, grid=grid)


def _boxed(kind: str, volume: Volume, boxes: Sequence[Roi]) -> Iterator[Scan]:
    for box in boxes:
        yield Scan(kind, f"{volume.name}, {box.name}", volume, None, (box,))
