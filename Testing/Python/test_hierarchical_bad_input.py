"""Requests for samples that cannot be met are refused before anything runs, with exit code 2 and a sentence."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import PackageError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.sampling import memory
from SUREUncertaintyLib.packages.integrity import seal
from SUREUncertaintyLib.packages.package import Package, load_package
from tiny import build_tiny

WRONG_INPUT = 2


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 3, "channels": [4, 6], "posterior": "none"}
    return build_tiny(
        tmp_path_factory.mktemp("latent") / "slices",
        name="slices",
        network={"name": "latent_unet", "arguments": arguments},
        head="softmax",
        spacing=None,
        patch=[16, 16],
        uncertainty={"primary": "mutual_information", "kinds": ["mutual_information", "entropy"], "threshold": 0.01},
    )


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    array = np.random.default_rng(0).normal(100, 20, (3, 18, 18)).astype(np.float32)
    path = tmp_path_factory.mktemp("scan") / "scan.nrrd"
    write_volume(Volume(array, Grid(array.shape, (1.0, 1.0, 2.0)), "scan"), path)
    return path


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--samples", "0"], "must be 1 or more, not 0"),
        (["--samples", "-3"], "must be 1 or more, not -3"),
        (["--samples", "many"], "unable to parse string as an integer"),
        (["--samples", "2.5"], "unable to parse string as an integer"),
        (["--seed", "-1"], "greater than or equal to 0"),
        (["--level", "7"], "no level 7"),
        (["--level", "-1"], "no level -1"),
    ],
)
def test_impossible_samples_levels_and_seeds(
    options: list[str],
    sentence: str,
    package: Package,
    scan: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = tmp_path / "out"
    code = run(["segment", str(scan), "--model", str(package.root), "--output", str(output), *options])
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert code == WRONG_INPUT
    assert sentence in said
    assert not output.exists()


@pytest.mark.parametrize("samples", ["0", "-1"])
def test_evaluation_against_readers_needs_a_sample(
    samples: str, package: Package, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    arguments = ["evaluate", "--raters", str(tmp_path), "--model", str(package.root), "--output", str(output)]
    assert run([*arguments, "--samples", samples]) == WRONG_INPUT
    assert f"must be 1 or more, not {samples}" in capsys.readouterr().err
    assert not output.exists()


def without_decoder(package: Package, tmp_path: Path, listed: bool) -> Path:
    """A copy whose decoder is gone; ``listed``: its metadata still names it."""
    root = tmp_path / "slices"
    shutil.copytree(package.root, root)
    (root / package.metadata.graphs["decoder"]).unlink()
    if not listed:
        path = root / "configs" / "metadata.json"
        document = json.loads(path.read_text(encoding="utf-8"))
        del document["graphs"]["decoder"]
        path.write_text(json.dumps(document), encoding="utf-8")
    seal(root)
    return root


@pytest.mark.parametrize("listed", [True, False])
def test_a_package_whose_decoder_graph_is_missing(package: Package, tmp_path: Path, listed: bool) -> None:
    with pytest.raises(PackageError, match="decoder"):
        create_engine(load_package(without_decoder(package, tmp_path, listed)), "openvino")


def test_a_volume_beyond_the_memory_is_refused_at_the_command_line(
    package: Package,
    scan: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 20_000)
    output = tmp_path / "out"
    code = run(["segment", str(scan), "--model", str(package.root), "--output", str(output), "--keep-samples"])
    said = capsys.readouterr().err
    assert code == WRONG_INPUT
    assert "To make it fit, keep fewer samples, or give a region of interest of about" in said
    assert not output.exists()
