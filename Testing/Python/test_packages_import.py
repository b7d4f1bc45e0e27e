"""Import of packages: what comes in, under which name, and what stays outside."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from foreign import assert_nothing_came_in
from SUREUncertaintyLib.core.errors import OutputError, PackageError
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.importing import import_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.staging import copy_files

pytestmark = pytest.mark.usefixtures("user_models")


def test_a_package_comes_in_whole_and_keeps_its_fingerprint(tiny_package: Package, user_models: Path) -> None:
    imported = import_package(tiny_package.root)
    assert imported.root == user_models / "tiny"
    assert imported.fingerprint == tiny_package.fingerprint
    assert find_package("tiny").root == imported.root


def test_a_package_can_get_another_name_and_names_are_taken_once(tiny_package: Package) -> None:
    assert import_package(tiny_package.root, name="hippo-2").name == "hippo-2"
    with pytest.raises(PackageError, match=r"named 'hippo-2' already.*--name"):
        import_package(tiny_package.root, name="hippo-2")


@pytest.mark.parametrize("name", ["../evil", "a b", ".hidden", "", "é"])
def test_a_name_that_is_no_folder_is_refused(tiny_package: Package, name: str, user_models: Path) -> None:
    if not name:
        assert import_package(tiny_package.root, name=name).name == "tiny"
        return
    with pytest.raises(PackageError, match="cannot name a model"):
        import_package(tiny_package.root, name=name)
    assert_nothing_came_in(user_models)


def test_a_tampered_package_stays_outside(tiny_package: Package, tmp_path: Path, user_models: Path) -> None:
    copy_files(tiny_package.root, tmp_path / "copy")
    (tmp_path / "copy" / "models" / "model.onnx").write_bytes(b"other")
    with pytest.raises(PackageError, match=r"changed: models/model\.onnx"):
        import_package(tmp_path / "copy")
    assert_nothing_came_in(user_models)


def test_a_sealed_package_with_a_pickle_in_it_stays_outside(
    tiny_package: Package, tmp_path: Path, user_models: Path
) -> None:
    from SUREUncertaintyLib.packages.integrity import seal

    copy_files(tiny_package.root, tmp_path / "copy")
    (tmp_path / "copy" / "models" / "model.pt").write_bytes(b"x")
    seal(tmp_path / "copy")
    with pytest.raises(PackageError, match=r"can carry code.*models/model\.pt"):
        import_package(tmp_path / "copy")
    assert_nothing_came_in(user_models)


def test_a_folder_that_cannot_be_written_gets_a_sentence(
    tiny_package: Package, user_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_models.write_bytes(b"a file where the folder should be")
    with pytest.raises(OutputError, match="cannot be written"):
        import_package(tiny_package.root)
    monkeypatch.setenv("SURE_MODELS", str(user_models.parent / "other"))
    monkeypatch.setattr(shutil, "copyfile", full_after(3, shutil.copyfile))
    with pytest.raises(OutputError, match="The disk is full"):
        import_package(tiny_package.root)
    assert_nothing_came_in(user_models.parent / "other")


def full_after(count: int, copyfile: Callable[..., Any]) -> Callable[..., Any]:
    copied: list[Any] = []

    def copy(*arguments: Any) -> Any:
        copied.append(arguments)
        if len(copied) > count:
            raise OSError(errno.ENOSPC, "No space left on device")
        return copyfile(*arguments)

    return copy


@pytest.mark.parametrize(
    ("file", "words"),
    [("model.pt", "can carry code"), ("model.ts", "can carry code"), ("bundle.zip", "Unpack"), ("nothing", "no model")],
)
def test_what_is_no_folder_gets_a_sentence(file: str, words: str, tmp_path: Path) -> None:
    if file != "nothing":
        (tmp_path / file).write_bytes(b"x")
    with pytest.raises(PackageError, match=words):
        import_package(tmp_path / file)
