"""Which files of this machine the page reaches, and which not."""

import os
import zipfile
from pathlib import Path

import pytest
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.view.downloads import plain_name
from SUREUncertaintyLib.view.folders import MOST_ENTRIES, Folders
from SUREUncertaintyLib.view.open_input import require_own_data, scene_of
from SUREUncertaintyLib.view.uploads import safe_name


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    inside = tmp_path / "inside"
    (inside / "deep").mkdir(parents=True)
    (inside / "case").mkdir()
    (tmp_path / "outside").mkdir()
    for name in ("inside/scan.nii.gz", "inside/deep/scan.nrrd", "inside/case/scene.mrb", "outside/secret.nrrd"):
        (tmp_path / name).write_bytes(b"x")
    (inside / "notes.txt").write_text("no scan")
    (inside / ".hidden.nrrd").write_bytes(b"x")
    return tmp_path


def test_the_dialog_lists_what_can_be_opened_and_nothing_else(tree: Path) -> None:
    listing = Folders([tree / "inside"]).listing()
    assert [(e.name, e.kind) for e in listing.entries] == [
        ("case", "result"),
        ("deep", "folder"),
        ("scan.nii.gz", "scan"),
    ]
    assert listing.left_out == 0


def test_a_folder_without_a_right_to_go_up_has_no_parent(tree: Path) -> None:
    folders = Folders([tree / "inside"])
    assert folders.listing().parent == ""
    assert folders.listing(tree / "inside" / "deep").parent == str((tree / "inside").resolve())


def test_several_folders_are_listed_at_the_top(tree: Path) -> None:
    (tree / "second").mkdir()
    folders = Folders([tree / "inside", tree / "second", tree / "inside"])
    assert [e.name for e in folders.listing().entries] == ["inside", "second"]


@pytest.mark.parametrize(
    "path",
    [
        "outside/secret.nrrd",
        "inside/../outside/secret.nrrd",
        "inside/deep/../../outside",
        "..",
        "/etc/passwd",
        "inside/nothing-here.nrrd",
        "inside/\0scan.nii.gz",
        "a" * 5000,
    ],
)
def test_paths_outside_are_refused_like_paths_that_do_not_exist(tree: Path, path: str) -> None:
    with pytest.raises(InputError, match="not in the folders that this page may read"):
        Folders([tree / "inside"]).require(path if path.startswith("/") else str(tree) + "/" + path)


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no symbolic links here")
def test_links_that_lead_out_are_neither_listed_nor_opened(tree: Path) -> None:
    inside = tree / "inside"
    (inside / "door.nrrd").symlink_to(tree / "outside" / "secret.nrrd")
    (inside / "door").symlink_to(tree / "outside")
    (inside / "loop").symlink_to(inside / "loop")
    (inside / "fine.nrrd").symlink_to(inside / "deep" / "scan.nrrd")
    folders = Folders([inside])
    names = [e.name for e in folders.listing().entries]
    assert "fine.nrrd" in names
    assert not {"door.nrrd", "door", "loop"} & set(names)
    for path in ("door.nrrd", "door", "door/secret.nrrd", "loop"):
        with pytest.raises(InputError, match="not in the folders"):
            folders.require(inside / path)


def test_a_root_that_is_a_link_reaches_only_its_target(tree: Path) -> None:
    (tree / "link").symlink_to(tree / "inside")
    assert Folders([tree / "link"]).require(tree / "inside" / "scan.nii.gz").name == "scan.nii.gz"


def test_a_long_folder_is_cut_and_says_so(tmp_path: Path) -> None:
    for number in range(MOST_ENTRIES + 3):
        (tmp_path / f"{number:04}.nrrd").touch()
    listing = Folders([tmp_path]).listing()
    assert (len(listing.entries), listing.left_out) == (MOST_ENTRIES, 3)


def test_a_root_must_be_a_folder(tree: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Folders([tree / "inside" / "scan.nii.gz"])


def test_a_folder_of_results_stands_for_its_scene(tree: Path) -> None:
    assert scene_of(tree / "inside" / "case") == tree / "inside" / "case" / "scene.mrb"
    assert scene_of(tree / "inside" / "scan.nii.gz") is None
    (tree / "outside" / "report.json").write_text("{}")
    with pytest.raises(InputError, match="without scene"):
        scene_of(tree / "outside")


@pytest.mark.parametrize(
    "head",
    [
        b"NRRD0004\ntype: short\ndata file: /etc/passwd\nencoding: raw\n\n",
        b"NRRD0004\ntype: short\nDataFile: ../secret.raw\n\n",
        b"NRRD0004\ndatafile: LIST\n/etc/passwd\n\n",
        b"NDims = 3\nElementDataFile = /etc/passwd\n",
        b"NDims = 3\nElementDataFile = LIST\n/etc/passwd\n",
    ],
)
def test_a_scan_that_fetches_its_voxels_elsewhere_is_refused(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / ("scan.mha" if b"Element" in head else "scan.nrrd")
    path.write_bytes(head)
    with pytest.raises(InputError, match="names other files"):
        require_own_data(path)


def test_a_blank_line_does_not_hide_where_the_voxels_of_a_metaimage_lie(tmp_path: Path) -> None:
    (tmp_path / "a.mha").write_bytes(b"NDims = 3\n\nDimSize = 2 2 2\n\nElementDataFile = /etc/passwd\n")
    with pytest.raises(InputError, match="names other files"):
        require_own_data(tmp_path / "a.mha")


def test_a_scan_with_its_own_voxels_passes(tmp_path: Path) -> None:
    for name, head in (("a.nrrd", b"NRRD0004\ntype: short\n\n"), ("b.mha", b"NDims = 3\nElementDataFile = LOCAL\n")):
        (tmp_path / name).write_bytes(head + b"\0" * 8)
        require_own_data(tmp_path / name)


def scene_file(folder: Path, mrml: str, member: str = "scene/scene.mrml") -> Path:
    with zipfile.ZipFile(folder / "scene.mrb", "w") as archive:
        archive.writestr(member, mrml)
    return folder / "scene.mrb"


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../../secret.nrrd",
        "..%2F..%2Fsecret.nrrd",
        "C:\\\\secret.nrrd",
        "&#47;etc/passwd",
        "file:///etc/passwd",
        "http://evil.example/a.nrrd",
    ],
)
def test_a_scene_that_reads_files_outside_of_itself_is_refused(tmp_path: Path, name: str) -> None:
    path = scene_file(tmp_path, f'<MRML><VolumeArchetypeStorage fileName="{name}"/></MRML>')
    with pytest.raises(InputError, match="outside of itself"):
        require_own_data(path)


def test_a_scene_whose_members_leave_the_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="outside of itself"):
        require_own_data(scene_file(tmp_path, "<MRML/>", "../../escaped.mrml"))


def test_a_scene_that_names_its_own_files_passes(tmp_path: Path) -> None:
    require_own_data(scene_file(tmp_path, '<MRML><S fileName="Data/MNI152%20T1.nrrd" uri=""/></MRML>'))


@pytest.mark.parametrize("name", ["evil.exe", "scan.nrrd.html", "page.html", "", ".nrrd", "scan.nhdr", "model.onnx"])
def test_other_kinds_of_file_are_not_taken(name: str) -> None:
    with pytest.raises(InputError, match="not a scan or scene"):
        safe_name(name)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/scan.nrrd", "scan.nrrd"),
        ("C:\\temp\\scan.nii.gz", "scan.nii.gz"),
        ("..scan.mha", "scan.mha"),
        ("a;b'c\".mrb", "a_b_c_.mrb"),
        ("Schädel 1.nrrd", "Schädel 1.nrrd"),
    ],
)
def test_uploads_are_stored_under_a_plain_name(name: str, kept: str) -> None:
    assert safe_name(name) == kept


def test_names_of_downloads_hold_no_header_and_no_path() -> None:
    assert plain_name('a/b\\c\r\nSet-Cookie: x".zip') == "a_b_c__Set-Cookie_ x_.zip"
