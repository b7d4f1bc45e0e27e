"""What a region is before the network sees it: how many there may be, and what stands beyond the scan."""

from dataclasses import replace

import numpy as np
import pytest
from SUREUncertaintyLib.analysis import notice_texts as texts
from SUREUncertaintyLib.arrays.normalisation import normalise
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.network_regions import plan_regions, prepare_region
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.package import Package
from tiny import PointEngine, with_metadata

GRID = Grid((10, 10, 10))


def test_beyond_the_scan_stands_its_lowest_value(tiny_package: Package) -> None:
    scale = {"kind": "range", "low": 0.0, "high": 1000.0}
    raw = {**tiny_package.metadata.raw, "centred": True}
    metadata = with_metadata(tiny_package, {"raw": raw, "normalisation": scale}).metadata
    scan = Volume(np.random.default_rng(0).uniform(300.0, 900.0, GRID.shape).astype(np.float32), GRID)
    (region,) = plan_regions(GRID, metadata)
    image = prepare_region(scan, region, metadata)
    assert image.shape == (1, 16, 16, 16)
    lowest = float(scan.array.min()) / 1000.0
    assert image.min() == pytest.approx(lowest, abs=1e-6)
    assert int(np.isclose(image, lowest, atol=1e-6).sum()) == 16**3 - 10**3 + 1


def test_as_many_regions_as_a_label_map_holds_labels(tiny_package: Package) -> None:
    first, *others = tiny_package.metadata.labels
    labels = (first, *others[:-1], replace(others[-1], value=5))
    metadata = with_metadata(tiny_package, {"labels": labels}).metadata
    rois = [Roi(str(number), (-8.0, -8.0, 1.0), (-1.0, -1.0, 8.0)) for number in range(52)]
    planned = plan_regions(GRID, metadata, rois[:51])
    assert planned[-1].label_set[-1].value == 51 * 5 == 255
    with pytest.raises(InputError, match="52 regions of 5 labels each do not fit"):
        plan_regions(GRID, metadata, rois)


@pytest.mark.parametrize(("lowest", "told"), [(-1000, False), (0, True)])
def test_a_scan_without_air_is_told_to_a_model_for_ct(tiny_package: Package, lowest: int, told: bool) -> None:
    array = np.random.default_rng(1).integers(0, 500, (20, 20, 20)).astype(np.int16)
    array[0, 0, 0] = lowest
    result = segment(Volume(array, Grid(array.shape)), with_metadata(tiny_package, {"modality": "CT"}), PointEngine())
    assert (texts.NOT_HOUNSFIELD in {notice.code for notice in result.notices}) == told


def test_the_rounding_of_a_constant_is_no_contrast() -> None:
    array = np.full((4, 4, 4), 1000.0, np.float32)
    array[::2] = np.nextafter(np.float32(1000.0), np.float32(np.inf))
    assert not normalise(array, {"kind": "zscore"}).any()
