"""Brings a package or a MONAI Bundle into the user's folder, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import is_zipfile

from ..core.errors import PackageError
from ..core.progress import IsCancelled, Progress, never, silent
from . import integrity
from .auto3dseg.importing import find_auto3dseg, import_auto3dseg
from .catalogue import list_entries, user_folder
from .held_out import refuse_poor
from .metadata import TrainingRecord
from .metadata_parsing import is_package_name
from .monai_bundle.importing import import_bundle
from .nnunet.folder import find_training, is_nnunet
from .nnunet.importing import import_nnunet
from .package import Package, is_package, load_package, read_metadata
from .recognising import recognise
from .staging import copy_files, staged_folder
from .totalsegmentator.folders import find_task, is_totalsegmentator
from .totalsegmentator.importing import import_totalsegmentator
from .unpacking import MAC_FOLDER, unpacked

PICKLES = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".ts")
NEEDS_TORCH = "Reading these weights needs PyTorch and MONAI: pip install 'sure-uncertainty[torch]'."


def import_package(
    path: str | Path,
    name: str | None = None,
    force: bool = False,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
) -> Package:
    """Copy a model into the user's folder (``catalogue.user_folder``).

    Args:
        path: a folder, or a zip of it: a package of ours, a MONAI Bundle, a model of Auto3DSeg (``model.pt`` and
            ``labels.csv``), what nnU-Net v2 wrote (a results folder, the data set's folder around it, or one fold), or
            TotalSegmentator's folder of results.
        name: name in the catalogue; the package's own name when None.
        force: also take a model that was poor on the scans that were set aside when it was trained.
        progress, is_cancelled: for the imports that take long.

    Returns:
        The imported package, verified.

    Raises:
        PackageError: what is at ``path`` is no usable model; the sentence says why.
        OutputError: the user's folder cannot be written.
    """
    source = Path(path)
    _refuse_files(source)
    with unpacked(source) as found:
        return _import(_model_in(found.resolve()), source, name, force, progress, is_cancelled)


def _model_in(folder: Path) -> Path:
    """Where a model lies below folders that each hold one folder alone, as archives often do; else ``folder``."""
    place = folder
    while not recognise(place):
        inside = [part for part in place.iterdir() if part.name != MAC_FOLDER] if place.is_dir() else []
        if len(inside) != 1 or not inside[0].is_dir():
            return folder
        place = inside[0]
    return place


def _import(
    source: Path, given: Path, name: str | None, force: bool, progress: Progress, is_cancelled: IsCancelled
) -> Package:
    """Import the folder ``source``, which lies at ``given`` or in it, a zip."""
    if not is_package(source) and is_totalsegmentator(source):
        target = user_folder() / _free_name(name or _totalsegmentator_name(source))
        with staged_folder(target) as folder, _torch_is_needed():
            import_totalsegmentator(source, folder, target.name, progress, is_cancelled)
        return load_package(target)
    if not is_package(source) and is_nnunet(source):
        return _import_nnunet(source, name, progress, is_cancelled)
    model = None if is_package(source) else find_auto3dseg(source)
    called = given.stem if given.is_file() else source.name
    if model is not None:
        target = user_folder() / _free_name(name or _words_of(called))
        with staged_folder(target) as folder, _torch_is_needed():
            import_auto3dseg(model, folder, target.name, called)
        return load_package(target)
    document = read_metadata(source)
    is_ours = "head" in document and "normalisation" in document
    if is_ours and not force:
        refuse_poor(str(document.get("name")), TrainingRecord.of(document))
    target = user_folder() / _free_name(name or (str(document.get("name")) if is_ours else source.name))
    with staged_folder(target) as folder:
        if is_ours:
            _copy_package(source, folder)
        else:
            with _torch_is_needed():
                import_bundle(source, document, folder, target.name)
    return load_package(target)


def _totalsegmentator_name(source: Path) -> str:
    task, _ = find_task(source)
    return "totalsegmentator" if task.family == "total" else f"totalsegmentator-{task.family}"


def _import_nnunet(source: Path, name: str | None, progress: Progress, is_cancelled: IsCancelled) -> Package:
    """A training of nnU-Net under the data set's name, unless another one is given."""
    root = find_training(source).root
    target = user_folder() / _free_name(name or _words_of(root.parent.name or root.name))
    with staged_folder(target) as folder, _torch_is_needed():
        import_nnunet(source, folder, target.name, progress, is_cancelled)
    return load_package(target)


@contextmanager
def _torch_is_needed() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise PackageError(f"{NEEDS_TORCH} ({error})") from error


def _words_of(folder: str) -> str:
    """A folder's name as a model's: "Dataset004_Hippocampus" stays, other signs become dashes."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in folder)
    return plain.strip("-._") or "nnunet"


def _refuse_files(source: Path) -> None:
    if source.suffix in PICKLES and source.is_file():
        raise PackageError(
            f"{source.name} can carry code that runs when it is opened, and does not say what its network is. "
            "Give the folder around it: a MONAI Bundle, a training of nnU-Net, an Auto3DSeg model or a model package."
        )
    if source.is_file() and not (source.suffix.lower() == ".zip" and is_zipfile(source)):
        raise PackageError(f"{source} is a file; expected a folder or a zip. Unpack other archives first.")


def _free_name(name: str) -> str:
    if not is_package_name(name):
        raise PackageError(f"'{name}' cannot name a model; use letters, digits, '-', '_' and '.', such as 'liver-ct'.")
    if name in {entry.name for entry in list_entries()}:
        raise PackageError(f"There is a model named '{name}' already. Choose another name with --name.")
    return name


def _copy_package(source: Path, folder: Path) -> None:
    package = load_package(source)
    pickles = [name for name in integrity.package_files(source) if name.endswith(PICKLES)]
    if pickles:
        raise PackageError(f"The package holds files that can carry code, which are refused: {', '.join(pickles)}.")
    copy_files(source, folder)
    if integrity.fingerprint(integrity.file_checksums(folder)) != package.fingerprint:
        raise PackageError(f"The package {source} changed while it was copied. Try again.")
