"""The package that ships: present, whole, and right on a brain that comes with an open package."""

from pathlib import Path

import numpy as np
import pytest
from SUREUncertaintyLib.core.geometry import ras_to_ijk
from SUREUncertaintyLib.files.demo_input import ROIS, demo_scan
from SUREUncertaintyLib.files.reading import read_labels, read_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package


@pytest.fixture(scope="module")
def package() -> Package:
    return find_package("hippocampus-t1")


@pytest.fixture(scope="module")
def brain(package: Package) -> SegmentationResult:
    return segment(demo_scan(), package, create_engine(package, "openvino"), ROIS)


def centre_ras(result: SegmentationResult, value: int) -> np.ndarray:
    k, j, i = np.argwhere(result.labels.array == value).mean(0)
    return np.asarray((result.labels.grid.ijk_to_ras @ (i, j, k, 1.0))[:3])


def test_both_hippocampi_have_a_plausible_size_and_hardly_differ(brain: SegmentationResult) -> None:
    volumes = {row.name: row.volume_ml for row in brain.structures}
    sides = [sum(v for name, v in volumes.items() if name.startswith(side)) for side in ("Left", "Right")]
    assert len(volumes) == 4
    assert all(3.5 < side < 5.5 for side in sides)
    assert sides[0] == pytest.approx(sides[1], rel=0.1)


def test_left_is_left_and_anterior_is_anterior(brain: SegmentationResult) -> None:
    left_front, left_back, right_front, right_back = (centre_ras(brain, value) for value in (1, 2, 3, 4))
    assert max(left_front[0], left_back[0]) < -15
    assert min(right_front[0], right_back[0]) > 15
    assert left_front[1] - left_back[1] > 10
    assert right_front[1] - right_back[1] > 10


def test_the_range_holds_the_volume_and_is_neither_empty_nor_endless(brain: SegmentationResult) -> None:
    for row in brain.structures:
        assert row.volume_low_ml < row.volume_ml < row.volume_high_ml
        assert row.volume_high_ml < 2 * row.volume_low_ml


def test_uncertainty_sits_at_the_boundary_and_lies_in_its_range(brain: SegmentationResult) -> None:
    uncertainty = brain.uncertainty.array
    assert np.isnan(uncertainty).any()  # outside of the boxes nothing was analysed
    assert 0.0 <= float(np.nanmin(uncertainty)) < 1e-3
    assert float(np.nanmax(uncertainty)) <= 1.0
    for row in brain.structures:
        assert row.boundary_uncertainty > 1.2 * row.interior_uncertainty


def test_uncertain_regions_lie_on_uncertain_voxels_inside_the_regions(brain: SegmentationResult) -> None:
    assert brain.regions
    for place in brain.regions:
        i, j, k = np.rint(ras_to_ijk(brain.uncertainty.grid, np.array([place.centre_ras]))[0]).astype(int)
        assert brain.uncertainty.array[k, j, i] > brain.threshold
        assert any(np.all(np.array(r.low) <= place.centre_ras) and np.all(place.centre_ras <= r.high) for r in ROIS)


@pytest.mark.torch
def test_both_engines_agree_on_the_brain(package: Package) -> None:
    scan, roi = demo_scan(), ROIS[:1]
    one, other = (
        segment(scan, package, create_engine(package, name), roi, keep_probabilities=True)
        for name in ("openvino", "torch")
    )
    assert one.probabilities is not None
    assert other.probabilities is not None
    assert float(np.abs(one.probabilities - other.probabilities).max()) <= 1e-3
    assert np.allclose(one.uncertainty.array, other.uncertainty.array, atol=1e-3, rtol=0, equal_nan=True)


@pytest.mark.data
def test_a_validation_scan_is_segmented_as_the_card_promises(package: Package, data_root: Path) -> None:
    folder = data_root / "msd_hippocampus"
    result = segment(
        read_volume(folder / "images" / "hippocampus_003.nii.gz"), package, create_engine(package, "openvino")
    )
    reference = read_labels(folder / "labels" / "hippocampus_003.nii.gz").array
    assert min(dice(result.labels.array == value, reference == value) for value in (1, 2)) > 0.8
