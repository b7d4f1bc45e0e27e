"""Why a file could not be written, in a sentence."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

from ..core.errors import OutputError

FULL = {errno.ENOSPC, errno.EDQUOT}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
"""The system's numbers of a full disk and of a missing right."""

_LEAST_FREE = 1 << 20


def output_error(error: Exception, path: Path) -> OutputError:
    """The sentence for a failed write: full disk, missing right, or what the system says."""
    code = error.errno if isinstance(error, OSError) else _guess(path)
    if code in FULL and not _is_full(path.parent) and _is_full(Path(tempfile.gettempdir())):
        return OutputError(temporary_is_full())
    if code in FULL:
        return OutputError(
            f"The disk is full, so the results cannot be written to {path}. Nothing was left behind: "
            "free some space, or choose a folder on another disk."
        )
    if code in FORBIDDEN:
        return OutputError(f"The folder for {path} may not be written to. Choose a folder of your own.")
    # what a library says stays in the error's cause: it speaks to programmers
    reason = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
    return OutputError(f"The results cannot be written to {path}{reason}. Choose another folder.")


def temporary_is_full() -> str:
    """The sentence for a full folder for temporary files; empty while there is room in it."""
    folder = Path(tempfile.gettempdir())
    if not _is_full(folder):
        return ""
    return (
        f"The folder for temporary files, {folder}, is full. Free some space there, or set TMPDIR to a folder on "
        "another disk."
    )


def _guess(path: Path) -> int:
    """SimpleITK does not pass the system's error on: find out why a write to ``path`` fails."""
    if not os.access(path.parent, os.W_OK):
        return errno.EACCES if path.parent.exists() else errno.ENOENT
    if _is_full(path.parent) or _is_full(Path(tempfile.gettempdir())):
        return errno.ENOSPC
    return errno.EIO


def _is_full(folder: Path) -> bool:
    return folder.exists() and shutil.disk_usage(folder).free < _LEAST_FREE
