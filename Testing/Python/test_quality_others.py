"""The trial of forecasts for heart and lung: stacks in the order they were acquired, one patient left out, the rule."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import quality_table
from quality_cases import known_runs
from quality_others import left_out, offered, skill, table_of
from quality_stacks import HEART, stack_cases
from SUREUncertaintyLib.files.reading import read_labels, read_volume
from SUREUncertaintyLib.quality.labelled_run import LabelledRun
from SUREUncertaintyLib.training.recipe import load_recipe


@pytest.fixture
def hearts(tmp_path: Path) -> Path:
    """Two phases of a tuning patient and one of another patient, rows in no order; row n has the grey value n."""
    section = load_recipe(HEART).data
    folder = tmp_path / section.folder
    folder.mkdir()
    patient, other = str(section.tuning_groups[0]), "somebody"
    rows = [(patient, 20, "ED"), (other, 1, "ED"), (patient, 7, "ES"), (patient, 100, "ED"), (patient, 3, "ED")]
    with (folder / section.table).open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["row", "case", "image_number", "phase"])
        writer.writerows([number, case, image, phase] for number, (case, image, phase) in enumerate(rows))
    images = np.zeros((len(rows), 32, 32), np.uint8) + np.arange(len(rows), dtype=np.uint8)[:, None, None]
    masks = np.zeros_like(images)
    masks[:, 8:24, 8:24] = 1
    np.savez(folder / section.arrays, images=images, **{section.mask_array: np.packbits(masks, axis=-1)})
    return tmp_path


def test_slices_of_a_tuning_patient_are_stacked_by_their_number(hearts: Path, tmp_path: Path) -> None:
    cases = stack_cases(HEART, hearts, tmp_path / "work")
    assert [case.id.split()[-1] for case in cases] == ["ED", "ES"]
    assert len({case.group for case in cases}) == 1
    assert read_volume(cases[0].image).array[:, 0, 0].tolist() == [4, 0, 3]
    assert cases[0].label is not None
    label = read_labels(cases[0].label).array
    assert 0.85 * 256 < label[0].sum() < 256  # the outline lies 0.43 pixels further in than the stored mask
    before = cases[0].image.stat().st_mtime_ns
    assert stack_cases(HEART, hearts, tmp_path / "work")[0].image.stat().st_mtime_ns == before


def without_measures(run: LabelledRun) -> LabelledRun:
    """The run as one whose measures say nothing."""
    rows = {name: dict.fromkeys(row, 0.5) for name, row in run.measures.structures.items()}
    return replace(run, measures=replace(run.measures, structures=rows))


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Intervals of fewer draws, so that a table is there at once."""
    monkeypatch.setattr(quality_table, "RESAMPLES", 100)


def test_what_orders_is_offered_and_what_says_nothing_is_not() -> None:
    runs = known_runs(14, copies=8)
    table = table_of(left_out(runs), runs)
    assert table["against"] == []
    assert table["skill"]["low"] > 0.05
    assert table["dice"]["all"]["spearman"]["mean"] > 0.9
    blind = [without_measures(run) for run in runs]
    assert offered(table_of(left_out(blind), blind)) == ["it errs no less than a constant"]


def test_an_interval_that_holds_too_rarely_is_not_offered() -> None:
    runs = known_runs(14, copies=8)
    table = json.loads(json.dumps(table_of(left_out(runs), runs)))
    table["dice"]["intact"]["coverage"]["mean"] = 0.84
    assert offered(table) == ["the interval holds too rarely (intact)"]


def test_no_forecast_has_seen_its_own_patient() -> None:
    runs = known_runs(12, copies=6)
    wild = [replace(run, scores={"dice": dict.fromkeys(run.scores["dice"], 0.0)}) for run in runs if run.group == "p0"]
    others = [run for run in runs if run.group != "p0"]
    told = left_out([*wild, *others])
    own = [one.quality.dice.value for one in told if one.run.group == "p0" and one.run.kind == "intact"]
    assert min(own) > 0.8
    assert skill(told, [*wild, *others])["n"] == 12
