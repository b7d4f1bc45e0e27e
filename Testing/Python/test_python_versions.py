"""One range of Python versions, said alike wherever a person or a tool reads it."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RANGE = re.compile(r"Python (3\.\d+) to (3\.\d+)")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def lowest() -> str:
    return str(PROJECT["project"]["requires-python"]).removeprefix(">=")


def tracked_texts() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.md", "*.py", "Makefile"], cwd=ROOT, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.splitlines()]


def test_every_text_names_the_range_that_the_project_file_allows() -> None:
    found = {path: RANGE.findall(path.read_text(encoding="utf-8")) for path in tracked_texts()}
    named = {path.name: set(ranges) for path, ranges in found.items() if ranges}
    assert {"README.md", "Makefile", "testing.md", "view.md", "scripting.md"} <= set(named)
    assert {pair for pairs in named.values() for pair in pairs} == {(lowest(), "3.13")}


def test_the_makefile_checks_what_it_says() -> None:
    rule = re.search(r"\((\d+), (\d+)\) <= v <= \((\d+), (\d+)\)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert rule is not None
    assert rule.groups() == (*lowest().split("."), "3", "13")


def test_style_and_types_are_checked_for_the_oldest_version() -> None:
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + lowest().replace(".", "")
    assert PROJECT["tool"]["mypy"]["python_version"] == lowest()


def test_the_pins_hold_for_every_version() -> None:
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "python_version" not in pins, "a pin for some versions only leaves the others to chance"
