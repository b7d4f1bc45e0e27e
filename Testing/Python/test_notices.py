"""Warnings: each appears when it should, is silent when it should be, and names what it is about."""

from dataclasses import replace

import numpy as np
import pytest
from ball import CUBE, LABELS, ball_result
from noticed import notices_of
from phantoms import tilted_grid
from SUREUncertaintyLib.analysis import notice_texts as texts
from SUREUncertaintyLib.analysis.grey_values import GreyValues, grey_values
from SUREUncertaintyLib.analysis.in_samples import InSamples
from SUREUncertaintyLib.analysis.intensity_fingerprint import DESCRIPTIONS
from SUREUncertaintyLib.analysis.notices import about_samples, notices_for
from SUREUncertaintyLib.analysis.rows import Notice, StructureRow, UncertainRegion
from SUREUncertaintyLib.analysis.structures import structure_table
from SUREUncertaintyLib.analysis.verdict import CHECK, DO_NOT_USE, USABLE, verdict_of
from SUREUncertaintyLib.core.geometry import STACK
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.fusion.notices import TEXTS as FUSION_TEXTS
from SUREUncertaintyLib.packages.metadata import Expected, PackageMetadata
from SUREUncertaintyLib.packages.package import Package

ORDINARY = Expected(spacing_mm=(0.9, 1.1), extent_mm=(20.0, 60.0), contrast={"skewness": (-1.0, 1.0)})


@pytest.fixture
def metadata(tiny_package: Package) -> PackageMetadata:
    return replace(tiny_package.metadata, expected=ORDINARY)


def two_balls() -> np.ndarray:
    return np.asarray(ball_result().labels.array)


def test_an_ordinary_result_has_no_warning(metadata: PackageMetadata) -> None:
    assert notices_of(two_balls(), metadata, contrast={"scan": {"skewness": 0.2}}) == {}


def test_an_empty_result_says_that_nothing_was_found_and_where(metadata: PackageMetadata) -> None:
    found = notices_of(np.zeros(CUBE.shape), metadata)
    assert set(found) == {texts.NOTHING_FOUND}
    assert "in the scan" in found[texts.NOTHING_FOUND]
    assert "'tiny'" in found[texts.NOTHING_FOUND]


def test_an_empty_result_whose_samples_find_something_says_in_how_many_and_where(metadata: PackageMetadata) -> None:
    upper, lower = (label.value for label in LABELS)
    sampled = {upper: InSamples(100, 49, (-28.6, -36.7, 0.2), 28), lower: InSamples(100, 0, (0.0, 0.0, 0.0), 0)}
    found = notices_of(np.zeros(CUBE.shape), metadata, sampled=sampled)
    assert set(found) == {texts.IN_SOME_SAMPLES}
    said = f"{LABELS[0].name} in 49 of 100 samples, most often at R -29, A -37, S 0 mm (28 of them)"
    assert said in found[texts.IN_SOME_SAMPLES]
    assert LABELS[1].name not in found[texts.IN_SOME_SAMPLES]
    assert verdict_of([Notice(code, text) for code, text in found.items()]).status == DO_NOT_USE


def test_one_structure_that_some_samples_find_is_not_called_missing(metadata: PackageMetadata) -> None:
    sampled = {LABELS[1].value: InSamples(100, 7, (1.0, 2.0, 3.0), 5)}
    found = notices_of(two_balls() == 1, metadata, sampled=sampled)
    assert set(found) == {texts.PART_IN_SOME_SAMPLES}
    assert f"{LABELS[1].name} in 7 of 100 samples" in found[texts.PART_IN_SOME_SAMPLES]


def test_each_empty_region_is_named(metadata: PackageMetadata) -> None:
    rois = [Roi("left", (-20, -20, -20), (4, 20, 20)), Roi("right", (5, -20, -20), (19, 20, 20))]
    array = np.zeros(CUBE.shape)
    array[15:20, 15:20, 20:25] = 1
    array[20:25, 15:20, 20:25] = 2
    found = notices_of(array, metadata, rois=rois)
    assert set(found) == {texts.NOTHING_FOUND, texts.EXTENT}
    assert "'right'" in found[texts.NOTHING_FOUND]


def test_a_scan_of_unknown_orientation_is_told(metadata: PackageMetadata) -> None:
    labels = Volume(two_balls().astype(np.uint8), CUBE, placed=False)
    rows = structure_table(labels, Volume(np.zeros(CUBE.shape, np.float32), CUBE), LABELS, 0.5)
    (notice,) = notices_for(labels, metadata, LABELS, rows)
    assert notice.code == texts.PLACE_UNKNOWN
    assert "left may be right" in notice.text
    assert verdict_of([notice]).status == CHECK
    (notice,) = notices_for(labels, replace(metadata, orientation=STACK), LABELS, rows)
    assert notice.code == texts.LETTERS_UNKNOWN
    assert verdict_of([notice]).status == USABLE, "a network of acquired planes outlines the same, however they lie"


@pytest.mark.parametrize(("start", "told"), [(-19, True), (1, True), (6, False)])
def test_regions_that_share_a_structure_are_told_and_empty_overlaps_are_not(
    metadata: PackageMetadata, start: int, told: bool
) -> None:
    """The structure ends at R 5.5; the regions overlap from ``start`` on."""
    array = np.zeros(CUBE.shape)
    array[15:25, 15:25, 15:25] = 1
    rois = [Roi("one", (-20, -20, -20), (12, 20, 20)), Roi("two", (start, -20, -20), (19, 20, 20))]
    found = notices_of(array, metadata, rois=rois)
    assert (texts.REGIONS_OVERLAP in found) == told
    assert not told or "the regions 'one' and 'two' overlap" in found[texts.REGIONS_OVERLAP]


def test_a_missing_structure_is_named(metadata: PackageMetadata) -> None:
    found = notices_of(two_balls() == 1, metadata)
    assert set(found) == {texts.STRUCTURE_MISSING}
    assert "lower" in found[texts.STRUCTURE_MISSING]


def test_a_size_unlike_the_training_data_is_named_in_every_region_and_an_ordinary_one_is_not(
    metadata: PackageMetadata,
) -> None:
    upper, lower = (float((two_balls() == value).sum()) / 1000 for value in (1, 2))
    first, second = (label.name for label in metadata.foreground)
    ordinary = {first: (0.5 * upper, 2 * upper), second: (0.5 * lower, 2 * lower)}
    assert notices_of(two_balls(), replace(metadata, expected=replace(ORDINARY, volume_ml=ordinary))) == {}
    large = {first: (1.2 * upper, 3 * upper), second: ordinary[second]}
    found = notices_of(two_balls(), replace(metadata, expected=replace(ORDINARY, volume_ml=large)))
    assert set(found) == {texts.VOLUME}
    assert f"{LABELS[0].name} ({upper:.2f} ml" in found[texts.VOLUME]
    assert LABELS[1].name not in found[texts.VOLUME]


def test_a_structure_that_is_missing_has_no_unusual_volume(metadata: PackageMetadata) -> None:
    expected = {label.name: (0.1, 1000.0) for label in metadata.foreground}
    found = notices_of(two_balls() == 1, replace(metadata, expected=replace(ORDINARY, volume_ml=expected)))
    assert set(found) == {texts.STRUCTURE_MISSING}


def test_a_structure_at_the_edge_of_image_and_region_is_cut_by_the_image_alone(metadata: PackageMetadata) -> None:
    array = two_balls().copy()
    array[0:11, 18:22, 18:22] = 1
    roi = Roi("box", (-12, -12, -19.5), (12, 12, 12))  # begins where the image begins
    found = notices_of(array, metadata, rois=[roi])
    assert set(found) & {texts.CUT_BY_IMAGE, texts.CUT_BY_ROI} == {texts.CUT_BY_IMAGE}
    assert "box upper" in found[texts.CUT_BY_IMAGE]


def test_a_structure_at_the_edge_of_the_image_is_named(metadata: PackageMetadata) -> None:
    array = two_balls().copy()
    array[0:11, 18:22, 18:22] = 2
    found = notices_of(array, metadata)
    assert set(found) == {texts.CUT_BY_IMAGE}
    assert "lower" in found[texts.CUT_BY_IMAGE]
    assert "upper" not in found[texts.CUT_BY_IMAGE]


def test_a_structure_at_the_edge_of_its_region_is_named(metadata: PackageMetadata) -> None:
    roi = Roi("box", (-12, -12, -12), (12, 12, 9.2))
    found = notices_of(two_balls(), metadata, rois=[roi])
    assert set(found) == {texts.CUT_BY_ROI}
    assert "box upper" in found[texts.CUT_BY_ROI]
    assert "lower" not in found[texts.CUT_BY_ROI]
    assert notices_of(two_balls(), metadata, rois=[replace(roi, high=(12, 12, 12))]) == {}


def test_on_an_oblique_grid_the_edge_of_the_box_counts_not_that_of_the_block(metadata: PackageMetadata) -> None:
    grid = tilted_grid((60, 60, 60), (1.0, 1.0, 1.0), (0.0, 0.0, 40.0))
    centre = (grid.ijk_to_ras @ (30, 30, 30, 1))[:3]
    ball = np.asarray(ball_result(grid, centre, 8.0).labels.array)
    wide, tight = (Roi("box", tuple(centre - half), tuple(centre + half)) for half in (11.0, 7.5))  # type: ignore[arg-type]
    assert texts.CUT_BY_ROI not in notices_of(ball, metadata, grid, [wide])
    clipped = notices_of(ball, metadata, grid, [tight])
    assert texts.CUT_BY_ROI in clipped


def test_separate_pieces_are_reported_unless_they_are_stray_voxels(metadata: PackageMetadata) -> None:
    array = two_balls().copy()
    array[36:38, 36:38, 36:38] = 1
    assert notices_of(array, metadata) == {}
    array[34:38, 34:38, 34:38] = 1
    found = notices_of(array, metadata)
    assert set(found) == {texts.SEVERAL_PIECES}
    assert "upper (2 pieces, the largest holds 97%)" in found[texts.SEVERAL_PIECES]


@pytest.mark.parametrize(
    ("width", "code"),
    [(0.4, None), (0.64, None), (0.66, texts.WIDE_RANGE), (1.49, texts.WIDE_RANGE), (1.51, texts.VOLUME_UNTOLD)],
)
def test_a_volume_range_that_is_too_wide_is_told_by_models_that_know_sizes(
    metadata: PackageMetadata, width: float, code: str | None
) -> None:
    labels = Volume(two_balls().astype(np.uint8), CUBE)
    first, *others = structure_table(labels, Volume(np.full(CUBE.shape, 0.9, np.float32), CUBE), LABELS, 0.5)
    low, high = (first.volume_ml * (1 + side * width / 2) for side in (-1, 1))
    rows = (replace(first, volume_low_ml=low, volume_high_ml=high), *others)
    sized = replace(metadata, expected=replace(ORDINARY, volume_ml={"unknown": (0.0, 1.0)}))
    knowing = replace(sized, raw={"uncertainty": {"volume_probability": 0.9}})
    found = {notice.code: notice.text for notice in notices_for(labels, knowing, LABELS, rows)}
    assert set(found) == ({code} if code else set())
    assert code is None or "upper" in found[code]
    assert code is None or "lower" not in found[code]
    assert notices_for(labels, metadata, LABELS, rows) == ()
    unfitted = replace(sized, raw={"uncertainty": {}})
    assert notices_for(labels, unfitted, LABELS, rows) == ()


def test_a_size_far_from_the_training_data_is_told_instead_of_one_unlike_it(metadata: PackageMetadata) -> None:
    volume = float((two_balls() == 1).sum()) / 1000
    first = metadata.foreground[0].name

    def codes(low: float, high: float) -> set[str]:
        return set(
            notices_of(two_balls(), replace(metadata, expected=replace(ORDINARY, volume_ml={first: (low, high)})))
        )

    assert codes(1.4 * volume, 2 * volume) == {texts.VOLUME}
    assert codes(1.6 * volume, 2 * volume) == {texts.VOLUME_FAR}
    assert codes(0.1 * volume, volume / 1.6) == {texts.VOLUME_FAR}


@pytest.mark.parametrize(("count", "words"), [(1, "1 uncertain region touches"), (3, "3 uncertain regions touch no")])
def test_islands_of_uncertainty_are_counted_and_located(metadata: PackageMetadata, count: int, words: str) -> None:
    island = UncertainRegion(1, (-12.4, 30.0, 7.7), 10.0, 10, 0.7, 0.8, 2.0, "background")
    beside = replace(island, structure="upper")
    assert notices_of(two_balls(), metadata, regions=[beside]) == {}
    found = notices_of(two_balls(), metadata, regions=[beside, *[island] * count])
    assert set(found) == {texts.UNCERTAIN_ISLANDS}
    assert words in found[texts.UNCERTAIN_ISLANDS]
    assert "R -12, A 30, S 8 mm" in found[texts.UNCERTAIN_ISLANDS]


@pytest.mark.parametrize(("share", "status"), [(0.2, USABLE), (0.24, USABLE), (0.3, CHECK)])
def test_islands_of_a_model_of_one_structure_count_when_they_are_half_as_large_as_it_is(
    metadata: PackageMetadata, share: float, status: str
) -> None:
    """Two islands of ``share`` each; a model of several structures may have missed one there."""
    size = share * float((two_balls() > 0).sum())
    island = UncertainRegion(1, (-12.4, 30.0, 7.7), size, 10, 0.7, 0.8, 2.0, "background")
    single = replace(metadata, raw={**metadata.raw, "one_piece": True})
    (code,) = found = notices_of(two_balls(), single, regions=[island, island])
    assert verdict_of([Notice(code, found[code])]).status == status
    assert code == (texts.ISLANDS_BESIDE if status == USABLE else texts.UNCERTAIN_ISLANDS)
    assert "2 uncertain regions touch no structure" in found[code]
    assert set(notices_of(two_balls(), metadata, regions=[island, island])) == {texts.UNCERTAIN_ISLANDS}


def test_a_whole_scan_for_a_model_of_boxes_asks_for_a_region(metadata: PackageMetadata) -> None:
    boxes = replace(metadata, expected=replace(ORDINARY, extent_mm=(20.0, 26.0)))
    found = notices_of(two_balls(), boxes, contrast={"scan": {"skewness": 0.0}})
    assert set(found) == {texts.REGION_NEEDED}
    assert "40.0 x 40.0 x 40.0 mm" in found[texts.REGION_NEEDED]
    assert "20.0 to 26.0 mm" in found[texts.REGION_NEEDED]
    assert texts.REGION_NEEDED not in notices_of(two_balls(), boxes, rois=[Roi("a", (-12, -12, -12), (12, 12, 12))])
    assert set(notices_of(two_balls(), boxes, contrast={"scan": {"skewness": 9.0}})) == {
        texts.REGION_NEEDED,
        texts.CONTRAST,
    }
    slightly = replace(metadata, expected=replace(ORDINARY, extent_mm=(20.0, 30.0)))
    assert set(notices_of(two_balls(), slightly)) == {texts.EXTENT}


def test_a_region_of_the_wrong_size_is_named(metadata: PackageMetadata) -> None:
    found = notices_of(two_balls(), metadata, rois=[Roi("box", (-15, -15, -11), (15, 15, 7))])
    assert "the region 'box' (31.0 x 31.0 x 19.0 mm)" in found[texts.EXTENT]


def test_a_size_just_outside_does_not_read_as_one_inside(metadata: PackageMetadata) -> None:
    boxes = replace(metadata, expected=replace(ORDINARY, extent_mm=(31.2, 62.0)))
    found = notices_of(two_balls(), boxes, rois=[Roi("box", (-15, -15, -15), (15, 15, 15))])
    assert "31.0 x 31.0 x 31.0 mm" in found[texts.EXTENT]
    assert "31.2 to 62.0 mm" in found[texts.EXTENT]


@pytest.mark.parametrize(
    ("modality", "values", "warned"),
    [
        ("CT", GreyValues(-1024.0, 0.3), set()),
        ("CT", GreyValues(0.0, 0.0), {texts.NOT_HOUNSFIELD}),
        ("CT", None, set()),
        ("MR", GreyValues(0.0, 0.0), set()),
        ("MR", GreyValues(-90000.0, 0.0007), set()),  # strong noise on a scan with large values
        ("MR", GreyValues(-1000.0, 0.06), {texts.HOUNSFIELD}),
        ("MR", None, set()),
        ("", GreyValues(-1000.0, 0.3), set()),
    ],
)
def test_values_tell_a_ct_where_the_file_does_not(
    metadata: PackageMetadata, modality: str, values: GreyValues | None, warned: set[str]
) -> None:
    unbounded = replace(metadata, modality=modality, expected=replace(ORDINARY, extent_mm=None))
    assert set(notices_of(two_balls(), unbounded, values=values)) == warned


def test_samples_that_differ_much_in_size_are_told_with_how_much() -> None:
    sizes = (("a", 9, 0.5, 3.4), ("b", 9, 0.5, 3.6), ("c", 0, 0.0, 9.0))
    rows = [StructureRow(1, name, voxels, 1e3, 1.0, low, high, *[0.1] * 5) for name, voxels, low, high in sizes]
    (found,) = about_samples(rows)
    assert found.code == texts.SAMPLES_DIFFER
    assert "b (a range 3.1 times as wide as the size)" in found.text
    assert "a (" not in found.text
    assert "c (" not in found.text
    assert list(about_samples(rows[:1])) == []
    assert verdict_of([found]).status == CHECK


def test_air_and_lungs_are_a_share_and_noise_is_none() -> None:
    ct = np.full((100, 150, 150), 40, np.int16)
    ct[:30] = -1000
    ct[30:40] = -820
    found = grey_values(ct)
    assert found.lowest == -1000
    assert found.air == pytest.approx(0.4, abs=0.02)
    rng = np.random.default_rng(0)
    noisy = rng.normal(3e5, 1e5, (60, 60, 60))
    assert grey_values(noisy).lowest < -900
    assert grey_values(noisy).air < 0.001
    assert grey_values(rng.normal(100.0, 250.0, (60, 60, 60))).air < 0.002


@pytest.mark.parametrize(("spacing", "warned"), [(0.8, False), (1.3, False), (0.5, True), (2.0, True)])
def test_spacing_unlike_the_training_data(metadata: PackageMetadata, spacing: float, warned: bool) -> None:
    grid = replace(CUBE, spacing=(1.0, 1.0, spacing))
    unbounded = replace(metadata, expected=replace(ORDINARY, extent_mm=None))
    found = notices_of(two_balls(), unbounded, grid)
    assert set(found) == ({texts.SPACING} if warned else set())


def test_contrast_unlike_the_training_data_names_regions_and_what_differs(metadata: PackageMetadata) -> None:
    rois = [Roi(name, (-12, -12, -12), (12, 12, 12)) for name in ("left", "right")]
    array = two_balls() + 2 * (two_balls() > 0) * (np.arange(40) > 20)
    found = notices_of(array, metadata, rois=rois, contrast={"left": {"skewness": 0.0}, "right": {"skewness": -1.6}})
    assert "the region 'right'" in found[texts.CONTRAST]
    assert "'left'" not in found[texts.CONTRAST]
    assert DESCRIPTIONS["skewness"] in found[texts.CONTRAST]
    assert "MR" in found[texts.CONTRAST]
    tolerated = {"left": {"skewness": 0.0}, "right": {"skewness": -1.4, "edge_sharpness": 99.0}}
    assert texts.CONTRAST not in notices_of(array, metadata, rois=rois, contrast=tolerated)


@pytest.mark.parametrize(("width", "told"), [(0.5, False), (0.6, True)])
def test_other_grey_values_are_told_only_where_the_model_is_less_sure(
    metadata: PackageMetadata, width: float, told: bool
) -> None:
    labels = Volume(two_balls().astype(np.uint8), CUBE)
    rows = [
        replace(row, volume_low_ml=(1 - width / 2) * row.volume_ml, volume_high_ml=(1 + width / 2) * row.volume_ml)
        for row in structure_table(labels, Volume(np.zeros(CUBE.shape, np.float32), CUBE), LABELS, 0.5)
    ]
    sized = replace(metadata, expected=replace(ORDINARY, volume_ml={"unknown": (0.0, 1.0)}))
    fitted = replace(sized, raw={"uncertainty": {"volume_probability": 0.9}})
    found = {n.code for n in notices_for(labels, fitted, LABELS, rows, contrast={"scan": {"skewness": 9.0}})}
    assert (texts.CONTRAST in found) == told


def test_a_package_without_expectations_warns_of_nothing_unlike_it(metadata: PackageMetadata) -> None:
    assert notices_of(two_balls(), replace(metadata, expected=Expected()), contrast={"scan": {"skewness": 99.0}}) == {}


def test_every_text_is_a_sentence_for_people() -> None:
    codes = {value for name, value in vars(texts).items() if name.isupper() and isinstance(value, str)}
    assert codes - {texts.LATENTS_COLLAPSED, texts.EMPTY_MEMBER, *FUSION_TEXTS} == set(texts.TEXTS)
    for text in (*texts.TEXTS.values(), *FUSION_TEXTS.values()):
        assert text.endswith(".")


def test_what_the_reader_said_of_the_file_is_a_notice(metadata: PackageMetadata) -> None:
    labels = Volume(np.zeros(CUBE.shape, np.uint8), CUBE).with_remarks("One thing. Another {thing}.", "A third.")
    rows = structure_table(labels, Volume(np.zeros(CUBE.shape, np.float32), CUBE), LABELS, 0.5)
    said = [notice.text for notice in notices_for(labels, metadata, LABELS, rows) if notice.code == texts.READING]
    assert said == ["One thing. Another {thing}.", "A third."]


def test_a_notice_has_a_code_for_machines(metadata: PackageMetadata) -> None:
    labels = Volume(np.zeros(CUBE.shape, np.uint8), CUBE)
    rows = structure_table(labels, Volume(np.zeros(CUBE.shape, np.float32), CUBE), LABELS, 0.5)
    (notice,) = notices_for(labels, metadata, LABELS, rows)
    assert isinstance(notice, Notice)
    assert notice.code == "nothing-found"
