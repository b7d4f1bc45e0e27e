"""Reading a case list."""

from pathlib import Path

import pytest
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.evaluation.cases import read_cases


def written(folder: Path, text: str) -> Path:
    path = folder / "CASES.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_paths_are_relative_to_the_list_and_everything_but_the_image_is_optional(tmp_path: Path) -> None:
    (case,) = read_cases(written(tmp_path, "image\nscans/a.nii.gz\n"))
    assert case.image == tmp_path / "scans" / "a.nii.gz"
    assert case.label is None
    assert (case.id, case.group, case.split) == ("a", "a", "")


def test_every_column_is_read_in_any_order(tmp_path: Path) -> None:
    text = "group,split,id,label,image\ns1,val,7,/data/l.nrrd,i.nrrd\n"
    (case,) = read_cases(written(tmp_path, text))
    assert (case.id, case.group, case.split) == ("7", "s1", "val")
    assert case.label == Path("/data/l.nrrd")


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_breaks_in_quotes_belong_to_the_name(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "CASES.csv"
    path.write_bytes(f'image,label{ending}"a{ending}b.nii.gz",c.nii.gz{ending}d.nii,{ending}'.encode())
    first, second = read_cases(path)
    assert first.image.name == f"a{ending}b.nii.gz"
    assert first.label is not None
    assert first.label.name == "c.nii.gz"
    assert second.image.name == "d.nii"


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_line_breaks_end_a_line(tmp_path: Path, odd: str) -> None:
    (case,) = read_cases(written(tmp_path, f"image,label\na{odd}b.nii.gz,c.nii.gz\n"))
    assert case.image.name == f"a{odd}b.nii.gz"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    (case,) = read_cases(written(tmp_path, "image,label,roi\n~/a.nii.gz,~nobody-here/b.nii.gz,L=~/box.mrk.json\n"))
    assert case.image == tmp_path / "home" / "a.nii.gz"
    assert case.label == tmp_path / "~nobody-here" / "b.nii.gz"
    assert case.roi == f"L={tmp_path / 'home' / 'box.mrk.json'}"


def test_an_apostrophe_that_guards_against_formulas_is_none_of_the_name(tmp_path: Path) -> None:
    (case,) = read_cases(written(tmp_path, "image,id\na.nii,'=1+1\n"))
    assert case.id == "=1+1"


def test_a_spreadsheet_with_byte_order_mark_and_semicolons_is_read(tmp_path: Path) -> None:
    (case,) = read_cases(written(tmp_path, "\ufeffimage;label\r\na.mha;b.mha\r\n\r\n"))
    assert case.label == tmp_path / "b.mha"


def test_a_split_is_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, "image,split\na.nrrd,train\nb.nrrd,val\nc.nrrd,val\n")
    assert [case.id for case in read_cases(path, "val")] == ["b", "c"]
    assert len(read_cases(path)) == 3


def test_equal_file_names_take_their_folder_into_the_id(tmp_path: Path) -> None:
    path = written(tmp_path, "image\np1/t1.nii\np2/t1.nii\np2/t2.1.nii\n")
    assert [case.id for case in read_cases(path)] == ["p1/t1", "p2/t1", "t2.1"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("label\nx.nrrd\n", "no column named image"),
        ("", "no column named image"),
        ("image,mask\na,b\n", "unknown columns: mask"),
        ("image,image\na,b\n", "names a column twice"),
        ("image,label\n", "holds no case"),
        ("image,label\n,b.nrrd\n", "Line 2 .* names no image"),
        ("image\na.nrrd,b.nrrd\n", "Line 2 .* more fields"),
        ("image,id\na.nrrd,1\nb.nrrd,1\n", "the id 1 2 times"),
    ],
)
def test_a_bad_list_is_refused_with_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_cases(written(tmp_path, text))


def test_a_missing_or_binary_list_is_refused_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read_cases(tmp_path / "none.csv")
    (tmp_path / "bad.csv").write_bytes(b"image\n\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-8"):
        read_cases(tmp_path / "bad.csv")


def test_an_unknown_split_names_the_ones_there_are(tmp_path: Path) -> None:
    path = written(tmp_path, "image,split\na.nrrd,train\nb.nrrd,val\n")
    with pytest.raises(InputError, match=r"split test\. Splits in the list: train, val\."):
        read_cases(path, "test")


def test_commas_that_a_spreadsheet_leaves_behind_are_no_fields(tmp_path: Path) -> None:
    cases = read_cases(written(tmp_path, "image,id\na.nii,1,,\n,,,\n\nb.nii,2,\n"))
    assert [case.id for case in cases] == ["1", "2"]
    with pytest.raises(InputError, match=r"Line 2 .* more fields"):
        read_cases(written(tmp_path, "image,id\na.nii,1,,x\n"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('image,id\n"' + "a" * 140_000, "a quotation mark is open"),
        ("image,id\na\0.nii,1\n", r"\(NUL\) that no name has"),
    ],
)
def test_what_is_no_line_of_a_table_is_refused_in_words(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_cases(written(tmp_path, text))
