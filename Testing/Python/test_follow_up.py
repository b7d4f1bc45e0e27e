"""Two scans of a patient: growth and its probability against sizes whose answer is known, refusals, files and page."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from SUREUncertaintyLib.cli.app import run
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.files import scan_remarks
from SUREUncertaintyLib.files.checksum import file_sha256
from SUREUncertaintyLib.follow_up import sentences as say
from SUREUncertaintyLib.follow_up.compare import Settings, compare_results
from SUREUncertaintyLib.follow_up.growth import growth
from SUREUncertaintyLib.follow_up.run import follow_up
from SUREUncertaintyLib.follow_up.scan_result import read_scan_result

SAME = [1.0] * 100


def test_a_volume_that_doubles_in_every_sample_has_a_doubling_time_without_doubt() -> None:
    found = growth(SAME, [2.0] * 100, (1.0, 2.0), 0.25, 90.0)
    assert (found.grown, found.shrunk, found.grown_more, found.shrunk_more) == (1.0, 0.0, 1.0, 0.0)
    assert (found.share.value, found.share.low, found.share.high) == (1.0, 1.0, 1.0)
    assert (found.difference.value, found.difference.low) == (1.0, 1.0)
    assert found.doubling_days.value == found.doubling_days.low == found.doubling_days.high == 90.0


def test_the_doubling_time_follows_schwartz() -> None:
    found = growth(SAME, [1.5] * 100, (1.0, 1.5), 0.25, 100.0)
    assert found.doubling_days.value == pytest.approx(100 * math.log(2) / math.log(1.5))


def test_the_same_sizes_leave_it_open_whether_anything_grew() -> None:
    spread = np.linspace(1.0, 2.0, 101)
    found = growth(spread, spread, (1.5, 1.5), 0.25, 90.0)
    assert found.grown == pytest.approx(0.5)
    assert found.doubling_days.value == math.inf
    assert found.doubling_days.high == math.inf
    assert 0 < found.doubling_days.low < math.inf


def test_pairs_of_two_known_spreads_give_the_probability_by_hand() -> None:
    """Before 1 or 3, after 2 or 4, half each: 2 > 1, 4 > 1, 4 > 3 of the four pairs; by 50 % or more 2/1 and 4/1."""
    found = growth([1.0, 3.0], [2.0, 4.0], (2.0, 3.0), 0.5, None)
    assert found.grown == 0.75
    assert found.grown_more == 0.5
    assert math.isnan(found.doubling_days.value)


def test_matched_samples_are_compared_by_their_number() -> None:
    before, after = [1.0, 2.0, 4.0], [1.5, 3.0, 6.0]
    matched = growth(before, after, (2.0, 3.0), 0.25, None, matched=True)
    assert (matched.share.low, matched.share.high) == (0.5, 0.5)
    assert (matched.grown, matched.grown_more) == (1.0, 1.0)
    assert growth(before, after, (2.0, 3.0), 0.25, None).grown == pytest.approx(6 / 9)


def test_normal_sizes_give_the_probability_that_the_normal_law_says() -> None:
    quantiles = (np.arange(400) + 0.5) / 400
    from scipy.stats import norm

    before, after = norm.ppf(quantiles, 10.0, 1.0), norm.ppf(quantiles, 12.0, 1.0)
    assert growth(before, after, (10.0, 12.0), 0.25, None).grown == pytest.approx(norm.cdf(2.0 / np.sqrt(2)), abs=2e-3)


def test_what_is_new_has_no_share_and_what_is_gone_no_doubling_time() -> None:
    new = growth([0.0] * 100, SAME, (0.0, 1.0), 0.25, 90.0)
    assert (new.grown, new.grown_more) == (1.0, 1.0)
    assert math.isnan(new.share.value)
    assert new.doubling_days.low == 0.0
    gone = growth(SAME, [0.0] * 100, (1.0, 0.0), 0.25, 90.0)
    assert (gone.shrunk, gone.shrunk_more) == (1.0, 1.0)
    assert gone.doubling_days.low == math.inf


def geometry(spacing: tuple[float, float, float], shape: tuple[int, int, int] = (8, 64, 64)) -> dict[str, Any]:
    return {"input": {"spacing_mm": list(spacing)}, "regions": [{"model_grid": {"shape_kji": list(shape)}}]}


Folder = Callable[..., Path]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Writes a results folder as far as it is read: one structure, sizes around a volume."""

    def write(name: str, ml: float = 1.0, spread: float = 0.1, **changes: Any) -> Path:
        path = tmp_path / name
        path.mkdir()
        names = changes.pop("names", ("Nodule",))
        stretch = changes.pop("stretch", 1.0)
        drawn = ml + spread * np.linspace(-1, 1, 101)
        with (path / "sample-sizes.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, ("sample", "value", "name", "voxels", "ml", "axial_mm", "longest_mm"))
            writer.writeheader()
            for structure in names:
                writer.writerows({"sample": n, "name": structure, "ml": size} for n, size in enumerate(drawn))
        row = {"volume_ml": ml, "volume_low_ml": ml - spread, "volume_high_ml": ml + spread}
        row |= {f"{key}{end}_mm": 10.0 for key in ("axial", "longest") for end in ("", "_low", "_high")}
        document = {
            "schema": "sure-report/1",
            "status": "usable",
            "status_reasons": [],
            "image": name,
            "voxel_fingerprint": name,
            "model": {"name": "tiny", "version": "1.0", "fingerprint": "f"},
            "sampling": {
                "samples": 20,
                "size_samples": 101,
                "size_stretch": stretch,
                "least_voxels": 5,
                "levels": "all",
            },
            "seed": 0,
            "options": {"patch_kji": [64, 64]},
            "geometry": geometry((0.5, 0.5, 2.0)),
            "notices": [],
            "structures": [{"name": structure, **row} for structure in names],
            "samples": {},
            "files": {"sample-sizes.csv": file_sha256(path / "sample-sizes.csv")},
        }
        (path / "report.json").write_text(json.dumps(document | changes), encoding="utf-8")
        return path

    return write


def compared(before: Path, after: Path, **settings: Any) -> dict[str, Any]:
    return compare_results(read_scan_result(before), read_scan_result(after), Settings(**settings))


def test_the_document_has_sizes_growth_and_doubling_time_with_ranges(folder: Folder) -> None:
    document = compared(folder("a"), folder("b", 2.0), days=100.0)
    (row,) = document["structures"]
    assert row["before"]["size"] == {"value": 1.0, "low": 0.9, "high": 1.1}
    assert row["share"]["value"] == pytest.approx(1.0)
    assert row["share"]["low"] < 1.0 < row["share"]["high"]
    assert document["matched"]
    assert (row["grown"], row["grown_more"], row["independent"]["grown_more"]) == (1.0, 1.0, 1.0)
    assert row["doubling_days"]["low"] < 100.0 < row["doubling_days"]["high"]
    assert document["unit"] == "ml"
    assert document["cautions"] == []
    told = list(say.sentences(document))
    assert told[0] == "Nodule grew by 25 % or more with a probability of more than 99 % (cautiously more than 99 %)."
    assert re.match(r"Nodule: volume-doubling time 100 days \(\d+ days to \d+ days\)\.", told[1])
    without_days = compared(*(Path(document[side]["where"]) for side in ("before", "after")))
    assert without_days["structures"][0]["doubling_days"] is None


def test_ranges_are_as_wide_as_the_models_interval(folder: Folder) -> None:
    narrow = compared(folder("a"), folder("b", 2.0))["structures"][0]["share"]
    wide = compared(folder("c", stretch=2.0), folder("d", 2.0, stretch=2.0))["structures"][0]["share"]
    assert wide["high"] - wide["low"] > 1.9 * (narrow["high"] - narrow["low"])


@pytest.mark.parametrize(
    ("before", "after", "begins"),
    [
        ((1.0, 0.1), (1.02, 0.1), "Nodule: no change can be told"),
        ((1.0, 0.01), (1.1, 0.01), "Nodule grew (probability more than 99 %), by 25 % or more with less than 1 %."),
        ((1.0, 0.01), (0.9, 0.01), "Nodule shrank (probability more than 99 %)"),
        ((1.0, 0.1), (0.5, 0.05), "Nodule shrank by 25 % or more"),
        ((0.0, 0.0), (0.5, 0.05), "Nodule: not found on the first scan"),
        ((0.5, 0.05), (0.0, 0.0), "Nodule: not found on the second scan"),
    ],
)
def test_the_sentence_fits_what_the_samples_say(
    folder: Folder, before: tuple[float, float], after: tuple[float, float], begins: str
) -> None:
    (row,) = compared(folder("a", *before), folder("b", *after, seed=1))["structures"]
    assert say.verdict_sentence(row, 0.25).startswith(begins)


def test_a_structure_that_only_samples_have_is_called_neither_new_nor_gone_without_saying_so(folder: Folder) -> None:
    seen = [{"name": "Nodule", "volume_ml": 0.0, "volume_low_ml": 0.0, "volume_high_ml": 0.2}]
    seen[0] |= {f"{key}{end}_mm": 10.0 for key in ("axial", "longest") for end in ("", "_low", "_high")}
    (row,) = compared(folder("a", 0.1, 0.1, structures=seen), folder("b", 0.5, 0.05))["structures"]
    assert say.verdict_sentence(row, 0.25).startswith(
        "Nodule: not found on the first scan (it is in 100 of its 101 samples), so it is new"
    )


def test_no_doubling_time_is_given_where_nothing_grew(folder: Folder) -> None:
    shrunk = compared(folder("a", 2.0), folder("b", 1.0), days=90.0)["structures"][0]
    assert say.doubling_sentence(shrunk) == "Nodule: no doubling time, since it did not grow."
    open_end = compared(folder("c", 1.0, 0.5), folder("d", 1.1, 0.5, seed=1), days=90.0)["structures"][0]
    assert "to no upper end)" in say.doubling_sentence(open_end)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"voxel_fingerprint": "a"}, "same scan"),
        (
            {"model": {"name": "other", "version": "2.0", "fingerprint": "g"}},
            r"different models \(tiny 1.0; other 2.0\)",
        ),
        ({"names": ("Nodule", "Vessel")}, "only before none; only after Vessel"),
        ({"names": ("left Nodule",)}, "only before Nodule; only after left Nodule"),
        ({"stretch": 2.0}, "size stretch"),
        ({"notices": [{"code": "reading", "text": scan_remarks.NO_SPACING}]}, "does not tell .*the second"),
    ],
)
def test_results_that_mean_different_things_are_refused(folder: Folder, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compared(folder("a"), folder("b", **changes))


@pytest.mark.parametrize(
    ("changes", "is_matched"),
    [
        ({}, True),
        ({"seed": 1}, False),
        ({"geometry": geometry((0.5, 0.5, 2.0), (5, 64, 64))}, True),
        ({"geometry": geometry((0.5, 0.5, 2.0), (8, 60, 64))}, False),
        ({"options": {"patch_kji": [8, 64, 64]}, "geometry": geometry((0.5, 0.5, 2.0), (5, 64, 64))}, False),
    ],
)
def test_samples_are_matched_where_their_noise_is_the_same(
    folder: Folder, changes: dict[str, Any], is_matched: bool
) -> None:
    options = {"options": changes["options"]} if "options" in changes else {}
    document = compared(folder("a", **options), folder("b", 1.2, **changes))
    assert document["matched"] == is_matched
    assert any("another noise" in text for text in document["cautions"]) != is_matched
    (row,) = document["structures"]
    assert row["independent"]["grown_more"] < 0.6
    assert (row["grown_more"] == row["independent"]["grown_more"]) != is_matched


def test_structures_can_be_chosen_by_name(folder: Folder) -> None:
    before, after = folder("a"), folder("b", names=("Nodule", "Vessel"))
    assert [row["name"] for row in compared(before, after, structures=("Nodule",))["structures"]] == ["Nodule"]
    with pytest.raises(InputError, match=r"no structure 'Vessel' in both results. In both there are: Nodule"):
        compared(before, after, structures=("Vessel",))


def test_scans_without_pixel_size_are_counted_in_voxels_and_it_is_said(folder: Folder) -> None:
    unknown = {
        "notices": [{"code": "reading", "text": scan_remarks.PICTURE}],
        "geometry": geometry((1.0, 1.0, 1.0)),
    }
    document = compared(folder("a", **unknown), folder("b", 2.0, **unknown))
    (row,) = document["structures"]
    assert document["unit"] == "voxels"
    assert row["before"]["size"]["value"] == pytest.approx(1000.0)
    assert row["share"]["value"] == pytest.approx(1.0)
    assert document["cautions"][0].startswith("Neither scan tells how large its voxels are")


def test_cautions_name_verdicts_thickness_and_voxels_that_differ(folder: Folder) -> None:
    thin = {"notices": [{"code": "reading", "text": scan_remarks.NO_THICKNESS}]}
    other = folder("b", status="check", geometry=geometry((0.5, 0.5, 3.0)))
    told = compared(folder("a", **thin), other)["cautions"]
    assert told[0] == "The verdict on the second result is 'Check'; its report says why."
    assert told[1].startswith("A scan does not tell how thick its slices are")
    assert "0.5 x 0.5 x 2 and 0.5 x 0.5 x 3 mm" in told[2]


def test_folders_that_hold_no_sampled_result_are_refused(folder: Folder, tmp_path: Path) -> None:
    good = folder("a")
    with pytest.raises(InputError, match="holds no result"):
        read_scan_result(tmp_path)
    plain = folder("b")
    document = json.loads((plain / "report.json").read_text(encoding="utf-8"))
    del document["samples"]
    (plain / "report.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(InputError, match="has no samples"):
        read_scan_result(plain)
    earlier = Path(shutil.copytree(good, tmp_path / "c"))
    (earlier / "sample-sizes.csv").unlink()
    with pytest.raises(InputError, match="Run the segmentation again with this version"):
        read_scan_result(earlier)
    with (good / "sample-sizes.csv").open("a", encoding="utf-8") as stream:
        stream.write("101,1,Nodule,1,9.9,1,1\n")
    with pytest.raises(InputError, match="damaged or was changed"):
        read_scan_result(good)


def test_a_result_that_promises_no_range_is_refused(folder: Folder) -> None:
    row = {"name": "Nodule", "volume_ml": 1.0, "volume_low_ml": None, "volume_high_ml": None}
    with pytest.raises(InputError, match="gives no range for the volume of 'Nodule'"):
        compared(folder("a"), folder("b", structures=[row]))


def test_settings_without_sense_are_refused(folder: Folder) -> None:
    before, after = folder("a"), folder("b")
    for settings, message in (({"days": 0.0}, "more than 0 days"), ({"least_share": 0.0}, "least change")):
        with pytest.raises(InputError, match=message):
            compared(before, after, **settings)


def test_files_hold_the_document_and_the_page_says_it(folder: Folder, tmp_path: Path) -> None:
    before, after = folder("a"), folder("b", 1.4)
    written = follow_up(before, after, tmp_path / "out", Settings(90.0))
    assert json.loads((tmp_path / "out" / "follow-up.json").read_text(encoding="utf-8")) == written
    with (tmp_path / "out" / "follow-up.csv").open(encoding="utf-8") as stream:
        (line,) = csv.DictReader(stream)
    assert (line["unit"], line["name"], float(line["before_size_low"])) == ("ml", "Nodule", 0.9)
    assert float(line["doubling_days"]) == pytest.approx(90 / math.log2(1.4))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for text in ("Nodule grew by 25 % or more", "Volume-doubling time (days)", "Longest diameters", "+40 %"):
        assert text in page
    assert "data:image/png" in page
    with pytest.raises(Exception, match="already holds files"):
        follow_up(before, after, tmp_path / "out", Settings())


def test_the_command_says_it_and_refuses_with_exit_code_2(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = str(folder("a")), str(folder("b", 1.4, status="check"))
    assert run(["follow-up", before, after, "--output", str(tmp_path / "out"), "--days", "90"]) == 0
    shown = capsys.readouterr().out
    assert "Nodule grew by 25 % or more" in shown
    assert "! The verdict on the second result is 'Check'" in shown
    assert run(["follow-up", before, before, "--output", str(tmp_path / "no")]) == 2
    assert "same scan" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
