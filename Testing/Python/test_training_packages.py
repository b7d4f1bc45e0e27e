"""A command that trains says what is missing where PyTorch is not installed."""

from pathlib import Path

import pytest
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.cli.training_packages import training_packages
from SUREUncertaintyLib.core.errors import EngineError


def test_a_missing_package_of_the_training_is_a_sentence_and_any_other_stays_an_error() -> None:
    with pytest.raises(EngineError, match=r"needs the package torch, .*sure-uncertainty\[torch\]"), training_packages():
        raise ModuleNotFoundError("No module named 'torch'", name="torch")
    with pytest.raises(ModuleNotFoundError), training_packages():
        raise ModuleNotFoundError("No module named 'other'", name="other")
    with pytest.raises(EngineError, match=r"needs the package monai\.data"), training_packages():
        raise ModuleNotFoundError("No module named 'monai.data'", name="monai.data")


@pytest.mark.torch
def test_the_command_leaves_nothing_where_a_package_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr("SUREUncertaintyLib.training.train.train", missing)
    output = tmp_path / "out"
    assert run(["train", "hippocampus-t1-plain", "--data", str(tmp_path), "--output", str(output)]) == 1
    assert "Training needs the package torch, which is not installed" in capsys.readouterr().err
    assert not output.exists()
