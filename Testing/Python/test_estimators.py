"""Estimators: one interface, several passes, probabilities that are averaged on the voxels of the original."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kept_packages import kept_package
from numpy.typing import NDArray
from SUREUncertaintyLib.arrays.heads import create_head, normalised_entropy, softmax
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.estimation.estimator_choice import (
    ESTIMATORS,
    Estimate,
    create_estimator,
    estimate,
    estimate_ensemble,
)
from SUREUncertaintyLib.inference.estimation.variation import CHANGES, Variation, variations
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import build_package
from tiny import PATCH, PointEngine, tiny_document, with_metadata

Float32 = NDArray[np.float32]
SHAPE = (18, 20, 24)


def scan(seed: int = 0) -> Volume:
    noise = np.random.default_rng(seed).normal(0, 1, SHAPE)
    return Volume(noise.astype(np.float32), Grid(SHAPE), "scan")


def windows(seed: int = 0) -> Float32:
    return np.random.default_rng(seed).standard_normal((2, 1, *PATCH), dtype=np.float32)


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Package]:
    """Builds an untrained package from a seed, with dropout if wanted."""
    folder = tmp_path_factory.mktemp("ensemble")

    def build(seed: int, dropout: float = 0.0, root: Path = folder, **changes: object) -> Package:
        document = tiny_document(**changes)
        document["network"]["arguments"]["dropout"] = dropout
        destination = root / f"member-{seed}-{dropout}"
        return kept_package([document, seed], destination, lambda: built(document, seed, destination))

    def built(document: dict[str, Any], seed: int, destination: Path) -> Package:
        from needed_torch import torch

        torch.manual_seed(seed)
        network = create_network(document["network"]["name"], document["network"]["arguments"])
        return build_package(destination, document, network, "CC0", (1, 1, *PATCH))

    return build


def test_the_softmax_estimator_reads_expected_probabilities_and_their_entropy(tiny_package: Package) -> None:
    engine = PointEngine()
    native, plain = estimate(tiny_package, engine, "native"), estimate(tiny_package, engine, "softmax")
    one = segment(scan(), native.package, native.engine, keep_probabilities=True)
    other = segment(scan(), plain.package, plain.engine, keep_probabilities=True)
    # windows average evidence in one and probability in the other; both see the same value of each voxel
    np.testing.assert_allclose(other.probabilities, one.probabilities, atol=2e-6)
    np.testing.assert_array_equal(other.labels.array, one.labels.array)
    np.testing.assert_allclose(other.uncertainty.array, normalised_entropy(one.probabilities), atol=1e-5)
    assert (one.uncertainty_kind, other.uncertainty_kind) == ("vacuity", "entropy")
    record = other.provenance
    assert (record["estimator"], record["passes"], record["seed"]) == ("softmax", 1, None)
    assert (one.provenance["estimator"], one.provenance["passes"]) == ("native", 1)


def test_an_ensemble_averages_probabilities_not_logits(tiny_package: Package) -> None:
    engines = [PointEngine((-8.0, 8.0, -30.0)), PointEngine((5.0, -3.0, 1.0), (0.0, 1.0, 0.5))]
    softmax_package = with_metadata(tiny_package, {"head": "softmax"})
    both = estimate_ensemble([softmax_package, softmax_package], engines)
    x = windows()
    expected = np.mean([softmax(engine.logits(x), axis=1) for engine in engines], axis=0)
    np.testing.assert_allclose(softmax(both.engine.logits(x), axis=1), expected, atol=1e-6)
    assert both.passes == 2
    assert [engine.calls for engine in engines] == [2, 2]


def test_evidential_members_contribute_their_expected_probabilities(tiny_package: Package) -> None:
    engine = PointEngine()
    both = estimate_ensemble([tiny_package, tiny_package], [engine, engine])
    head, x = create_head("evidential"), windows()
    expected = head.probability(head.blended(np.moveaxis(engine.logits(x), 1, 0)))
    found = np.moveaxis(softmax(both.engine.logits(x), axis=1), 1, 0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.torch
def test_an_ensemble_is_a_folder_of_packages_with_a_fingerprint_of_its_own(
    member: Callable[..., Package], tmp_path: Path
) -> None:
    packages = [member(seed, root=tmp_path) for seed in (1, 2, 3)]
    combined = create_estimator("ensemble", tmp_path, "torch", "cpu")
    assert (combined.name, combined.passes, combined.package.metadata.primary) == ("ensemble", 3, "entropy")
    assert combined.package.fingerprint not in {package.fingerprint for package in packages}
    head = create_head("evidential")
    x = windows()
    single = [create_engine(package, "torch", "cpu").logits(x) for package in packages]
    expected = np.mean([head.probability(head.blended(np.moveaxis(one, 1, 0))) for one in single], axis=0)
    found = np.moveaxis(softmax(combined.engine.logits(x), axis=1), 1, 0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_packages_that_answer_different_questions_are_no_ensemble(
    member: Callable[..., Package], tmp_path: Path
) -> None:
    with pytest.raises(PackageError, match="at least two"):
        create_estimator("ensemble", tmp_path)
    member(1, root=tmp_path)
    with pytest.raises(PackageError, match="holds 1"):
        create_estimator("ensemble", tmp_path)
    member(2, root=tmp_path, spacing=[2.0, 2.0, 2.0])
    with pytest.raises(PackageError, match=r"cannot be averaged: they differ in spacing"):
        create_estimator("ensemble", tmp_path)


def test_mirrored_copies_come_back_to_their_place() -> None:
    x = windows()
    mirror = Variation(mirrored=True)
    assert mirror.apply(x)[0, 0, 3, 4, 0] == x[0, 0, 3, 4, -1]
    np.testing.assert_array_equal(mirror.undo(mirror.apply(x)), x)


@pytest.mark.parametrize("scale", [0.9, 1.1])
def test_stretched_copies_come_back_to_their_place(scale: float) -> None:
    k, j, i = np.indices(PATCH, dtype=np.float32)
    ramp = (0.3 * k - 0.2 * j + 0.5 * i)[None, None]
    variation = Variation(scale=scale)
    inner = (0, 0, *[slice(3, -3)] * 3)
    stretched = variation.apply(ramp)
    assert stretched[0, 0].std() == pytest.approx(ramp.std() / scale, rel=0.06)
    np.testing.assert_allclose(variation.undo(stretched)[inner], ramp[inner], atol=1e-4)


def test_contrast_keeps_the_sign_of_intensities() -> None:
    x = np.array([-4.0, 0.0, 4.0], dtype=np.float32).reshape(1, 1, 1, 1, 3)
    np.testing.assert_allclose(Variation(contrast=0.5).apply(x).ravel(), [-2.0, 0.0, 2.0])


def test_test_time_augmentation_is_the_mean_over_its_copies(tiny_package: Package) -> None:
    engine, x = PointEngine(), windows()
    augmented = estimate(tiny_package, engine, "tta")
    assert augmented.passes == 2 * len(CHANGES) == 10
    head = create_head("evidential")
    parts = [
        copy.undo(np.moveaxis(head.probability(head.blended(np.moveaxis(engine.logits(copy.apply(x)), 1, 0))), 0, 1))
        for copy in variations(tiny_package.metadata)
    ]
    np.testing.assert_allclose(softmax(augmented.engine.logits(x), axis=1), np.mean(parts, axis=0), atol=1e-6)


def test_models_with_a_left_and_a_right_label_are_not_mirrored(tiny_package: Package) -> None:
    labels = list(tiny_package.metadata.labels)
    labels[1] = replace(labels[1], name="Left kidney")
    assert not any(copy.mirrored for copy in variations(replace(tiny_package.metadata, labels=tuple(labels))))
    labels[1] = replace(labels[1], name="Cleft")
    assert any(copy.mirrored for copy in variations(replace(tiny_package.metadata, labels=tuple(labels))))


def test_test_time_augmentation_runs_slice_by_slice_models(tiny_planar_package: Package) -> None:
    augmented = create_estimator("tta", str(tiny_planar_package.root), "openvino")
    result = segment(scan(), augmented.package, augmented.engine)
    assert result.uncertainty.array.shape == SHAPE
    assert np.unique(result.labels.array).size > 1


@pytest.mark.torch
def test_dropout_averages_different_passes_and_repeats_with_its_seed(
    member: Callable[..., Package], tmp_path: Path
) -> None:
    package = member(4, dropout=0.3, root=tmp_path)
    engine = create_engine(package, "torch", "cpu")
    x = windows()
    still = engine.logits(x)
    several = estimate(package, engine, "dropout", passes=3, seed=5)
    assert several.passes == 3
    answers = [several.engine.logits(x) for _ in range(2)]
    np.testing.assert_array_equal(*answers)
    assert not np.array_equal(answers[0], estimate(package, engine, "dropout", 3, 6).engine.logits(x))
    single = [estimate(package, engine, "dropout", 1, seed).engine.logits(x) for seed in (15, 16, 17)]
    assert not np.array_equal(single[0], single[1])
    np.testing.assert_allclose(np.exp(answers[0]), np.mean(np.exp(single), axis=0), atol=1e-6)
    np.testing.assert_array_equal(engine.logits(x), still)


@pytest.mark.torch
def test_dropout_leaves_the_random_state_of_the_process_alone(member: Callable[..., Package], tmp_path: Path) -> None:
    from needed_torch import torch

    package = member(5, dropout=0.3, root=tmp_path)
    several = estimate(package, create_engine(package, "torch", "cpu"), "dropout", passes=2)
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    several.engine.logits(windows())
    assert torch.equal(torch.rand(4), expected)


@pytest.mark.torch
def test_dropout_says_what_it_needs(tiny_package: Package) -> None:
    with pytest.raises(InputError, match="torch engine only"):
        create_estimator("dropout", str(tiny_package.root), "openvino")
    with pytest.raises(PackageError, match="no dropout layer"):
        create_estimator("dropout", str(tiny_package.root))
    with pytest.raises(InputError, match="1 or more"):
        create_estimator("dropout", str(tiny_package.root), passes=0)


def test_an_unknown_estimator_is_refused_with_the_known_ones(tiny_package: Package) -> None:
    with pytest.raises(InputError, match="native, softmax, dropout, tta, ensemble"):
        create_estimator("bayes", str(tiny_package.root))
    with pytest.raises(InputError, match="folder of packages"):
        estimate(tiny_package, PointEngine(), "ensemble")
    assert ESTIMATORS[0] == "native"


def test_an_estimator_called_on_an_image_gives_what_its_head_reads(tiny_package: Package) -> None:
    engine = PointEngine()
    image = scan().array[np.newaxis]
    for name in ("native", "softmax", "tta"):
        chosen = estimate(tiny_package, engine, name)
        belief = chosen.head.belief(chosen(image))
        np.testing.assert_allclose(belief.probability.sum(axis=0), 1.0, atol=1e-5)
        assert (chosen.head.kind == "vacuity") == (name == "native")


def test_an_estimator_keeps_nothing_that_was_fitted_to_another_kind_of_uncertainty(tiny_package: Package) -> None:
    fitted = {"primary": "vacuity", "kinds": ["vacuity"], "threshold": 0.1, "volume_probability": 0.89}
    metadata = replace(tiny_package.metadata, threshold=0.1, raw={**tiny_package.metadata.raw, "uncertainty": fitted})
    package = replace(tiny_package, metadata=metadata)
    for name, threshold in (("native", 0.1), ("softmax", 0.5), ("tta", 0.5)):
        result = segment(scan(), *_pair(estimate(package, PointEngine(), name)))
        assert result.threshold == threshold
        assert result.provenance["options"]["volume_probability"] == (0.89 if name == "native" else 0.95)
    softmax = replace(package, metadata=replace(metadata, head="softmax", primary="entropy", threshold=0.3))
    assert estimate(softmax, PointEngine(), "tta").package.metadata.threshold == 0.3


def _pair(chosen: Estimate) -> tuple[Package, Any]:
    return chosen.package, chosen.engine
