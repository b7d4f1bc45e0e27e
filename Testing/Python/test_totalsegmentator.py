"""TotalSegmentator's layout on disk with weights made at random: joined by its table, with its steps around nnU-Net."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign import assert_nothing_came_in
from needed_torch import torch
from nnunet_folders import FINAL, checkpoint_of, read_plans, with_second_names
from nnunet_phantoms import make_phantom
from numpy.typing import NDArray
from scipy.ndimage import zoom
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.core.progress import never, silent
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.estimation.estimator_choice import create_estimator
from SUREUncertaintyLib.inference.native.preparing import prepare
from SUREUncertaintyLib.inference.native.resampling import (
    BackResampler,
    resample_image,
    resampled_shape,
    steps_between,
)
from SUREUncertaintyLib.inference.native.tiles import blend_tiles, spread_tiles
from SUREUncertaintyLib.inference.network_regions import Region
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.pipeline import Channel, Pipeline
from SUREUncertaintyLib.packages.totalsegmentator.importing import ENDS, NEAREST
from SUREUncertaintyLib.packages.totalsegmentator.tasks import PARTS, STRUCTURES

pytestmark = pytest.mark.usefixtures("user_models")
LPI = (-1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
TRAINER = "nnUNetTrainerNoMirroring__nnUNetPlans__3d_fullres"
CT = {"percentile_00_5": 60.0, "percentile_99_5": 260.0, "mean": 140.0, "std": 50.0}


def plans_of(name: str, mm: float, mean: float) -> dict[str, Any]:
    plans = read_plans("plain")
    plans["dataset_name"] = name
    plans["foreground_intensity_properties_per_channel"] = {"0": {**CT, "mean": mean}}
    plans["configurations"]["3d_fullres"] |= {"spacing": [mm] * 3, "normalization_schemes": ["CTNormalization"]}
    return plans


def network_of(classes: int, seed: int) -> Any:
    torch.manual_seed(seed)
    plain = {"dimension": 3, "channels": 1, "bias": True, "eps": 1e-5, "slope": 0.01, "classes": classes}
    stages = {"features": [4, 8, 12], "kernels": [[3] * 3] * 3, "strides": [[1] * 3, [2] * 3, [2] * 3]}
    counts = {"convolutions": [2, 2, 2], "decoder_convolutions": [2, 2]}
    network = create_network("nnunet_plain", {**plain, **stages, **counts}).eval()
    with torch.no_grad():
        last = [
            part for part in network.modules() if isinstance(part, torch.nn.Conv3d) and part.out_channels == classes
        ]
        last[-1].weight *= 8.0  # a random network hardly prefers any class
        seen = network(torch.randn(1, 1, 16, 16, 16))
        last[-1].bias -= seen.mean(dim=(0, 2, 3, 4))
    return network


def write_dataset(results: Path, number: int, names: Sequence[str], mm: float) -> Any:
    """One data set's folder as the program downloads it; its network."""
    called = f"Dataset{number}_TotalSegmentator_part_1559subj"
    root = results / called / TRAINER
    (root / "fold_0").mkdir(parents=True)
    plans = plans_of(called, mm, 140.0 + number % 10)
    labels = {"background": 0, **{name: value for value, name in enumerate(names, 1)}}
    dataset = {"channel_names": {"0": "CT"}, "labels": labels, "numTraining": 3, "file_ending": ".nii.gz"}
    network = network_of(len(labels), number)
    content = checkpoint_of("plain")
    content |= {
        "network_weights": with_second_names(network.state_dict()),
        "trainer_name": TRAINER.partition("__")[0],
        "inference_allowed_mirroring_axes": None,
        "init_args": {**content["init_args"], "plans": plans, "configuration": "3d_fullres", "dataset_json": dataset},
    }
    torch.save(content, root / "fold_0" / FINAL)
    (root / "plans.json").write_text(json.dumps(plans), encoding="utf-8")
    (root / "dataset.json").write_text(json.dumps(dataset), encoding="utf-8")
    return network


def write_total(results: Path) -> list[Any]:
    return [write_dataset(results, number, names, 1.5) for number, names in PARTS.items()]


def scan_file(folder: Path) -> Path:
    """A CT of whole numbers that is stored flipped, with thick slices."""
    phantom = make_phantom(3, (12, 30, 26), (1.1, 0.9, 2.4))
    grid = Grid(phantom.labels.shape, phantom.spacing, (12.0, -20.0, 40.0), LPI)
    write_volume(Volume(phantom.channels[0].astype(np.int16), grid, "scan"), folder / "scan.nii.gz")
    return folder / "scan.nii.gz"


LEAD = 1e-3
"""Of logits: where random networks of a hundred classes are nearer to a tie, two engines may round either way."""


def by_its_steps(
    file: Path, networks: Sequence[Any], numbers: Sequence[int], mm: float
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """TotalSegmentator's own steps by nibabel and SciPy: the label map (k, j, i) as stored, and where it is clear."""
    import nibabel as nib
    from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

    stored = nib.load(file)
    turned = nib.as_closest_canonical(stored)
    data = np.asarray(turned.get_fdata())
    small = zoom(data, np.array(turned.header.get_zooms()) / mm, mode="nearest", order=1).astype(np.int32)
    image = small.transpose(2, 1, 0).astype(np.float32)
    joined, lead = np.zeros(image.shape, np.uint8), np.full(image.shape, np.inf, np.float32)
    for network, number in zip(networks, numbers, strict=True):
        seen = (np.clip(image, CT["percentile_00_5"], CT["percentile_99_5"]) - (140.0 + number % 10)) / CT["std"]

        def logits_of(windows: NDArray[np.float32]) -> NDArray[np.float32]:
            with torch.no_grad():
                return np.asarray(network(torch.from_numpy(windows)).numpy())  # noqa: B023 - called at once

        tiles = spread_tiles(image.shape, (16, 16, 16), 0.8)
        blended = blend_tiles(seen[None].astype(np.float32), tiles, logits_of, silent, never)
        found = blended.argmax(axis=0)
        second, first = np.partition(blended, -2, axis=0)[-2:]
        lead = np.minimum(lead, first - second)
        names = PARTS.get(number, STRUCTURES)
        table = np.array([0, *(STRUCTURES.index(name) + 1 for name in names)], dtype=np.uint8)
        np.copyto(joined, table[found], where=found != 0)
    turn = ornt_transform(axcodes2ornt("RAS"), io_orientation(stored.affine))

    def stored_again(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        back = zoom(array.transpose(2, 1, 0), np.array(data.shape) / small.shape, mode="nearest", order=0)
        image_back = nib.Nifti1Image(back.astype(np.uint8), turned.affine)
        return np.asarray(image_back.as_reoriented(turn).dataobj).transpose(2, 1, 0).astype(np.uint8)

    return stored_again(joined), stored_again((lead > LEAD).astype(np.uint8)) > 0


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
    file = scan_file(tmp_path)
    result = segment(read_volume(file), package, create_engine(package, "openvino"))
    expected, clear = by_its_steps(file, networks, tuple(PARTS), 1.5)
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


def test_the_fast_task_is_one_network_at_three_millimetres(tmp_path: Path) -> None:
    network = write_dataset(tmp_path / "results", 297, STRUCTURES, 3.0)
    package = import_package(tmp_path / "results" / "Dataset297_TotalSegmentator_part_1559subj")
    assert package.metadata.raw["source"]["task"] == "total, fast"
    file = scan_file(tmp_path)
    result = segment(read_volume(file), package, create_engine(package, "openvino"))
    expected, clear = by_its_steps(file, [network], (297,), 3.0)
    assert clear.mean() > 0.9
    assert np.array_equal(result.labels.array[clear], expected[clear])


def test_a_missing_part_an_unknown_task_and_another_spacing_are_sentences(tmp_path: Path, user_models: Path) -> None:
    results = tmp_path / "results"
    write_dataset(results, 291, PARTS[291], 1.5)
    with pytest.raises(PackageError, match=r"missing beside .*: 292, 293, 294, 295"):
        import_package(results)
    write_dataset(results, 258, ("vessel",), 0.7)
    with pytest.raises(PackageError, match=r"Dataset258_.* is a task of TotalSegmentator that is not known"):
        import_package(results / "Dataset258_TotalSegmentator_part_1559subj")
    write_dataset(results, 298, STRUCTURES, 3.0)
    with pytest.raises(PackageError, match=r"wants .*3\.0.* mm, not 6 mm"):
        import_package(results / "Dataset298_TotalSegmentator_part_1559subj")
    write_dataset(results, 297, STRUCTURES[:5], 3.0)
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
