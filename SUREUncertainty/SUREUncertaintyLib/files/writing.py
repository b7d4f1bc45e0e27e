"""Results on disk: whole or not at all."""

from __future__ import annotations

import errno
import gzip
import json
import os
import shutil
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import SimpleITK as sitk

from ..core.errors import InputError, OutputError
from ..core.nifti_forms import NiftiForms, put_forms
from ..core.resampling import to_itk
from ..core.volume import Volume
from .headers import check_header, check_streams, require_text_name
from .locales import decimal_points
from .nifti_header import is_nifti
from .output_errors import FORBIDDEN, FULL, output_error

_MANIFEST = ".sure-results.json"


class OutputFolder:
    """A results folder that appears whole at the end of a ``with`` block, or not at all.

    ``with OutputFolder(path) as folder`` gives a hidden folder beside ``path`` to write into; leaving the block
    normally renames it to ``path``. An error, a cancel or Ctrl-C removes it and leaves what was there before.

    A folder with earlier results is replaced as a whole when ``overwrite`` is set. It is never replaced when it also
    holds files that are no results, so that a mistyped path costs nothing.

    Raises:
        OutputError: on entry, when the folder cannot be made or is in use; on leaving, when the disk is full.
        InputError: on entry, when the path is no valid text.
    """

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self.path = Path(path).expanduser().absolute()
        self.overwrite = overwrite
        self._partial: Path | None = None
        self._made: list[Path] = []

    def __enter__(self) -> Path:
        require_text_name(self.path)
        self._require_free()
        try:
            self._made = _make_parents(self.path.parent)
            self._partial = Path(tempfile.mkdtemp(prefix=f".{self.path.name}.partial-", dir=self.path.parent))
            self._partial.chmod(0o777 & ~_umask())
        except OSError as error:
            self._discard()
            raise output_error(error, self.path) from None
        return self._partial

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        hidden = str(self._partial)
        try:
            if error is None:
                self._commit()
        except OSError as failure:
            raise output_error(failure, self.path) from failure
        finally:
            self._discard()
        if isinstance(error, OutputError) and hidden in str(error):
            raise OutputError(str(error).replace(hidden, str(self.path))) from error
        if isinstance(error, OSError) and error.errno in FULL | FORBIDDEN:
            raise output_error(error, self.path) from error

    def _require_free(self) -> None:
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_dir()):
            raise OutputError(f"The output {self.path} is a file or a link. Choose a new folder.")
        if not self.path.exists():
            return
        if _is_worked_in(self.path):
            raise OutputError(
                f"The output {self.path} is the folder that this command was started in, or holds it. It would be "
                "exchanged under your shell: name a new folder inside, for instance --output results."
            )
        try:
            names = {entry.name for entry in self.path.iterdir()}
        except OSError as error:
            raise output_error(error, self.path) from None
        if names and not self.overwrite:
            raise OutputError(
                f"The output folder {self.path} already holds files. "
                "Choose another folder, or add --overwrite to replace earlier results."
            )
        foreign = sorted(names - _results_in(self.path))
        if foreign:
            shown = ", ".join(foreign[:3]) + (" and others" if len(foreign) > 3 else "")
            raise OutputError(
                f"The output folder {self.path} holds files that are no results of an earlier run ({shown}); "
                "they are not deleted. Choose another folder, or move them away."
            )

    def _commit(self) -> None:
        assert self._partial is not None
        names = sorted(entry.name for entry in self._partial.iterdir())
        (self._partial / _MANIFEST).write_text(json.dumps({"files": names}), encoding="utf-8")
        self._require_free()  # somebody may have written there meanwhile
        if not self.path.exists():
            self._partial.rename(self.path)
        else:
            self._replace()
        self._partial, self._made = None, []

    def _replace(self) -> None:
        assert self._partial is not None
        old = Path(tempfile.mkdtemp(prefix=f".{self.path.name}.old-", dir=self.path.parent))
        earlier = old / "results"
        try:
            self.path.rename(earlier)
            try:
                self._partial.rename(self.path)
            except OSError:
                earlier.rename(self.path)
                raise
        finally:
            shutil.rmtree(old, ignore_errors=True)

    def _discard(self) -> None:
        if self._partial is not None:
            shutil.rmtree(self._partial, ignore_errors=True)
        for folder in reversed(self._made):
            try:
                folder.rmdir()
            except OSError:
                break  # something else was put there
        self._partial, self._made = None, []


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8, in folders that are made if missing; whole or not at all.

    Raises:
        OutputError: it cannot be written, or the disk is full.
    """
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        discard(partial)
        raise output_error(error, path) from error


def write_volume(volume: Volume, path: str | Path) -> None:
    """Write a volume, compressed, in the format of the suffix (.nrrd, .nii.gz, .mha); whole or not at all.

    Raises:
        InputError: the suffix is not known. OutputError: the file cannot be written, or the disk is full.
    """
    path = Path(path)
    forms = volume.forms if is_nifti(path) else None
    fitting = forms is not None and forms.fits(volume.grid.ijk_to_ras)
    write_image(to_itk(volume), path, forms if fitting else None)


def write_image(image: sitk.Image, path: str | Path, forms: NiftiForms | None = None) -> None:
    """Write a SimpleITK image with its metadata, into a NIfTI file both its places; see ``write_volume``."""
    path = Path(path)
    suffix = next((s for s in (".nii.gz", ".nrrd", ".nii", ".mha") if path.name.lower().endswith(s)), "")
    if not suffix:
        raise InputError(f"The file name {path.name} must end in .nrrd, .nii.gz or .mha.")
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}{suffix}")
    try:
        with decimal_points():
            sitk.WriteImage(image, str(partial), useCompression=True)
        if forms is not None:
            _put_forms(partial, forms)
        _require_complete(partial, image)
        partial.replace(path)
    except (OSError, RuntimeError, InputError) as error:
        sentence = output_error(error, path)  # before the space comes back
        discard(partial)
        raise sentence from error


def discard(path: Path) -> None:
    """Remove a half-written file if possible; on a read-only disk even a missing one cannot be removed."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _is_worked_in(folder: Path) -> bool:
    try:
        return Path.cwd().is_relative_to(folder.resolve())
    except OSError:  # the working folder itself was deleted
        return False


def _put_forms(path: Path, forms: NiftiForms) -> None:
    """SimpleITK writes one place into both forms: put each where it belongs."""
    packed = path.name.lower().endswith(".gz")
    raw = path.read_bytes()
    placed = put_forms(gzip.decompress(raw) if packed else raw, forms)
    path.write_bytes(gzip.compress(placed, 6) if packed else placed)


def _require_complete(path: Path, image: sitk.Image) -> None:
    """SimpleITK reports a full disk only for some formats and moments, so look at the end of the file."""
    check_header(path)
    check_streams(path)
    if path.name.lower().endswith(".nrrd"):
        size = image.GetNumberOfPixels() * image.GetNumberOfComponentsPerPixel() * image.GetSizeOfPixelComponent()
        with path.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            written = struct.unpack("<I", file.read(4))[0]
        if written != size % 2**32:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _results_in(folder: Path) -> set[str]:
    """Names that an earlier run left in the folder, as its manifest says."""
    try:
        names = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {_MANIFEST, *map(str, names)}


def _make_parents(folder: Path) -> list[Path]:
    """Make the folder and its missing parents; those that were made, outermost first."""
    missing = [parent for parent in (folder, *folder.parents) if not parent.exists()][::-1]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
