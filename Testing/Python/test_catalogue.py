"""Models by name: the built-in ones, the user's, and sentences for what is not there."""

import sys
from pathlib import Path

import pytest
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.packages import catalogue
from SUREUncertaintyLib.packages.catalogue import find_package, list_entries, list_packages, user_folder
from SUREUncertaintyLib.packages.model_card import model_card
from SUREUncertaintyLib.packages.package import Package, load_package
from SUREUncertaintyLib.packages.staging import copy_files


@pytest.fixture
def models(tiny_package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty built-in folder, and a user's folder with two models, one of them broken."""
    monkeypatch.setattr(catalogue, "BUILT_IN", tmp_path / "built-in")
    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "user"))
    copy_files(tiny_package.root, tmp_path / "user" / "liver-ct")
    copy_files(tiny_package.root, tmp_path / "user" / "broken")
    (tmp_path / "user" / "broken" / "configs" / "metadata.json").write_text("{}")
    (tmp_path / "user" / "notes").mkdir()
    return tmp_path


def test_models_are_found_by_name_and_by_folder(models: Path) -> None:
    assert find_package("liver-ct").root == models / "user" / "liver-ct"
    assert find_package(models / "user" / "liver-ct").name == "liver-ct"
    assert [package.name for package in list_packages()] == ["liver-ct"]


def test_a_broken_model_is_listed_with_its_problem(models: Path) -> None:
    problems = {entry.name: entry.problem for entry in list_entries()}
    assert problems["liver-ct"] == ""
    assert "lacks 'labels'" in problems["broken"]


def test_an_unknown_model_lists_the_known_ones_and_guesses(models: Path) -> None:
    with pytest.raises(PackageError, match=r"no model 'Liver'. Did you mean 'liver-ct'. Available: broken, liver-ct"):
        find_package("Liver")
    with pytest.raises(PackageError, match=r"no model '\.\./user/liver-ct'"):
        find_package("../user/liver-ct")


def test_without_models_the_sentence_says_how_to_get_one(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SURE_MODELS", str(models / "nowhere"))
    with pytest.raises(PackageError, match="sure models import"):
        find_package("liver-ct")


def test_a_built_in_model_hides_a_user_model_of_its_name(models: Path, tiny_package: Package) -> None:
    copy_files(tiny_package.root, models / "built-in" / "liver-ct")
    assert find_package("liver-ct").root == models / "built-in" / "liver-ct"
    assert [entry.built_in for entry in list_entries() if entry.name == "liver-ct"] == [True]


def test_a_tampered_model_is_not_handed_out(models: Path) -> None:
    (models / "user" / "liver-ct" / "LICENSE").write_text("free for all")
    with pytest.raises(PackageError, match="changed: LICENSE"):
        find_package("liver-ct")


@pytest.mark.parametrize(
    ("platform", "variable", "tail"),
    [
        ("win32", "LOCALAPPDATA", "SUREUncertainty/models"),
        ("linux", "XDG_DATA_HOME", "sure-uncertainty/models"),
        ("darwin", "HOME", "Library/Application Support/SUREUncertainty/models"),
    ],
)
def test_the_users_folder_is_where_the_platform_keeps_data(
    platform: str, variable: str, tail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SURE_MODELS", raising=False)
    monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    assert user_folder() == tmp_path / tail


def test_every_model_that_ships_is_intact_small_and_has_a_card_that_is_up_to_date() -> None:
    for root in (path.parent.parent for path in catalogue.BUILT_IN.glob("*/configs/metadata.json")):
        package = load_package(root)
        assert package.name == package.metadata.name
        assert package.size_bytes <= 10_000_000
        assert (root / "docs/README.md").read_text(encoding="utf-8") == model_card(package.metadata.raw)
        assert (root / "LICENSE").read_text(encoding="utf-8").strip()
