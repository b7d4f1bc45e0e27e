"""A stack of slices that ends at the valve is whole; one that ends before the apex is cut, and says so."""

from dataclasses import replace

import numpy as np
import pytest
from SUREUncertaintyLib.analysis import notice_texts as texts
from SUREUncertaintyLib.analysis.notices import notices_for
from SUREUncertaintyLib.analysis.stack_ends import ends_in_cavity, lacks_apex
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.packages.metadata import Cavity
from SUREUncertaintyLib.packages.package import Package

BASE_TO_APEX = (90, 100, 95, 80, 60, 30, 10)


@pytest.mark.parametrize(
    ("counts", "cut", "open_"),
    [
        (BASE_TO_APEX, False, True),
        (BASE_TO_APEX[::-1], False, True),
        (BASE_TO_APEX[:5], True, True),  # 60 of 100 at the narrow end
        (BASE_TO_APEX[:6], False, True),
        ((*BASE_TO_APEX[:5], 0), False, True),  # the next slice was imaged and shows none
        ((0, *BASE_TO_APEX[:5]), True, True),
        ((0, *BASE_TO_APEX, 0), False, False),
        ((50, 100), False, True),
        ((100, 100), True, True),
        ((80,), False, False),
        ((0, 0), False, False),
    ],
)
def test_the_narrow_end_decides(counts: tuple[int, ...], cut: bool, open_: bool) -> None:
    assert lacks_apex(np.array(counts)) is cut
    assert ends_in_cavity(np.array(counts)) is open_


def stack(counts: tuple[int, ...], axis: int = 0) -> Volume:
    """Slices 8 mm apart across an axis of the array that show so many voxels of label 1 each, away from their sides."""
    array = np.zeros((len(counts), 14, 14), np.uint8)
    for plane, count in zip(array, counts, strict=True):
        plane[2:12, 2:12] = (np.arange(100) < count).reshape(10, 10)
    spacing = [1.4, 1.4, 1.4]
    spacing[2 - axis] = 8.0
    array = np.moveaxis(array, 0, axis)
    return Volume(array, Grid(array.shape, (spacing[0], spacing[1], spacing[2])))


def codes_of(labels: Volume, package: Package, cavity: Cavity | None = None) -> list[str]:
    metadata = replace(package.metadata, cavity=cavity)
    found = notices_for(labels, metadata, metadata.foreground, ())
    return [one.code for one in found if one.code in (texts.CUT_BY_IMAGE, texts.STACK_ENDS)]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_only_a_missing_apex_counts_as_cut(axis: int, tiny_package: Package) -> None:
    whole, short, inside = stack(BASE_TO_APEX, axis), stack(BASE_TO_APEX[:5], axis), stack((0, *BASE_TO_APEX, 0), axis)
    assert codes_of(whole, tiny_package, Cavity(1)) == [texts.STACK_ENDS]
    assert codes_of(short, tiny_package, Cavity(1)) == [texts.CUT_BY_IMAGE, texts.STACK_ENDS]
    assert codes_of(inside, tiny_package, Cavity(1)) == []
    assert codes_of(whole, tiny_package) == [texts.CUT_BY_IMAGE]


def test_the_side_of_a_slice_cuts_a_cavity_as_it_cuts_anything(tiny_package: Package) -> None:
    labels = stack((0, *BASE_TO_APEX, 0))
    array = labels.array.copy()
    array[3, 0, 0] = 1
    assert codes_of(labels.with_array(array), tiny_package, Cavity(1)) == [texts.CUT_BY_IMAGE]


def test_another_structure_in_the_first_slice_is_cut(tiny_package: Package) -> None:
    labels = stack(BASE_TO_APEX)
    array = labels.array.copy()
    array[0, 4, 4] = 2
    assert codes_of(labels.with_array(array), tiny_package, Cavity(1)) == [texts.CUT_BY_IMAGE, texts.STACK_ENDS]
