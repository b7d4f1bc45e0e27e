"""The heart package that ships: small, of CC0 data alone, apart from what it is measured on, and right on hearts."""

import re
from pathlib import Path

import numpy as np
import pytest
from phantoms import all_turns
from SUREUncertaintyLib.analysis.quality.quality_model import read_quality_model
from SUREUncertaintyLib.cine.segment_frames import segment_frames
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.core.volume_sequence import VolumeSequence
from SUREUncertaintyLib.files.reading import read_labels, read_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_fingerprint import network_digest
from SUREUncertaintyLib.training.recipe import load_recipe

MEGABYTE = 1e6


@pytest.fixture(scope="module")
def package() -> Package:
    return find_package("heart-lv-cine")


def test_it_is_small_and_says_whose_data_it_is(package: Package) -> None:
    size = sum(path.stat().st_size for path in package.root.rglob("*") if path.is_file())
    assert size < 5 * MEGABYTE
    assert package.metadata.licence == "CC0 1.0"
    assert "Radau" in (package.root / "LICENSE").read_text(encoding="utf-8")
    card = (package.root / "docs" / "README.md").read_text(encoding="utf-8")
    assert "has not learned where the ventricle ends" in re.sub(r"\s+", " ", card)


def test_no_slice_of_the_patients_set_aside_is_among_its_cases(package: Package) -> None:
    assert len(package.metadata.training.training_ids) == 527
    assert len(package.metadata.training.tuning_ids) == 227
    assert not set(package.metadata.training.training_ids) & set(package.metadata.training.tuning_ids)
    assert load_recipe("heart-lv-cine").data.validation_groups == ("SC-HF-I-02", "SC-HF-I-04")


def test_it_sees_acquired_planes_and_brings_what_an_ejection_fraction_needs(package: Package) -> None:
    facts = package.metadata
    assert (facts.orientation, facts.spacing, facts.one_piece) == ("stack", (1.35, 1.35, 0.0), True)
    assert facts.cavity is not None
    assert facts.cavity.outline_factor > 0


def test_it_carries_a_forecast_for_the_weights_that_ship(package: Package) -> None:
    model = read_quality_model(package.metadata.quality)
    assert model is not None
    assert model.digest == network_digest(package)
    assert (model.patients, model.cases, model.copies) == (12, 24, False)
    assert 0.0 < model.scores["dice"]["whole"].errors["intact"] < 0.05


def test_a_body_without_a_heart_has_no_forecast(package: Package) -> None:
    heart = ring()
    noise = np.random.default_rng(3).normal(100, 20, heart.array.shape).astype(np.float32)
    found = segment(heart.with_array(noise), package, create_engine(package, "openvino"))
    assert found.quality[0].reason.startswith("no forecast")
    assert found.verdict.status == "do_not_use"


def ring() -> Volume:
    """A heart as simple as can be: a bright cavity in a dark wall, in a grey body with bright fat around it."""
    j, i = np.indices((160, 160))
    radius = np.hypot(j - 80.0, i - 80.0)
    slice_ = np.where(radius < 16, 220.0, np.where(radius < 23, 60.0, np.where(radius < 62, 35.0, 15.0)))
    slice_[(radius > 62) & (radius < 68)] = 200.0
    noise = np.random.default_rng(5).normal(0, 6, (5, 160, 160))
    return Volume((slice_ + noise).astype(np.float32), Grid((5, 160, 160), (1.4, 1.4, 8.0)))


def test_a_bright_disc_in_a_dark_ring_is_a_cavity_whatever_way_the_stack_is_stored(package: Package) -> None:
    engine, heart = create_engine(package, "openvino"), ring()
    straight = segment(heart, package, engine)
    inside = np.hypot(*(np.indices((160, 160)) - 80.0)) < 16
    assert all(dice(plane == 1, inside) > 0.85 for plane in straight.labels.array)
    turn = list(all_turns())[29]
    turned = segment(turn.apply(heart), package, engine)
    assert np.array_equal(turn.undo(turned.labels.array), straight.labels.array)


@pytest.mark.data
def test_patients_set_aside_are_outlined_and_their_fraction_lies_in_its_interval(
    package: Package, data_root: Path
) -> None:
    engine = create_engine(package, "openvino")
    folder = data_root / "sunnybrook_lv" / "volumes"
    for name in ("SCD0000201", "SCD0000301"):
        scans = [read_volume(folder / f"{name}_{phase}.nii.gz") for phase in ("ED", "ES")]
        truth = [read_labels(folder / f"{name}_{phase}_gt.nii.gz").array == 1 for phase in ("ED", "ES")]
        found = segment_frames(VolumeSequence(tuple(scans), name), package, engine, phases=(0, 1))
        scores = [dice(labels == 1, true) for labels, true in zip(found.labels, truth, strict=True)]
        assert min(scores) > 0.9
        told = [phase.quality[0].dice for phase in (found.end_diastole, found.end_systole)]
        assert all(one.low <= score <= one.high for one, score in zip(told, scores, strict=True))
        true = 1 - truth[1].sum() / truth[0].sum()
        assert found.ejection is not None
        assert found.ejection.fraction == pytest.approx(true, abs=0.06)
        assert found.ejection.low <= true <= found.ejection.high


@pytest.mark.data
def test_a_dicom_stack_and_its_nifti_copy_give_one_volume(package: Package, data_root: Path) -> None:
    engine, folder = create_engine(package, "openvino"), data_root / "sunnybrook_lv"
    series = segment(read_volume(folder / "dicom_SCD0000101_ED"), package, engine)
    copy = segment(read_volume(folder / "volumes" / "SCD0000101_ED.nii.gz"), package, engine)
    assert series.structures[0].volume_ml == pytest.approx(copy.structures[0].volume_ml, rel=0.01)
