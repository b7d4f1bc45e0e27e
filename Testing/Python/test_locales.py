"""A process whose numbers have a decimal comma reads and writes scans as every other one does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from phantoms import asymmetric_volume, write_dicom_series
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.locales import decimal_points
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.segment_header import write_segmentation
from SUREUncertaintyLib.files.writing import write_volume
from two_blobs import LABELS

GRID = Grid((4, 5, 6), (1.879, 0.5, 2.25), (1.5, -2.25, 3.125))
FILES = ("a.nrrd", "a.mha", "a.nii.gz")
CHILD = """
import locale, sys
from pathlib import Path
locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
assert locale.localeconv()["decimal_point"] == ","
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.files.segment_reading import read_segmentation
from SUREUncertaintyLib.files.writing import write_volume
folder = Path(sys.argv[1])
for name in (*sys.argv[2:], "series"):
    volume = read_volume(folder / name)
    print(name, volume.grid.spacing, volume.grid.origin, int(volume.array.sum()))
    if name != "series":
        write_volume(volume, folder / f"written-{name}")
print(read_segmentation(folder / "a.seg.nrrd")[0].grid.spacing)
assert locale.localeconv()["decimal_point"] == ","
"""
SCENE = """
import locale, sys
from pathlib import Path
locale.setlocale(locale.LC_ALL, "de_DE.UTF-8")
sys.path.insert(0, sys.argv[2])
from two_blobs import two_blobs
from SUREUncertaintyLib.mrml.archive import require_readable, write_mrb
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.publish import publish
with HeadlessScene() as headless:
    publish(headless.scene, two_blobs())
    write_mrb(headless.scene, Path(sys.argv[1]) / "scene.mrb")
require_readable(Path(sys.argv[1]) / "scene.mrb")
"""


@pytest.fixture(scope="session")
def german(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process that may ask for German numbers; the locale is made for it."""
    folder = tmp_path_factory.mktemp("locales")
    made = (
        shutil.which("localedef")
        and not subprocess.run(
            ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / "de_DE.UTF-8")], capture_output=True, check=False
        ).returncode
    )
    if not made:
        pytest.skip("no German locale can be made here: localedef or its sources (Debian: locales) are missing")
    return {**os.environ, "LOCPATH": str(folder)}


def in_german(environment: dict[str, str], code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_scans_are_read_and_written_with_points(tmp_path: Path, german: dict[str, str]) -> None:
    scan = asymmetric_volume(GRID)
    for name in FILES:
        write_volume(scan, tmp_path / name)
    write_segmentation(scan.with_array((scan.array > 0) * np.uint8(5)), LABELS, tmp_path / "a.seg.nrrd")
    write_dicom_series(tmp_path / "series", scan, [f"{k}.dcm" for k in range(4)])
    lines = in_german(german, CHILD, str(tmp_path), *FILES).splitlines()
    assert len(lines) == len(FILES) + 2
    for line in lines:
        spacing = [float(part) for part in line.split("(")[1].split(")")[0].split(",")]
        np.testing.assert_allclose(spacing, GRID.spacing, rtol=1e-5)
    for name in FILES:
        again = read_volume(tmp_path / f"written-{name}")
        assert again.grid.matches(GRID)
        assert np.array_equal(again.array, scan.array)


def test_a_scene_is_written_and_read_with_points(tmp_path: Path, german: dict[str, str]) -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")
    in_german(german, SCENE, str(tmp_path), str(Path(__file__).parent))
    from SUREUncertaintyLib.mrml.archive import read_mrb
    from SUREUncertaintyLib.mrml.headless import HeadlessScene
    from SUREUncertaintyLib.mrml.nodes import all_published
    from SUREUncertaintyLib.mrml.volume_nodes import grid_from_node, right_handed
    from two_blobs import two_blobs

    with HeadlessScene() as headless:
        read_mrb(headless.scene, tmp_path / "scene.mrb")
        (back,) = all_published(headless.scene)
        assert grid_from_node(back.scan).matches(right_handed(two_blobs().image).grid, 1e-4)


def test_threads_inside_the_guard_share_it() -> None:
    import locale

    before = locale.setlocale(locale.LC_NUMERIC)
    entered, may_leave, seen = threading.Event(), threading.Event(), []

    def other() -> None:
        with decimal_points():
            entered.set()
            may_leave.wait(60)
            seen.append(locale.localeconv()["decimal_point"])

    with decimal_points():
        thread = threading.Thread(target=other)
        thread.start()
        entered.wait(60)
    may_leave.set()
    thread.join()
    assert seen == ["."]
    assert locale.setlocale(locale.LC_NUMERIC) == before
