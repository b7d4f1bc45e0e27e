"""Model packages: what is in one, that nothing in it can change unnoticed, and that one is written whole."""

import hashlib
import json
from pathlib import Path

import pytest
from package_files import FILES, document_of, files_below
from SUREUncertaintyLib.core.errors import OutputError, PackageError
from SUREUncertaintyLib.nn.registry import create_network
from SUREUncertaintyLib.packages.integrity import differences
from SUREUncertaintyLib.packages.package import Package, load_package
from SUREUncertaintyLib.packages.package_building import amend_package, build_package
from tiny import build_tiny, tiny_document


def test_a_built_package_holds_exactly_the_files_of_the_format(tiny_package: Package) -> None:
    assert files_below(tiny_package.root) == FILES
    assert tiny_package.size_bytes == sum((tiny_package.root / name).stat().st_size for name in FILES)


def test_the_fingerprint_is_the_hash_of_what_sha256sum_prints(tiny_package: Package) -> None:
    names = sorted(FILES - {"configs/checksums.json"})
    lines = [f"{hashlib.sha256((tiny_package.root / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    assert tiny_package.fingerprint == hashlib.sha256("".join(lines).encode()).hexdigest()


@pytest.mark.parametrize("name", sorted(FILES - {"configs/checksums.json", "configs/metadata.json"}))
def test_one_changed_bit_in_any_file_is_found_and_named(package: Package, name: str) -> None:
    content = bytearray((package.root / name).read_bytes())
    content[len(content) // 2] ^= 1
    (package.root / name).write_bytes(content)
    with pytest.raises(PackageError, match=f"not as it was made.*changed: {name}"):
        load_package(package.root)


def test_a_changed_but_valid_metadata_file_is_found(package: Package) -> None:
    document = document_of(package) | {"orientation": "LAS"}
    (package.root / "configs/metadata.json").write_text(json.dumps(document))
    with pytest.raises(PackageError, match=r"changed: configs/metadata\.json"):
        load_package(package.root)
    assert load_package(package.root, verify=False).metadata.orientation == "LAS"


def test_missing_and_added_files_are_named(package: Package) -> None:
    (package.root / "LICENSE").unlink()
    (package.root / "models" / "extra.bin").write_bytes(b"x")
    found = differences(package.root)
    assert (found.changed, found.missing, found.extra) == ((), ("LICENSE",), ("models/extra.bin",))
    with pytest.raises(PackageError, match=r"missing: LICENSE; not part of it: models/extra\.bin"):
        load_package(package.root)


def test_litter_of_a_file_browser_does_no_harm(package: Package) -> None:
    (package.root / ".DS_Store").write_bytes(b"x")
    assert load_package(package.root).fingerprint == package.fingerprint


@pytest.mark.parametrize("content", ["", "[]", '{"LICENSE": 1}'])
def test_unusable_checksums_are_refused(package: Package, content: str) -> None:
    (package.root / "configs/checksums.json").write_text(content)
    with pytest.raises(PackageError, match=r"checksums\.json"):
        load_package(package.root)


def test_a_package_without_checksums_cannot_be_trusted(package: Package) -> None:
    (package.root / "configs/checksums.json").unlink()
    with pytest.raises(PackageError, match="cannot be trusted"):
        load_package(package.root)


@pytest.mark.parametrize("content", ["{", "[1]", "\x00", "[" * 100_000])
def test_broken_json_gets_a_sentence(package: Package, content: str) -> None:
    (package.root / "configs/metadata.json").write_text(content)
    with pytest.raises(PackageError, match=r"configs/metadata\.json"):
        load_package(package.root)


def test_a_folder_that_is_no_package_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="no model package at"):
        load_package(tmp_path)


@pytest.mark.torch
def test_an_existing_folder_is_kept(package: Package) -> None:
    with pytest.raises(OutputError, match="exists already"):
        build_tiny(package.root)
    assert load_package(package.root).fingerprint == package.fingerprint


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    from odd_networks import Stubborn

    document = tiny_document()
    network = create_network("unet", document["network"]["arguments"])
    with pytest.raises(PackageError, match="does not end in the patch"):
        build_package(tmp_path / "a", document, network, "CC0", (1, 1, 8, 8, 8))
    with pytest.raises(PackageError, match="'orientation'"):
        build_package(tmp_path / "b", document | {"orientation": "XYZ"}, network, "CC0", (1, 1, 16, 16, 16))
    with pytest.raises(ZeroDivisionError):
        build_package(tmp_path / "c", document, Stubborn(), "CC0", (1, 1, 16, 16, 16))
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_disagrees_is_never_packed(tmp_path: Path) -> None:
    from odd_networks import Forgetful

    document = tiny_document()
    with pytest.raises(PackageError, match="differs from the network"):
        build_package(tmp_path / "odd", document, Forgetful(), "CC0", (1, 1, 16, 16, 16))
    assert list(tmp_path.iterdir()) == []


def test_amending_rewrites_card_and_checksums_and_nothing_else(package: Package) -> None:
    weights = package.weights_path.read_bytes()
    metrics = {"dice": {"core": {"mean": 0.8765, "low": 0.86, "high": 0.89, "n": 30}}}
    amended = amend_package(package, {"metrics": metrics})
    assert amended.metadata.raw["metrics"] == metrics
    assert "| Dice | core | 0.8765 | 0.86 to 0.89 | 30 |" in (amended.root / "docs/README.md").read_text(
        encoding="utf-8"
    )
    assert amended.fingerprint != package.fingerprint
    assert amended.weights_path.read_bytes() == weights
    assert [path.name for path in package.root.parent.iterdir()] == ["tiny"]
    with pytest.raises(PackageError, match="'overlap'"):
        amend_package(amended, {"overlap": 7})
    assert load_package(package.root).fingerprint == amended.fingerprint
