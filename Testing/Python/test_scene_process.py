"""Scene and pictures come from a process of their own: what it makes, and what is said when it does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from SUREUncertaintyLib.core.errors import OutputError
from SUREUncertaintyLib.mrml import opengl, scene_addition
from SUREUncertaintyLib.mrml.archive import read_mrb
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import all_published
from SUREUncertaintyLib.mrml.scene_addition import write_scene
from SUREUncertaintyLib.mrml.segmentation_nodes import labels_from_segmentation
from SUREUncertaintyLib.report.additions import Addition
from SUREUncertaintyLib.worker import scene_child
from SUREUncertaintyLib.worker.scene_process import PREFIX, SCENE_AND_PICTURES, SceneProcess
from two_blobs import two_blobs


def added(scene: SceneProcess, target: Path) -> Addition:
    (send,) = scene.additions
    return send(two_blobs(), target)(two_blobs())


def children(parent: Path) -> list[Path]:
    return list(parent.glob(f"{PREFIX}*"))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


@pytest.mark.render
def test_scene_and_pictures_are_those_of_the_result(target: Path, temporary: Path) -> None:
    if opengl.pick_gl() is None:
        pytest.skip(opengl.MISSING)
    with SceneProcess() as scene:
        addition = added(scene, target)
    assert addition.notices == ()
    assert [picture.file for picture in addition.pictures] == ["pictures/3d.png"]
    names = ["3d.png", "axial.png", "coronal.png", "sagittal.png"]
    assert sorted(path.name for path in (target / "pictures").iterdir()) == names
    with HeadlessScene() as headless:
        read_mrb(headless.scene, target / "scene.mrb")
        (published,) = all_published(headless.scene)
        labels = labels_from_segmentation(published.segmentation, two_blobs().labels.grid)
    assert (labels > 0).sum() == (two_blobs().labels.array > 0).sum()
    assert children(temporary) == []


def test_a_process_that_was_killed_costs_the_scene_only(target: Path, temporary: Path) -> None:
    with SceneProcess(pictures=False) as scene:
        (folder,) = children(temporary)
        assert scene.pid is not None
        os.kill(scene.pid, signal.SIGKILL)
        (notice,) = added(scene, target).notices
    assert notice.code == "scene-failed"
    assert "stopped with signal 9" in notice.text
    assert "everything else is complete" in notice.text
    assert list(target.iterdir()) == []
    assert not folder.exists()


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: str, end: str) -> None:
    """A program in place of Python that takes the result, tells an outcome and ends."""
    program = tmp_path / "python"
    program.write_text(
        f"#!/bin/sh\nread line\nprintf '%s' '{outcome}' > \"$3/outcome.json\"\necho why >&2\n{end}\n", encoding="utf-8"
    )
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


@pytest.mark.parametrize(
    ("end", "reason"), [("kill -SEGV $$", "stopped with signal 11"), ("exit 3", "stopped with exit code 3: why")]
)
def test_a_crash_while_drawing_keeps_the_scene(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, reason: str
) -> None:
    stand_in(tmp_path, monkeypatch, '{"scene": true, "notices": []}', end)
    (target / "scene.mrb").write_bytes(b"scene")
    with SceneProcess() as scene:
        (notice,) = added(scene, target).notices
    assert notice.code == "no-view-pictures"
    assert reason in notice.text
    assert (target / "scene.mrb").read_bytes() == b"scene"


def test_after_a_crash_while_drawing_the_pictures_are_drawn_once_more(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = '{"scene": true, "notices": [], "pictures": ["axial.png", "3d.png"]}'
    second = f"[ $4 = pictures ] && printf '%s' '{again}' > \"$3/outcome.json\" && exit 0"
    stand_in(tmp_path, monkeypatch, '{"scene": true, "notices": []}', f"{second}\nkill -SEGV $$")
    with SceneProcess() as scene:
        addition = added(scene, target)
    assert [picture.file for picture in addition.pictures] == ["pictures/3d.png"]
    assert addition.notices == ()


@pytest.mark.render
def test_where_opengl_finds_no_driver_the_scene_is_complete_and_that_is_said(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_DIRS", str(target / "none"))
    monkeypatch.setenv("LIBGL_DRIVERS_PATH", str(target / "none"))
    with SceneProcess() as scene:
        addition = added(scene, target)
    assert (target / "scene.mrb").is_file()
    draws = opengl.pick_gl() is not None
    assert [notice.text for notice in addition.notices] == ([] if draws else [opengl.MISSING])
    assert len(addition.pictures) == draws


def test_a_crash_before_the_scene_leaves_no_half_of_it(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "", "kill -SEGV $$")
    (target / "scene.mrb").write_bytes(b"half")
    with SceneProcess() as scene:
        (notice,) = added(scene, target).notices
    assert notice.code == "scene-failed"
    assert list(target.iterdir()) == []


def test_results_that_cannot_be_written_are_an_error(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, '{"error": "The disk is full."}', "exit 0")
    with SceneProcess() as scene, pytest.raises(OutputError, match=r"^The disk is full\.$"):
        added(scene, target)


def test_a_run_that_ends_before_takes_the_process_along(temporary: Path) -> None:
    scene = SceneProcess(pictures=False)
    with scene:
        assert len(children(temporary)) == 1
        pid = scene.pid
    assert children(temporary) == []
    assert pid is not None
    assert scene.pid is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_process_that_cannot_start_costs_the_scene_only(
    target: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(temporary / "none"))
    with SceneProcess() as scene:
        (notice,) = added(scene, target).notices
    assert notice.code == "no-scene"
    assert "did not start (No such file or directory)" in notice.text
    assert children(temporary) == []


def test_nothing_is_started_where_no_scene_is_wanted(temporary: Path) -> None:
    with SceneProcess(wanted=False) as scene:
        assert scene.additions == ()
        assert scene.pid is None
        assert children(temporary) == []


def test_without_opengl_the_scene_is_complete_and_the_package_is_named(target: Path, tmp_path: Path) -> None:
    request = {"target": str(target), **scene_child_request(tmp_path)}
    scene_child._work(request, tmp_path, SCENE_AND_PICTURES, draws=False)
    outcome = (tmp_path / "outcome.json").read_text(encoding="utf-8")
    assert '"scene": true' in outcome
    assert "apt-get install --no-install-recommends libegl1 libgl1-mesa-dri" in outcome
    assert [path.name for path in target.iterdir()] == ["scene.mrb"]


def scene_child_request(folder: Path) -> dict[str, Any]:
    from SUREUncertaintyLib.worker.result_files import write_with_scan

    return write_with_scan(two_blobs(), folder)


def test_a_result_with_its_scan_comes_back_as_it_was(tmp_path: Path) -> None:
    from SUREUncertaintyLib.worker.result_files import read_with_scan

    result = two_blobs()
    again = read_with_scan(scene_child_request(tmp_path), tmp_path)
    np.testing.assert_array_equal(again.image.array, result.image.array)
    np.testing.assert_array_equal(again.labels.array, result.labels.array)
    assert again.image.grid == result.image.grid
    assert again.image.name == result.image.name
    assert repr(again.structures) == repr(result.structures)  # NaN is not equal to itself
    assert list(tmp_path.glob("*.npy")) == []


@pytest.mark.parametrize("temporary_full", [True, False])
def test_a_failing_scene_is_only_forgiven_when_the_temporary_folder_is_full(
    target: Path, monkeypatch: pytest.MonkeyPatch, temporary_full: bool
) -> None:
    def fail(*_: object) -> None:
        (target / "scene.mrb").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scene_addition, "_write", fail)
    sentence = "The folder for temporary files, /full, is full." if temporary_full else ""
    monkeypatch.setattr(scene_addition, "temporary_is_full", lambda: sentence)
    if temporary_full:
        (notice,) = write_scene(two_blobs(), target)
        assert "/full, is full" in notice.text
    else:
        with pytest.raises(OSError, match="No space left"):
            write_scene(two_blobs(), target)
    assert list(target.iterdir()) == []


def test_it_loads_no_library_that_scenes_do_not_need() -> None:
    code = (
        "import sys\n"
        "import SUREUncertaintyLib.worker.scene_child\n"
        "from SUREUncertaintyLib.mrml import pictures, publish\n"
        "print(sorted({'SimpleITK', 'matplotlib', 'openvino', 'scipy', 'torch', 'vtk'} & set(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    ["segment scan.nrrd --output out", "analyse scan.nrrd --masks a.nrrd --output out", "demo --output out"],
)
def test_commands_start_it_before_they_load_libraries_of_their_own(arguments: str) -> None:
    code = (
        "import sys\n"
        "from SUREUncertaintyLib.worker.scene_process import SceneProcess\n"
        "def enter(self):\n"
        "    print(sorted({'SimpleITK', 'openvino', 'scipy', 'torch'} & set(sys.modules)))\n"
        "    sys.exit(0)\n"
        "SceneProcess.__enter__ = enter\n"
        "from SUREUncertaintyLib.cli.app import main\n"
        f"main({arguments.split()!r})"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_a_run_that_needs_no_scene_ends_the_process_at_once(temporary: Path) -> None:
    with SceneProcess(pictures=False) as scene:
        pid = scene.pid
        assert pid is not None
        scene.close()
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert children(temporary) == []
