"""Which model a scan gets where nobody names one: found in it, over time, or not guessed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from SUREUncertaintyLib.cli.app import app
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.phantom import make_phantom
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.location.proposal import FOUND, OVER_TIME, propose
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.metadata import Cavity
from SUREUncertaintyLib.packages.package import Package
from template_head import template_head
from tiny import with_metadata
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def hippocampus() -> Package:
    return find_package("hippocampus-t1")


@pytest.fixture(scope="module")
def lung() -> Package:
    return find_package("lung-nodule-ct")


@pytest.fixture(scope="module")
def brain(hippocampus: Package) -> Volume:
    """The package's own template as a scan of 2 mm."""
    return replace(template_head(hippocampus), name="head")


@pytest.fixture
def heart(tiny_package: Package) -> Package:
    return with_metadata(tiny_package, {"name": "heart", "modality": "MR", "cavity": Cavity(1, 1.0)})


def test_a_head_gets_the_model_whose_structures_are_found_with_their_boxes(
    brain: Volume, hippocampus: Package, lung: Package, heart: Package
) -> None:
    found = propose(brain, False, [lung, heart, hippocampus])
    assert (found.package, found.reason) == (hippocampus, FOUND)
    assert found.boxes is not None
    assert [roi.name for roi in found.boxes.rois] == ["Left", "Right"]
    assert "hippocampus-t1" in found.sentence


def test_a_scan_over_time_gets_the_model_of_a_beating_cavity(hippocampus: Package, heart: Package) -> None:
    found = propose(make_phantom(), True, [hippocampus, heart])
    assert (found.package, found.reason, found.boxes) == (heart, OVER_TIME, None)


def test_what_the_scan_does_not_tell_is_not_guessed(hippocampus: Package, lung: Package) -> None:
    with pytest.raises(InputError, match=r"Name one with --model(.|\n)*hippocampus-t1: (.|\n)*lung-nodule-ct: "):
        propose(replace(make_phantom(), modality=""), False, [hippocampus, lung])
    with pytest.raises(InputError, match="Name one with --model"):
        propose(make_phantom(), True, [hippocampus])


def test_two_that_fit_are_not_guessed(heart: Package) -> None:
    other = with_metadata(heart, {"task": "Another heart"})
    with pytest.raises(InputError, match=r"Phantom segmentation(.|\n)*Another heart"):
        propose(make_phantom(), True, [heart, other])


def test_a_modality_that_the_file_tells_rules_models_out(brain: Volume, hippocampus: Package) -> None:
    with pytest.raises(InputError, match=r"no model for the scan 'head' \(PT\)"):
        propose(replace(brain, modality="PT"), False, [hippocampus])


def test_a_crop_is_too_little_to_tell_its_kind(hippocampus: Package) -> None:
    crop = make_phantom()
    small = replace(
        crop, array=np.ascontiguousarray(crop.array[:40, :48, :36]), grid=replace(crop.grid, shape=(40, 48, 36))
    )
    with pytest.raises(InputError, match="Name one with --model"):
        propose(small, False, [hippocampus])


def test_segment_needs_no_model_on_a_head(brain: Volume, tmp_path: Path) -> None:
    write_volume(brain, tmp_path / "head.nrrd")
    arguments = ["segment", str(tmp_path / "head.nrrd"), "--output", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*arguments, "--no-scene", "--no-pictures"])
    assert done.exit_code == 0, done.output
    assert "Model hippocampus-t1: its structures were found in the scan." in done.output
    assert (tmp_path / "out" / "report.json").is_file()


def test_segment_says_what_there_is_where_it_cannot_tell(tmp_path: Path) -> None:
    write_volume(make_phantom(), tmp_path / "phantom.nrrd")
    done = CliRunner().invoke(app, ["segment", str(tmp_path / "phantom.nrrd"), "--output", str(tmp_path / "out")])
    assert done.exit_code != 0
    assert "--model" in str(done.exception or done.output)
    assert not (tmp_path / "out").exists()


def test_an_ensemble_needs_its_folder(tmp_path: Path) -> None:
    write_volume(make_phantom(), tmp_path / "phantom.nrrd")
    scan, out = str(tmp_path / "phantom.nrrd"), str(tmp_path / "out")
    done = CliRunner().invoke(app, ["segment", scan, "--output", out, "--estimator", "ensemble"])
    assert "Give it with --model" in str(done.exception or done.output)
