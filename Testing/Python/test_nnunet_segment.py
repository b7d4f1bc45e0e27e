"""The main job with imported nnU-Nets: the masks of nnU-Net's own predictor, and what members add to a result."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import SUREUncertaintyLib as sure
from nnunet_folders import FINAL, change_top, nnunet_masks, write_training
from nnunet_phantoms import SCANS, Phantom, make_phantom
from phantoms import Turn
from SUREUncertaintyLib.cli.app import app
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.resampling import to_itk
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.corruptions.registry import make_recipe
from SUREUncertaintyLib.difficulty.extractors.class_logits import ClassLogits
from SUREUncertaintyLib.evaluation.predictor import NativePredictor
from SUREUncertaintyLib.evaluation.slice_predictor import create_slice_predictor
from SUREUncertaintyLib.files.reading import channel_files, read_channels
from SUREUncertaintyLib.inference.engine_choice import create_engine, create_member_engine
from SUREUncertaintyLib.inference.estimation.estimator_choice import create_estimator
from SUREUncertaintyLib.inference.native.choice import MemberChoice
from SUREUncertaintyLib.inference.native.engine import MemberEngine
from SUREUncertaintyLib.inference.native.preparing import channels_in_order
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.inference.session import LiveSession
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.package import Package
from typer.testing import CliRunner

FOLDS = {"plain": 2, "regions": 1, "slices": 1}
STRUCTURES = (1, 2)
EVERY = [(name, scan, mirrors) for name in SCANS for scan in SCANS[name] for mirrors in (False, True)]


class Imported(dict[str, Package]):
    """The sets of ``Testing/Data/nnunet`` as packages, each imported when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, name: str) -> Package:
        root = write_training(self._folder / "results", name, FOLDS[name])
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SURE_MODELS", str(self._folder / "models"))
            self[name] = import_package(root, name)
        return self[name]


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    """The three sets."""
    return Imported(tmp_path_factory.mktemp("nnunet"))


def scans(name: str, scan: str) -> tuple[Phantom, list[Volume]]:
    phantom = make_phantom(**SCANS[name][scan])  # type: ignore[arg-type]
    return phantom, phantom.volumes(["first", "second"][: len(phantom.channels)])


def run(
    package: Package, volumes: list[Volume], choice: MemberChoice | None = None, **options: object
) -> SegmentationResult:
    engine = create_member_engine(package, "openvino", "cpu", 1, choice=choice)
    names = [channel.name for channel in engine.pipeline.channels]
    others = dict(zip(names[1:], volumes[1:], strict=True))
    return segment(volumes[0], package, engine, channels=others, **options)  # type: ignore[arg-type]


def dice(one: np.ndarray, other: np.ndarray, value: int) -> float:
    a, b = one == value, other == value
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.parametrize(("name", "scan", "mirrors"), EVERY)
def test_the_masks_are_those_of_nnunets_own_predictor(
    name: str, scan: str, mirrors: bool, imported: dict[str, Package]
) -> None:
    phantom, volumes = scans(name, scan)
    found = run(imported[name], volumes, MemberChoice(None, mirrors)).labels.array
    theirs = nnunet_masks(name)[f"{scan}-{'mirrors' if mirrors else 'plain'}"]
    assert all((theirs == value).sum() > 50 for value in STRUCTURES)
    assert all(dice(found, theirs, value) >= 0.999 for value in STRUCTURES)
    assert all(dice(found, phantom.labels, value) > 0.6 for value in STRUCTURES)


def test_the_wrong_order_of_steps_would_be_noticed(imported: dict[str, Package]) -> None:
    """The vectors can tell nnU-Net's pipeline from others: without its crop, axes or mirrors the masks differ."""
    _, volumes = scans("plain", "bordered")
    cut = [replace(v, array=np.where(v.array == 0, np.float32(1e-3), v.array)) for v in volumes]
    theirs = nnunet_masks("plain")["bordered-plain"]
    found = run(imported["plain"], cut, MemberChoice(None, False)).labels.array
    assert min(dice(found, theirs, value) for value in STRUCTURES) < 0.99


@pytest.mark.parametrize(
    ("reader", "axes", "flips"),
    [
        ("NibabelIOWithReorient", (2, 0, 1), (1, -1, 1)),
        ("SimpleITKIOWithReorient", (1, 0, 2), (-1, -1, 1)),
    ],
)
def test_a_reader_that_reorients_gives_one_mask_however_the_scan_is_stored(
    reader: str,
    axes: tuple[int, int, int],
    flips: tuple[int, int, int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "models"))
    root = write_training(tmp_path, "plain")
    change_top(root, image_reader_writer=reader)
    package = import_package(root)
    _, (volume,) = scans("plain", "resampled")
    turn, choice = Turn(axes, flips), MemberChoice(None, False)
    straight = run(package, [volume], choice).labels
    turned = run(package, [turn.apply(volume)], choice).labels
    assert np.array_equal(turn.apply(straight).array, turned.array)


def test_a_native_reader_takes_the_axes_as_they_are_stored(imported: dict[str, Package]) -> None:
    _, (volume,) = scans("plain", "resampled")
    flipped = replace(volume, array=volume.array[::-1, :, ::-1])
    relabelled = replace(flipped, grid=replace(volume.grid, direction=(-1.0, 0, 0, 0, 1.0, 0, 0, 0, -1.0)))
    choice = MemberChoice(None, False)
    one, other = (run(imported["plain"], [v], choice).labels.array for v in (flipped, relabelled))
    assert np.array_equal(one, other)


@pytest.fixture(scope="module")
def with_members(imported: dict[str, Package]) -> SegmentationResult:
    """Two folds without mirrors on a resampled scan."""
    return run(imported["plain"], scans("plain", "resampled")[1], MemberChoice(None, False), keep_probabilities=True)


def test_members_bring_maps_that_add_up_and_their_pairwise_dice(
    with_members: SegmentationResult, imported: dict[str, Package]
) -> None:
    members = with_members.members
    assert members is not None
    assert members.names == ("fold_0", "fold_1")
    disagreement, expected = (members.maps[name].array for name in ("mutual_information", "expected_entropy"))
    assert np.allclose(disagreement + expected, with_members.entropy.array, atol=1e-5)
    assert disagreement.max() > 0.05
    single = [run(imported["plain"], scans("plain", "resampled")[1], MemberChoice((n,), False)) for n in ("0", "1")]
    for row in members.structures:
        (pair,) = row.dice
        assert pair[2] == pytest.approx(dice(single[0].labels.array, single[1].labels.array, row.value))
    assert single[0].members is None
    assert single[0].provenance["passes"] == 1


def test_probabilities_are_the_mean_of_the_members_and_the_mask_that_of_mean_logits(
    with_members: SegmentationResult, imported: dict[str, Package]
) -> None:
    volumes = scans("plain", "resampled")[1]
    single = [run(imported["plain"], volumes, MemberChoice((n,), False), keep_probabilities=True) for n in ("0", "1")]
    first, second = (one.probabilities for one in single)
    assert first is not None
    assert second is not None
    assert with_members.probabilities is not None
    assert np.allclose(with_members.probabilities, (first + second) / 2, atol=1e-5)
    logs = np.log(np.maximum(first, 1e-30)) + np.log(np.maximum(second, 1e-30))
    best = np.sort(logs, axis=0)
    clear = best[-1] - best[-2] > 1e-3
    assert np.array_equal(with_members.labels.array[clear], logs.argmax(axis=0)[clear])


def test_regions_give_a_distribution_over_labels(imported: dict[str, Package]) -> None:
    result = run(
        imported["regions"], scans("regions", "sideways")[1], MemberChoice(None, False), keep_probabilities=True
    )
    assert result.probabilities is not None
    assert np.allclose(result.probabilities.sum(axis=0), 1.0, atol=1e-5)
    assert [label.name for label in result.label_set] == ["body without core", "core"]
    assert {label.value for label in result.label_set} == {1, 2}


def test_a_region_of_interest_is_segmented_as_if_it_were_the_scan(imported: dict[str, Package]) -> None:
    _, (volume,) = scans("plain", "native")
    k, j, i = (slice(2, 24), slice(3, 27), slice(4, 26))
    corners = np.array([[i.start, j.start, k.start], [i.stop - 1, j.stop - 1, k.stop - 1]])
    low, high = sorted((volume.grid.ijk_to_ras @ [*corner, 1.0])[:3].tolist() for corner in corners)
    low, high = np.minimum(low, high) - 0.4, np.maximum(low, high) + 0.4
    roi = Roi("box", tuple(map(float, low)), tuple(map(float, high)))
    choice = MemberChoice(("0",), False)
    found = run(imported["plain"], [volume], choice, rois=(roi,)).labels.array
    cut = volume.array[k, j, i]
    alone = run(imported["plain"], [Volume(cut, replace(volume.grid, shape=cut.shape), "cut")], choice).labels.array
    assert np.array_equal(found[k, j, i], alone)
    assert found.sum() == alone.sum()


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ({}, "'CT' was not given.* command line .* --channel CT=FILE.* columns such as image_CT"),
        ({"PET": "same"}, "takes no further image named 'PET'"),
        ({"CT": "smaller"}, "'CT' does not lie on the scan's grid"),
        ({"CT": "moved"}, "'CT' does not lie on the scan's grid"),
    ],
)
def test_wrong_channels_are_a_sentence(others: dict[str, str], sentence: str, imported: dict[str, Package]) -> None:
    _, (first, second) = scans("regions", "sideways")
    small = second.array[1:]
    given = {
        "same": second,
        "smaller": Volume(small, replace(second.grid, shape=small.shape)),
        "moved": replace(second, grid=replace(second.grid, origin=(9.0, -20.0, 5.0))),
    }
    engine = create_engine(imported["regions"], "openvino")
    with pytest.raises(InputError, match=sentence):
        segment(first, imported["regions"], engine, channels={name: given[kind] for name, kind in others.items()})


def test_a_script_gives_further_images_as_volumes_or_paths(imported: dict[str, Package], tmp_path: Path) -> None:
    _, (first, second) = scans("regions", "sideways")
    sitk.WriteImage(to_itk(second), str(tmp_path / "ct.nrrd"))
    model = sure.load_model(imported["regions"].root, "openvino")
    expected = segment(first, imported["regions"], model.engine, channels={"CT": second})
    for image in (second, tmp_path / "ct.nrrd", str(tmp_path / "ct.nrrd")):
        found = sure.segment(first, model, channels={"CT": image})
        assert np.array_equal(found.labels.array, expected.labels.array)
    with pytest.raises(InputError, match="'CT' was not given"):
        sure.segment(first, model)


def test_other_models_take_no_channels(tiny_package: Package, imported: dict[str, Package]) -> None:
    _, (volume,) = scans("plain", "native")
    with pytest.raises(InputError, match="takes one image"):
        segment(volume, tiny_package, create_engine(tiny_package, "openvino"), channels={"T2": volume})
    with pytest.raises(InputError, match="one network"):
        create_estimator("native", tiny_package.root, choice=MemberChoice(("0",)))


@pytest.mark.parametrize(("estimator", "passes"), [("softmax", 1), ("ensemble", 2), ("tta", 8), ("native", 16)])
def test_estimators_are_choices_of_passes(estimator: str, passes: int, imported: dict[str, Package]) -> None:
    opened = create_estimator(estimator, imported["plain"].root, "openvino")
    assert (opened.passes, opened.name) == (passes, estimator)
    assert isinstance(opened.engine, MemberEngine)
    with pytest.raises(InputError, match="folds and mirrored passes"):
        create_estimator("dropout", imported["plain"].root)


def test_the_torch_engine_says_the_same(imported: dict[str, Package]) -> None:
    _, volumes = scans("regions", "resampled")
    others = {"CT": volumes[1]}
    found = []
    for engine in ("torch", "openvino"):
        opened = create_member_engine(imported["regions"], engine, "cpu", choice=MemberChoice(None, False))
        found.append(segment(volumes[0], imported["regions"], opened, channels=others))
    assert all(dice(found[0].labels.array, found[1].labels.array, value) >= 0.999 for value in STRUCTURES)
    assert np.allclose(found[0].entropy.array, found[1].entropy.array, atol=1e-3, equal_nan=True)


def test_a_live_session_previews_with_one_pass(imported: dict[str, Package]) -> None:
    _, (volume,) = scans("plain", "native")
    session = LiveSession(imported["plain"], "openvino", threads=1)
    session.open(volume)
    quick = session.preview(volume.array)
    single = run(imported["plain"], [volume], MemberChoice(("0",), False))
    assert np.array_equal(quick.labels.array, single.labels.array)


def test_evaluation_and_robustness_see_the_same_pipeline(imported: dict[str, Package]) -> None:
    _, (volume,) = scans("plain", "resampled")
    engine = create_member_engine(imported["plain"], "openvino", "cpu", estimator="softmax")
    predictor = NativePredictor(imported["plain"], engine)
    clean = predictor.predict(volume)
    assert np.array_equal(clean.labels, run(imported["plain"], [volume], MemberChoice(("0",), False)).labels.array)
    (noisy,) = predictor.noisy(volume, (0.6,), 0, "case")
    assert noisy.shape == volume.grid.shape
    assert noisy[clean.labels != 0].mean() > clean.uncertainty[clean.labels != 0].mean()
    recipes = [make_recipe(name, 0.5, 0, "case") for name in ("blur", "gaussian")]
    damaged = [one.labels for one in predictor.corrupted(volume, recipes)]
    assert all(not np.array_equal(labels, clean.labels) for labels in damaged)


def test_what_was_not_made_for_imported_pipelines_says_so(imported: dict[str, Package]) -> None:
    package = imported["slices"]
    engine = create_engine(package, "openvino")
    with pytest.raises(InputError, match="pipeline of another program"):
        ClassLogits(package, engine)
    with pytest.raises(InputError, match="pipeline for whole scans"):
        create_slice_predictor(package, engine, 1, 0, 1)


def test_a_fold_that_finds_nothing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "models"))
    root = write_training(tmp_path, "plain", folds=2)
    content = torch.load(root / "fold_1" / FINAL, weights_only=False)
    last = max(name for name in content["network_weights"] if ".seg_layers." in name and name.endswith("bias"))
    content["network_weights"][last][0] = 1e4
    torch.save(content, root / "fold_1" / FINAL)
    result = run(import_package(root), scans("plain", "native")[1], MemberChoice(None, False))
    told = [notice.text for notice in result.notices if "fold_1" in notice.text]
    assert told
    assert "Nothing but background" in told[0]


def test_the_command_line_writes_members_and_takes_channels(imported: dict[str, Package], tmp_path: Path) -> None:
    _, (first, second) = scans("regions", "sideways")
    for volume, name in ((first, "mr"), (second, "ct")):
        sitk.WriteImage(to_itk(volume), str(tmp_path / f"{name}.nrrd"))
    output = tmp_path / "out"
    arguments = ["segment", str(tmp_path / "mr.nrrd"), "--channel", f"CT={tmp_path / 'ct.nrrd'}"]
    arguments += ["--model", str(imported["regions"].root), "--output", str(output), "--engine", "openvino"]
    outcome = CliRunner().invoke(app, [*arguments, "--mirrors", "all", "--no-scene", "--no-pictures"])
    assert outcome.exit_code == 0, outcome.output
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    assert report["passes"] == len(report["members"]["names"]) == 8
    assert report["pipeline"]["channels"] == {"MRI": "mr", "CT": "ct"}
    rows = report["members"]["structures"]
    assert [len(row["dice"]) for row in rows] == [len(list(combinations(range(8), 2)))] * 2
    assert (output / "maps" / "mutual_information.nrrd").is_file()


def test_memory_does_not_grow_with_the_number_of_passes(imported: dict[str, Package]) -> None:
    peaks = []
    for mirrors in (False, False, True):  # the first run fills caches
        tracemalloc.start()
        run(imported["plain"], scans("plain", "native")[1], MemberChoice(None, mirrors))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.1 * peaks[1]


def test_use_needs_no_torch(imported: dict[str, Package], tmp_path: Path) -> None:
    _, (volume,) = scans("plain", "native")
    sitk.WriteImage(to_itk(volume), str(tmp_path / "scan.nrrd"))
    program = (
        "import sys\n"
        "for name in ('torch', 'monai', 'onnx', 'safetensors', 'nibabel'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from SUREUncertaintyLib.files.reading import read_volume\n"
        "from SUREUncertaintyLib.inference.engine_choice import create_engine\n"
        "from SUREUncertaintyLib.inference.segmenter import segment\n"
        "from SUREUncertaintyLib.packages.package import load_package\n"
        f"package = load_package({str(imported['plain'].root)!r})\n"
        f"scan = read_volume(Path({str(tmp_path / 'scan.nrrd')!r}))\n"
        "print(int((segment(scan, package, create_engine(package)).labels.array == 1).sum()))\n"
    )
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert int(child.stdout) == int((nnunet_masks("plain")["native-mirrors"] == 1).sum())


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [(["T2"], "expected NAME=FILE"), (["=a.nii"], "expected NAME=FILE"), (["T2=nowhere.nii"], "does not exist")],
)
def test_a_channel_that_is_not_given_well_is_a_sentence(texts: list[str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_channels(texts)


def test_a_channel_twice_is_a_sentence(imported: dict[str, Package], tmp_path: Path) -> None:
    sitk.WriteImage(to_itk(scans("plain", "native")[1][0]), str(tmp_path / "a.nrrd"))
    with pytest.raises(InputError, match="'T2' is given twice"):
        read_channels([f"T2={tmp_path / 'a.nrrd'}"] * 2)


def test_a_channel_whose_name_holds_an_equals_sign_is_found_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "dwi.nii.gz").touch()
    (tmp_path / "a=b.nii").touch()
    given = [f"DWI b=1000={tmp_path / 'dwi.nii.gz'}", f"T2={tmp_path / 'a=b.nii'}"]
    assert channel_files(given) == {"DWI b=1000": tmp_path / "dwi.nii.gz", "T2": tmp_path / "a=b.nii"}
    assert channel_files(["DWI b=1000=gone.nii.gz"]) == {"DWI b=1000": Path("gone.nii.gz")}


def test_a_channel_whose_name_holds_a_space_is_quoted_in_the_sentence_that_asks_for_it(
    imported: dict[str, Package],
) -> None:
    pipeline = imported["regions"].metadata.pipeline
    assert pipeline is not None
    asked = replace(pipeline, channels=(pipeline.channels[0], replace(pipeline.channels[1], name="T1 w/ Gd")))
    _, (volume,) = scans("plain", "native")
    with pytest.raises(InputError, match='given by --channel "T1 w/ Gd=FILE", in a list'):
        channels_in_order(volume, {}, asked, "brain")
