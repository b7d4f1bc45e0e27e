"""Models that outline one thing in the middle of a box: what they see, what they leave out, and what they refuse."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st
from needed_torch import ENGINE
from phantoms import tilted_grid
from SUREUncertaintyLib.analysis import notice_texts as texts
from SUREUncertaintyLib.analysis.edge_and_pieces import at_window_edge
from SUREUncertaintyLib.analysis.notices import notices_for
from SUREUncertaintyLib.core.centred_window import middle_slices, voxels_within, window_around
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.core.geometry import crop_grid, reorient_grid
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.resampling import model_grid
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.corruptions.registry import make_recipe
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.evaluation.slice_predictor import create_slice_predictor
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.network_regions import plan_regions
from SUREUncertaintyLib.inference.sampling.samples_result import SamplingOptions
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.metadata_parsing import parse_metadata
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.presenters.model_description import box_size
from SUREUncertaintyLib.training.recipe import load_recipe
from SUREUncertaintyLib.training.training_cases import TrainingCase
from tiny import build_tiny

PLANAR_LABELS = [{"value": 0, "name": "background", "color": [0, 0, 0]}, {"value": 1, "name": "n", "color": [1, 0, 0]}]
GREY = np.random.default_rng(3).integers(0, 255, (2, 25, 24), dtype=np.uint8)


@pytest.fixture(scope="module", params=["latent_unet", "unet"])
def centred(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Package:
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2, "channels": [4, 6, 8]}
    arguments |= {"posterior": "none"} if request.param == "latent_unet" else {}
    kinds = ["mutual_information", "entropy"] if request.param == "latent_unet" else ["entropy"]
    return build_tiny(
        tmp_path_factory.mktemp("boxes") / "boxes",
        name="boxes",
        network={"name": request.param, "arguments": arguments},
        head="softmax",
        orientation="LPS",
        spacing=None,
        patch=[16, 16],
        centred=True,
        normalisation={"kind": "minmax", "per_slice": True},
        labels=PLANAR_LABELS,
        uncertainty={"primary": kinds[0], "kinds": kinds, "threshold": 0.1},
    )


@given(st.sampled_from(["RAS", "LPS", "PIR", "SLA"]), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40))
def test_the_middle_of_a_grid_is_the_middle_of_its_array(code: str, k: int, j: int, i: int) -> None:
    on_model = Grid((k, j, i), (0.7, 0.8, 2.0), (5.0, -3.0, 11.0))
    stored = reorient_grid(on_model, code)  # the same voxels, stored in another order
    within = voxels_within(stored, window_around(on_model, (16, 12)))
    rows, columns = middle_slices((k, j, i), (16, 12))
    expected = crop_grid(on_model, (columns.start, rows.start, 0), (min(i, 12), min(j, 16), k))
    start = tuple(part.start for part in reversed(within))
    size = tuple(part.stop - part.start for part in reversed(within))
    seen = reorient_grid(crop_grid(stored, start, size), "LPS")  # type: ignore[arg-type]
    assert seen.shape == expected.shape
    np.testing.assert_allclose(seen.origin, expected.origin, atol=1e-9)


corner, edge = st.floats(-60.0, 10.0), st.floats(0.5, 36.0)


@given(st.tuples(corner, corner), st.tuples(edge, edge), st.sampled_from(["RAS", "LPS"]))
def test_the_window_is_one_patch_around_the_middle_of_any_box(
    low: tuple[float, float], size: tuple[float, float], code: str
) -> None:
    scan = reorient_grid(Grid((5, 50, 60), (0.8, 0.8, 2.5)), code)  # R -47.6 to 0.4, A -39.6 to 0.4
    roi = Roi("box", (low[0], low[1], 0.0), (low[0] + size[0], low[1] + size[1], 6.0))
    middle = np.array([low[0] + size[0] / 2, low[1] + size[1] / 2])
    assume(bool(np.all((middle > (-47.6, -39.6)) & (middle < 0.4))))
    (region,) = plan_regions(scan, planar(), (roi,))
    assert region.model_grid.shape == (3, 16, 16)
    centre = region.model_grid.ijk_to_ras @ (7.5, 7.5, 1.0, 1.0)
    assert np.abs(centre[:2] - middle).max() <= 0.401  # half a voxel, and what rounding may cost
    assert all(part.start < part.stop for part in region.slices)


def planar() -> Any:
    """The metadata of a model for boxes that works slice by slice."""
    facts = {
        "spacing": None,
        "patch": (16, 16),
        "centred": True,
        "orientation": "LPS",
        "name": "boxes",
        "pipeline": None,
    }
    return SimpleNamespace(**facts, foreground=(Label(1, "n"),))


def test_a_window_of_another_spacing_is_whole_and_its_voxels_exist() -> None:
    on_model = model_grid(tilted_grid((30, 41, 52)), "RAS", (1.0, 1.0, 1.0))
    window = window_around(on_model, (16, 16, 16))
    assert window.shape == (16, 16, 16)
    assert window.spacing == (1.0, 1.0, 1.0)
    within = voxels_within(tilted_grid((30, 41, 52)), window)
    extents = [(p.stop - p.start) * mm for p, mm in zip(within, tilted_grid((30, 41, 52)).spacing_kji, strict=True)]
    assert extents == pytest.approx([16.0] * 3, abs=max(tilted_grid((30, 41, 52)).spacing))
    thick = Grid((1, 8, 8), (1.0, 1.0, 4.0))
    assert voxels_within(thick, window_around(model_grid(thick, "RAS", (1.0, 1.0, 0.39)), (9, 8, 8)))[0] == slice(0, 1)


def test_a_field_of_view_without_a_middle_is_refused_in_words(centred: Package) -> None:
    scan = Grid((3, 64, 40), (0.5, 0.5, 1.0))
    with pytest.raises(InputError, match=r"The scan measures 20 x 32 mm.*middle of a box of about 8 x 8 mm.*region"):
        plan_regions(scan, centred.metadata)
    roi = Roi("wide", (-19.5, -31.5, -0.5), (0.5, 0.5, 2.5))
    with pytest.raises(InputError, match=r"The region 'wide' measures"):
        plan_regions(scan, centred.metadata, (roi,))
    aside = Roi("aside", (-39.0, -10.0, 0.0), (-18.0, -2.0, 2.0))  # reaches into the scan, its middle does not
    with pytest.raises(InputError, match=r"The region 'aside' has its middle outside of the scan"):
        plan_regions(scan, centred.metadata, (aside,))


def test_the_size_of_a_box_changes_nothing(centred: Package) -> None:
    engine = create_engine(centred, ENGINE, "cpu")
    scan = Volume(GREY.astype(np.float32), Grid(GREY.shape))
    sizes = [
        segment(
            scan, centred, engine, (Roi("n", (-12 - h, -12 - h, 0.0), (-12 + h, -12 + h, 1.0)),), sampling=few(centred)
        )
        for h in (2.0, 8.0, 11.0)
    ]
    for other in sizes[1:]:
        assert np.array_equal(other.labels.array, sizes[0].labels.array)
    assert [any(one.code == texts.MIDDLE_ONLY for one in result.notices) for result in sizes] == [False, False, True]


def few(package: Package) -> SamplingOptions | None:
    return SamplingOptions(4) if "encoder" in package.metadata.graphs else None


def test_what_reaches_the_edge_of_the_window_is_warned_about() -> None:
    labels = np.zeros((3, 30, 30), np.uint8)
    window = (slice(0, 3), slice(7, 23), slice(0, 16))
    labels[1, 7, 9] = 1  # on the window's edge
    labels[1, 10, 0] = 2  # on the scan's own edge
    labels[0, 12, 12] = 3  # first slice of the scan
    assert at_window_edge(labels, window, 3) == {1}
    fewer = (slice(0, 2), slice(8, 23), slice(0, 16))
    assert at_window_edge(labels, fewer, 3) == {2}  # the next slice is not seen
    assert at_window_edge(labels, fewer, 2) == set()  # and not wanted where slices are read one by one
    for axis in range(3):
        edge = np.zeros((9, 9, 9), np.uint8)
        edge[tuple(-1 if n == axis else 4 for n in range(3))] = 1
        edge[tuple(0 if n == axis else 4 for n in range(3))] = 2
        whole = (slice(0, 9),) * 3
        assert at_window_edge(edge, whole, 3) == set()  # the scan ends there: nothing goes on beyond the window


def test_the_warning_is_about_the_window_and_not_about_the_box(centred: Package) -> None:
    labels = np.zeros((1, 30, 30), np.uint8)
    labels[0, 10:20, 7:12] = 1  # on the left edge of a window around the middle, beyond the faces of a tight box
    scan, box = Volume(labels, Grid(labels.shape)), Roi("n", (-17.0, -17.0, -0.5), (-12.0, -12.0, 0.5))
    (region,) = plan_regions(scan.grid, centred.metadata, (box,))
    found = notices_for(scan, centred.metadata, region.label_set, (), rois=(box,), windows=[region.slices])
    cut = {one.code: one.text for one in found if one.code in (texts.CUT_BY_WINDOW, texts.CUT_BY_ROI)}
    assert list(cut) == [texts.CUT_BY_WINDOW]
    assert cut[texts.CUT_BY_WINDOW].startswith("Reaches the edge of what the model 'boxes' sees: n n.")


def test_a_box_is_placed_as_large_as_the_window(centred: Package) -> None:
    scan = Grid((40, 512, 512), (0.39, 0.39, 2.5))
    assert box_size(centred.metadata, scan) == pytest.approx((15 * 0.39, 15 * 0.39, 20.0))


def test_a_slice_is_answered_in_its_middle_and_is_background_around_it(centred: Package) -> None:
    predictor = create_slice_predictor(centred, create_engine(centred, ENGINE, "cpu"), 4)
    where = middle_slices(GREY[0].shape, (16, 16))
    whole, middle = predictor.predict(GREY[0], (0,)), predictor.predict(GREY[0][where], (0,))
    assert whole.samples.shape[2:] == whole.probability.shape[1:] == GREY[0].shape
    assert np.array_equal(whole.samples[(..., *where)], middle.samples)
    assert np.array_equal(whole.uncertainty[where], middle.uncertainty)
    assert np.array_equal(whole.sizes, middle.sizes)
    around = np.ones(GREY[0].shape, bool)
    around[where] = False
    assert (whole.probability[0, around] == 1).all()
    assert not whole.uncertainty[around].any()
    assert not whole.labels[around].any()
    assert middle.labels.any()


def test_a_run_says_what_was_left_out_and_leaves_it_empty(centred: Package) -> None:
    engine = create_engine(centred, ENGINE, "cpu")
    result = segment(Volume(GREY.astype(np.float32), Grid(GREY.shape)), centred, engine, sampling=few(centred))
    (notice,) = (one for one in result.notices if one.code == texts.MIDDLE_ONLY)
    assert "Of the scan (24 x 25 x 2 mm) only the middle was analysed (16 x 16 x 2 mm)" in notice.text
    where = (slice(None), *middle_slices(GREY.shape, (16, 16)))
    around = np.ones(GREY.shape, bool)
    around[where] = False
    assert result.labels.array[where].any()
    assert not result.labels.array[around].any()
    assert np.array_equal(np.isnan(result.uncertainty.array), around)
    exact = segment(
        Volume(GREY[where].astype(np.float32), Grid(GREY[where].shape)), centred, engine, sampling=few(centred)
    )
    assert not any(one.code == texts.MIDDLE_ONLY for one in exact.notices)
    assert np.array_equal(exact.labels.array, result.labels.array[where])


def test_a_scan_with_damage_of_strength_0_is_read_as_the_scan_itself(centred: Package) -> None:
    predictor = NativePredictor(centred, create_engine(centred, ENGINE, "cpu"))
    scan = Volume(GREY.astype(np.float32), Grid(GREY.shape))
    clean = predictor.predict(scan)
    (same,) = predictor.corrupted(scan, [make_recipe("gaussian", 0.0, 1, "case")])
    np.testing.assert_allclose(same.uncertainty, clean.uncertainty, atol=1e-6)
    np.testing.assert_allclose(same.probabilities, clean.probabilities, atol=1e-6)
    assert clean.uncertainty.any()


@pytest.mark.torch
def test_monai_prepares_the_same_window(centred: Package, tmp_path: Path) -> None:
    from monai.bundle import ConfigParser

    write_volume(Volume(GREY.astype(np.float32), Grid(GREY.shape)), tmp_path / "scan.nii.gz")
    parser = ConfigParser()
    parser.read_config(str(centred.root / "configs/inference.json"))
    found = parser.get_parsed_content("preprocessing")({"image": str(tmp_path / "scan.nii.gz")})["image"][0]
    (region,) = plan_regions(Grid(GREY.shape), centred.metadata)
    window = GREY[region.slices].astype(np.float32)
    expected = (window - window.min()) / np.ptp(window)  # a bundle scales the window, not every slice
    np.testing.assert_allclose(np.asarray(found), expected, atol=1e-6)


def test_centred_is_yes_or_no(centred: Package) -> None:
    with pytest.raises(PackageError, match="centred"):
        parse_metadata(centred.metadata.raw | {"centred": "yes"})


@pytest.mark.torch
def test_a_package_for_boxes_describes_what_it_sees_of_its_cases(tmp_path: Path) -> None:
    from SUREUncertaintyLib.training.description import describe_package

    recipe = load_recipe("lung-nodule-ct-plain")
    image = np.random.default_rng(0).normal(size=(96, 96)).astype(np.float32)
    edge = image.copy()
    edge[:16] = 99.0  # beyond the window
    cases = [TrainingCase("a", "a", one, np.zeros((96, 96), np.uint8), (1.0, 1.0)) for one in (image, edge)]
    first, second = (describe_package(recipe, None, [case], ())["expected"] for case in cases)  # type: ignore[arg-type]
    assert first == second
    whole = replace(recipe, package={key: value for key, value in recipe.package.items() if key != "centred"})
    assert describe_package(whole, None, cases[1:], ())["expected"] != second  # type: ignore[arg-type]


def test_the_released_lung_model_is_for_boxes() -> None:
    assert find_package("lung-nodule-ct").metadata.centred
    assert not find_package("hippocampus-t1").metadata.centred
