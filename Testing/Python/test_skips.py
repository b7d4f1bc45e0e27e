"""A run says what it skipped and why, and fails under CI on a reason that nobody expects."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SUITE = """
import pytest

def test_that_passes():
    pass

@pytest.mark.parametrize("case", range(3))
def test_without_scans(case):
    pytest.skip("the real scans are not at /nowhere; set SURE_DATA to their folder")

def test_odd():
    pytest.skip({reason!r})
"""


def run_suite(folder: Path, reason: str, **variables: str) -> tuple[int, str]:
    """Exit status and output of a run of four skips and a pass, with the suite's own counting."""
    (folder / "conftest.py").write_text("from skips import *\n", encoding="utf-8")
    (folder / "test_it.py").write_text(SUITE.format(reason=reason), encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CI", "PYTEST", "SURE_"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    done = subprocess.run(
        command, cwd=folder, env={**kept, "PYTHONPATH": str(HERE), **variables}, capture_output=True, encoding="utf-8"
    )
    return done.returncode, done.stdout


def test_a_reason_that_nobody_expects_fails_the_run_under_ci_and_is_marked_everywhere(tmp_path: Path) -> None:
    for variables, status in (({"CI": "true"}, 1), ({}, 0)):
        code, output = run_suite(tmp_path, "forgot to write this", **variables)
        assert code == status, output
        assert "skipped: 4" in output
        assert re.search(r"^ +3  the real scans are not at /nowhere", output, re.M)
        assert re.search(r"^ +1  NOT EXPECTED .*: forgot to write this$", output, re.M)


@pytest.mark.parametrize(
    ("reason", "variables"),
    [
        ("torch has no CUDA here", {}),
        ("torch is not installed: pip", {"SURE_EXPECTED_SKIPS": "^torch is not installed"}),
    ],
)
def test_reasons_on_the_list_and_in_the_variable_are_expected(
    tmp_path: Path, reason: str, variables: dict[str, str]
) -> None:
    code, output = run_suite(tmp_path, reason, CI="true", **variables)
    assert code == 0, output
    assert "NOT EXPECTED" not in output


def test_skips_of_several_processes_are_counted_together(tmp_path: Path) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed: pip install '.[test]'")
    code, output = run_suite(tmp_path, "odd", CI="true", PYTEST_ADDOPTS="-n 2")
    assert code == 1, output
    assert "skipped: 4" in output


def test_files_that_need_pytorch_say_so_in_the_words_that_are_expected() -> None:
    bare = [path.name for path in HERE.glob("*.py") if 'importorskip("torch")' in path.read_text(encoding="utf-8")]
    assert bare == [Path(__file__).name]
