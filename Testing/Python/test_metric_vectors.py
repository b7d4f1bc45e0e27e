"""The rank metrics and the geometry against the published vectors of the reference implementation.

What the reference does on purpose differently (chunks, a subset of gradients, stable ordinal ranks) is imitated here,
never in the library.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from SUREUncertaintyLib.arrays.heads import normalised_entropy, softmax
from SUREUncertaintyLib.metrics.boundary import boundary_distance
from SUREUncertaintyLib.metrics.noise_relation import level_statistics
from SUREUncertaintyLib.metrics.overlap import dice
from SUREUncertaintyLib.metrics.ranks import RankStatistics, rank_statistics
from SUREUncertaintyLib.metrics.relations import distance_relation, gradient_magnitude, gradient_relation

DATA = Path(__file__).parents[1] / "Data"
VECTORS = json.loads((DATA / "sure_metric_vectors.json").read_text(encoding="utf-8"))
LOSS_VECTORS = json.loads((DATA / "sure_loss_vectors.json").read_text(encoding="utf-8"))

Case = dict[str, Any]
Arrays = dict[str, NDArray[Any]]


def cases(function: str) -> list[Any]:
    return [pytest.param(c, id=c["name"]) for c in VECTORS["metric_cases"] if c["fn"].startswith(function)]


def images(case: Case) -> list[Arrays]:
    """The inputs, one dictionary an image, with their dtypes; a batch is flattened image by image."""
    batch = case["args"].get("batch_size", 1)
    arrays = {key: np.array(v, dtype=case["dtypes"][key]).reshape(batch, -1) for key, v in case["inputs"].items()}
    return [{key: rows[b] for key, rows in arrays.items()} for b in range(batch)]


def near(case: Case, image: Arrays) -> Arrays:
    keep = image["d"] <= case["args"]["threshold"]
    return {key: values[keep] for key, values in image.items()}


def assert_counts(result: RankStatistics, expected: Case) -> None:
    assert result.n0 == expected["n0"]
    assert (result.discordant, result.concordant) == (expected["D"], expected["C"])
    assert (result.ties_x, result.ties_v, result.ties_both) == (expected["T_x"], expected["T_y"], expected["J"])
    assert result.ur == pytest.approx(expected["ur_exact"], abs=1e-12)


def number(value: float | None) -> float:
    return float("nan") if value is None else value


def distance_results(case: Case) -> list[RankStatistics]:
    kept = [near(case, image) for image in images(case)]
    return [distance_relation(part["d"], part["u"], part["u_noised"]) for part in kept]


def exact_distance_cases() -> list[Any]:
    return [entry for entry in cases("count_pixels_d") if entry.values[0]["fn"] == "count_pixels_d"]


def test_every_published_case_is_taken() -> None:
    assert len(exact_distance_cases()) == 11
    assert sum(len(entry.values[0]["per_image"]) for entry in exact_distance_cases()) == 13
    assert len(cases("count_pixels_d_chunk")) == 4
    assert len(cases("count_pixels_grad")) == 4
    assert len(cases("count_pixels_sigma")) == 4


@pytest.mark.parametrize("case", exact_distance_cases())
def test_distance_relation_counts_ratio_and_correlation(case: Case) -> None:
    results = distance_results(case)
    for result, expected in zip(results, case["per_image"], strict=True):
        assert result.n == expected["L"]
        assert_counts(result, expected)
        average_rank = number(expected["ucc_alternatives"]["average_rank"])
        assert result.ucc == pytest.approx(average_rank, abs=1e-9, nan_ok=True)
    assert np.mean([result.ur for result in results]) == pytest.approx(case["head"]["ur"], abs=1e-6)
    if not case["ucc_sort_dependent"]:
        assert np.mean([result.ucc for result in results]) == pytest.approx(case["head"]["ucc"], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "ur_star"),
    [("d_ties_in_d", 0.416667), ("d_joint_ties", 0.666667), ("d_all_delta_equal", 0.5), ("d_grid_edt", 0.436937)],
)
def test_ur_star_of_the_tied_cases(name: str, ur_star: float) -> None:
    (case,) = (c for c in VECTORS["metric_cases"] if c["name"] == name)
    (result,) = distance_results(case)
    assert result.ur_star == pytest.approx(ur_star, abs=1e-6)


@pytest.mark.parametrize("case", exact_distance_cases())
def test_ur_star_equals_ur_without_ties(case: Case) -> None:
    for result in distance_results(case):
        if result.ties_x == result.ties_v == 0:
            assert result.ur_star == pytest.approx(result.ur)


def chunked_ur(distance: NDArray[Any], rise: NDArray[Any], size: int) -> float:
    """The reference's chunks in raster order: the mean of each chunk's UR, a chunk of one voxel counting as 0."""
    starts = range(0, distance.size, size)
    parts = [rank_statistics(distance[at : at + size], rise[at : at + size]) for at in starts]
    return float(np.mean([part.ur if part.n > 1 else 0.0 for part in parts]))


@pytest.mark.parametrize("case", cases("count_pixels_d_chunk"))
def test_chunked_reference_values_follow_from_our_ratio(case: Case) -> None:
    kept = [near(case, image) for image in images(case)]
    size = case["args"]["chunk_size"]
    values = [chunked_ur(part["d"], part["u_noised"] - part["u"], size) for part in kept]
    assert np.mean(values) == pytest.approx(case["ur_independent"], abs=1e-6)
    assert np.mean(values) == pytest.approx(case["head"]["ur"], abs=1e-6)
    for part, expected in zip(kept, case["ucc_alternatives_per_image"], strict=True):
        result = distance_relation(part["d"], part["u"], part["u_noised"])
        assert result.ucc == pytest.approx(expected["average_rank"], abs=1e-9)


@pytest.mark.parametrize("case", cases("count_pixels_grad"))
def test_gradient_relation_on_the_listed_subset_and_on_the_whole_band(case: Case) -> None:
    urs = []
    for image, expected in zip(images(case), case["per_image"], strict=True):
        part = near(case, image)
        assert part["u"].size == expected["L"]
        if expected.get("skipped"):
            urs.append(0.0)
            continue
        chosen = expected["sampled_indices_in_image"]
        subset = gradient_relation(image["grad"][chosen], image["u"][chosen])
        assert_counts(subset, expected)
        urs.append(subset.ur)
        whole = gradient_relation(part["grad"], part["u"])
        assert whole.ur == pytest.approx(expected["ur_all_pairs_no_subset"], abs=1e-12)
        assert whole.ucc == pytest.approx(expected["ucc_all_pixels_average_rank"], abs=1e-9)
    assert np.mean(urs) == pytest.approx(case["head"]["ur"], abs=1e-6)


@pytest.mark.parametrize("case", cases("count_pixels_sigma"))
def test_sigma_relation_and_its_identity_with_the_correlation_of_two_levels(case: Case) -> None:
    (image,) = images(case)
    part = near(case, image)
    levels = (case["args"]["sigma1"], case["args"]["sigma2"])
    result = level_statistics(levels, np.stack([part["u_noised_sigma1"], part["u_noised_sigma2"]]))
    expected, ascending = case["counts"], levels[0] < levels[1]
    rises, falls = (expected["greater"], expected["less"]) if ascending else (expected["less"], expected["greater"])
    assert (result.n, result.greater, result.equal, result.less) == (expected["n"], rises, expected["equal"], falls)
    assert result.ur == pytest.approx(case["head"]["ur"], abs=1e-6)
    identity = (result.greater + result.equal - result.less) / result.n
    assert identity == pytest.approx(case["head"]["ucc"], abs=1e-9)
    assert identity == pytest.approx(2 * result.ur - 1 + 2 * result.equal / result.n, abs=1e-12)


def geometry(name: str) -> Case:
    (case,) = (c for c in VECTORS["geometry_cases"] if c["name"] == name)
    return dict(case)


@pytest.mark.parametrize("name", ["distmap_2d", "distmap_3d"])
def test_distance_maps_agree_with_the_reference_in_pixels(name: str) -> None:
    case = geometry(name)
    distance = boundary_distance(np.array(case["label"]))
    assert distance is not None
    # ours are rounded to 1e-6 so that equal distances tie
    np.testing.assert_allclose(distance, np.round(case["head"], 6), atol=1e-9)


def test_distance_map_in_mm_with_thick_slices() -> None:
    case = geometry("distmap_3d")["derived_edt_with_spacing"]
    distance = boundary_distance(np.array(geometry("distmap_3d")["label"]), case["spacing"])
    assert distance is not None
    np.testing.assert_allclose(distance, np.round(case["d"], 6), atol=1e-9)


def test_a_label_map_without_a_boundary_has_no_distance() -> None:
    assert boundary_distance(np.array(geometry("distmap_2d_empty")["label"])) is None


@pytest.mark.parametrize("name", ["gradmag_2d", "gradmag_3d"])
def test_gradient_magnitudes_agree_with_the_reference(name: str) -> None:
    case = geometry(name)
    expected = np.array(case["head"], dtype=np.float32)
    gradient = gradient_magnitude(np.array(case["image"], dtype=np.float32))
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, expected, rtol=2e-7)


def test_dice_of_the_vector_without_its_epsilon() -> None:
    case = LOSS_VECTORS["sdice"]
    a, b, epsilon = np.array(case["a"]), np.array(case["b"]), case["epsilon"]
    exact = dice(a, b)
    total = a.sum() + b.sum()
    assert exact * total / (total + epsilon) == pytest.approx(case["head"], abs=1e-9)
    assert case["head"] == pytest.approx(0.5161288658, abs=1e-9)


def test_entropy_of_the_vector_is_ours_without_the_background_term() -> None:
    case = LOSS_VECTORS["uentropy"]
    p = softmax(np.array(case["logits"], dtype=np.float32)[0])
    background = -p[0] * np.log(p[0]) / np.log(case["num_classes"])
    np.testing.assert_allclose(normalised_entropy(p) - background, np.array(case["head"])[0], atol=1e-6)
