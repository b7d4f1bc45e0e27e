"""The extension's description files agree with one another and with the tree."""

import json
import re
import subprocess
from pathlib import Path

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


def tracked(pattern: str) -> set[str]:
    output = subprocess.run(
        ["git", "ls-files", pattern], cwd=MODULE, capture_output=True, encoding="utf-8", check=True
    ).stdout
    return set(output.split())


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


def test_every_library_file_is_packaged() -> None:
    assert listed("MODULE_PYTHON_SCRIPTS") == {f for f in tracked("*.py") if not f.startswith("Testing")}


def test_every_resource_is_packaged() -> None:
    resources = {f for f in tracked(".") if not f.endswith(".py") and f != "CMakeLists.txt"}
    assert listed("MODULE_PYTHON_RESOURCES") == resources


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
