"""``sure models``: what it prints for people and for machines, and how it fails."""

import json
from pathlib import Path
from typing import Any

import pytest
from SUREUncertaintyLib.cli.models import models_app
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.packages import catalogue
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.staging import copy_files
from typer.testing import CliRunner, Result


@pytest.fixture
def models(tiny_package: Package, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One model of the user's, none built in."""
    monkeypatch.setattr(catalogue, "BUILT_IN", tmp_path / "built-in")
    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "user"))
    monkeypatch.setenv("COLUMNS", "200")
    copy_files(tiny_package.root, tmp_path / "user" / "tiny")
    return tmp_path / "user"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(models_app, list(arguments))


def run_json(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_list_shows_every_model(models: Path, tiny_package: Package) -> None:
    output = run("list").output
    assert "tiny" in output
    assert "Phantom segmentation" in output
    (entry,) = run_json("list")
    assert (entry["name"], entry["built_in"], entry["problem"]) == ("tiny", False, "")
    assert entry["structures"] == ["shell", "core"]
    assert entry["fingerprint"] == tiny_package.fingerprint
    assert entry["size_bytes"] == tiny_package.size_bytes


def test_list_shows_broken_models_with_their_problem(models: Path) -> None:
    (models / "tiny" / "configs" / "metadata.json").write_text("{}")
    (entry,) = run_json("list")
    assert "lacks 'labels'" in entry["problem"]
    assert "lacks 'labels'" in run("list").output


def test_an_empty_list_says_how_to_fill_it(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SURE_MODELS", str(models / "none"))
    assert "sure models import FOLDER" in run("list").output
    assert run_json("list") == []


def test_show_prints_the_card_and_for_machines_the_metadata(models: Path, tiny_package: Package) -> None:
    output = run("show", "tiny").output
    assert tiny_package.fingerprint in output
    assert "## Uncertainty" in output
    assert run_json("show", "tiny")["metadata"]["orientation"] == "RAS"


def test_verify_says_how_many_files_are_intact(models: Path, tiny_package: Package) -> None:
    output = run("verify", "tiny").output
    assert "all 6 files are as they were made" in output
    assert tiny_package.fingerprint in output
    assert run_json("verify", "tiny") == {"name": "tiny", "intact": True, "changed": [], "missing": [], "extra": []}


def test_verify_names_a_tampered_file_and_ends_with_2(models: Path) -> None:
    (models / "tiny" / "LICENSE").write_text("other")
    result = run("verify", "tiny", "--json")
    assert result.exit_code == 2
    assert json.loads(result.output)["changed"] == ["LICENSE"]
    error = run("verify", "tiny").exception
    assert isinstance(error, PackageError)
    assert "changed: LICENSE" in str(error)
    assert error.exit_code == 2


def test_import_brings_a_package_in_under_a_new_name(models: Path, tiny_package: Package) -> None:
    facts = run_json("import", str(tiny_package.root), "--name", "second")
    assert facts["folder"] == str(models / "second")
    assert facts["fingerprint"] == tiny_package.fingerprint
    assert "sure segment IMAGE --model third" in run("import", str(tiny_package.root), "--name", "third").output
    assert [entry["name"] for entry in run_json("list")] == ["second", "third", "tiny"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "liver"), "no model 'liver'"),
        (("verify", "tony"), "Did you mean 'tiny'"),
        (("import", "nowhere"), "nowhere: expected a folder with configs/metadata.json"),
    ],
)
def test_errors_reach_the_caller_as_sentences(models: Path, arguments: tuple[str, ...], words: str) -> None:
    error = run(*arguments).exception
    assert isinstance(error, PackageError)
    assert words in str(error)


def test_a_model_of_one_s_own_goes_after_a_question_and_others_stay(
    models: Path, tiny_package: Package, tmp_path: Path
) -> None:
    copy_files(tiny_package.root, tmp_path / "built-in" / "shipped")
    refused = CliRunner().invoke(models_app, ["remove", "tiny"], input="n\n")
    assert (refused.exit_code, (models / "tiny").is_dir()) == (1, True)
    assert run("remove", "tiny", "--yes").output == "The model 'tiny' is gone.\n"
    assert list(models.iterdir()) == []
    for name, sentence in (("tiny", "There is no model 'tiny'"), ("shipped", "comes with the program and stays")):
        error = run("remove", name, "--yes").exception
        assert isinstance(error, PackageError)
        assert sentence in str(error)
    assert (tmp_path / "built-in" / "shipped").is_dir()
