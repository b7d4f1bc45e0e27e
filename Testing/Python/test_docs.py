"""Numbers in the docs are those of the recorded results, and the README speaks of what exists."""

import json
import re
from pathlib import Path

import pytest
from corrections_page import PAGE, RESULTS, with_table
from difficulty.difficulty_page import difficulty_page
from difficulty.difficulty_summary import CODEC as DIFFICULTY
from quality_page import quality_page
from recorded_results import SUMMARIES, RecordedResults
from tables import (
    accuracy_page,
    benchmarks_page,
)
from warnings_page import warnings_page

ROOT = Path(__file__).resolve().parents[2]


def result(name: str) -> dict[str, object]:
    document: dict[str, object] = json.loads(
        (ROOT / "Testing" / "Bench" / "results" / name).read_text(encoding="utf-8")
    )
    return document


def test_the_benchmark_tables_are_made_from_the_recorded_result() -> None:
    assert (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8") == benchmarks_page(result("bench.json"))


def test_the_accuracy_table_is_made_from_the_recorded_result() -> None:
    assert (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8") == accuracy_page(result("hippocampus-t1.json"))


def test_the_page_of_the_heart_is_made_from_the_recorded_result() -> None:
    from heart_page import heart_page
    from SUREUncertaintyLib.packages.catalogue import find_package

    recorded = result("heart-lv-cine.json")
    page = heart_page(recorded)
    assert (ROOT / "docs" / "heart.md").read_text(encoding="utf-8") == page
    assert "<!--" not in page
    assert find_package("heart-lv-cine").fingerprint == recorded["fingerprint_of_card"]


def test_the_page_of_warnings_is_made_from_the_recorded_result() -> None:
    assert (ROOT / "docs" / "warnings.md").read_text(encoding="utf-8") == warnings_page(
        result("warnings.json"), result("warnings-sampled.json")
    )


def test_the_page_of_forecasts_is_made_from_the_recorded_result() -> None:
    assert (ROOT / "docs" / "quality.md").read_text(encoding="utf-8") == quality_page(
        result("quality.json"), result("quality-others.json")
    )


def test_the_table_of_corrections_is_made_from_the_recorded_result() -> None:
    recorded = json.loads(RESULTS.read_text(encoding="utf-8"))
    page = PAGE.read_text(encoding="utf-8")
    assert with_table(page, recorded) == page
    assert all(row["judged"] for row in recorded.values())


def test_the_comparison_page_is_made_from_the_recorded_results() -> None:
    from SUREUncertaintyLib.comparison.page import comparison_page
    from SUREUncertaintyLib.comparison.study import load_study

    studies = [load_study(name) for name in ("hippocampus", "acdc")]
    page = ROOT / "docs" / "comparison.md"
    assert page.read_text(encoding="utf-8") == comparison_page(studies, SUMMARIES / "comparison.json")
    settings = comparison_page([load_study("hippocampus-settings")], SUMMARIES / "settings.json")
    assert (page.parent / "settings.md").read_text(encoding="utf-8") == settings
    for study in studies:
        for figure in ("robustness", "risk"):
            assert (page.parent / "pictures" / f"{study.name}-{figure}.png").is_file()


def test_the_page_of_the_difficulty_experiments_is_made_from_the_recorded_results() -> None:
    page = difficulty_page(RecordedResults(DIFFICULTY))
    assert (ROOT / "docs" / "difficulty-experiments.md").read_text(encoding="utf-8") == page


@pytest.mark.torch
def test_the_page_of_samples_is_made_from_the_recorded_results() -> None:
    from readers.reader_page import hierarchical_page
    from readers.reader_summary import CODEC as READERS

    docs = ROOT / "docs"
    page = hierarchical_page(RecordedResults(READERS), docs)
    assert (docs / "hierarchical.md").read_text(encoding="utf-8") == page
    assert "<!--" not in page


def test_the_page_of_sizes_and_growth_is_made_from_the_recorded_results() -> None:
    from samples_page import samples_page

    page = samples_page(result("specks.json"), result("growth.json"))
    assert (ROOT / "docs" / "samples.md").read_text(encoding="utf-8") == page
    assert "<!--" not in page


def test_the_lung_package_has_what_was_fitted_on_tuning_slices() -> None:
    from SUREUncertaintyLib.packages.catalogue import find_package

    metadata, fitted = find_package("lung-nodule-ct").metadata, result("sample-temperature.json")
    losses = {name: row["means"]["log_loss"] for name, row in fitted["temperatures"].items()}  # type: ignore[attr-defined]
    assert metadata.sample_temperature == fitted["chosen"] == float(min(losses, key=losses.get))  # type: ignore[arg-type]
    assert metadata.threshold == fitted["threshold"]
    assert metadata.size_stretch == max(fitted["stretch"].values())  # type: ignore[attr-defined]


def test_the_recorded_accuracy_belongs_to_the_shipped_package() -> None:
    from SUREUncertaintyLib.packages.catalogue import find_package

    package = find_package("hippocampus-t1")
    recorded = result("hippocampus-t1.json")
    assert package.fingerprint == recorded["fingerprint_of_card"]
    assert package.metadata.raw["metrics"]["dice"] == recorded["metrics"]["dice"]  # type: ignore[index]


def test_every_file_that_the_readme_points_to_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)\)", text)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_command_in_the_readme_is_one_that_sure_has() -> None:
    from SUREUncertaintyLib.cli.app import app

    names = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    names |= {group.name for group in app.registered_groups if group.name}
    used = set(re.findall(r"^sure (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M))
    assert used
    assert used <= names
