"""`sure segment` of scans over time, as a person types it."""

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from beating import RADII_MM, beating_ball, heart_package, true_ml
from SUREUncertaintyLib.cli import cine as cli_cine
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.resampling import to_itk


@pytest.fixture(scope="module")
def scan(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("scan") / "ball.nii.gz"
    image = sitk.JoinSeries([to_itk(frame) for frame in beating_ball().frames])
    image.SetSpacing((*image.GetSpacing()[:3], 0.06))
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return heart_package(tmp_path_factory.mktemp("model") / "heart").root


def command(scan: Path, model: Path, output: Path, *more: str) -> list[str]:
    return ["segment", str(scan), "--model", str(model), "--output", str(output), "--no-scene", *more]


def test_a_4d_file_gives_a_curve_and_a_folder(scan, model, tmp_path, capsys):
    assert run(command(scan, model, tmp_path / "out", "--no-pictures")) == 0
    document = json.loads((tmp_path / "out" / "cine.json").read_text())
    assert len(document["frames"]) == len(RADII_MM)
    assert [frame["time_ms"] for frame in document["frames"]] == pytest.approx([60.0 * n for n in range(6)], rel=1e-3)
    printed = capsys.readouterr().out
    assert "End-diastole is frame" in printed
    assert str(tmp_path / "out") in printed


def test_one_frame_is_an_ordinary_scan(scan, model, tmp_path):
    assert run(command(scan, model, tmp_path / "out", "--frame", "2", "--no-pictures", "--no-report")) == 0
    assert (tmp_path / "out" / "report.json").is_file()
    assert not (tmp_path / "out" / "cine.json").exists()


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (("--frame", "7"), "There is no frame 7: the scan has 6 frames."),
        (("--phases", "1-4"), "expected end-diastole and end-systole as two frames, such as 1,12"),
        (("--phases", "1,9"), "There is no frame 9: the scan has 6 frames."),
        (("--samples", "5"), "Give one frame with --frame"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(scan, model, tmp_path, capsys, more, sentence):
    assert run(command(scan, model, tmp_path / "out", *more)) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_options_of_time_are_refused_for_one_volume(scan, model, tmp_path, capsys):
    frame = beating_ball().frames[0]
    sitk.WriteImage(to_itk(frame), str(tmp_path / "one.nrrd"))
    for more in (("--frame", "1"), ("--phases", "1,2")):
        assert run(command(tmp_path / "one.nrrd", model, tmp_path / "out", *more)) == 2
        assert "scans over time" in capsys.readouterr().err


def test_phases_are_counted_from_one():
    assert cli_cine.parse_phases(" 1, 12") == (0, 11)
    assert cli_cine.parse_phases(None) is None
    with pytest.raises(InputError):
        cli_cine.parse_phases("0,4")


def test_the_ball_of_the_tests_is_as_large_as_it_says():
    assert true_ml(21.0) == pytest.approx(4 / 3 * np.pi * 21**3 / 1000, rel=0.05)
