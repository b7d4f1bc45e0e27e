"""TotalSegmentator's other tasks: crops by another network, hidden structures, parts that go; what a folder is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nnunet_folders import write_training
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.estimation.estimator_choice import create_estimator
from SUREUncertaintyLib.inference.native.engine import MemberEngine
from SUREUncertaintyLib.inference.native.largest_parts import keep_largest
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.pipeline import LargestParts
from SUREUncertaintyLib.packages.recognising import NNUNET, TOTAL, recognise
from SUREUncertaintyLib.packages.totalsegmentator.structures import STRUCTURES
from totalsegmentator_folders import bright_network, random_network, write_dataset
from totalsegmentator_steps import LPI, by_its_steps, values_of

pytestmark = pytest.mark.usefixtures("user_models")
CYSTS = ("kidney_cyst_left", "kidney_cyst_right", "kidney_left", "kidney_right")
SPACING = (2.2, 1.9, 4.4)


def write_cysts(results: Path, bright: str = "liver") -> tuple[object, object]:
    """The task ``kidney_cysts`` and the network that it crops by, which gives everything bright one name."""
    first = bright_network(len(STRUCTURES) + 1, STRUCTURES.index(bright) + 1)
    write_dataset(results, "Dataset298_TotalSegmentator_total_6mm_1559subj", STRUCTURES, [6.0] * 3, first)
    own = random_network(5, 789)
    write_dataset(results, "Dataset789_kidney_cyst_501subj", CYSTS, [1.5] * 3, own)
    return first, own


def body_scan(path: Path) -> Volume:
    """A cuboid in a dark room that is stored against two of its axes."""
    shape = (20, 46, 40)  # 88 x 88 x 88 mm
    array = np.full(shape, 100, np.int16) + np.random.default_rng(1).integers(-4, 5, shape).astype(np.int16)
    array[7:12, 14:25, 20:30] = 240
    write_volume(Volume(array, Grid(shape, SPACING, (12.0, -20.0, 40.0), LPI), "scan"), path)
    return read_volume(path)


def test_a_task_that_crops_by_another_network_sees_what_totalsegmentator_sees(tmp_path: Path) -> None:
    first, own = write_cysts(tmp_path)
    package = import_package(tmp_path / "Dataset789_kidney_cyst_501subj")
    assert package.name == "totalsegmentator-kidney_cysts"
    assert [label.name for label in package.metadata.labels[1:]] == ["kidney_cyst_left", "kidney_cyst_right"]
    card = (package.root / "docs" / "README.md").read_text(encoding="utf-8")
    assert "20 mm around kidney_left, kidney_right, liver, spleen, colon" in card
    scan = body_scan(tmp_path / "scan.nii.gz")
    rough, _ = by_its_steps(tmp_path / "scan.nii.gz", [(first, values_of(298))], 6.0)
    places = np.argwhere(rough == STRUCTURES.index("liver") + 1)
    margin = np.array([int(20.0 / mm) for mm in SPACING[::-1]])
    low = np.maximum(places.min(axis=0) - margin, 0)
    high = np.minimum(places.max(axis=0) + 1 + margin, scan.array.shape)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    assert (high - low < scan.array.shape).any()
    k, j, i = (int(a) for a in low)
    origin = (12.0 - SPACING[0] * i, -20.0 + SPACING[1] * j, 40.0 - SPACING[2] * k)
    cut = Volume(scan.array[box], Grid(scan.array[box].shape, SPACING, origin, LPI), "cut")
    write_volume(cut, tmp_path / "cut.nii.gz")
    expected, clear = by_its_steps(tmp_path / "cut.nii.gz", [(own, (0, 1, 2, 0, 0))], 1.5, step=0.5)
    result = segment(scan, package, create_engine(package, "openvino"))
    found = result.labels.array
    assert {1, 2} <= set(np.unique(expected).tolist())
    assert np.array_equal(found[box][clear], expected[clear])
    outside = np.ones(found.shape, bool)
    outside[box] = False
    assert outside.any()
    assert not found[outside].any()
    assert np.isnan(result.uncertainty.array[outside]).all()
    assert np.isfinite(result.uncertainty.array[box]).all()


def test_nothing_to_crop_by_is_a_sentence(tmp_path: Path) -> None:
    write_cysts(tmp_path, "heart")
    package = import_package(tmp_path / "Dataset789_kidney_cyst_501subj")
    scan = body_scan(tmp_path / "scan.nii.gz")
    with pytest.raises(InputError, match=r"looks around kidney_left, .* and colon only, .* found nothing in this scan"):
        segment(scan, package, create_engine(package, "openvino"))


def test_varied_copies_look_where_the_plain_network_looks(tmp_path: Path) -> None:
    first = random_network(len(STRUCTURES) + 1, 298)
    write_dataset(tmp_path, "Dataset298_TotalSegmentator_total_6mm_1559subj", STRUCTURES, [6.0] * 3, first)
    write_dataset(tmp_path, "Dataset913_lung_nodules", ("lung", "nodule"), [1.5] * 3, random_network(3, 5))
    package = import_package(tmp_path / "Dataset913_lung_nodules")
    window = np.random.default_rng(0).normal(size=(1, 1, 16, 16, 16)).astype(np.float32)
    plain, varied = create_engine(package, "openvino"), create_estimator("tta", package.root, "openvino").engine
    assert isinstance(plain, MemberEngine)
    assert isinstance(varied, MemberEngine)
    assert not np.array_equal(plain.logits(window), varied.logits(window))
    assert np.array_equal(plain.where_to_look().logits(window), varied.where_to_look().logits(window))


def test_the_body_keeps_its_largest_trunk_and_limbs_above_fifty_millilitres(tmp_path: Path) -> None:
    write_dataset(
        tmp_path, "Dataset300_body_6mm_1559subj", ("body_trunc", "body_extremities"), [6.0] * 3, random_network(3, 4)
    )
    package = import_package(tmp_path / "Dataset300_body_6mm_1559subj")
    trunk, limbs = package.metadata.pipeline.postprocessing  # type: ignore[union-attr]
    assert (trunk.labels, trunk.count, limbs.labels, limbs.count, limbs.above_mm3) == ((1,), 1, (2,), 0, 50_000.0)
    labels = np.zeros((12, 12, 12), np.uint8)
    labels[0:5, 0:5, 0:5], labels[8:10, 8:10, 8:10], labels[0:3, 8:11, 0:3] = 2, 2, 1
    keep_largest(labels, limbs, voxel_mm3=1000.0)
    assert (labels == 2).sum() == 125
    assert (labels == 1).sum() == 27
    keep_largest(labels, LargestParts((2,), False, 1, 0, "network", 125.0), voxel_mm3=1.0)
    assert not (labels == 2).any()  # not larger than the limit


def test_a_folder_is_recognised_wherever_it_lies_but_not_by_its_number_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(tmp_path, "Dataset299_body_1559subj", ("one", "two"), [1.5] * 3, random_network(3, 4))
    assert recognise(tmp_path / "Dataset299_body_1559subj") == TOTAL
    own = write_training(tmp_path, "plain").parent.rename(tmp_path / "Dataset299_Kidneys")
    assert recognise(own) == NNUNET
    vessels = tmp_path / "Dataset008_HepaticVessel"  # a public data set that people train on themselves
    write_dataset(tmp_path, vessels.name, ("vessel", "tumour"), [0.8] * 3, random_network(3, 4))
    assert recognise(vessels) == NNUNET
    monkeypatch.setenv("TOTALSEG_WEIGHTS_PATH", str(tmp_path))
    assert recognise(vessels) == TOTAL
    with pytest.raises(PackageError, match="'liver_vessels' crops by another one"):
        import_package(vessels)


def test_of_several_tasks_one_has_to_be_chosen(tmp_path: Path) -> None:
    write_cysts(tmp_path)
    write_dataset(tmp_path, "Dataset343_mediastinum_1786subj", ("one",), [1.5] * 3, random_network(2, 4))
    with pytest.raises(PackageError, match=r"several tasks of TotalSegmentator: trunk_cavities, kidney_cysts\. Give"):
        import_package(tmp_path)
