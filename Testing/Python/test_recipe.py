"""Recipes: the built-in ones are valid, and a mistake is named."""

import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.training.recipe import BUILT_IN, load_recipe, parse_recipe


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


@pytest.mark.parametrize(
    ("section", "key", "value", "sentence"),
    [
        ("optimisation", "steps", "many", "'steps' in 'optimisation' of the recipe must be a whole number, not 'many'"),
        ("optimisation", "steps", 2.5, "'steps' in 'optimisation' of the recipe must be a whole number, not 2.5"),
        ("optimisation", "ema", "high", "'ema' in 'optimisation' of the recipe must be a number, not 'high'"),
        ("optimisation", "mixed_precision", 1, "must be true or false, not 1"),
        ("data", "table", 3, "'table' in 'data' of the recipe must be a text, not 3"),
    ],
)
def test_a_value_of_another_kind_is_named(section: str, key: str, value: Any, sentence: str) -> None:
    broken = document()
    broken[section][key] = value
    with pytest.raises(InputError, match=re.escape(sentence)):
        parse_recipe(broken)


@pytest.mark.parametrize("section", ["data", "loss", "package"])
def test_a_section_without_keys_is_named(section: str) -> None:
    with pytest.raises(InputError, match=f"'{section}' of the recipe must hold keys and values, not 'x'"):
        parse_recipe({**document(), section: "x"})


def test_a_number_with_an_exponent_counts_as_one_although_yaml_reads_a_text() -> None:
    text = (BUILT_IN / "hippocampus-t1.yaml").read_text(encoding="utf-8")
    changed = yaml.safe_load(text.replace("learning_rate: 0.002", "learning_rate: 2e-3"))
    assert changed["optimisation"]["learning_rate"] == "2e-3"
    assert parse_recipe(changed).optimisation.learning_rate == 0.002


def test_files_that_are_no_recipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "b.yaml").write_text("a: [", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("just words", encoding="utf-8")
    for name, sentence in (("a", "cannot be read as text"), ("b", "is not valid YAML"), ("c", "holds no keys")):
        with pytest.raises(InputError, match=sentence):
            load_recipe(tmp_path / f"{name}.yaml")


def test_an_unknown_recipe_lists_those_that_exist() -> None:
    with pytest.raises(InputError, match="hippocampus-t1"):
        load_recipe("no-such-recipe")


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.yaml")), ids=lambda p: p.stem)
def test_what_a_built_in_recipe_continues_is_built_in_and_has_the_same_network_and_held_out_cases(path: Path) -> None:
    recipe = load_recipe(path.stem)
    if recipe.loss.continues:
        before = load_recipe(recipe.loss.continues)
        assert before.loss.continues != recipe.name
        assert (before.network.name, before.input) == (recipe.network.name, recipe.input)
        sections = [{**asdict(one.data), "mask_inset_px": 0, "phase_column": ""} for one in (before, recipe)]
        assert sections[0] == sections[1]
        head = ("evidence_scale", "evidence_context")
        shared = {key: value for key, value in recipe.network.arguments.items() if key not in head}
        assert before.network.arguments == shared
