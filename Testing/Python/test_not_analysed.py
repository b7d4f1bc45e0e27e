"""Not analysed is not certain: NaN in maps, a background and a mask where a format has none, and nobody counts it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from results import result_on, write_result_folder
from SUREUncertaintyLib.analysis.band_editing import uncertain_band
from SUREUncertaintyLib.analysis.edge_relation import edge_trust
from SUREUncertaintyLib.analysis.noise_series import level_row
from SUREUncertaintyLib.analysis.structures import structure_table
from SUREUncertaintyLib.analysis.uncertain_regions import uncertain_regions
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.comparison.foreign_scans import uncertainty_of_scan
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.metrics.boundary import boundary_zone
from SUREUncertaintyLib.presenters.histogram import UncertaintyHistogram
from SUREUncertaintyLib.report.overlay import overlay_colours
from SUREUncertaintyLib.report.slice_pictures import Panel, draw_slices
from two_blobs import two_blobs

GRID = Grid((24, 32, 32))
LABEL = Label(1, "cube", (1.0, 0.0, 0.0))
BOX = (slice(2, 20), slice(2, 24), slice(2, 24))
"""What was analysed of ``GRID``."""
UNKNOWN = {"volume_low_ml": 0.0, "volume_high_ml": 0.0, "perception_scale": 0.0}
"""Without probabilities these are NaN, which equals nothing."""


def labels() -> Volume:
    array = np.zeros(GRID.shape, np.uint8)
    array[4:8, 4:9, 4:9] = 1
    return Volume(array, GRID)


def some_uncertainty(outside: float = math.nan) -> Volume:
    array = np.full(GRID.shape, outside, np.float32)
    array[BOX] = np.random.default_rng(0).random(array[BOX].shape, np.float32)
    return Volume(array, GRID)


def inside(volume: Volume) -> Volume:
    """Only what was analysed."""
    array = volume.array[BOX]
    return Volume(array, Grid(array.shape))


def test_the_table_and_the_uncertain_regions_are_those_of_the_analysed_part() -> None:
    (whole,) = structure_table(labels(), some_uncertainty(), [LABEL], 0.5)
    (part,) = structure_table(inside(labels()), inside(some_uncertainty()), [LABEL], 0.5)
    assert replace(whole, **UNKNOWN) == replace(part, **UNKNOWN)
    found = uncertain_regions(labels(), some_uncertainty(), [LABEL], 0.5, scale_mm=2.0)
    alone = uncertain_regions(inside(labels()), inside(some_uncertainty()), [LABEL], 0.5, scale_mm=2.0)
    assert [(r.voxels, r.score) for r in found] == [(r.voxels, r.score) for r in alone]
    assert len(found) > 1


def test_a_structure_that_was_drawn_outside_counts_in_volume_but_not_as_certain() -> None:
    drawn = labels().array.copy()
    drawn[23, 0:3, 0:3] = 1
    (row,) = structure_table(Volume(drawn, GRID), some_uncertainty(), [LABEL], 0.5)
    (before,) = structure_table(labels(), some_uncertainty(), [LABEL], 0.5)
    assert row.voxels == before.voxels + 9
    assert row.mean_uncertainty == pytest.approx(before.mean_uncertainty)
    assert row.share_over_threshold == pytest.approx(before.share_over_threshold)


def test_histogram_shares_are_of_analysed_voxels_and_certain_ones_are_among_them() -> None:
    values = np.array([np.nan] * 90 + [0.0] * 5 + [0.75] * 5, np.float32)
    histogram = UncertaintyHistogram(values, 1000.0)
    assert histogram.share(0.5, 1.0) == pytest.approx(0.5)
    assert histogram.volume_ml(0.5, 1.0) == pytest.approx(5.0)


def test_measures_leave_it_out() -> None:
    uncertainty = some_uncertainty()
    zone = boundary_zone(labels().array, (1.0, 1.0, 1.0))
    assert zone is not None
    assert zone.far_mean(np.where(np.isnan(uncertainty.array), np.nan, 0.25)) == pytest.approx(0.25)
    tight = zone.within(np.isfinite(uncertainty.array))
    assert tight is not None
    assert np.isfinite(tight.in_near(uncertainty.array)).all()
    assert tight.near_distance.size == np.isfinite(zone.in_near(uncertainty.array)).sum() < zone.near_distance.size
    assert zone.within(np.zeros(GRID.shape, bool)) is None
    whole = uncertainty_of_scan(labels().array, uncertainty.array)
    part = uncertainty_of_scan(labels().array[BOX], uncertainty.array[BOX])
    assert whole["mean"] == pytest.approx(part["mean"])
    row = level_row(0.0, np.ones(GRID.shape), labels().array, uncertainty.array, 1.0)
    assert row.uncertainty == pytest.approx(float(uncertainty.array[BOX].mean(dtype=np.float64)))


def test_trust_at_edges_and_the_band_for_editing_do_without_it() -> None:
    image = Volume(np.random.default_rng(1).random(GRID.shape, np.float32), GRID)
    drawn = labels().array.copy()
    drawn[22:, 28:, 28:] = 1  # its whole boundary lies outside of what was analysed
    here = edge_trust(image, Volume(drawn, GRID), some_uncertainty())
    there = edge_trust(image, labels(), some_uncertainty())
    assert here is not None
    assert there is not None
    assert here.voxels == there.voxels
    assert math.isfinite(here.ucc)
    assert not uncertain_band(some_uncertainty().array, 0.0, 1.0)[20:].any()


def boxed_result() -> SegmentationResult:
    result = result_on(Volume(np.random.default_rng(2).random((10, 12, 14), np.float32), Grid((10, 12, 14))))
    uncertainty, entropy = (np.array(volume.array) for volume in (result.uncertainty, result.entropy))
    uncertainty[5:], entropy[5:] = np.nan, np.nan
    return replace(
        result, uncertainty=result.uncertainty.with_array(uncertainty), entropy=result.entropy.with_array(entropy)
    )


def test_files_keep_nan_and_nifti_says_it_with_a_background_and_a_mask(tmp_path: Path) -> None:
    folder = write_result_folder(boxed_result(), tmp_path / "result")
    assert np.isnan(read_volume(folder / "uncertainty.nrrd").array[5:]).all()
    command = ["export", str(folder), "--output", str(tmp_path / "o"), "--format", "nifti", "--format", "nrrd"]
    assert run(command) == 0
    assert np.isnan(read_volume(tmp_path / "o" / "uncertainty-entropy.nrrd").array[5:]).all()
    nifti = read_volume(tmp_path / "o" / "uncertainty-vacuity.nii.gz").array
    mask = read_volume(tmp_path / "o" / "analysed.nii.gz").array
    assert (nifti[5:] == -1.0).all()
    assert np.array_equal(mask, np.broadcast_to((np.arange(10) < 5)[:, None, None], mask.shape))
    assert np.array_equal(nifti[:5], boxed_result().uncertainty.array[:5])


def test_a_picture_hatches_it_and_colours_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (overlay_colours(np.array([np.nan, 0.9], np.float32), 0.5)[:, 3] > 0).tolist() == [False, True]
    hatched = []
    real = Panel._hatch

    def spy(panel: Panel, unknown: np.ndarray) -> None:  # type: ignore[type-arg]
        hatched.append(bool(unknown.any()))
        real(panel, unknown)

    monkeypatch.setattr(Panel, "_hatch", spy)
    result = two_blobs()
    uncertainty = np.where(np.arange(20)[:, None, None] < 12, result.uncertainty.array, np.nan).astype(np.float32)
    boxed = replace(result, uncertainty=result.uncertainty.with_array(uncertainty), regions=())
    with np.errstate(invalid="raise"):
        pictures = draw_slices(boxed, tmp_path)
    assert any(hatched)
    assert all((tmp_path / picture.file).stat().st_size > 10_000 for picture in pictures)
