"""Changed headers of every format end in a sentence, or in the scan that other readers see."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Testing" / "Bench"))

from fuzz_headers import added, fuzz
from fuzz_inputs import FORMATS

COUNT = 500


def test_no_changed_header_ends_in_a_crash_a_hang_or_another_scan() -> None:
    pytest.importorskip("nibabel", reason="nibabel is not installed: pip install 'sure-uncertainty[test]'")
    pytest.importorskip("nrrd", reason="pynrrd is not installed: pip install 'sure-uncertainty[test]'")
    found = fuzz(COUNT, seed=15)
    assert found["failures"] == []
    outcomes = found["outcomes"]
    assert sum(outcomes.values()) == COUNT
    assert outcomes["read, the same elsewhere"] > COUNT // 6
    assert outcomes["refused"] > COUNT // 6


def test_runs_over_ranges_add_up_where_nothing_is_missing_between_them() -> None:
    first = {"seed": 1, "start": 0, "count": 2, "commits": ["b"], "outcomes": {"refused": 2}, "failures": []}
    second = {
        **first,
        "start": 2,
        "count": 1,
        "commits": ["a"],
        "outcomes": {"refused": 1},
        "failures": [{"number": 2}],
    }
    both = {**first, "count": 3, "commits": ["a", "b"], "outcomes": {"refused": 3}, "failures": [{"number": 2}]}
    assert added([second, first]) == both
    with pytest.raises(ValueError, match="from 5 on does not follow"):
        added([first, {**second, "start": 5}])


def test_the_fuzzer_sees_a_scan_at_another_place(tmp_path: Path) -> None:
    from dataclasses import replace

    from fuzz_inputs import make_input
    from fuzz_oracles import differs, see
    from SUREUncertaintyLib.core.errors import InputError
    from SUREUncertaintyLib.files.reading import read_volume

    compared = set()
    for number in range(200):
        folder = tmp_path / str(number)
        folder.mkdir()
        name, path = make_input(number, 15, folder)
        seen = see(name, path)
        try:
            volume = read_volume(path)
        except InputError:
            continue
        if seen is None or volume.remarks or not volume.placed:
            continue
        assert differs(name, volume, seen) == ""
        x, y, z = volume.grid.origin
        moved = replace(volume, grid=replace(volume.grid, origin=(x + 1, y, z)))
        assert differs(name, moved, seen).startswith("place 1 mm")
        assert differs(name, volume.with_array(volume.array + 1.0), seen).startswith("voxels")
        compared.add(name)
    assert compared == set(FORMATS)
