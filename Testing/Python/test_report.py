"""Pictures, tables, page and report.json of a result."""

import csv
import hashlib
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from ball import CUBE, ball_result, ras_of
from matplotlib.image import imread
from numpy.typing import NDArray
from phantoms import Turn, all_turns, asymmetric_volume, tilted_grid
from SUREUncertaintyLib.analysis.rows import Notice
from SUREUncertaintyLib.core.errors import Cancelled
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.uncertainty_colours import uncertainty_colours, uncertainty_window
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.report.additions import Addition, Finish, Picture
from SUREUncertaintyLib.report.anatomical_planes import PLANES, cut, letters, planes_of, ras_grid, ras_index, to_ras
from SUREUncertaintyLib.report.cut_planes import cut_planes_of
from SUREUncertaintyLib.report.overlay import overlay_colours
from SUREUncertaintyLib.report.result_folder import OutputOptions, write_results
from SUREUncertaintyLib.report.result_page import write_page
from SUREUncertaintyLib.report.slice_pictures import draw_slices

AXIAL, CORONAL, SAGITTAL = PLANES
ALWAYS = {
    "segmentation.seg.nrrd",
    "uncertainty.nrrd",
    "entropy.nrrd",
    "structures.csv",
    "regions.csv",
    "report.json",
}


def position_planes(grid: Grid) -> dict[str, list[NDArray[np.float64]]]:
    """For each plane through the middle, the R, A and S coordinate of every pixel as it is shown."""
    point = tuple(n // 2 for n in grid.shape)
    here = ras_index(point, grid)
    whole = tuple(slice(0, n) for n in ras_grid(grid).shape[::-1])
    return {
        plane.name: [cut(to_ras(axis, grid), plane, here, whole) for axis in ras_of(grid)]  # type: ignore[arg-type]
        for plane in PLANES
    }


@pytest.mark.parametrize("turn", list(all_turns())[::5], ids=lambda turn: f"{turn.axes}{turn.flips}")
def test_slices_are_shown_as_a_radiologist_looks_at_them_whatever_the_storage_order(turn: Turn) -> None:
    grid = turn.apply(asymmetric_volume(Grid((6, 7, 8), (1.0, 1.5, 2.0)))).grid
    shown = position_planes(grid)
    right, anterior, superior = range(3)
    for name, left_axis, top_axis in (
        ("Axial", right, anterior),
        ("Coronal", right, superior),
        ("Sagittal", anterior, superior),
    ):
        across, up = shown[name][left_axis], shown[name][top_axis]
        assert (np.diff(across, axis=1) < 0).all(), "the patient's right, or front, is on the left of the picture"
        assert (np.diff(up, axis=0) < 0).all(), "front, or head, is at the top"


def test_orientation_letters_are_plain_on_straight_grids_and_double_on_oblique_ones() -> None:
    straight = ras_grid(CUBE)
    assert letters(straight, AXIAL) == {"left": "R", "right": "L", "top": "A", "bottom": "P"}
    assert letters(straight, CORONAL) == {"left": "R", "right": "L", "top": "S", "bottom": "I"}
    assert letters(straight, SAGITTAL) == {"left": "A", "right": "P", "top": "S", "bottom": "I"}
    turned = ras_grid(tilted_grid(angles=(0.0, 0.0, 30.0)))
    assert letters(turned, AXIAL) == {"left": "RA", "right": "LP", "top": "AL", "bottom": "PR"}
    assert letters(turned, SAGITTAL)["top"] == "S"


def test_a_single_slice_is_shown_from_one_side() -> None:
    assert [plane.name for plane in planes_of((slice(0, 9), slice(0, 9), slice(0, 1)))] == ["Axial"]
    assert planes_of((slice(0, 9), slice(0, 9), slice(0, 9))) == PLANES


def test_places_show_the_widest_planes_and_the_most_uncertain_voxel_of_each_region() -> None:
    rois = (Roi("left", (-14, -14, -14), (14, 14, 14)), Roi("else where", (15, 15, 15), (19, 19, 19)))
    result = ball_result(centre=(-2.0, 1.0, 3.0), radius=8.0, rois=rois)
    places = cut_planes_of(result)
    assert [place.key for place in places] == ["left-structures", "left-most-uncertain", "else-where-structures"]
    structures, worst, _ = places
    to_world = ras_grid(result.image.grid).ijk_to_ras
    assert (to_world @ (*structures.point, 1))[:3] == pytest.approx((-2, 1, 3), abs=1)
    assert (to_world @ (*worst.point, 1))[:3] == pytest.approx(result.regions[0].centre_ras)
    assert worst.mark
    assert worst.box is not None
    for shown, box in zip(worst.shown, worst.box, strict=True):
        assert shown.start <= box.start < box.stop <= shown.stop


def test_uncertainty_is_clear_up_to_the_threshold_and_then_glows() -> None:
    colours = overlay_colours(np.array([0.0, 0.4, 0.41, 0.6, 0.9], np.float32), 0.4)
    assert (colours[:2, 3] == 0).all()
    assert (np.diff(colours[2:, 3]) > 0).sum() >= 1
    assert colours[4, :3] == pytest.approx(uncertainty_colours(256)[255], abs=1e-6)
    brightness = colours[2:, :3] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(brightness) > 0).all()


def test_colours_end_at_the_largest_value_that_a_map_can_have() -> None:
    pale = uncertainty_colours(256)[255]
    nats = np.array([math.log(2)], np.float32)
    assert overlay_colours(nats, 0.4, math.log(2))[0, :3] == pytest.approx(pale, abs=1e-6)
    assert overlay_colours(nats, 0.4)[0, :3] != pytest.approx(pale, abs=0.01)
    assert uncertainty_window(0.31, math.log(2)) == (0.0, 0.62)
    assert uncertainty_window(1.0, 0.25) == (0.0, 1.0), "nothing of the map is drawn"


def test_pictures_show_contours_in_label_colours_and_glow_only_where_uncertain(tmp_path: Path) -> None:
    uncertain = ball_result()
    sure = replace(uncertain, uncertainty=uncertain.image.with_array(np.zeros(CUBE.shape, np.float32)), regions=())
    for name, result in (("uncertain", uncertain), ("sure", sure)):
        (tmp_path / name).mkdir()
        pictures = draw_slices(result, tmp_path / name)
        assert pictures[0].file == "pictures/structures.png"
    assert len(list((tmp_path / "uncertain" / "pictures").iterdir())) == 2
    shown, plain = (panels(tmp_path / name / "pictures" / "structures.png") for name in ("uncertain", "sure"))
    for label in uncertain.label_set:
        assert near(shown, label.color).sum() > 100
    assert near(shown, uncertainty_colours(256)[255], 0.12).sum() > 500, "0.8, twice the threshold, ends the scale"
    letters_alone = glowing(plain).sum()
    assert glowing(shown).sum() > 20 * letters_alone > 0


def panels(path: Path) -> NDArray[np.float64]:
    """The picture without its colour bar and legend."""
    image = np.asarray(imread(path))[..., :3]
    return image[int(0.08 * len(image)) : int(0.9 * len(image)), : int(0.9 * image.shape[1])]


def near(image: NDArray[np.float64], colour: object, tolerance: float = 0.06) -> NDArray[np.bool_]:
    return np.asarray(np.abs(image - np.asarray(colour)).max(axis=-1) < tolerance)


def glowing(image: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Orange and yellow: red clearly over green, green clearly over blue; no grey, no label colour, but the letters."""
    r, g, b = np.moveaxis(image, -1, 0)
    return np.asarray((r > 0.75) & (g > 0.45) & (g - b > 0.25) & (r >= g))


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 4.0), (0.5, 2.0, 1.0)])
def test_a_ball_is_round_on_every_plane_whatever_the_spacing(
    tmp_path: Path, spacing: tuple[float, float, float]
) -> None:
    size = tuple(round(40 / mm) for mm in spacing)
    grid = Grid(size[::-1], spacing, tuple(-20 + mm / 2 for mm in spacing))  # type: ignore[arg-type]
    result = ball_result(grid)
    whole = result.image.with_array((result.labels.array > 0).astype(np.uint8))
    draw_slices(
        replace(result, labels=whole, uncertainty=result.image.with_array(0 * result.uncertainty.array)), tmp_path
    )
    contour = near(panels(tmp_path / "pictures" / "structures.png"), result.label_set[0].color, 0.2)
    for part in np.array_split(contour, 3, axis=1):
        rows, columns = np.nonzero(part)
        assert np.ptp(rows) == pytest.approx(np.ptp(columns), rel=0.1 if max(spacing) < 2 else 0.3)


@pytest.mark.parametrize("shape", [(1, 24, 24), (24, 1, 24), (3, 3, 3)])
def test_flat_and_tiny_scans_are_drawn(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    pictures = draw_slices(ball_result(Grid(shape), (-10, -10, 0), 5.0), tmp_path)
    assert all((tmp_path / picture.file).stat().st_size > 5000 for picture in pictures)


Written = tuple[Path, SegmentationResult, dict[str, Any]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, tiny_package: Package) -> Written:
    folder = tmp_path_factory.mktemp("results")
    result = replace(ball_result(), notices=(Notice("a-code", "Look twice: 1 < 2 & <b>not bold</b>."),))
    return folder, result, write_results(result, folder, tiny_package)


def test_the_folder_holds_every_file_and_report_json_lists_them_with_their_checksums(written: Written) -> None:
    folder, result, document = written
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    pictures = {"pictures/structures.png", "pictures/most-uncertain.png"}
    assert names == ALWAYS | {"report.html", "model-card.md"} | pictures
    assert json.loads((folder / "report.json").read_text(encoding="utf-8")) == document
    assert set(document["files"]) == names - {"report.json"}
    for name, digest in document["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert document["disclaimer"] == "Research use only - not a medical device"
    assert document["notices"] == [{"code": "a-code", "text": result.notices[0].text}]
    assert document["structures"][1]["volume_low_ml"] is None, "no NaN in JSON"


def test_maps_are_written_on_the_scans_grid_with_slicers_segment_names(written: Written) -> None:
    folder, result, _ = written
    image = sitk.ReadImage(str(folder / "segmentation.seg.nrrd"))
    assert (sitk.GetArrayFromImage(image) == result.labels.array).all()
    assert image.GetOrigin() == pytest.approx(result.image.grid.origin)
    assert {image.GetMetaData(f"Segment{n}_Name") for n in (0, 1)} == {"upper", "lower"}
    for name, volume in (("uncertainty", result.uncertainty), ("entropy", result.entropy)):
        assert (sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{name}.nrrd"))) == volume.array).all()


def test_tables_hold_the_rows_with_empty_cells_for_what_is_unknown(written: Written) -> None:
    folder, result, _ = written
    with (folder / "structures.csv").open(newline="", encoding="utf-8") as stream:
        upper, lower = csv.DictReader(stream)
    assert (upper["name"], int(upper["voxels"])) == ("upper", result.structures[0].voxels)
    assert float(upper["volume_low_ml"]) == 1.5
    assert lower["volume_low_ml"] == ""
    with (folder / "regions.csv").open(newline="", encoding="utf-8") as stream:
        regions = list(csv.DictReader(stream))
    assert len(regions) == len(result.regions)
    first = tuple(float(regions[0][key]) for key in ("r_mm", "a_mm", "s_mm"))
    assert first == pytest.approx(result.regions[0].centre_ras)


class Page(HTMLParser):
    """Texts, references and unclosed tags of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.references += [value or "" for key, value in attrs if key in ("src", "href")]
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_well_formed_self_contained_and_says_what_it_must(written: Written) -> None:
    folder, result, _ = written
    page = Page(folder / "report.html")
    assert page.open == []
    assert all(
        ref.startswith(("data:image/png;base64,", "#word-")) or ref == "model-card.md" for ref in page.references
    )
    assert sum(ref.startswith("data:") for ref in page.references) == 2
    assert not page.tags & {"script", "link", "iframe"}
    assert not re.findall(r"https?://|@import|url\(", page.source)
    assert "prefers-color-scheme: dark" in page.source
    assert "width=device-width" in page.source
    for words in (
        "Research use only - not a medical device",
        result.notices[0].text,
        "How to read the map",
        "Model card",
        "ball & <shell>",
        "1.50 – 2.50",
    ):
        assert words in page.text


def test_notices_come_first_and_none_is_said_to_be_none(
    tmp_path: Path, written: Written, tiny_package: Package
) -> None:
    folder, result, _ = written
    text = Page(folder / "report.html").text
    assert text.index("Look twice") < text.index("Structures")
    (tmp_path / "calm").mkdir()
    write_results(
        replace(result, notices=(), regions=()), tmp_path / "calm", tiny_package, OutputOptions(pictures=False)
    )
    calm = Page(tmp_path / "calm" / "report.html")
    assert "No warning speaks against this result" in calm.text
    assert "No voxel is above the threshold of uncertainty" in calm.text
    assert [ref for ref in calm.references if not ref.startswith("#word-")] == ["model-card.md"]


@pytest.mark.parametrize(
    ("kind", "words", "most"),
    [
        ("vacuity", "vacuity", "1"),
        ("mutual_information", "mutual information", "0.69"),
        ("fg_variance", "variance of the foreground between samples", "0.25"),
    ],
)
def test_the_page_names_the_map_its_range_and_what_a_model_for_boxes_sees(
    tmp_path: Path, tiny_package: Package, kind: str, words: str, most: str
) -> None:
    (tmp_path / "r").mkdir()
    document = write_results(ball_result(), tmp_path / "r", tiny_package, OutputOptions(pictures=False))
    document["uncertainty"]["kind"] = kind
    boxes = find_package("lung-nodule-ct").metadata
    write_page(document, boxes, (), tmp_path)
    text = Page(tmp_path / "report.html").text
    assert f"The map shows {words}, a number from 0 (sure) to {most}. Voxels" in text
    assert "This model sees 64×64 pixels around the middle of a region" in text
    assert "This model sees" not in Page(tmp_path / "r" / "report.html").text


def test_pictures_and_page_can_be_left_out(tmp_path: Path, tiny_package: Package) -> None:
    write_results(ball_result(), tmp_path, tiny_package, OutputOptions(pictures=False, page=False))
    assert {path.name for path in tmp_path.iterdir()} == ALWAYS


def test_what_an_upper_layer_adds_enters_the_report(tmp_path: Path, tiny_package: Package) -> None:
    seen: list[tuple[str, ...]] = []

    def add(result: SegmentationResult, folder: Path) -> Finish:
        (folder / "extra.png").write_bytes(b"picture")
        return lambda _: Addition((Picture("extra.png", "An extra view"),), (Notice("extra", "Extra notice."),))

    def look(result: SegmentationResult, folder: Path) -> Finish:
        assert (folder / "segmentation.seg.nrrd").is_file()
        seen.append(tuple(notice.code for notice in result.notices))
        return lambda later: seen.append(tuple(notice.code for notice in later.notices)) or Addition()

    document = write_results(ball_result(), tmp_path, tiny_package, OutputOptions(pictures=False), [add, look])
    assert seen[1] == (*seen[0], "extra")
    assert {"code": "extra", "text": "Extra notice."} in document["notices"]
    assert "extra.png" in document["files"]
    assert "An extra view" in Page(tmp_path / "report.html").source
    assert "Extra notice." in Page(tmp_path / "report.html").text


def test_a_cancel_while_writing_is_heard(tmp_path: Path, tiny_package: Package) -> None:
    with pytest.raises(Cancelled):
        write_results(ball_result(), tmp_path, tiny_package, is_cancelled=lambda: True)
    assert not (tmp_path / "report.json").exists()


def test_a_result_of_nothing_is_reported_too(tmp_path: Path, tiny_package: Package) -> None:
    empty = ball_result(radius=0.1)
    nothing = Volume(np.zeros(CUBE.shape, np.uint8), CUBE)
    rows = tuple(
        replace(row, voxels=0, mean_uncertainty=float("nan"), share_over_threshold=float("nan"))
        for row in empty.structures
    )
    write_results(replace(empty, labels=nothing, structures=rows, regions=()), tmp_path, tiny_package)
    assert "not found" in Page(tmp_path / "report.html").text


def test_a_result_whose_hardness_cannot_be_compared_is_read_again(tmp_path: Path, tiny_package: Package) -> None:
    from full_result import full_result
    from SUREUncertaintyLib.report.result_reading import read_result

    result = ball_result()
    (case, *_) = full_result().difficulty
    outside = replace(case, outside=True, auv=float("nan"), harder_than=0)
    write_results(
        replace(result, difficulty=(outside,)), tmp_path, tiny_package, OutputOptions(pictures=False, page=False)
    )
    (back,) = read_result(tmp_path, result.image).difficulty
    assert (back.outside, back.harder_than, back.sentence) == (True, 0, outside.sentence)
