"""The worker's command ``import``: a folder or zip in, a model in the list out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..core.progress import IsCancelled, Progress
from ..packages.importing import import_package
from ..packages.recognising import summary


def import_model(arguments: dict[str, Any], progress: Progress, is_cancelled: IsCancelled) -> dict[str, Any]:
    """Import ``arguments["path"]``.

    Returns:
        ``model``, the name in the catalogue; ``root``, its folder; ``summary``, what it will use, for people.

    Raises:
        PackageError, OutputError, Cancelled: nothing came in.
    """
    package = import_package(Path(arguments["path"]), progress=progress, is_cancelled=is_cancelled)
    return {"model": package.name, "root": str(package.root), "summary": summary(package)}
