"""The scans of ``sure fit``: what a folder holds, which scans are too few or of another kind, and who is set aside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fit_scans import QUICK
from needed_torch import torch  # noqa: F401  the file is skipped without it
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.progress import silent
from SUREUncertaintyLib.fitting import fit as fitting
from SUREUncertaintyLib.fitting.fit import choose_aside, with_time_left
from SUREUncertaintyLib.fitting.grey_values import unlike_the_others
from SUREUncertaintyLib.fitting.scan_list import list_scans


def test_grey_values_far_from_all_others_are_noticed_and_copies_of_one_scan_are_not() -> None:
    plain = dict.fromkeys(("skewness", "kurtosis", "dark_share", "middle", "edge_sharpness"), 0.4)
    many = {f"s{n}": {name: value + 0.01 * (n % 5) for name, value in plain.items()} for n in range(12)}
    odd = {**many, "t2": {**plain, "middle": 0.95, "skewness": -2.0}, "bright": {**plain, "kurtosis": 4.0}}
    assert list(unlike_the_others(odd)) == ["t2"]
    assert "brightness of most tissue" in unlike_the_others(odd)["t2"]
    assert unlike_the_others({f"s{n}": plain for n in range(6)}) == {}
    assert unlike_the_others({}) == {}


@pytest.mark.parametrize(("count", "words"), [(0, "there is none"), (1, "1 is there"), (4, "4 are there")])
def test_fewer_than_five_scans_are_too_few(count: int, words: str, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for number in range(count):
        (folder / f"scan{number}.nii.gz").touch()
    with pytest.raises(InputError, match=rf"at least 5 scans.*{words}"):
        list_scans(folder, ())


def test_a_folder_that_is_not_there_or_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="does not exist"):
        list_scans(tmp_path / "nowhere", ())

    def refused(self: Path) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(InputError, match="no permission to read the folder"):
        list_scans(tmp_path, ())


def test_label_maps_beside_scans_are_no_scans_and_channels_belong_together(tmp_path: Path) -> None:
    for number in range(5):
        for ending in ("", "_seg"):
            (tmp_path / f"a{number}{ending}.nii.gz").touch()
    assert [case.id for case in list_scans(tmp_path, ())] == [f"a{n}" for n in range(5)]
    two = tmp_path / "two"
    two.mkdir()
    for number in range(5):
        for channel in (0, 1):
            (two / f"b{number}_{channel:04d}.nii.gz").touch()
    found = list_scans(two, ("T1", "T2"))
    assert [(case.id, [name for name, _ in case.channels]) for case in found] == [(f"b{n}", ["T2"]) for n in range(5)]


def test_patients_stay_apart_and_one_patient_is_not_enough() -> None:
    groups = {f"s{n}": f"p{n // 2}" for n in range(20)}
    aside = choose_aside(groups, QUICK)
    assert 4 <= len(aside) <= 6
    assert not {groups[name] for name in aside} & {groups[name] for name in groups if name not in aside}
    with pytest.raises(InputError, match="of 1 patient only"):
        choose_aside(dict.fromkeys(groups, "p0"), QUICK)


def test_the_time_that_is_left_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(fitting.time, "monotonic", lambda: now[0])
    told: list[str] = []
    progress = with_time_left(lambda fraction, text: told.append(text))
    progress(0.5, "early")
    now[0] = 300.0
    progress(0.25, "later")
    now[0] = 400.0
    progress(0.98, "soon")
    assert told == ["early", "later, about 15 min left", "soon, less than a minute left"]
    assert with_time_left(silent)(1.0, "done") is None
