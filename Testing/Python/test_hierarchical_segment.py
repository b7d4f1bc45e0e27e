"""A scan through a network with latents: maps, sizes, levels and samples on its grid, in files, from the shell."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from needed_torch import ENGINE
from scipy import ndimage
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files import scan_remarks as remarks
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.sampling.samples_result import SamplingOptions
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.report.sample_pictures import draw_samples
from tiny import build_tiny, with_metadata

SHAPE = (5, 22, 18)
SPACING = (0.7, 0.7, 2.5)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 3, "channels": [4, 6, 8], "posterior": "none"}
    return build_tiny(
        tmp_path_factory.mktemp("latent") / "slices",
        name="slices",
        modality="CT",
        network={"name": "latent_unet", "arguments": arguments},
        head="softmax",
        orientation="LPS",
        spacing=None,
        patch=[16, 16],
        normalisation={"kind": "minmax", "per_slice": True},
        uncertainty={
            "primary": "mutual_information",
            "kinds": ["mutual_information", "entropy", "fg_variance", "class_variance"],
            "threshold": 0.01,
        },
    )


@pytest.fixture(scope="module")
def scan() -> Volume:
    array = np.random.default_rng(2).normal(100, 20, SHAPE).astype(np.float32)
    return Volume(array, Grid(SHAPE, SPACING), "scan")


def test_maps_sizes_and_samples_lie_on_the_scan_and_agree_with_one_another(package: Package, scan: Volume) -> None:
    engine = create_engine(package, ENGINE, "cpu")
    result = segment(scan, package, engine, sampling=SamplingOptions(6, 3, None, True, True, least_voxels=1))
    sampling = result.sampling
    assert sampling is not None
    assert result.uncertainty_kind == "mutual_information"
    assert np.array_equal(sampling.maps["mutual_information"].array, result.uncertainty.array)
    votes = np.stack([sample.array for sample in sampling.samples])
    assert votes.shape == (6, *SHAPE)
    share = (votes != 0).mean(0)
    np.testing.assert_allclose(sampling.maps["fg_variance"].array, share * (1 - share), atol=1e-6)
    for size in sampling.sizes:
        assert size.interval.samples == 100
        assert size.voxel_ml == pytest.approx(np.prod(SPACING) / 1000)
        (row,) = [row for row in result.structures if row.value == size.value]
        assert row.volume_low_ml <= size.ml[1] + 1e-9
        assert row.volume_high_ml >= size.ml[2] - 1e-9
        assert (row.samples, row.samples_with) == (100, sum(one.voxels > 0 for one in size.drawn))
        assert size.place_ras is not None
        i, j, k, _ = np.rint(np.linalg.inv(scan.grid.ijk_to_ras) @ (*size.place_ras, 1)).astype(int)
        assert size.marking >= (votes[:, k, j, i] == size.value).sum() > 0
    assert len(sampling.levels) == 2
    assert not np.array_equal(sampling.levels[0].array, sampling.levels[1].array)
    assert len(set(sampling.most_different)) == 2
    assert (result.provenance["estimator"], result.provenance["seed"]) == ("samples", 3)


def test_the_temperature_of_the_package_softens_every_map_and_is_recorded(package: Package, scan: Volume) -> None:
    raw = package.metadata.raw
    warm = with_metadata(package, {"raw": {**raw, "uncertainty": {**raw["uncertainty"], "sample_temperature": 4.0}}})
    drawn = [
        segment(scan, one, create_engine(one, ENGINE, "cpu"), sampling=SamplingOptions(6, 3, level_maps=True))
        for one in (package, warm)
    ]
    plain, soft = (result.sampling for result in drawn)
    assert plain is not None
    assert soft is not None
    assert drawn[1].entropy.array.mean() > drawn[0].entropy.array.mean()
    for before, after in zip(
        (*plain.levels, plain.maps["mutual_information"]), (*soft.levels, soft.maps["mutual_information"]), strict=True
    ):
        assert 0 < after.array.mean() < 0.5 * before.array.mean(), "sixteen times less where logits are small"
    assert [result.provenance["sampling"]["temperature"] for result in drawn] == [1.0, 4.0]


def test_specks_leave_sizes_contours_and_kept_samples_but_not_the_maps(package: Package, scan: Volume) -> None:
    engine = create_engine(package, ENGINE, "cpu")
    results = [
        segment(scan, package, engine, sampling=SamplingOptions(6, 3, keep_samples=True, least_voxels=least))
        for least in (1, 30)
    ]
    raw, clean = (result.sampling for result in results)
    assert raw is not None
    assert clean is not None
    assert np.array_equal(raw.maps["fg_variance"].array, clean.maps["fg_variance"].array)
    fewer = 0
    for before, after in zip(raw.samples, clean.samples, strict=True):
        gone = before.array != after.array
        assert not after.array[gone].any()
        fewer += int(gone.sum())
        pieces, count = ndimage.label(after.array == 1, np.ones((3, 3, 3)))
        sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:]
        answered = np.unique(pieces[results[1].labels.array == 1])
        assert all(size >= 30 or number in answered for number, size in enumerate(sizes, start=1))
    assert fewer > 0
    for one, other in zip(raw.sizes, clean.sizes, strict=True):
        assert all(a.voxels >= b.voxels for a, b in zip(one.drawn, other.drawn, strict=True))
        assert np.all(raw.bands[one.name].array >= clean.bands[other.name].array)
    with pytest.raises(InputError, match="1 voxel or more, not 0"):
        segment(scan, package, engine, sampling=SamplingOptions(2, least_voxels=0))


def test_samples_are_ordered_by_volume_and_their_diameters_reach_the_table(package: Package, scan: Volume) -> None:
    engine = create_engine(package, ENGINE, "cpu")
    result = segment(scan, package, engine, sampling=SamplingOptions(6, 3, keep_samples=True))
    sampling = result.sampling
    assert sampling is not None
    counts = [int((volume.array != 0).sum()) for volume in sampling.samples]
    order = sampling.smallest_first()
    assert sorted(order) == list(range(6))
    assert [counts[number] for number in order] == sorted(counts)
    assert sampling.sample_ml(order[0]) == pytest.approx(min(counts) * np.prod(SPACING) / 1000)
    for row, size in zip(result.structures, sampling.sizes, strict=True):
        assert size.axial is not None
        assert (row.axial_mm, row.axial_low_mm) == (size.axial.answer, size.axial.interval.low)
        assert row.longest_mm >= row.axial_mm
    pictured = replace(scan, remarks=(remarks.NO_SPACING,))
    unknown = segment(pictured, package, engine, sampling=SamplingOptions(2))
    assert all(np.isnan(row.axial_mm) for row in unknown.structures)


def test_the_same_seed_gives_the_same_result_and_a_model_with_latents_samples_unasked(
    package: Package, scan: Volume
) -> None:
    engine = create_engine(package, ENGINE, "cpu")
    first, again = (segment(scan, package, engine) for _ in range(2))
    other = segment(scan, package, engine, sampling=SamplingOptions(seed=1))
    assert first.sampling is not None
    assert first.sampling.options.count == 20
    assert np.array_equal(first.uncertainty.array, again.uncertainty.array)
    assert not np.array_equal(first.uncertainty.array, other.uncertainty.array)
    assert first.sampling.samples == ()


def test_bands_are_nested_and_regions_get_their_own_sizes(package: Package, scan: Volume) -> None:
    engine = create_engine(package, ENGINE, "cpu")
    rois = (Roi("a", (-6.0, -14.0, 0.0), (0.5, -1.0, 6.0)), Roi("b", (-12.0, -14.0, 0.0), (-7.0, -1.0, 10.0)))
    result = segment(scan, package, engine, rois, sampling=SamplingOptions(3))
    assert result.sampling is not None
    assert [size.name for size in result.sampling.sizes] == ["a shell", "a core", "b shell", "b core"]
    outside = np.isnan(result.entropy.array)
    assert np.array_equal(outside, np.isnan(result.sampling.maps["fg_variance"].array))
    assert outside.any()
    for name, band in result.sampling.bands.items():
        assert band.array.max() <= 3, name
        assert not band.array[outside].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (SamplingOptions(0), "must be 1 or more"),
        (SamplingOptions(2, levels=(5,)), r"no level 5. It has 2 levels"),
    ],
)
def test_impossible_requests_are_refused_before_anything_runs(
    options: SamplingOptions, message: str, package: Package, scan: Volume
) -> None:
    with pytest.raises(InputError, match=message):
        segment(scan, package, create_engine(package, ENGINE, "cpu"), sampling=options)


def test_samples_of_a_model_that_has_none_are_refused(tiny_package: Package, scan: Volume) -> None:
    with pytest.raises(PackageError, match="one answer only"):
        segment(scan, tiny_package, create_engine(tiny_package, ENGINE, "cpu"), sampling=SamplingOptions())


def test_too_large_a_volume_is_refused_with_what_would_fit(
    package: Package, scan: Volume, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.inference.sampling.memory.available_bytes", lambda: 10_000)
    with pytest.raises(InputError, match=r"18 x 22 x 5 voxels needs about .* region of interest"):
        segment(scan, package, create_engine(package, ENGINE, "cpu"))


def test_the_warning_of_collapsed_latents_reaches_the_result(package: Package, scan: Volume) -> None:
    raw = dict(package.metadata.raw)
    raw["uncertainty"] = {**raw["uncertainty"], "warnings": ["The latents carry no information: all collapsed."]}
    warned = with_metadata(package, {"raw": raw})
    result = segment(scan, warned, create_engine(package, ENGINE, "cpu"), sampling=SamplingOptions(2))
    assert [notice.code for notice in result.notices].count("latents-collapsed") == 1


def test_a_single_sample_is_said_to_tell_nothing_about_uncertainty(package: Package, scan: Volume) -> None:
    engine = create_engine(package, ENGINE, "cpu")
    one, two = (segment(scan, package, engine, sampling=SamplingOptions(count)) for count in (1, 2))
    assert one.uncertainty.array.max() == 0.0
    assert [notice.code for notice in one.notices].count("single-sample") == 1
    assert "single-sample" not in [notice.code for notice in two.notices]


def test_the_picture_of_the_samples_says_where_its_colours_begin(
    package: Package, scan: Volume, tmp_path: Path
) -> None:
    whole = Roi("Box_A", (-12.6, -15.4, 0.0), (0.7, 0.7, 12.5))
    options = SamplingOptions(2, level_maps=True)
    result = segment(scan, package, create_engine(package, ENGINE, "cpu"), (whole,), sampling=options)
    shown = replace(result, threshold=0.08)
    (picture,) = draw_samples(shown, tmp_path)
    assert (tmp_path / picture.file).is_file()
    assert picture.caption.startswith("What the samples say in the region 'Box_A': contours")
    assert "coloured from 0.02 on, where the map of all levels starts at 0.08" in picture.caption


def test_sure_segment_writes_maps_levels_contours_sizes_and_samples(
    package: Package, scan: Volume, tmp_path: Path
) -> None:
    image = sitk.GetImageFromArray(scan.array)
    image.SetSpacing(SPACING)
    sitk.WriteImage(image, str(tmp_path / "scan.nrrd"))
    common = ["segment", str(tmp_path / "scan.nrrd"), "--model", str(package.root), "--engine", ENGINE]
    common += ["--no-scene", "--no-pictures", "--no-report"]
    asked = ["--samples", "3", "--seed", "5", "--keep-samples", "--level-maps"]
    assert run([*common, *asked, "--output", str(tmp_path / "out")]) == 0
    names = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.nrrd")}
    assert {f"samples/sample-{k:03d}.seg.nrrd" for k in range(3)} <= names
    assert {"levels/level-0.nrrd", "levels/level-1.nrrd", "contours/shell.nrrd", "maps/fg_variance.nrrd"} <= names
    with (tmp_path / "out" / "sizes.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == ["shell", "core"]
    with (tmp_path / "out" / "sample-sizes.csv").open() as stream:
        every = list(csv.DictReader(stream))
    assert len(every) == 200
    shell = [float(row["ml"]) for row in every if row["name"] == "shell"]
    assert float(rows[0]["ml_median"]) == pytest.approx(np.median(shell), abs=1e-5)
    document = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert (document["estimator"], document["seed"], document["sampling"]["samples"]) == ("samples", 5, 3)
    assert len(document["samples"]["most_different_samples"]) == 2
    ordered = document["samples"]["smallest_first"]
    assert [entry["ml"] for entry in ordered] == sorted(entry["ml"] for entry in ordered)
    assert document["sampling"]["least_voxels"] == 5
    assert document["samples"]["specks"].startswith("Pieces of samples of fewer than 5 voxels beside the mean answer")
    assert run([*common, "--samples", "0", "--output", str(tmp_path / "no")]) == 2
    assert run([*common, "--samples", "many", "--output", str(tmp_path / "no")]) == 2
    assert run([*common, "--samples", "2", "--level", "7", "--output", str(tmp_path / "no")]) == 2
    assert not (tmp_path / "no").exists()
