"""`sure demo`: the template is found without a network, and the run ends with pictures."""

import json
import socket
from pathlib import Path

import numpy as np
import pytest
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.roi import roi_slices
from SUREUncertaintyLib.files import demo_input
from SUREUncertaintyLib.files.demo_input import ROIS, demo_scan
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.worker import scene_process


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("the demo must not use the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("offline")
def test_the_template_is_found_offline_and_lies_where_it_should() -> None:
    volume = demo_scan()
    assert volume.grid.spacing == (1.0, 1.0, 1.0)
    i, j, k = volume.grid.shape[::-1]
    assert (i, j, k) == (197, 233, 189)
    assert volume.array.dtype == np.float32
    # MNI space: the anterior commissure is near the origin, inside the brain; far left of it there is none
    inside = np.linalg.inv(volume.grid.ijk_to_ras) @ (0, 4, -5, 1)
    assert volume.array[tuple(np.rint(inside[:3]).astype(int)[::-1])] > 0.3
    outside = np.linalg.inv(volume.grid.ijk_to_ras) @ (-90, 0, 0, 1)
    assert volume.array[tuple(np.rint(outside[:3]).astype(int)[::-1])] == 0


def test_the_regions_are_as_large_as_training_crops_and_mirror_each_other() -> None:
    left, right = ROIS
    assert left.high[0] < 0 < right.low[0]
    assert (left.low[0], left.high[0]) == (-right.high[0], -right.low[0])
    assert (left.low[1:], left.high[1:]) == (right.low[1:], right.high[1:])
    for low, high in zip(left.low, left.high, strict=True):
        assert 30 <= high - low <= 60
    volume = demo_scan()
    for roi in ROIS:
        assert (volume.array[roi_slices(volume.grid, roi)] > 0.1).mean() > 0.8, "the box is inside the brain"


@pytest.mark.usefixtures("offline")
def test_the_demo_runs_offline_and_shows_both_sides(
    tiny_package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scene_process, "can_write_scenes", lambda: False)
    output = tmp_path / "demo"
    command = ["demo", "--output", str(output), "--model", str(tiny_package.root), "--engine", "openvino"]
    assert run(command) == 0
    printed = capsys.readouterr().out
    for words in ("average of 152 people", "Left core", "Right core", str(output / "report.html")):
        assert words in printed
    document = json.loads((output / "report.json").read_text(encoding="utf-8"))
    assert {"pictures/Left-structures.png", "pictures/Right-structures.png"} <= set(document["files"])


def test_without_nilearn_one_sentence_says_what_to_install(
    tiny_package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo_input, "find_spec", lambda name: None)
    assert run(["demo", "--output", str(tmp_path / "demo"), "--model", str(tiny_package.root)]) == 1
    assert "sure-uncertainty[demo]" in capsys.readouterr().err
    assert not (tmp_path / "demo").exists()
