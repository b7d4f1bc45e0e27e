"""Enhanced multi-frame files: frames lie where they say, each with its own scale, or the file is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from enhanced import frame_positions, write_enhanced
from numpy.testing import assert_allclose
from phantoms import asymmetric_volume, tilted_grid
from pydicom import dcmread, dcmwrite
from pydicom.uid import JPEGLSLossless, RLELossless
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.export.dicom_series import open_series
from SUREUncertaintyLib.files.reading import read_volume

STRAIGHT = Grid((7, 9, 11), (0.9, 0.8, 2.5), (-10.0, 20.0, -30.0))
SHUFFLED = [3, 0, 6, 1, 5, 2, 4]


@pytest.mark.parametrize("grid", [STRAIGHT, tilted_grid((7, 9, 11))], ids=["straight", "oblique"])
@pytest.mark.parametrize("order", [range(7), range(6, -1, -1), SHUFFLED], ids=["up", "down", "shuffled"])
def test_frames_in_any_order_are_sorted_by_position(tmp_path, grid, order):
    volume = asymmetric_volume(grid)
    read = read_volume(write_enhanced(tmp_path / "a.dcm", volume, list(order)))
    assert np.array_equal(read.array, volume.array)
    assert_allclose(read.grid.ijk_to_ras, grid.ijk_to_ras, atol=1e-5)
    assert (read.name, read.modality, read.array.dtype) == ("T1 frames", "MR", np.int16)


@pytest.mark.parametrize("syntax", [None, RLELossless, JPEGLSLossless], ids=["plain", "RLE", "JPEG-LS"])
def test_each_frame_is_scaled_in_its_own_way(tmp_path, syntax):
    volume = asymmetric_volume(STRAIGHT)
    rescales = [(2.5 - 0.25 * n, -100.0 + 3 * n) for n in range(7)]
    options = {} if syntax is None else {"syntax": syntax}
    read = read_volume(write_enhanced(tmp_path / "a.dcm", volume, SHUFFLED, rescales=rescales, **options))
    slopes, intercepts = np.array([rescales[SHUFFLED.index(k)] for k in range(7)]).T[:, :, None, None]
    assert read.array.dtype == np.float32
    assert_allclose(read.array, volume.array * slopes + intercepts, atol=1e-4)


@pytest.mark.parametrize("wrong", [(1.0, 1e10), (1e-9, 1.0)])
def test_a_frame_whose_values_a_scale_would_blur_is_refused(tmp_path, wrong):
    rescales = [wrong, *[(1.0, 0.0)] * 6]
    path = write_enhanced(tmp_path / "a.dcm", asymmetric_volume(STRAIGHT), SHUFFLED, rescales=rescales)
    with pytest.raises(InputError, match="scales its values by numbers that cannot be right"):
        read_volume(path)


def test_one_scale_for_all_frames_is_applied_once(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    read = read_volume(write_enhanced(tmp_path / "a.dcm", volume, SHUFFLED, rescales=[(0.5, -8.0)] * 7))
    assert_allclose(read.array, volume.array * 0.5 - 8)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"])
@pytest.mark.parametrize("preamble", [True, False])
def test_every_plain_encoding_is_read(tmp_path, syntax, preamble):
    volume = asymmetric_volume(STRAIGHT)
    dataset = dcmread(write_enhanced(tmp_path / "a.dcm", volume, SHUFFLED))
    dataset.file_meta.TransferSyntaxUID = syntax
    if syntax.endswith("1.2.2"):
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
    little, implicit = not syntax.endswith("1.2.2"), syntax.endswith("8.1.2")
    dcmwrite(tmp_path / "a.dcm", dataset, little_endian=little, implicit_vr=implicit, force_encoding=True)
    if not preamble:
        (tmp_path / "a.dcm").write_bytes((tmp_path / "a.dcm").read_bytes()[132:])
    assert np.array_equal(read_volume(tmp_path / "a.dcm").array, volume.array)


def shifted(axis: int, by: object) -> np.ndarray:
    positions = frame_positions(asymmetric_volume(STRAIGHT))
    positions[:, axis] += by
    return positions


TWICE = [*range(7), *range(7)]
REFUSED = {
    "missing frames": ({"order": [0, 1, 2, 5, 6]}, r"Slices are missing .*2 slices between -25.0 and -17.5 mm"),
    "magnitude and phase": (
        {"order": TWICE, "frame_types": ["M"] * 7 + ["P"] * 7},
        r"same position: 2 volumes. They differ in frame type \(.*M.*, .*P.*\).*export the one volume",
    ),
    "two echoes": (
        {"order": TWICE, "echo_times": [10.0] * 7 + [24.5] * 7},
        r"2 volumes. They differ in echo time \(10, 24.5\)",
    ),
    "two volumes that nothing tells apart": ({"order": TWICE}, "2 volumes. A scan over time, several echoes"),
    "a frame twice": ({"order": [*range(7), 3]}, "more images than places"),
    "two stacks": (
        {"stacks": list("aaaabbb"), "positions": shifted(2, [0, 0, 0, 0, 40, 40, 40])},
        r"holds 2 stacks \(a and b\)",
    ),
    "tilt": ({"positions": shifted(1, 0.4 * np.arange(7))}, "gantry tilt"),
    "uneven spacing": ({"positions": shifted(2, [0, 0, 0, 0.5, 0, 0, 0])}, r"unevenly spaced \(2.00 to 3.00 mm\)"),
    "turned frames": ({"turned": [2, 3]}, "differ in direction"),
    "no pixel size": ({"SharedFunctionalGroupsSequence": []}, "does not say where its slices lie"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_single_even_stack_is_refused_by_reading_and_export(tmp_path, kind):
    options, sentence = REFUSED[kind]
    path = write_enhanced(tmp_path / "a.dcm", asymmetric_volume(STRAIGHT), **options)
    for opened in (read_volume, lambda p: open_series([p])):
        with pytest.raises(InputError, match=sentence):
            opened(path)


def test_another_number_of_frames_than_described_is_damage(tmp_path):
    path = write_enhanced(tmp_path / "a.dcm", asymmetric_volume(STRAIGHT))
    dataset = dcmread(path)
    dataset.PerFrameFunctionalGroupsSequence = dataset.PerFrameFunctionalGroupsSequence[:-1]
    dataset.save_as(path)
    with pytest.raises(InputError, match="damaged or incomplete"):
        read_volume(path)


def test_frames_without_a_word_of_their_place_are_refused(tmp_path):
    path = write_enhanced(tmp_path / "a.dcm", asymmetric_volume(STRAIGHT))
    dataset = dcmread(path)
    del dataset.PerFrameFunctionalGroupsSequence
    dataset.save_as(path)
    with pytest.raises(InputError, match="holds 7 images but does not say where each lies"):
        read_volume(path)


def test_a_single_frame_is_one_slice(tmp_path: Path) -> None:
    volume = asymmetric_volume(Grid((1, 9, 11), (0.9, 0.8, 2.5), (1.0, 2.0, 3.0)))
    read = read_volume(write_enhanced(tmp_path / "a.dcm", volume))
    assert read.grid.matches(volume.grid)
    assert np.array_equal(read.array, volume.array)


def test_export_puts_slices_back_at_the_frames(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    series = open_series([write_enhanced(tmp_path / "a.dcm", volume, SHUFFLED)])
    assert np.array_equal(series.arrange(volume), volume.array[SHUFFLED])
