"""``import SUREUncertaintyLib as sure``: what scripts need, lazily, and the page that describes it."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SUREUncertaintyLib as sure
from phantoms import asymmetric_volume
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.packages.package import Package

ROOT = Path(__file__).resolve().parents[2]
DOOR = ROOT / "SUREUncertainty" / "SUREUncertaintyLib" / "__init__.py"


@pytest.mark.parametrize("name", sure.__all__)
def test_every_public_name_is_the_one_of_its_module(name: str) -> None:
    assert getattr(sure, name).__name__ == name


def test_type_checkers_see_what_is_imported_when_used() -> None:
    names = [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(DOOR.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    ]
    assert sorted(name for _, name in names) == sorted(sure.__all__)
    assert {name: module for module, name in names} == sure._MODULES


def test_an_unknown_name_is_an_attribute_error_and_editors_are_offered_the_public_ones() -> None:
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        sure.colour  # noqa: B018
    assert set(sure.__all__) < set(dir(sure))


def test_importing_the_library_imports_nothing_else() -> None:
    code = (
        "import sys, SUREUncertaintyLib; print(sorted({'numpy', 'SimpleITK', 'torch', 'openvino'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_reference_describes_every_public_name() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    described = re.findall(r"^::: SUREUncertaintyLib\.(\S+)\.(\w+)$", page, re.M)
    assert sorted(described) == sorted((module, name) for name, module in sure._MODULES.items())


def test_a_path_and_one_box_are_segmented_as_a_volume_and_a_list_are(tiny_package: Package, tmp_path: Path) -> None:
    scan = asymmetric_volume(Grid((24, 24, 24), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)))
    sure.write_volume(scan, str(tmp_path / "scan.nii.gz"))
    box = sure.Roi("Left", (-20, -20, 2), (-2, -2, 20))
    model = sure.load_model(tiny_package.root, "openvino")
    by_path = sure.segment(str(tmp_path / "scan.nii.gz"), tiny_package.root, box)
    by_volume = sure.segment(sure.read_volume(str(tmp_path / "scan.nii.gz")), model, [box])
    assert [roi.name for roi in by_path.rois] == ["Left"]
    assert np.array_equal(by_path.labels.array, by_volume.labels.array)
    assert model.name == tiny_package.name
