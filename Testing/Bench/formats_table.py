"""The table of what is refused or told about odd inputs, for ``docs/formats.md``.

Run without arguments it makes every input, reads it, and writes the table into the page; ``make_table`` gives the rows.
"""

# ruff: noqa: E402
from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Testing" / "Python"), str(ROOT / "SUREUncertainty")]

import numpy as np
import test_bad_input as files
import test_dicom as series
import test_dicom_frames as frames
import test_nifti_forms as forms
import test_says_where as places
from enhanced import write_enhanced
from phantoms import (
    asymmetric_volume,
    write_dicom_series,
)
from SUREUncertaintyLib.analysis.notice_texts import (
    PLACE_UNKNOWN,
    TEXTS,
)
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.roi import (
    parse_roi,
    read_markups_roi,
)
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.reading import read_volume

PAGE = ROOT / "docs" / "formats.md"
HEADING = "## Input and sentence\n"
Maker = Callable[[Path], Path]
Row = tuple[str, str]


def make_table() -> str:
    """Markdown: one line an input."""
    lines = ["| input | what happens |", "|---|---|", *(f"| {kind} | {_cell(text)} |" for kind, text in _rows())]
    return "\n".join(lines) + "\n"


def page_with(table: str) -> str:
    """The page with its table replaced."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, _ = text.partition(HEADING)
    made = "Made by `python Testing/Bench/formats_table.py`, which makes each input and reads it."
    return f"{head}{HEADING}\n{made}\n\n{table}"


def _rows() -> Iterator[Row]:
    for kind, make in _inputs().items():
        with TemporaryDirectory() as folder:
            yield kind, _told(Path(folder) / "scan", make)
    for kind, text in {
        "region, ends exchanged": "left=-10,-45,-45,0,-35,10",
        "region, two corners": "left=-40,-45,-35,-10,0,10",
        "region, five numbers": "left=-45,-10,-45,0,-35",
    }.items():
        yield kind, _refusal(lambda text=text: parse_roi(text))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.mrk.json"
        for key, value in (("coordinateSystem", "IJK"), ("coordinateUnits", "inch")):
            path.write_text(
                f'{{"markups": [{{"type": "ROI", "center": [0,0,0], "size": [1,1,1], "{key}": "{value}"}}]}}'
            )
            yield f"Slicer ROI with {key} {value}", _refusal(lambda: read_markups_roi(path))


def _inputs() -> dict[str, Maker]:
    made: dict[str, Maker] = {kind: make for kind, (make, _) in files.FILES.items() if "encoding" not in kind}
    for kind, (options, _) in frames.REFUSED.items():
        made[f"multi-frame DICOM, {kind}"] = _enhanced(options)
    made |= _series()
    for kind, (make, fields, *_) in {**places.REFUSED, **places.WHERE}.items():
        made[kind] = lambda folder, make=make, fields=fields: make(folder, fields)
    made["NIfTI, qform and sform 30 mm apart"] = lambda folder: forms.written(folder, forms.Q, forms.SHIFTED, (1, 4))
    made["NIfTI, sform of other lengths"] = lambda folder: forms.written(folder, forms.Q, forms.STRETCHED, (0, 1))
    made["NIfTI without qform and sform"] = lambda folder: forms.written(folder, forms.Q, forms.Q, (0, 0))
    return made


def _series() -> dict[str, Maker]:
    volume = asymmetric_volume(Grid((10, 9, 11), (0.9, 0.9, 3.5)))

    def change(folder: Path) -> Path:
        write_dicom_series(folder, volume, series.ABC, shift_mm=[0.0] * 5 + [3.5 * n for n in range(1, 6)])
        return folder

    def lacking(keyword: str) -> Maker:
        def make(folder: Path) -> Path:
            series.without(write_dicom_series(folder, volume, series.ABC)[3], keyword)
            return folder

        return make

    def beside(folder: Path) -> Path:
        write_dicom_series(folder, volume, series.ABC)
        series.write_object(folder / "ecg.dcm", f"{series.ROOT}.9.1.1")
        series.write_object(folder / "uncertainty-vacuity.dcm", f"{series.ROOT}.30")
        return folder

    return {
        "DICOM series of two spacings": change,
        **{f"DICOM series without {word}": lacking(word) for word in ("PixelSpacing", "ImageOrientationPatient")},
        "DICOM series with an ECG and one of our maps beside it": beside,
    }


def _enhanced(options: dict[str, object]) -> Maker:
    return lambda folder: write_enhanced(folder / "a.dcm", asymmetric_volume(frames.STRAIGHT), **options)  # type: ignore[arg-type]


def _told(folder: Path, make: Maker) -> str:
    folder.mkdir()
    try:
        volume = read_volume(make(folder))
    except InputError as error:
        return "refused: " + str(error).replace(str(folder), "FOLDER")
    notices = [*(() if volume.placed else (TEXTS[PLACE_UNKNOWN],)), *volume.remarks]
    return " ".join(["read."] + [f"Notice: {notice}" for notice in notices])


def _refusal(read: Callable[[], object]) -> str:
    try:
        read()
    except InputError as error:
        return f"refused: {error}"
    return "read."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    np.seterr(all="ignore")
    PAGE.write_text(page_with(make_table()), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)} is written.")
