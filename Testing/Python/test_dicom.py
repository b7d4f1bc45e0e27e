"""A DICOM series is sorted by place, and what is not one whole series is named."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.testing import assert_allclose
from phantoms import asymmetric_volume, tilted_grid, write_dicom_series
from pydicom import Dataset, FileMetaDataset, dcmread
from pydicom.uid import ExplicitVRLittleEndian
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.safe_names import plain_text
from SUREUncertaintyLib.core.volume import Grid
from SUREUncertaintyLib.files.dicom_charset import decode_text
from SUREUncertaintyLib.files.reading import read_volume

SHUFFLED = ["z.dcm", "IM 7", "a.dcm", "é.dcm", "m.dcm", "IM2", "0.dcm"]
ABC = [f"{k}.dcm" for k in range(10)]
STRAIGHT = Grid((7, 9, 11), (0.9, 0.9, 2.5), (-10.0, 20.0, -30.0))


@pytest.mark.parametrize("grid", [STRAIGHT, tilted_grid((7, 9, 11))], ids=["straight", "oblique"])
def test_a_folder_with_shuffled_names_is_sorted_by_position(tmp_path, grid):
    volume = asymmetric_volume(grid)
    write_dicom_series(tmp_path / "Série 1", volume, SHUFFLED)
    read = read_volume(tmp_path / "Série 1")
    assert np.array_equal(read.array, volume.array)
    assert_allclose(read.grid.ijk_to_ras, grid.ijk_to_ras, atol=1e-5)
    assert (read.name, read.modality) == ("T1 axial", "MR")
    assert read.array.dtype == np.int16


def test_any_file_of_the_series_gives_the_whole_series(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    for path in write_dicom_series(tmp_path, volume, SHUFFLED):
        assert np.array_equal(read_volume(path).array, volume.array)


def test_other_files_in_the_folder_do_no_harm(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path, volume, SHUFFLED)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    read = read_volume(tmp_path)
    assert np.array_equal(read.array, volume.array)
    assert read.remarks == ()


def write_object(path: Path, storage: str, modality: str = "OT", **values: object) -> Path:
    """A DICOM object of another kind than a scan."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = storage, "1.2.3", modality
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)
    return path


ROOT = "1.2.840.10008.5.1.4.1.1"
OBJECTS = {
    f"{ROOT}.88.11": "report",
    f"{ROOT}.88.59": "key object selection",
    f"{ROOT}.9.1.1": "waveform such as an ECG",
    f"{ROOT}.66": "raw data",
    f"{ROOT}.66.4": "segmentation",
    f"{ROOT}.30": "parametric map",
    f"{ROOT}.104.1": "document",
    f"{ROOT}.481.3": "radiotherapy structures",
    f"{ROOT}.481.5": "radiotherapy object",
    "1.3.12.2.1107.5.9.1": "object without an image",
    "1.2.840.10008.1.3.10": "directory of the medium",
}


@pytest.mark.parametrize("storage", OBJECTS)
def test_objects_that_are_no_scans_are_skipped_and_named(tmp_path, storage):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path / "study", volume, SHUFFLED)
    path = write_object(tmp_path / "study" / "99.dcm", storage)
    read = read_volume(tmp_path / "study")
    assert np.array_equal(read.array, volume.array)
    assert len(read.remarks) == 1
    assert f"no scans: {OBJECTS[storage]} (99.dcm)" in read.remarks[0]
    with pytest.raises(InputError, match=rf"99.dcm holds no scan \({OBJECTS[storage]}"):
        read_volume(path)


def test_our_own_exported_maps_beside_the_scan_are_skipped(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path, volume, SHUFFLED)
    pixels = np.ones((2, 2), "<f4").tobytes()
    write_object(tmp_path / "map.dcm", f"{ROOT}.30", "MR", FloatPixelData=pixels, Rows=2, Columns=2)
    write_object(tmp_path / "seg.dcm", f"{ROOT}.66.4", "SEG", PixelData=b"\1\0", Rows=2, Columns=2, BitsAllocated=1)
    read = read_volume(tmp_path)
    assert np.array_equal(read.array, volume.array)
    assert "parametric map, segmentation (map.dcm, seg.dcm)" in read.remarks[0]


def test_a_medium_with_its_directory_is_read_from_the_folders_below(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path / "PT0" / "ST0" / "SE0", volume, [f"IM{k}" for k in range(7)])
    directory = write_object(tmp_path / "DICOMDIR", "1.2.840.10008.1.3.10")
    for chosen in (tmp_path, directory, tmp_path / "PT0"):
        assert np.array_equal(read_volume(chosen).array, volume.array)
    write_dicom_series(tmp_path / "PT0" / "ST0" / "SE1", volume, ["a", "b"], "2", "scout", number=9)
    with pytest.raises(InputError, match=r"'T1 axial' \(7 images\) in PT0/ST0/SE0 and 9 'scout' .* in PT0/ST0/SE1"):
        read_volume(tmp_path)


def test_files_without_preamble_or_suffix_are_found(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    for n, path in enumerate(write_dicom_series(tmp_path, volume, [f"IM{k}" for k in range(7)])):
        if n % 2:
            path.write_bytes(path.read_bytes()[132:])
    assert np.array_equal(read_volume(tmp_path).array, volume.array)


def without(path: Path, *keywords: str) -> None:
    dataset = dcmread(path)
    for keyword in keywords:
        delattr(dataset, keyword)
    dataset.save_as(path)


@pytest.mark.parametrize(
    ("keyword", "sentence"),
    [
        ("PixelSpacing", r"does not say how large its pixels are \(PixelSpacing\)"),
        ("ImageOrientationPatient", "does not say where its slices lie"),
        ("ImagePositionPatient", "does not say where its slices lie"),
    ],
)
def test_a_series_that_does_not_say_how_it_lies_is_refused(tmp_path, keyword, sentence):
    paths = write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED)
    without(paths[3], keyword)
    with pytest.raises(InputError, match=sentence):
        read_volume(tmp_path)


@pytest.mark.parametrize(
    ("tag", "value", "sentence"),
    [
        (0x00281053, "0", "scales its values by numbers that cannot be right"),
        (0x00281053, "x", "scales its values by numbers that cannot be right|damaged"),
        (0x00281052, "1e10", "scales its values by numbers that cannot be right"),
        (0x00280011, 10, r"has 198 bytes of voxels, but 180 by its header"),
        (0x00280010, 12, r"has 198 bytes of voxels, but 264 by its header"),
        (0x00280002, 3, "is in colour|bytes of voxels|damaged"),
    ],
)
def test_a_header_that_does_not_fit_the_voxels_is_refused(tmp_path, tag, value, sentence):
    for path in write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED):
        dataset = dcmread(path)
        if value == "x":
            dataset.add_new(tag, "LO", value)
        elif tag == 0x00281053:
            dataset.add_new(tag, "DS", value)
        else:
            dataset[tag].value = value
        dataset.save_as(path)
    with pytest.raises(InputError, match=sentence):
        read_volume(tmp_path)


def test_elements_before_the_voxels_in_their_group_are_none(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    for path in write_dicom_series(tmp_path, volume, SHUFFLED):
        data = path.read_bytes()
        at = data.index(b"\xe0\x7f\x10\x00")
        path.write_bytes(data[:at] + b"\xe0\x7f\x00\x00\x04\x00\x00\x00\xc6\x00\x00\x00" + data[at:])
    assert np.array_equal(read_volume(tmp_path).array, volume.array)


def test_a_single_slice_without_its_place_or_thickness_says_so(tmp_path):
    volume = asymmetric_volume(Grid((1, 9, 11), (0.9, 0.9, 2.5)))
    path = write_dicom_series(tmp_path, volume, ["only.dcm"])[0]
    assert (read_volume(path).placed, read_volume(path).remarks) == (True, ())
    without(path, "ImagePositionPatient", "ImageOrientationPatient", "SliceThickness", "SpacingBetweenSlices")
    read = read_volume(path)
    assert not read.placed
    assert "how thick its slice is" in read.remarks[0]
    assert read.grid.spacing[:2] == (0.9, 0.9)


@pytest.mark.parametrize(
    ("character_set", "raw", "text"),
    [
        ("ISO_IR 100", "Schädel größe".encode("latin-1"), "Schädel größe"),
        ("ISO_IR 192", "Cabeça".encode(), "Cabeça"),
        ("", "Schädel".encode("latin-1"), "Schädel"),
        ("", "Schädel".encode(), "Schädel"),
        ("\\ISO 2022 IR 87", b"\x1b$BF,It\x1b(B T1", "頭部 T1"),
        ("\\ISO 2022 IR 149", b"\x1b$)C\xc8\xab^\xb1\xe6\xb5\xbf", "홍^길동"),
        ("ISO_IR 144", "Голова".encode("iso8859-5"), "Голова"),
        ("GB18030", "头部".encode("gb18030"), "头部"),
        ("ISO_IR 13", b"\xd4\xcf\xc0\xde", "ﾔﾏﾀﾞ"),
        ("no such set", b"plain", "plain"),
        ("", b"a\x1b\x00\x07\nb\xe2\x80\xa8c", "a b c"),
    ],
)
def test_texts_are_decoded_by_their_character_set(character_set, raw, text):
    assert plain_text(decode_text(raw, character_set.split("\\"))) == text


def test_a_description_in_another_alphabet_names_the_scan(tmp_path):
    for path in write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED):
        dataset = dcmread(path)
        dataset.SpecificCharacterSet, dataset.SeriesDescription = ["", "ISO 2022 IR 87"], "頭部 & T1"
        dataset.save_as(path)
    assert read_volume(tmp_path).name == "頭部 & T1"


def test_slope_and_intercept_are_applied(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path, volume, SHUFFLED, modality="CT", rescale=(1, -1024))
    read = read_volume(tmp_path)
    raw = sitk.ImageFileReader()
    raw.SetFileName(str(tmp_path / SHUFFLED[0]))
    raw.ReadImageInformation()
    assert raw.GetMetaData("0028|1052").strip() == "-1024"
    assert read.array.dtype.kind == "i"
    assert np.array_equal(read.array, volume.array)


def test_two_series_in_a_folder_are_named_and_one_file_chooses(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    other = volume.with_array(volume.array[:, ::-1] + 7)
    write_dicom_series(tmp_path, volume, SHUFFLED, "1", "T1 axial", number=3)
    second = write_dicom_series(tmp_path, other, [f"t2-{k}" for k in range(7)], "2", "T2 flair", number=12)
    with pytest.raises(InputError) as caught:
        read_volume(tmp_path)
    text = str(caught.value)
    assert "holds 2 series: 3 'T1 axial' (7 images) and 12 'T2 flair' (7 images)" in text
    assert "one of its files" in text
    assert np.array_equal(read_volume(second[4]).array, other.array)


@pytest.mark.parametrize(
    ("skip", "sentence"),
    [
        ((3,), "1 slice between -25.0 and -20.0 mm"),
        ((2, 3), "2 slices between -27.5 and -20.0 mm"),
        ((1, 4), r"1 slice between -30.0 and -25.0 mm and 1 slice between -22.5 and -17.5 mm"),
    ],
)
def test_missing_slices_are_named_by_position(tmp_path, skip, sentence):
    write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED, skip=skip)
    with pytest.raises(InputError, match=rf"Slices are missing in the DICOM series 3 'T1 axial'.*{sentence}"):
        read_volume(tmp_path)


def test_uneven_spacing_is_refused(tmp_path):
    shift = [0, 0, 0, 0.5, 0, 0, 0]
    write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED, shift_mm=shift)
    with pytest.raises(InputError, match=r"unevenly spaced \(2.00 to 3.00 mm\)"):
        read_volume(tmp_path)


def test_rounded_positions_are_accepted(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path, volume, SHUFFLED, shift_mm=np.random.default_rng(2).uniform(-0.02, 0.02, 7))
    assert np.array_equal(read_volume(tmp_path).array, volume.array)


def test_two_images_at_each_position_are_a_scan_over_time(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    write_dicom_series(tmp_path, volume, SHUFFLED)
    write_dicom_series(tmp_path, volume, [f"second-{name}" for name in SHUFFLED], echo=1)
    with pytest.raises(InputError, match="several images at the same position"):
        read_volume(tmp_path)


def test_a_localizer_in_the_series_is_refused(tmp_path):
    write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED)
    write_dicom_series(tmp_path, asymmetric_volume(tilted_grid((1, 9, 11), (0.9, 0.9, 2.5))), ["scout"], echo=1)
    with pytest.raises(InputError, match="differ in direction, size or pixel spacing"):
        read_volume(tmp_path)


def test_a_tilted_gantry_is_refused(tmp_path):
    for k in range(7):
        part = asymmetric_volume(Grid((7, 9, 11), (0.9, 0.9, 2.5), (0.0, 0.4 * k, 0.0)))
        write_dicom_series(tmp_path, part, SHUFFLED, skip=[n for n in range(7) if n != k])
    with pytest.raises(InputError, match="gantry tilt"):
        read_volume(tmp_path)


def test_a_truncated_slice_is_named(tmp_path):
    paths = write_dicom_series(tmp_path, asymmetric_volume(STRAIGHT), SHUFFLED)
    data = paths[2].read_bytes()
    for keep in (len(data) - 60, 200):
        paths[2].write_bytes(data[:keep])
        for chosen in (tmp_path, paths[5]):
            with pytest.raises(InputError, match=r"a\.dcm is damaged or incomplete"):
                read_volume(chosen)


def test_a_single_slice_is_one_slice_with_its_thickness(tmp_path):
    volume = asymmetric_volume(Grid((1, 9, 11), (0.9, 0.9, 2.5)))
    path = write_dicom_series(tmp_path, volume, ["only.dcm"])[0]
    read = read_volume(path)
    assert read.grid.shape == (1, 9, 11)
    assert read.grid.spacing == (0.9, 0.9, 2.5)
    assert np.array_equal(read.array, volume.array)


def test_a_change_of_spacing_is_called_that(tmp_path):
    shift = [0.0] * 5 + [3.5 * n for n in range(1, 6)]
    write_dicom_series(tmp_path, asymmetric_volume(Grid((10, 9, 11), (0.9, 0.9, 3.5))), ABC, shift_mm=shift)
    sentence = r"changes its slice spacing: 3.50 mm from 0.0 to 14.0 mm and 7.00 mm from 14.0 to 49.0 mm"
    with pytest.raises(InputError, match=sentence):
        read_volume(tmp_path)


@pytest.mark.parametrize("step", [0.9375, 1.25, 0.72, 3.3])
def test_positions_rounded_to_a_tenth_of_a_millimetre_pass(tmp_path, step):
    volume = asymmetric_volume(Grid((10, 9, 11), (0.9, 0.9, step), (-10.0, 20.0, -30.0)))
    exact = -30 + step * np.arange(10)
    write_dicom_series(tmp_path, volume, ABC, shift_mm=np.round(exact, 1) - exact)
    read = read_volume(tmp_path)
    assert np.array_equal(read.array, volume.array)
    assert read.grid.spacing[2] == pytest.approx(step, abs=0.02)


@pytest.mark.data
def test_a_real_oblique_series_has_its_slices_in_anatomical_order(data_root):
    folder = next((data_root / "sunnybrook_lv").glob("dicom_*"))
    volume = read_volume(folder)
    assert volume.grid.shape == (9, 256, 256)
    assert volume.grid.spacing[2] == pytest.approx(10.0, abs=1e-3)
    for path in sorted(folder.iterdir()):
        image = sitk.ReadImage(str(path))
        ijk = np.linalg.solve(volume.grid.ijk_to_lps, [*image.GetOrigin(), 1])
        assert_allclose(ijk[:3], [0, 0, round(ijk[2])], atol=2e-3)
        assert np.array_equal(volume.array[round(ijk[2])], sitk.GetArrayViewFromImage(image)[0])


@pytest.mark.data
def test_a_real_ct_whose_names_run_against_its_positions_is_sorted(data_root):
    folder = data_root / "ood_io" / "dcmqi_dicom_seg" / "ct-3slice"
    volume = read_volume(folder / "01.dcm")
    assert volume.modality == "CT"
    assert volume.grid.origin[2] == pytest.approx(-128.69, abs=1e-3)
    last = sitk.ReadImage(str(folder / "01.dcm"))
    assert np.array_equal(volume.array[2], sitk.GetArrayViewFromImage(last)[0])
    assert -150 < np.median(volume.array[volume.array > -500]) < 150  # soft tissue in HU


@pytest.mark.data
def test_a_real_multiframe_file_equals_its_single_slices(data_root):
    folder = data_root / "ood_io" / "dcmqi_dicom_seg" / "24x38x3"
    slices, frames = read_volume(folder / "image"), read_volume(folder / "multiframe" / "mf.dcm")
    assert frames.grid.matches(slices.grid)
    assert np.array_equal(frames.array, slices.array)


@pytest.mark.data
def test_a_real_dicom_segmentation_is_no_scan(data_root):
    with pytest.raises(InputError, match=r"holds no scan \(segmentation, SEG\)"):
        read_volume(data_root / "ood_io" / "dcmqi_dicom_seg" / "liver.dcm")


def set_slope(path: Path, slope: str) -> None:
    """Replace the rescale slope in a file, which SimpleITK's writer only takes as a whole number."""
    data = path.read_bytes()
    tag = b"\x28\x00\x53\x10"
    start = data.index(tag) + len(tag)
    length = int.from_bytes(data[start : start + 4], "little")
    value = slope.encode().ljust(len(slope) + len(slope) % 2)
    path.write_bytes(data[:start] + len(value).to_bytes(4, "little") + value + data[start + 4 + length :])


def test_slices_scaled_each_in_their_own_way_keep_their_values(tmp_path):
    volume = asymmetric_volume(STRAIGHT)
    slopes = [1, 0.25, 0.5, 1.75, 1, 0.125, 2]
    paths = write_dicom_series(tmp_path, volume, SHUFFLED, modality="CT", rescale=(1, -8))
    for path, slope in zip(paths, slopes, strict=True):
        set_slope(path, str(slope))
    read = read_volume(tmp_path)
    assert read.array.dtype == np.float32
    assert_allclose(read.array, (volume.array + 8.0) * np.reshape(slopes, (7, 1, 1)) - 8, atol=1e-4)
