"""A bug report that holds no name, no path of a scan and no voxel."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence

from .. import __version__

LAST_LINES = 200


def report_text(
    slicer_version: str, dependencies: Sequence[tuple[str, str, str]], log: Iterable[str], last_failure: str = ""
) -> str:
    """Versions, what is installed, the last failure and the end of the worker's log."""
    lines = [
        f"SURE Uncertainty {__version__}",
        f"3D Slicer {slicer_version}",
        f"{platform.system()} {platform.release()} {platform.machine()}, Python {platform.python_version()}",
        *(f"{package}: {version or 'not installed'}" for package, version, _ in dependencies),
        "",
        f"Last failure: {last_failure or 'none'}",
        "",
        *list(log)[-LAST_LINES:],
    ]
    return "\n".join(lines)
