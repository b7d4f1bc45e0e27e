"""The licence of weights that other people trained, once the user knows it."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import PackageError
from .foreign_texts import LICENCE_TEXT
from .package import Package, load_package, read_metadata
from .package_building import write_documents
from .staging import copy_files, staged_folder

FILE = "LICENSE"


def state_licence(package: Package, licence: str, text: str | None = None) -> Package:
    """Say under which licence the weights of an imported model are; card, checksums and fingerprint follow.

    Args:
        licence: its name, such as "CC BY 4.0".
        text: the whole text; None keeps the one that came with the model, if one came.

    Raises:
        PackageError: a model of ours, which states its own; or the package was tampered with.
        OutputError: the folder cannot be written.
    """
    if package.metadata.pipeline is None or not licence.strip():
        raise PackageError(
            f"The licence of '{package.name}' is stated by the model itself: {package.metadata.licence}."
            if licence.strip()
            else "Give the name of the licence, such as 'CC BY 4.0'."
        )
    load_package(package.root)
    with staged_folder(package.root, overwrite=True) as folder:
        copy_files(package.root, folder)
        _write_text(folder / FILE, licence, text)
        write_documents(folder, {**read_metadata(folder), "licence": licence.strip()})
    return load_package(package.root)


def _write_text(file: Path, licence: str, text: str | None) -> None:
    came = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else LICENCE_TEXT
    if text is not None or came == LICENCE_TEXT:
        stated = f"The licence of these weights, as stated by the user who imported them: {licence.strip()}\n"
        file.write_text(text if text is not None else stated, encoding="utf-8", newline="\n")
