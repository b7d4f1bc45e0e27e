"""A person's own scans: found, described in a recipe, trained on, and the model in the list."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from phantoms import tilted_grid
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import Cancelled, InputError
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.segment_header import write_segmentation
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.training.own_cases import find_pairs, tuning_groups
from SUREUncertaintyLib.training.own_facts import facts_of
from SUREUncertaintyLib.training.own_recipe import PROFILES, package_name, prepare_own
from SUREUncertaintyLib.training.recipe import load_recipe
from SUREUncertaintyLib.training.training_cases import list_cases, load_cases
from SUREUncertaintyLib.training.training_log import TrainingLog, read_rows

GRID = Grid((30, 34, 38), (1.0, 1.0, 1.0))
NAMES = (Label(3, "body", (0.1, 0.2, 0.3)), Label(7, "core", (0.3, 0.2, 0.1)))


def ball(number: int, grid: Grid = GRID) -> tuple[Volume, Volume]:
    """A scan with a ball (3) and its core (7), a little elsewhere in each case."""
    at = np.asarray(grid.shape) / 2 + np.random.default_rng(number).uniform(-2, 2, 3)
    k, j, i = np.indices(grid.shape)
    distance = np.sqrt(sum((axis - centre) ** 2 for axis, centre in zip((k, j, i), at, strict=True)))
    labels = np.where(distance < 3, 7, np.where(distance < 6, 3, 0)).astype(np.uint8)
    noise = np.random.default_rng(number).normal(0, 5, grid.shape)
    return Volume((100 * (labels > 0) + 80 * (labels > 3) + noise).astype(np.float32), grid), Volume(labels, grid)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six scans laid out as images and labels, one more scan without a label."""
    root = tmp_path / "scans"
    for name in ("images", "labels"):
        (root / name).mkdir(parents=True)
    for number in range(6):
        image, labels = ball(number)
        write_volume(image, root / "images" / f"case{number}.nii.gz")
        write_segmentation(labels, NAMES, root / "labels" / f"case{number}.seg.nrrd")
    write_volume(ball(9)[0], root / "images" / "lonely.nii.gz")
    return root


def test_pairs_are_found_in_folders_beside_one_another_and_in_tables(folder: Path, tmp_path: Path) -> None:
    assert [pair.id for pair in find_pairs(folder)] == [f"case{number}" for number in range(6)]
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for name in ("a.nii.gz", "a_seg.nii.gz", "b.nrrd", "b.seg.nrrd", "c.mha", "c-label.mha", "alone.nrrd", "notes.txt"):
        (mixed / name).touch()
    assert [(pair.id, pair.label.name) for pair in find_pairs(mixed)] == [
        ("a", "a_seg.nii.gz"),
        ("b", "b.seg.nrrd"),
        ("c", "c-label.mha"),
    ]
    nnunet = tmp_path / "nnunet"
    for name in ("imagesTr/x_0000.nii.gz", "labelsTr/x.nii.gz"):
        (nnunet / name).parent.mkdir(parents=True)
        (nnunet / name).touch()
    assert [pair.id for pair in find_pairs(nnunet)] == ["x"]
    (mixed / "cases.csv").write_text("image,label,id,group\na.nii.gz,a_seg.nii.gz,one,patient\n", encoding="utf-8")
    (pair,) = find_pairs(mixed)
    assert (pair.id, pair.group) == ("one", "patient")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda f: f / "nothing", "does not exist"),
        (lambda f: f / "images", r"No scan with a label was found.*cases\.csv.*_seg"),
        (lambda f: _table(f, "image\nimages/case0.nii.gz\n"), "has no label. Training needs a label"),
    ],
)
def test_a_folder_without_pairs_says_what_is_expected(folder: Path, make, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        find_pairs(make(folder))


def _table(folder: Path, text: str) -> Path:
    (folder / "cases.csv").write_text(text, encoding="utf-8")
    return folder


def test_the_facts_are_those_of_the_label_maps(folder: Path, tmp_path: Path) -> None:
    facts = facts_of(find_pairs(folder))
    assert [(label.value, label.name) for label in facts.labels] == [(3, "body"), (7, "core")]
    assert facts.spacing == (1.0, 1.0, 1.0)
    assert facts.box_mm == pytest.approx((12, 12, 12), abs=1)
    tilted = tilted_grid((20, 24, 28), (0.5, 1.0, 3.0), (0, 90, 0))
    image, labels = ball(0, tilted)
    other = tmp_path / "tilted"
    other.mkdir()
    write_volume(image, other / "a.nrrd")
    write_volume(labels, other / "a_seg.nrrd")
    found = facts_of(find_pairs(other))
    assert found.spacing == pytest.approx((3.0, 1.0, 0.5)), "along R, A, S, whatever the axes of the array"
    assert found.labels[0].name == "Structure 3"


def test_the_recipe_fits_its_patch_around_the_structures(folder: Path, tmp_path: Path) -> None:
    path = prepare_own(folder, "My Liver!", "quick", tmp_path / "out")
    recipe = load_recipe(path)
    assert recipe.name == "my-liver"
    assert recipe.input.patch == (32, 32, 32), "12 mm and 10 mm on each side, in multiples of 8"
    assert recipe.network.arguments["out_channels"] == 3
    assert recipe.data.tuning_groups == ("case4",)
    files = list_cases(recipe.data, tmp_path / "out")
    assert [case.id for case in files.tuning] == ["case4"]
    case = load_cases(files.training[:1], recipe.input, data=recipe.data)[0]
    assert set(np.unique(case.label)) == {0, 1, 2}
    assert all(30 <= length <= 33 for length in case.label.shape)


def test_a_large_structure_gets_coarser_voxels_instead_of_a_larger_patch(tmp_path: Path) -> None:
    grid = Grid((20, 130, 140), (1.0, 1.0, 4.0))
    labels = np.zeros(grid.shape, np.uint8)
    labels[5:15, 10:120, 10:130] = 1
    for number in range(2):
        write_volume(Volume(labels.astype(np.float32) * 50, grid), tmp_path / f"s{number}.nrrd")
        write_volume(Volume(labels, grid), tmp_path / f"s{number}_seg.nrrd")
    recipe = load_recipe(prepare_own(tmp_path, "big", "quick", tmp_path / "out"))
    assert max(recipe.input.patch) <= PROFILES["quick"].side
    assert recipe.input.spacing == pytest.approx((140 / 48, 130 / 48, 4.0), abs=2e-3)
    assert recipe.data.tuning_groups == ()


@pytest.mark.torch
def test_training_on_own_scans_ends_with_a_package_that_segments(folder: Path, tmp_path: Path) -> None:
    from SUREUncertaintyLib.training.train import train

    output = tmp_path / "out"
    path = prepare_own(folder, "balls", "quick", output)
    document = json.loads(path.read_text(encoding="utf-8"))
    document["network"]["arguments"]["channels"] = [4, 8]
    document["optimisation"] = {"steps": 8, "warmup_steps": 2, "mixed_precision": False}
    path.write_text(json.dumps(document), encoding="utf-8")
    seen: list[str] = []
    with pytest.raises(Cancelled):
        train(
            path, output, output, "cpu", progress=lambda _, text: seen.append(text), is_cancelled=lambda: len(seen) > 8
        )
    assert (output / "checkpoint" / "state.json").is_file(), "what was learnt before the cancel is kept"
    assert prepare_own(folder, "balls", "quick", output) == path
    package = train(path, output, output, "cpu")
    assert package is not None
    assert [label.name for label in package.metadata.labels] == ["background", "body", "core"]
    scan = folder / "images" / "lonely.nii.gz"
    assert run(["segment", str(scan), "--model", str(package.root), "--output", str(tmp_path / "r"), "--no-scene"]) == 0


def test_the_command_writes_the_recipe_and_says_how_to_go_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["recipe", str(folder), "--name", "balls", "--output", str(tmp_path / "o"), "--profile", "quick"]) == 0
    assert f"sure train {tmp_path / 'o' / 'recipe.json'} --data" in capsys.readouterr().out
    assert run(["recipe", str(folder), "--name", "!", "--output", str(tmp_path / "p")]) == 2
    assert "needs a name of letters" in capsys.readouterr().err
    assert run(["recipe", str(folder), "--name", "x", "--output", str(tmp_path / "p"), "--profile", "huge"]) == 2
    assert "Choose one of quick, standard, thorough" in capsys.readouterr().err


def test_small_rules() -> None:
    assert package_name("Ärzte 3 / Leber") == "rzte-3-leber"
    pairs = [type("P", (), {"group": str(number)})() for number in range(11)]
    assert len(tuning_groups(pairs)) == 2


@pytest.mark.torch
def test_the_rhythm_of_a_training_follows_its_steps() -> None:
    from SUREUncertaintyLib.training.train import rhythm_of

    assert rhythm_of(5000) == {"log_every": 50, "save_every": 250, "validate_every": 500}
    assert rhythm_of(400, 400)["validate_every"] == 400
    assert rhythm_of(400) == {"log_every": 10, "save_every": 40, "validate_every": 40}


def test_labels_that_are_no_label_maps_are_refused(tmp_path: Path) -> None:
    image, labels = ball(0)
    write_volume(image, tmp_path / "a.nrrd")
    write_volume(labels.with_array(np.zeros_like(labels.array)), tmp_path / "a_seg.nrrd")
    with pytest.raises(InputError, match="is empty"):
        facts_of(find_pairs(tmp_path))
    many = np.random.default_rng(0).integers(0, 200, labels.grid.shape).astype(np.uint8)
    write_volume(labels.with_array(many), tmp_path / "a_seg.nrrd")
    with pytest.raises(InputError, match="at most 30 structures"):
        facts_of(find_pairs(tmp_path))


def test_a_row_that_a_killed_training_left_half_written_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,loss\n1,0.5\n2,0.4\n,\n", encoding="utf-8")
    assert [row["step"] for row in read_rows(path)] == [1.0, 2.0]
    TrainingLog(path, 1).add(2, {"loss": 0.3})
    assert path.read_text(encoding="utf-8").split() == ["step,loss", "1,0.5", "2,0.3"]
