"""Numbers in the docs are those of the recorded results, and the README speaks of what exists."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Testing" / "Bench"))

from difficulty_page import difficulty_page  # noqa: E402
from rater_page import hierarchical_page  # noqa: E402
from tables import (
    accuracy_page,  # noqa: E402
    benchmarks_page,  # noqa: E402
)
from warnings_page import warnings_page  # noqa: E402


def result(name: str) -> dict[str, object]:
    document: dict[str, object] = json.loads((ROOT / "docs" / "results" / name).read_text(encoding="utf-8"))
    return document


def test_the_benchmark_tables_are_made_from_the_recorded_result() -> None:
    assert (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8") == benchmarks_page(result("bench.json"))


def test_the_accuracy_table_is_made_from_the_recorded_result() -> None:
    assert (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8") == accuracy_page(result("hippocampus-t1.json"))


def test_the_page_of_warnings_is_made_from_the_recorded_result() -> None:
    assert (ROOT / "docs" / "warnings.md").read_text(encoding="utf-8") == warnings_page(result("warnings.json"))


def test_the_comparison_page_is_made_from_the_recorded_results() -> None:
    from SUREUncertaintyLib.comparison.page import comparison_page
    from SUREUncertaintyLib.comparison.study import load_study

    folder = ROOT / "docs" / "results" / "comparison"
    studies = [load_study(name) for name in ("hippocampus", "acdc") if (folder / name).is_dir()]
    page = ROOT / "docs" / "comparison.md"
    assert page.is_file() == bool(studies)
    assert not studies or page.read_text(encoding="utf-8") == comparison_page(studies, folder)
    settings = comparison_page([load_study("hippocampus-settings")], folder)
    assert (page.parent / "settings.md").read_text(encoding="utf-8") == settings
    for study in studies:
        for figure in ("robustness", "risk"):
            assert (page.parent / "pictures" / f"{study.name}-{figure}.png").is_file()


def test_the_page_of_the_difficulty_experiments_is_made_from_the_recorded_results() -> None:
    results = ROOT / "docs" / "results" / "difficulty"
    assert (ROOT / "docs" / "difficulty-experiments.md").read_text(encoding="utf-8") == difficulty_page(results)


def test_the_page_of_samples_is_made_from_the_recorded_results() -> None:
    docs = ROOT / "docs"
    page = hierarchical_page(docs / "results" / "raters", docs)
    assert (docs / "hierarchical.md").read_text(encoding="utf-8") == page
    assert "<!--" not in page


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
