"""Names that people gave do no harm where they are written: scenes, tables, files."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.parsers.expat import ParserCreate

import pytest
from hypothesis import given, strategies as st
from SUREUncertaintyLib.core.roi import parse_roi
from SUREUncertaintyLib.core.safe_names import file_name, from_table_cell, plain_text, table_cell
from SUREUncertaintyLib.report.result_tables import write_structures
from two_blobs import two_blobs

NASTY = ["SAG T1 & Gd", "&amp;", "<b>T1</b>", 'a "quoted" one', "a\nb\r\tc", "\x1b$BF,It\x1b(B", "頭部"]
NASTY += ["x" * 400, "ü" * 300]


def test_characters_that_turn_the_direction_go_and_those_that_join_stay():
    assert plain_text("scan\u202egnp.exe \u2066a\u2069\ufeff") == "scangnp.exe a"
    assert plain_text("👩\u200d⚕") == "👩\u200d⚕"


@given(st.text())
def test_plain_text_is_one_line_that_xml_can_hold(text):
    plain = plain_text(text)
    assert plain == " ".join(plain.split())
    assert plain_text(plain) == plain
    ParserCreate().Parse(f"<a>{plain.replace('&', '&amp;').replace('<', '&lt;')}</a>".encode(), True)


@given(st.text())
def test_a_table_cell_is_no_formula_and_comes_back(text):
    cell = table_cell(text)
    assert not cell.startswith(("=", "@", "\t", "\r"))
    if not text.startswith("'"):
        assert from_table_cell(cell) == text


@pytest.mark.parametrize("value", [-3.25, "-3.25", "+1e5", 7, None, "plain", "it's"])
def test_numbers_and_plain_words_stay_as_they_are(value):
    assert table_cell(value) == value


@given(st.text())
def test_a_file_name_is_one_that_every_system_takes(text):
    name = file_name(text)
    assert 0 < len(name) <= 81
    assert not set(name) & set('<>:"/\\|?*& \n')
    assert name.upper() not in ("CON", "NUL", "COM1", ".", "..")


def test_the_tables_of_a_result_hold_no_formula(tmp_path: Path) -> None:
    rows = [replace(row, name="=HYPERLINK(1)") for row in two_blobs().structures]
    write_structures(rows, tmp_path / "structures.csv")
    with (tmp_path / "structures.csv").open(newline="", encoding="utf-8") as stream:
        assert {row["name"] for row in csv.DictReader(stream)} == {"'=HYPERLINK(1)"}


def test_a_region_has_a_name_of_one_line():
    assert parse_roi("left\n\x1b side=0,1,0,1,0,1").name == "left side"


@pytest.mark.parametrize("name", NASTY)
def test_a_scene_with_any_name_is_read_again(tmp_path: Path, name: str) -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")
    from SUREUncertaintyLib.mrml.archive import read_mrb, require_readable, write_mrb
    from SUREUncertaintyLib.mrml.display import show_result
    from SUREUncertaintyLib.mrml.headless import HeadlessScene
    from SUREUncertaintyLib.mrml.nodes import all_published
    from SUREUncertaintyLib.mrml.publish import publish
    from SUREUncertaintyLib.mrml.safe_names import node_name

    result = two_blobs(name=name)
    result = replace(result, label_set=(replace(result.label_set[0], name=name), *result.label_set[1:]))
    with HeadlessScene() as headless:
        show_result(headless.scene, publish(headless.scene, result))
        write_mrb(headless.scene, tmp_path / "scene.mrb")
    require_readable(tmp_path / "scene.mrb")
    with HeadlessScene() as headless:
        read_mrb(headless.scene, tmp_path / "scene.mrb")
        (back,) = all_published(headless.scene)
        assert back.scan.GetName() == node_name(name)


def test_a_scene_that_nothing_can_open_does_not_count_as_written(tmp_path: Path) -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")
    from SUREUncertaintyLib.mrml.archive import UnreadableScene, write_mrb
    from SUREUncertaintyLib.mrml.headless import HeadlessScene
    from SUREUncertaintyLib.mrml.publish import publish

    with HeadlessScene() as headless:
        nodes = publish(headless.scene, two_blobs())
        nodes.scan.SetName("T1 & T2")  # as a person may rename it in Slicer
        with pytest.raises(UnreadableScene, match=r"scene.mrb was written in a way .* plain name"):
            write_mrb(headless.scene, tmp_path / "scene.mrb")
    assert list(tmp_path.iterdir()) == []


def test_a_result_survives_a_scene_that_nothing_can_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")
    from SUREUncertaintyLib.mrml import archive
    from SUREUncertaintyLib.mrml.scene_addition import add_scene

    def write_half(scene: object, path: Path) -> None:
        with zipfile.ZipFile(path, "w") as made:
            made.writestr("scene.mrml", "<MRML></MRML>")

    monkeypatch.setattr(archive, "write_mrb", write_half)
    added = add_scene(two_blobs(), tmp_path)(two_blobs())
    assert added.notices[0].code == "scene-failed"
    assert "Everything else is complete" in added.notices[0].text
    assert list(tmp_path.iterdir()) == []
