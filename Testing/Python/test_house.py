"""The extension's description files agree with one another and with the tree."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import slicer_package

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "SUREUncertainty"
LARGEST_PACKAGE = 10_000_000


def cmake_values() -> dict[str, str]:
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    return dict(re.findall(r'set\((EXTENSION_\w+) "([^"]*)"\)', text)) | {
        "project": re.search(r"project\((\w+)\)", text).group(1)  # type: ignore[union-attr]
    }


def s4ext_values() -> dict[str, str]:
    lines = (ROOT / "SUREExtension.s4ext").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def catalogue_entry() -> dict[str, object]:
    entry: dict[str, object] = json.loads((ROOT / "Resources" / "SUREExtension.json").read_text(encoding="utf-8"))
    return entry


def listed(block: str) -> set[str]:
    text = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8").replace("${MODULE_NAME}", "SUREUncertainty")
    body = re.search(rf"set\({block}(.*?)\)", text, re.S)
    assert body is not None
    return set(body.group(1).split())


def test_s4ext_cmake_and_catalogue_entry_say_the_same() -> None:
    cmake, s4ext, entry = cmake_values(), s4ext_values(), catalogue_entry()
    assert cmake["project"] == "SUREExtension"
    pairs = {"homepage": "HOMEPAGE", "contributors": "CONTRIBUTORS", "description": "DESCRIPTION"}
    pairs |= {"iconurl": "ICONURL", "screenshoturls": "SCREENSHOTURLS", "depends": "DEPENDS", "category": "CATEGORY"}
    for key, name in pairs.items():
        assert s4ext[key] == cmake[f"EXTENSION_{name}"], key
    assert entry["category"] == s4ext["category"]
    assert entry["build_dependencies"] == s4ext["depends"].split()
    assert (entry["scm_url"], entry["scm_revision"]) == (s4ext["scmurl"], s4ext["scmrevision"])


def test_the_catalogue_entry_has_only_keys_that_the_index_accepts() -> None:
    allowed = {"$schema", "category", "scm_url", "scm_revision", "scm_type", "build_dependencies", "build_subdirectory"}
    assert set(catalogue_entry()) <= allowed | {"enabled", "tier", "dicom_support_rule"}


def test_slicer_installs_what_the_module_its_effect_and_its_worker_reach() -> None:
    assert listed("MODULE_PYTHON_SCRIPTS") == slicer_package.scripts()
    assert listed("MODULE_PYTHON_RESOURCES") == slicer_package.resources()


def test_a_model_runs_from_what_slicer_installs_alone(tmp_path: Path) -> None:
    for name in sorted(listed("MODULE_PYTHON_SCRIPTS") | listed("MODULE_PYTHON_RESOURCES")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(MODULE / name, tmp_path / name)
    code = (
        "import SUREUncertaintyLib, SUREUncertaintyLib.worker.server, SUREUncertaintyLib.report.result_folder\n"
        "from SUREUncertaintyLib.core.phantom import PHANTOM_ROIS, make_phantom\n"
        "from SUREUncertaintyLib.inference.session import LiveSession\n"
        "from SUREUncertaintyLib.packages.catalogue import list_packages\n"
        "models = {package.name: package for package in list_packages()}\n"
        "session = LiveSession(models['hippocampus-t1'], 'openvino')\n"
        "session.open(make_phantom(), PHANTOM_ROIS)\n"
        "print(SUREUncertaintyLib.__file__, sorted(models), len(session.segment().structures))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(str(tmp_path))
    assert "['heart-lv-cine', 'hippocampus-t1', 'lung-nodule-ct']" in ran.stdout


def test_pictures_that_the_catalogue_points_to_exist() -> None:
    cmake = cmake_values()
    for url in [cmake["EXTENSION_ICONURL"], *cmake["EXTENSION_SCREENSHOTURLS"].split()]:
        assert (ROOT / url.split("/main/")[1]).is_file(), url


def test_no_shipped_package_exceeds_ten_megabytes() -> None:
    models = MODULE / "SUREUncertaintyLib" / "models"
    for folder in (p for p in models.iterdir() if p.is_dir()):
        assert sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) <= LARGEST_PACKAGE, folder.name


def test_nothing_pickled_is_in_the_tree() -> None:
    names = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    ).stdout.split()
    assert not [n for n in names if n.endswith((".pkl", ".pickle", ".pt", ".pth", ".ckpt"))]
