"""Levels of samples: their names, order and sentences, and what is said about one that carries nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bare_codes import codes_in
from full_result import full_result
from SUREUncertaintyLib.core.glossary import HOW_FAR, RIM, WHICH_PARTS
from SUREUncertaintyLib.core.latent_levels import (
    LatentLevel,
    carries_nothing,
    coarse_first,
    described_levels,
    silent_sentence,
)
from SUREUncertaintyLib.packages.catalogue import find_package

FIVE = tuple(LatentLevel(number, 2**number, 0.7 * 2**number, silent=number < 2) for number in range(5))


@pytest.mark.parametrize(
    ("pixels", "term"), [(1, RIM), (2, HOW_FAR), (4, HOW_FAR), (7, HOW_FAR), (8, WHICH_PARTS), (32, WHICH_PARTS)]
)
def test_a_level_is_named_by_its_scale(pixels: int, term: object) -> None:
    assert LatentLevel(0, pixels).term is term


def test_a_title_tells_levels_of_one_name_apart() -> None:
    titles = [level.title() for level in described_levels(5)]
    assert titles == ["Rim, 1 px", "How far, 2 px", "How far, 4 px", "Which parts, 8 px", "Which parts, 16 px"]


def test_coarse_maps_come_first_and_those_that_carry_nothing_last() -> None:
    assert [level.number for level in coarse_first(FIVE)] == [4, 3, 2, 1, 0]
    middle = (*FIVE[2:4], replace(FIVE[4], silent=True))
    assert [level.number for level in coarse_first(middle)] == [3, 2, 4]


def test_a_sentence_has_the_scale_in_pixels_and_in_mm_where_the_scan_tells_it() -> None:
    assert FIVE[3].sentence().endswith("It draws at a scale of 8 pixels, 5.6 mm.")
    assert LatentLevel(3, 8).sentence().endswith("It draws at a scale of 8 pixels.")
    assert LatentLevel(0, 1, 0.7).sentence().endswith("It draws pixel by pixel, at 0.7 mm.")
    assert FIVE[0].sentence() == "This level of the model carries nothing: it makes no sample differ from another."
    assert codes_in(" ".join(level.sentence() for level in FIVE)) == []


def test_levels_that_carry_nothing_are_said_plainly() -> None:
    told = silent_sentence(FIVE)
    assert told.startswith("2 levels of 5 of this model carry nothing: how far (2 px), rim (1 px).")
    assert "collapsed" not in told
    assert silent_sentence(FIVE[2:]) == ""
    assert silent_sentence(FIVE[:2]).startswith("No level of this model carries anything")
    assert silent_sentence(FIVE[1:]).startswith("One level of 4 of this model carries nothing: how far (2 px).")


@pytest.mark.parametrize(("kl", "spread", "silent"), [(9e-5, 0.5, True), (2e-4, 0.5, False), (0.5, 0.009, True)])
def test_a_level_is_silent_without_divergence_or_with_a_prior_that_is_the_same_everywhere(
    kl: float, spread: float, silent: bool
) -> None:
    assert carries_nothing({"kl": kl, "mean_spread": spread, "std_spread": 0.0}) is silent
    assert carries_nothing({"kl": kl, "mean_spread": 0.0, "std_spread": spread}) is silent


def test_the_shipped_model_says_which_of_its_levels_carry_nothing() -> None:
    metadata = find_package("lung-nodule-ct").metadata
    probe = metadata.raw["uncertainty"]["probe"]
    assert metadata.silent_levels == {level["level"] for level in probe if level["kl"] < 1e-4}
    assert find_package("hippocampus-t1").metadata.silent_levels is None


def test_the_report_lists_the_levels_with_name_and_meaning() -> None:
    from SUREUncertaintyLib.report.sample_files import describe_sampling

    sampling = full_result().sampling
    assert sampling is not None
    rows = describe_sampling(replace(sampling, scales=FIVE))["levels"]
    assert [(row["number"], row["name"]) for row in rows] == [
        (4, "which parts"),
        (3, "which parts"),
        (2, "how far"),
        (1, "how far"),
        (0, "rim"),
    ]
    assert rows[0]["meaning"] == FIVE[4].sentence()
    assert rows[0]["mm"] == pytest.approx(11.2)
