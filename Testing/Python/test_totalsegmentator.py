"""TotalSegmentator's layout on disk with weights made at random: joined by its table, with its steps around nnU-Net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import assert_nothing_came_in
from scipy.ndimage import zoom
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.estimation.estimator_choice import create_estimator
from SUREUncertaintyLib.inference.forecast import forecast, seconds_a_window
from SUREUncertaintyLib.inference.native.preparing import prepare
from SUREUncertaintyLib.inference.native.resampling import (
    BackResampler,
    resample_image,
    resampled_shape,
    steps_between,
)
from SUREUncertaintyLib.inference.network_regions import Region
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.pipeline import Channel, Pipeline
from SUREUncertaintyLib.packages.totalsegmentator.pipelines import ENDS, NEAREST
from SUREUncertaintyLib.packages.totalsegmentator.structures import PARTS, STRUCTURES
from totalsegmentator_folders import random_network, write_dataset
from totalsegmentator_steps import LPI, by_its_steps, scan_file, values_of

pytestmark = pytest.mark.usefixtures("user_models")


def dataset(results: Path, number: int, names: Sequence[str], mm: float) -> Any:
    """One data set's folder with a random network, which is returned."""
    network = random_network(len(names) + 1, number)
    write_dataset(results, f"Dataset{number}_TotalSegmentator_part_1559subj", names, [mm] * 3, network)
    return network


REFUSALS = {
    "Dataset258_lung_vessels_248subj": r"'lung_vessels_LEGACY' crops by another one.* missing beside .*: 298",
    "Dataset803_TotalSegmentator_vertebrae_inner_1559subj": "renumbers the vertebrae afterwards .* is not done here",
    "Dataset999_TotalSegmentator_new_3subj": "is a task of TotalSegmentator that is not known here",
}


def write_total(results: Path) -> list[Any]:
    return [dataset(results, number, names, 1.5) for number, names in PARTS.items()]


def test_five_parts_become_one_result_as_its_own_steps_make_it(tmp_path: Path) -> None:
    results = tmp_path / ".totalsegmentator" / "nnunet" / "results"
    networks = write_total(results)
    header = "Structure,SegmentedPropertyCategoryCodeSequence.CodingSchemeDesignator,"
    header += "SegmentedPropertyCategoryCodeSequence.CodeValue,SegmentedPropertyCategoryCodeSequence.CodeMeaning,"
    header += "SegmentedPropertyTypeCodeSequence.CodingSchemeDesignator,SegmentedPropertyTypeCodeSequence.CodeValue,"
    header += "SegmentedPropertyTypeCodeSequence.CodeMeaning\n"
    row = "aorta,SCT,123037004,Anatomical Structure,SCT,15825003,Aorta\n"
    (results / "totalsegmentator_snomed_mapping.csv").write_text(header + row, encoding="utf-8")
    (results / "LICENSE").write_text("Their licence", encoding="utf-8")
    package = import_package(results)
    metadata = package.metadata
    assert (package.name, len(metadata.labels), len(metadata.pipeline.parts)) == ("totalsegmentator", 118, 5)  # type: ignore[union-attr]
    aorta = next(label for label in metadata.labels if label.name == "aorta")
    assert (aorta.value, aorta.type and aorta.type.value) == (52, "15825003")
    assert (package.root / "LICENSE").read_text(encoding="utf-8") == "Their licence"
    assert not list(package.root.rglob("*.safetensors"))
    assert_foretold(package)
    file = scan_file(tmp_path)
    result = segment(read_volume(file), package, create_engine(package, "openvino"))
    pairs = [(network, values_of(number)) for network, number in zip(networks, PARTS, strict=True)]
    expected, clear = by_its_steps(file, pairs, 1.5)
    found = result.labels.array
    assert len(np.unique(expected)) > 20
    assert clear.mean() > 0.9
    assert np.array_equal(found[clear], expected[clear])
    assert float(np.nanmin(result.uncertainty.array)) >= 0.0
    rows = {row.name: row for row in result.structures}
    largest = max(rows.values(), key=lambda one: one.volume_ml)
    assert largest.volume_low_ml <= largest.volume_high_ml
    with pytest.raises(InputError, match="joins several networks"):
        segment(read_volume(file), package, create_engine(package, "openvino"), keep_probabilities=True)
    with pytest.raises(InputError, match="all of them run"):
        create_estimator("tta", package.root, "openvino")


def assert_foretold(package: Package) -> None:
    """Time and memory of a run on a whole body are those of the networks' own grid, one network at a time."""
    grid = Grid((400, 512, 512), (0.8, 0.8, 1.0), (0.0, 0.0, 0.0), LPI)
    ahead = forecast(grid, package.metadata)
    shape = (267, 273, 273)  # at 1.5 mm
    assert ahead.windows == np.prod([int(np.ceil((n - 16) / (16 * 0.8))) + 1 for n in shape])
    assert ahead.memory_bytes < 0.4e9 + 24 * 400 * 512 * 512 + 4 * 28 * np.prod(shape)
    assert seconds_a_window(package, create_engine(package, "openvino")) is not None  # of 25 and 27 outputs


def test_the_fast_task_is_one_network_at_three_millimetres(tmp_path: Path) -> None:
    network = dataset(tmp_path / "results", 297, STRUCTURES, 3.0)
    package = import_package(tmp_path / "results" / "Dataset297_TotalSegmentator_part_1559subj")
    assert package.metadata.raw["source"]["task"] == "total, fast"
    file = scan_file(tmp_path)
    result = segment(read_volume(file), package, create_engine(package, "openvino"))
    expected, clear = by_its_steps(file, [(network, values_of(297))], 3.0)
    assert clear.mean() > 0.9
    assert np.array_equal(result.labels.array[clear], expected[clear])


def test_a_missing_part_an_unknown_task_and_another_spacing_are_sentences(tmp_path: Path, user_models: Path) -> None:
    results = tmp_path / "results"
    dataset(results, 291, PARTS[291], 1.5)
    with pytest.raises(PackageError, match=r"missing beside .*: 292, 293, 294, 295"):
        import_package(results)
    for folder, why in REFUSALS.items():
        write_dataset(results, folder, ("one",), [0.7] * 3, random_network(2, 1))
        with pytest.raises(PackageError, match=why):
            import_package(results / folder)
    dataset(results, 298, STRUCTURES, 3.0)
    with pytest.raises(PackageError, match=r"wants .*3\.0.* mm, not 6 x 6 x 6 mm"):
        import_package(results / "Dataset298_TotalSegmentator_part_1559subj")
    dataset(results, 297, STRUCTURES[:5], 3.0)
    with pytest.raises(PackageError, match="has 6 outputs"):
        import_package(results / "Dataset297_TotalSegmentator_part_1559subj")
    assert_nothing_came_in(user_models)


def test_grey_values_and_labels_are_resampled_to_the_last_bit_as_scipy_does_it() -> None:
    """A sum in another order of the axes is 83.99999 instead of 84, and is cut off to 83."""
    image = np.full((12, 30, 26), 1000.0, np.float32)  # (k, j, i)
    expected = zoom(image.astype(np.float64).transpose(2, 1, 0), (10 / 26, 9 / 30, 10 / 12), mode="nearest", order=1)
    for transpose in ((0, 1, 2), (2, 0, 1)):
        shape = tuple((10, 9, 10)[axis] for axis in transpose)
        found = resample_image(image.transpose(transpose), shape, replace(ENDS, whole=True), None, transpose=transpose)  # type: ignore[arg-type]
        assert np.array_equal(found, np.trunc(expected).transpose(2, 1, 0).transpose(transpose))
    labels = np.random.default_rng(6).integers(0, 9, (11, 6, 5)).astype(np.float32)
    onto = (21, 11, 9)  # many voxels lie in the middle of two
    steps = steps_between(labels.shape, onto, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), "ends")
    back, _ = BackResampler.from_first(labels.shape, onto, NEAREST, steps)  # type: ignore[arg-type]
    factors = [m / n for n, m in zip(labels.shape, onto, strict=True)]
    assert np.array_equal(back.slab(labels[None], 0, 21)[0], zoom(labels, factors, mode="nearest", order=0))


def test_spacings_are_those_of_a_nifti_header_and_a_scan_that_has_them_already_stays() -> None:
    assert resampled_shape((25, 25, 25), (0.9, 0.9, 0.9), (3.0, 3.0, 3.0), "ends") == (7, 7, 7)  # not 7.5, rounded to 8
    pipeline = Pipeline(
        orientation="RAS",
        transpose=(0, 1, 2),
        crop="none",
        order=("resample", "normalise", "crop"),
        spacing=(3.0, 3.0, 3.0),
        image=replace(ENDS, whole=True),
        logits=ENDS,
        labels=NEAREST,
        step=0.5,
        mirror_axes=(),
        members=(),
        channels=(Channel("CT", ()),),
    )
    for mm, expected in ((3.0, 2.7), (3.01, 2.0)):
        grid = Grid((4, 4, 4), (mm, 3.0, 3.0), (0.0, 0.0, 0.0), LPI)
        whole = (slice(0, 4), slice(0, 4), slice(0, 4))
        region = Region(None, whole, grid, grid, ())
        volume = Volume(np.full((4, 4, 4), 2.7, np.float32), grid, "scan")
        assert float(prepare([volume], region, pipeline).image.max()) == np.float32(expected)
