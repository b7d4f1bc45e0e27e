"""A DICOM series as one volume: slices sorted by their position in the patient, never by name."""

from __future__ import annotations

import statistics
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ..core.errors import InputError
from ..core.resampling import from_itk
from ..core.volume import Grid, Volume
from .dicom_header import DicomSlice, damaged, is_dicom, read_header

_NO_SCAN = {"SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "SR", "PR", "KO", "REG", "DOC", "FID", "RWV"}
_FILMS = {"US", "XA", "RF", "ES", "IVUS", "XC"}


def read_folder(folder: Path) -> Volume:
    """Read the one series in a folder. Raises ``InputError``: none, several, incomplete, or no scan."""
    return read_slices(series_in(folder), folder.name)


def read_series_of(path: Path) -> Volume:
    """Read the series that a file belongs to, from all files of its folder.

    Raises ``InputError``, also for any damaged DICOM file beside it: it may be the last slice of this series.
    """
    return read_slices(series_beside(path), path.parent.name)


def series_in(folder: Path) -> list[DicomSlice]:
    """The headers of the one series in a folder, in no order. Raises ``InputError`` as ``read_folder``."""
    files = _dicom_files(folder)
    if not files:
        below = sorted({str(f.parent.relative_to(folder)) for f in folder.glob("*/*") if f.is_file() and is_dicom(f)})
        hint = f" DICOM files lie in its folders {_listed(below)}: choose one of them." if below else ""
        raise InputError(f"The folder {folder} holds no DICOM files.{hint or ' Choose a folder with one series.'}")
    slices = [header for file in files if (header := read_header(file)) is not None]
    scans = [header for header in slices if header.modality not in _NO_SCAN]
    if not scans:
        raise InputError(f"The DICOM files in {folder} hold no scan{_kinds(slices)}. Choose the folder of the scan.")
    series = _by_series(scans)
    if len(series) > 1:
        raise InputError(
            f"The folder {folder} holds {len(series)} series: {_listed([_title(group) for group in series.values()])}. "
            "Choose one of them by giving one of its files, or move it to a folder of its own."
        )
    return scans


def series_beside(path: Path) -> list[DicomSlice]:
    """The headers of the series that a file belongs to, in no order. Raises ``InputError`` as ``read_series_of``."""
    header = None if path.name.upper() == "DICOMDIR" else read_header(path)
    if header is None or header.modality in _NO_SCAN:
        kind = f" ({header.modality})" if header else ""
        raise InputError(f"The DICOM file {path.name} holds no scan{kind}. Choose a file or the folder of the scan.")
    others = [h for f in _dicom_files(path.parent) if not f.samefile(path) and (h := read_header(f)) is not None]
    return [header, *(h for h in others if h.series == header.series)]


def read_slices(slices: list[DicomSlice], name: str) -> Volume:
    """Read the voxels of one series; ``name`` where its header has no description. Raises ``InputError``."""
    first = slices[0]
    name = first.description or name
    if any(header.components > 1 for header in slices):
        raise InputError(f"The DICOM series {_title(slices)} is in colour. A scan with grey values is expected.")
    if len(slices) == 1:
        return _read_single(first, name)
    if any(header.size[2] > 1 for header in slices):
        raise InputError(
            f"The DICOM series {_title(slices)} holds several volumes, one a file. Choose one of them "
            "and move it to a folder of its own."
        )
    ordered = in_order(slices)
    image = _load(ordered)
    return Volume(sitk.GetArrayFromImage(image), _grid(ordered), name, first.modality)


def _read_single(header: DicomSlice, name: str) -> Volume:
    if header.size[2] > 1 and header.modality in _FILMS:
        raise InputError(f"The DICOM file {header.path.name} is a film over time ({header.modality}), not a 3D scan.")
    volume = from_itk(_load([header]), name)
    return Volume(volume.array, volume.grid, name, header.modality)


def in_order(slices: list[DicomSlice]) -> list[DicomSlice]:
    """Slices in order along the normal, after checking that they form one regular stack. Raises ``InputError``."""
    if any(header.position is None for header in slices):
        raise InputError(f"The DICOM series {_title(slices)} does not say where its slices lie. Export it again.")
    turned = max(float(np.abs(header.direction - slices[0].direction).max()) for header in slices)
    if turned > 1e-3 or any(h.size != slices[0].size or h.spacing[:2] != slices[0].spacing[:2] for h in slices):
        raise InputError(
            f"The slices of the DICOM series {_title(slices)} differ in direction, size or pixel spacing "
            "(perhaps a localizer). One stack of parallel slices is expected: choose another series."
        )
    ordered = sorted(slices, key=lambda header: header.depth)
    _require_regular(ordered)
    return ordered


def _require_regular(ordered: list[DicomSlice]) -> None:
    depths = [header.depth for header in ordered]
    steps = np.diff(depths)
    if steps.min() < 1e-3:
        raise InputError(
            f"The DICOM series {_title(ordered)} holds several images at the same position "
            "(a scan over time, several echoes, or a copy of a slice). One image a position is expected: "
            "export a single volume of it."
        )
    usual = statistics.median_low(steps)
    gaps = [n for n, step in enumerate(steps) if step > 1.5 * usual]
    if gaps:
        places = [f"{_missing(steps[n], usual)} between {depths[n]:.1f} and {depths[n + 1]:.1f} mm" for n in gaps]
        raise InputError(
            f"Slices are missing in the DICOM series {_title(ordered)}: {_listed(places)} along the slice direction "
            f"(usual step {usual:.2f} mm). Copy or export the whole series again."
        )
    if np.abs(steps - usual).max() > 0.05 * usual:
        raise InputError(
            f"The slices of the DICOM series {_title(ordered)} are unevenly spaced ({steps.min():.2f} to "
            f"{steps.max():.2f} mm). Resample the series to an even spacing first."
        )
    _require_straight(ordered)


def _require_straight(ordered: list[DicomSlice]) -> None:
    first, last = ordered[0], ordered[-1]
    assert first.position is not None
    assert last.position is not None
    offset = last.position - first.position
    sideways = float(np.linalg.norm(offset[:, None].T @ first.direction[:, :2]))
    if sideways > 0.005 * abs(last.depth - first.depth) + 0.01:
        raise InputError(
            f"The slices of the DICOM series {_title(ordered)} are shifted against each other (gantry tilt). "
            "Load the series in Slicer, which straightens it, and save the volume as NRRD."
        )


def _missing(step: float, usual: float) -> str:
    count = max(1, round(step / usual) - 1)
    return f"{count} slice{'s' if count > 1 else ''}"


def _grid(ordered: list[DicomSlice]) -> Grid:
    first, last = ordered[0], ordered[-1]
    assert first.position is not None
    step = (last.depth - first.depth) / (len(ordered) - 1)
    i, j, _ = first.size
    x, y, z = (float(v) for v in first.position)
    return Grid(
        shape=(len(ordered), j, i),
        spacing=(first.spacing[0], first.spacing[1], step),
        origin=(x, y, z),
        direction=tuple(float(v) for v in first.direction.ravel()),
    )


def _load(ordered: list[DicomSlice]) -> sitk.Image:
    """Voxels with rescale slope and intercept applied; float32 where slices are scaled each in their own way."""
    reader = sitk.ImageSeriesReader() if len(ordered) > 1 else sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    uneven = len({(header.rescale, header.pixel) for header in ordered}) > 1
    if uneven or ordered[0].pixel == sitk.sitkFloat64:
        reader.SetOutputPixelType(sitk.sitkFloat32)
    paths = [str(header.path) for header in ordered]
    try:
        if len(paths) == 1:
            reader.SetFileName(paths[0])
        else:
            reader.SetFileNames(paths)
        return reader.Execute()
    except RuntimeError:
        raise damaged(_first_damaged(ordered)) from None


def _first_damaged(slices: list[DicomSlice]) -> Path:
    for header in slices:
        try:
            sitk.ReadImage(str(header.path), imageIO="GDCMImageIO")
        except RuntimeError:
            return header.path
    return slices[0].path


def _dicom_files(folder: Path) -> list[Path]:
    files = (f for f in folder.iterdir() if f.is_file() and f.name.upper() != "DICOMDIR")
    return sorted(f for f in files if not f.name.startswith(".") and is_dicom(f))


def _by_series(slices: list[DicomSlice]) -> dict[str, list[DicomSlice]]:
    series: dict[str, list[DicomSlice]] = {}
    for header in slices:
        series.setdefault(header.series, []).append(header)
    return dict(sorted(series.items(), key=lambda item: (len(item[1][0].number), item[1][0].number)))


def _title(group: list[DicomSlice]) -> str:
    """A series as people know it: number, description, count."""
    first, count = group[0], len(group)
    description = f"'{first.description}'" if first.description else "without description"
    return f"{first.number or '?'} {description} ({count} image{'s' if count > 1 else ''})"


def _kinds(slices: list[DicomSlice]) -> str:
    kinds = sorted({header.modality for header in slices})
    return f" but {_listed(kinds)}" if kinds else ""


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
