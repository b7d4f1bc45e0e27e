"""Recipes: the built-in ones are valid, and a mistake is named."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.training.recipe import BUILT_IN
from SUREUncertaintyLib.training.recipe import load_recipe
from SUREUncertaintyLib.training.recipe import parse_recipe


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((BUILT_IN / "hippocampus-t1.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.yaml")), ids=lambda p: p.stem)
def test_every_built_in_recipe_is_valid_and_carries_its_own_name(path: Path) -> None:
    assert load_recipe(path.stem).name == path.stem


def test_lists_become_tuples() -> None:
    assert load_recipe("hippocampus-t1").input.patch == (48, 64, 48)


def test_a_missing_key_is_named() -> None:
    broken = document()
    del broken["seed"]
    with pytest.raises(InputError, match="lacks 'seed'"):
        parse_recipe(broken)


@pytest.mark.parametrize("section", ["data", "loss", "optimisation", "augmentation"])
def test_an_unknown_key_in_a_section_is_named(section: str) -> None:
    broken = document()
    broken[section]["typo"] = 1
    with pytest.raises(InputError, match=f"'{section}'.*typo"):
        parse_recipe(broken)


def test_an_unknown_recipe_lists_those_that_exist() -> None:
    with pytest.raises(InputError, match="hippocampus-t1"):
        load_recipe("no-such-recipe")


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.yaml")), ids=lambda p: p.stem)
def test_what_a_built_in_recipe_continues_is_built_in_and_has_the_same_network_and_held_out_cases(path: Path) -> None:
    recipe = load_recipe(path.stem)
    if recipe.loss.continues:
        before = load_recipe(recipe.loss.continues)
        assert not before.lacks_start()
        assert (before.network, before.input, before.data) == (recipe.network, recipe.input, recipe.data)
