"""Files that come from the browser: limited in size and kind, kept in a private folder while the server runs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..worker.process import private_folder

KINDS = (".nii", ".nii.gz", ".nrrd", ".mha", ".dcm", ".ima", ".mrb")
MOST_FILES = 2000
_CHUNK = 1 << 20


class Uploads:
    """A private folder for uploads.

    Args:
        limit_mb: of one upload, all its files together.
    """

    def __init__(self, limit_mb: int) -> None:
        self._limit_mb = limit_mb
        self.folder = private_folder("sure-upload-")
        self._count = 0

    def close(self) -> None:
        """Remove everything that was uploaded."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def require(self, path: Path) -> Path:
        """The real path of something that was uploaded. Raises ``InputError`` for any other one."""
        real = path.resolve()
        if self.folder.resolve() not in real.parents or not real.exists():
            raise InputError("This upload is no longer there. Choose the file again.")
        return real

    async def receive(self, request: Any) -> Path:
        """Store the files of a multipart request; the file, or the folder of a DICOM series.

        Raises:
            InputError: too large, too many, no file, or a kind that is not taken. Nothing is kept then.
        """
        self._count += 1
        target = self.folder / f"upload {self._count}"  # a DICOM series is named after its folder
        target.mkdir()
        try:
            paths = await self._receive_all(request, target)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise
        return paths[0] if len(paths) == 1 else target

    async def _receive_all(self, request: Any, target: Path) -> list[Path]:
        if request.content_length is not None and request.content_length > self._limit:
            raise self._too_large()
        if not request.content_type.startswith("multipart/"):
            raise InputError("The upload is malformed.")
        paths: list[Path] = []
        left = self._limit
        async for part in await request.multipart():
            if part.filename is None:
                continue
            path = target / safe_name(part.filename)
            if len(paths) >= MOST_FILES or path in paths:
                raise InputError(f"At most {MOST_FILES} files of different names can be uploaded at once.")
            left = await self._store(part, path, left)
            paths.append(path)
        if not paths:
            raise InputError("No file arrived. Choose a scan or a scene.")
        if len(paths) > 1 and not all(path.suffix.lower() in (".dcm", ".ima") for path in paths):
            raise InputError("Several files can only be uploaded when they are the slices of one DICOM series.")
        return paths

    async def _store(self, part: Any, path: Path, left: int) -> int:
        """Write one file; the bytes that may still come."""
        with path.open("wb") as file:
            while chunk := await part.read_chunk(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise self._too_large()
                file.write(chunk)
        return left

    @property
    def _limit(self) -> int:
        return self._limit_mb << 20

    def _too_large(self) -> InputError:
        return InputError(
            f"The upload is larger than {self._limit_mb} MB. Start 'sure view' with --folder and the folder that "
            "holds the scan: files of this machine need no upload."
        )


def safe_name(name: str) -> str:
    """The name under which a file is stored: no folder, no hidden file, plain characters.

    Raises:
        InputError: not a kind of file that is taken.
    """
    plain = re.sub(r"[^\w.\- ]", "_", Path(name.replace("\\", "/")).name)[-120:].lstrip(". ")
    if not plain.lower().endswith(KINDS):
        shown = plain or "This file"
        raise InputError(f"{shown} is not a scan or scene that can be uploaded. Expected is one of {', '.join(KINDS)}.")
    return plain
