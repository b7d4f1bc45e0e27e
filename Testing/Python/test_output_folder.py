"""Results appear whole or not at all, and what was there before is kept."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from phantoms import asymmetric_volume, tilted_grid
from SUREUncertaintyLib.core.errors import Cancelled, InputError, OutputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files import writing
from SUREUncertaintyLib.files.writing import OutputFolder, write_text, write_volume

MEBIBYTE = 1 << 20


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def run_once(path: Path, text: str = "first", overwrite: bool = False) -> None:
    with OutputFolder(path, overwrite) as folder:
        (folder / "report.json").write_text(text)
        (folder / "pictures").mkdir()
        (folder / "pictures" / "a.png").write_text(text)


def run_into(error: BaseException | None, path: Path, also: Path | None = None, overwrite: bool = False) -> None:
    """Write half of the results, meanwhile a file of the user's, and then fail."""
    with OutputFolder(path, overwrite) as folder:
        (folder / "report.json").write_text("half")
        if also is not None:
            also.parent.mkdir(exist_ok=True)
            also.write_text("keep")
        if error is not None:
            raise error


def test_the_folder_appears_at_the_end_with_everything(tmp_path):
    target = tmp_path / "neue Ordner é" / "results"
    with OutputFolder(target) as folder:
        (folder / "report.json").write_text("{}")
        assert not target.exists()
        assert folder.parent == target.parent
    assert (target / "report.json").read_text(encoding="utf-8") == "{}"
    assert names_in(target.parent) == {"results"}
    assert target.stat().st_mode & 0o055 or os.umask(0o022) & 0o055


@pytest.mark.parametrize("error", [RuntimeError("x"), Cancelled(), KeyboardInterrupt(), SystemExit(1)])
def test_an_error_a_cancel_and_ctrl_c_leave_nothing(tmp_path, error):
    with pytest.raises(type(error)):
        run_into(error, tmp_path / "a" / "b" / "results")
    assert names_in(tmp_path) == set()


def test_parents_that_hold_something_else_by_now_stay(tmp_path):
    with pytest.raises(Cancelled):
        run_into(Cancelled(), tmp_path / "a" / "b" / "results", also=tmp_path / "a" / "mine.txt")
    assert names_in(tmp_path / "a") == {"mine.txt"}


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "results").mkdir()
    run_once(tmp_path / "results")
    assert (tmp_path / "results" / "pictures" / "a.png").exists()
    assert names_in(tmp_path) == {"results"}


def test_earlier_results_are_kept_without_overwrite(tmp_path):
    run_once(tmp_path / "results")
    with pytest.raises(OutputError, match=r"already holds files.*--overwrite"):
        run_once(tmp_path / "results", "second")
    assert (tmp_path / "results" / "report.json").read_text(encoding="utf-8") == "first"
    assert names_in(tmp_path) == {"results"}


def test_overwrite_replaces_them_as_a_whole(tmp_path):
    run_once(tmp_path / "results")
    with OutputFolder(tmp_path / "results", overwrite=True) as folder:
        (folder / "other.json").write_text("second")
        assert (tmp_path / "results" / "report.json").read_text(encoding="utf-8") == "first"
    assert names_in(tmp_path / "results") == {"other.json", ".sure-results.json"}
    assert names_in(tmp_path) == {"results"}


def test_overwrite_that_fails_keeps_the_earlier_results(tmp_path):
    run_once(tmp_path / "results")
    with pytest.raises(Cancelled):
        run_into(Cancelled(), tmp_path / "results", overwrite=True)
    assert (tmp_path / "results" / "report.json").read_text(encoding="utf-8") == "first"
    assert names_in(tmp_path) == {"results"}


def test_overwrite_never_deletes_files_that_are_no_results(tmp_path):
    run_once(tmp_path / "results")
    (tmp_path / "results" / "thesis.docx").write_text("years")
    with pytest.raises(OutputError, match=r"no results of an earlier run \(thesis\.docx\)"):
        run_once(tmp_path / "results", "second", overwrite=True)
    assert (tmp_path / "results" / "thesis.docx").read_text(encoding="utf-8") == "years"
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text("x")
    with pytest.raises(OutputError, match="not deleted"):
        run_once(tmp_path / "documents", overwrite=True)
    assert names_in(tmp_path / "documents") == {"a.txt"}


def test_a_file_written_there_meanwhile_is_not_lost(tmp_path):
    with pytest.raises(OutputError, match="already holds files"):
        run_into(None, tmp_path / "results", also=tmp_path / "results" / "mine.txt")
    assert names_in(tmp_path / "results") == {"mine.txt"}
    assert names_in(tmp_path) == {"results"}


def test_the_earlier_results_come_back_when_the_last_step_fails(tmp_path, monkeypatch):
    run_once(tmp_path / "results")
    rename = Path.rename

    def fails_for_the_new_one(self: Path, target: Path) -> Path:
        if ".partial-" in self.name:
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails_for_the_new_one)
    with pytest.raises(OutputError, match="Input/output error"):
        run_once(tmp_path / "results", "second", overwrite=True)
    assert (tmp_path / "results" / "report.json").read_text(encoding="utf-8") == "first"
    assert names_in(tmp_path) == {"results"}


def test_a_file_as_output_folder_is_refused(tmp_path):
    (tmp_path / "results").write_text("I am a file")
    with pytest.raises(OutputError, match="is a file or a link"):
        run_once(tmp_path / "results", overwrite=True)
    with pytest.raises(OutputError, match=r"Not a directory|File exists"):
        run_once(tmp_path / "results" / "below")


def test_a_broken_manifest_protects_everything(tmp_path):
    run_once(tmp_path / "results")
    (tmp_path / "results" / ".sure-results.json").write_text(json.dumps(["report.json"]))
    with pytest.raises(OutputError, match="not deleted"):
        run_once(tmp_path / "results", "second", overwrite=True)


def test_a_folder_that_may_not_be_written_is_named(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from SUREUncertaintyLib.core.errors import OutputError\n"
        "from SUREUncertaintyLib.files.writing import OutputFolder\n"
        "if os.getuid() == 0:\n"
        "    os.setuid(65534)\n"
        "try:\n"
        "    OutputFolder(Path(sys.argv[1])).__enter__()\n"
        "except OutputError as error:\n"
        "    print(error)\n"
    )
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:3]:  # one level more under xdist
        parent.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", script, str(locked / "results")], capture_output=True, encoding="utf-8", check=True
    )
    assert "may not be written to. Choose a folder of your own." in done.stdout
    assert names_in(locked) == set()


def noise(mebibytes: float) -> Volume:
    """A volume that no compression makes smaller."""
    count = int(mebibytes * MEBIBYTE / 4 / 64 / 64)
    array = np.random.default_rng(7).integers(-(2**31), 2**31 - 1, (count, 64, 64)).astype(np.int32)
    return Volume(array, Grid(array.shape))


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii.gz", "a.nii", "a.mha"])
def test_a_full_disk_is_said_and_leaves_nothing(small_disk, name):
    with (
        pytest.raises(OutputError, match=r"The disk is full.*/disk/results/a\."),
        OutputFolder(small_disk / "results") as folder,
    ):
        write_volume(noise(2), folder / name)
    assert names_in(small_disk) == set()


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii.gz", "a.mha"])
def test_a_disk_that_lacks_the_last_bytes_is_full_too(small_disk, name):
    whole = noise(0.5)
    write_volume(whole, small_disk / name)
    size = (small_disk / name).stat().st_size
    (small_disk / name).unlink()
    page = os.statvfs(small_disk).f_frsize
    free = shutil.disk_usage(small_disk).free
    (small_disk / "filler").write_bytes(b"x" * (free - size // page * page))
    with pytest.raises(OutputError, match="The disk is full"):
        write_volume(whole, small_disk / name)
    assert names_in(small_disk) == {"filler"}


def test_a_full_disk_found_by_another_writer_is_said(small_disk):
    with pytest.raises(OutputError, match="The disk is full"), OutputFolder(small_disk / "results") as folder:
        (folder / "report.html").write_bytes(b"x" * 2 * MEBIBYTE)
    assert names_in(small_disk) == set()


def test_a_simulated_full_disk_is_said_and_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="The disk is full"):
        run_into(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), tmp_path / "results")
    assert names_in(tmp_path) == set()


def test_a_writer_that_stops_early_in_silence_is_noticed(tmp_path, monkeypatch):
    write = sitk.WriteImage

    def loses_the_end(image: sitk.Image, name: str, useCompression: bool) -> None:
        write(image, name, useCompression)
        data = Path(name).read_bytes()
        Path(name).write_bytes(data[: len(data) // 2])

    monkeypatch.setattr(writing.sitk, "WriteImage", loses_the_end)
    for name in ("a.nrrd", "a.nii.gz", "a.nii"):
        with pytest.raises(OutputError):
            write_volume(asymmetric_volume(tilted_grid()), tmp_path / name)
    assert names_in(tmp_path) == set()


def test_writing_over_a_file_keeps_the_old_one_when_it_fails(tmp_path, monkeypatch):
    write_volume(asymmetric_volume(tilted_grid()), tmp_path / "a.nrrd")
    before = (tmp_path / "a.nrrd").read_bytes()

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("couldn't write")

    monkeypatch.setattr(writing.sitk, "WriteImage", fails)
    with pytest.raises(OutputError, match="cannot be written to"):
        write_volume(asymmetric_volume(tilted_grid(left_handed=True)), tmp_path / "a.nrrd")
    assert (tmp_path / "a.nrrd").read_bytes() == before


def test_volumes_are_written_compressed(tmp_path):
    write_volume(Volume(np.zeros((64, 64, 64), np.int16), Grid((64, 64, 64))), tmp_path / "a.nrrd")
    assert (tmp_path / "a.nrrd").stat().st_size < 5000


def test_an_unknown_suffix_is_refused_before_writing(tmp_path):
    with pytest.raises(InputError, match=r"must end in \.nrrd"):
        write_volume(asymmetric_volume(tilted_grid()), tmp_path / "a.jpg")
    assert names_in(tmp_path) == set()


def test_a_text_file_is_written_whole_in_folders_that_are_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "new" / "a.json"
    write_text(target, "first ü")
    assert target.read_text(encoding="utf-8") == "first ü"

    def full(self: Path, text: str, encoding: str) -> int:
        self.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OutputError, match="The disk is full"):
        write_text(target, "second")
    assert target.read_text(encoding="utf-8") == "first ü"
    assert [path.name for path in target.parent.iterdir()] == ["a.json"]


def test_a_read_only_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "write_text", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(OutputError, match="may not be written to"):
        write_text(tmp_path / "a.json", "text")
