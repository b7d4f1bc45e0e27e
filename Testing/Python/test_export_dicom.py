"""DICOM objects of a result, read back with pydicom, highdicom and our own reader."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from phantoms import SERIES, asymmetric_volume, tilted_grid, write_dicom_series
from results import corner_labels, result_on, write_result_folder
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.export.dicom_reading import read_dicom_map, read_dicom_segments
from SUREUncertaintyLib.export.export_result import ExportJob, export_result
from SUREUncertaintyLib.export.formats import ExportFormat
from SUREUncertaintyLib.files.reading import read_labels, read_volume

pydicom = pytest.importorskip("pydicom", reason="pydicom is not installed: pip install '.[export]'")
highdicom = pytest.importorskip("highdicom", reason="highdicom is not installed: pip install '.[export]'")

BOTH = (ExportFormat.DICOM_SEG, ExportFormat.DICOM_MAP)
NAMES = ["z.dcm", "IM 7", "a.dcm", "m.dcm", "IM2", "0.dcm"]
STRAIGHT = Grid((6, 9, 11), (0.9, 0.8, 2.5), (-10.0, 20.0, -30.0))
OBLIQUE = tilted_grid((6, 9, 11))


class Case:
    """A series, its result and the folder that the export goes to."""

    def __init__(self, folder: Path, grid: Grid, labels: Any = None) -> None:
        self.series, self.output = folder / "série", folder / "out"
        self.files = write_dicom_series(self.series, asymmetric_volume(grid), NAMES)
        self.scan = read_volume(self.series)
        self.result = result_on(self.scan, labels)
        self.folder = write_result_folder(self.result, folder / "result")

    def export(self, source: Path | None = None, formats: tuple[ExportFormat, ...] = BOTH) -> tuple[str, ...]:
        chosen = self.series if source is None else source
        return export_result(ExportJob(self.folder, self.output, formats, (chosen,)))

    def object(self, name: str) -> Any:
        return pydicom.dcmread(self.output / name)


@pytest.fixture(params=[STRAIGHT, OBLIQUE], ids=["straight", "oblique"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    return Case(tmp_path, request.param)


def test_voxels_and_places_come_back(case: Case) -> None:
    notes = case.export()
    segments, uncertainty = read_dicom_segments(case.output / "segmentation.dcm"), None
    for number, (value, name) in enumerate([(5, "left blob"), (12, "right blob")], 1):
        mask = segments.masks[number]
        assert segments.names[number] == name
        assert_same(mask, case.scan.with_array(case.result.labels.array == value))
    assert notes == ("Left out of the DICOM segmentation, because nothing of them was found: absent.",)
    for kind, volume in (("vacuity", case.result.uncertainty), ("entropy", case.result.entropy)):
        uncertainty = read_dicom_map(case.output / f"uncertainty-{kind}.dcm")
        assert uncertainty.grid.matches(case.scan.grid, 1e-4)
        assert np.array_equal(uncertainty.array, volume.array)


def test_what_was_not_analysed_is_padding_in_a_map(case: Case) -> None:
    uncertainty = np.array(case.result.uncertainty.array)
    uncertainty[2:4, :, 3:] = np.nan
    result = replace(case.result, uncertainty=case.result.uncertainty.with_array(uncertainty))
    case.folder = write_result_folder(result, case.output.parent / "boxed")
    case.export()
    stored = read_dicom_map(case.output / "uncertainty-vacuity.dcm").array
    assert case.object("uncertainty-vacuity.dcm").FloatPixelPaddingValue == -1.0
    assert np.array_equal(stored == -1.0, np.isnan(uncertainty))
    assert np.array_equal(stored[np.isfinite(uncertainty)], uncertainty[np.isfinite(uncertainty)])


def assert_same(mask: Volume, expected: Volume) -> None:
    """Empty slices at the ends are not stored: compare every voxel by its place in the patient."""
    step = np.linalg.inv(expected.grid.ijk_to_lps) @ mask.grid.ijk_to_lps
    assert np.allclose(step[:3, :3], np.eye(3), atol=1e-4)
    first = round(float(step[2, 3]))
    assert np.allclose(step[:3, 3], [0, 0, first], atol=1e-3)
    found = np.zeros(expected.grid.shape, bool)
    found[first : first + mask.grid.shape[0]] = mask.array
    assert np.array_equal(found, expected.array)


def test_highdicom_finds_each_mask_by_the_image_that_it_lies_on(case: Case) -> None:
    case.export()
    uids = [str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in case.files]
    made = highdicom.seg.segread(case.output / "segmentation.dcm")
    frames = made.get_pixels_by_source_instance(
        uids, ignore_spatial_locations=True, assert_missing_frames_are_empty=True
    )
    assert np.array_equal(frames[..., 0] != 0, case.result.labels.array == 5)
    assert np.array_equal(frames[..., 1] != 0, case.result.labels.array == 12)
    uncertainty = highdicom.imread(case.output / "uncertainty-vacuity.dcm").get_volume(apply_real_world_transform=True)
    found = np.linalg.inv(case.scan.grid.ijk_to_lps) @ uncertainty.affine @ (0, 0, 0, 1)
    stored = uncertainty.array if abs(found[2]) < 0.1 else uncertainty.array[::-1]
    assert np.allclose(stored, case.result.uncertainty.array, atol=1e-7)


def test_segments_carry_terminology_algorithm_colour_and_tracking(case: Case) -> None:
    case.export()
    first, second = case.object("segmentation.dcm").SegmentSequence
    kind = first.SegmentedPropertyTypeCodeSequence[0]
    assert code(first.SegmentedPropertyCategoryCodeSequence[0]) == ("123037004", "SCT", "Anatomical Structure")
    assert code(kind) == ("10200004", "SCT", "Liver")
    assert code(kind.SegmentedPropertyTypeModifierCodeSequence[0]) == ("7771000", "SCT", "Left")
    assert code(second.SegmentedPropertyTypeCodeSequence[0]) == ("85756007", "SCT", "Tissue")
    assert (first.SegmentAlgorithmType, first.SegmentAlgorithmName) == ("AUTOMATIC", "tiny")
    named = first.SegmentationAlgorithmIdentificationSequence[0]
    assert (named.AlgorithmName, named.AlgorithmVersion) == ("tiny", "1")
    assert "0" * 64 in named.AlgorithmParameters
    assert first.TrackingUID != second.TrackingUID
    assert first.TrackingID == "tiny: left blob"
    lightness, red, _ = first.RecommendedDisplayCIELabValue
    assert red > 128 * 257
    assert 0 < lightness < 65535


def code(item: Any) -> tuple[str, str, str]:
    return str(item.CodeValue), str(item.CodingSchemeDesignator), str(item.CodeMeaning)


def test_maps_say_what_a_value_means(case: Case) -> None:
    case.export()
    made = case.object("uncertainty-vacuity.dcm")
    mapping = made.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (1.0, 0.0)
    assert code(mapping.MeasurementUnitsCodeSequence[0]) == ("1", "UCUM", "no units")
    quantity = mapping.QuantityDefinitionSequence[0]
    assert code(quantity.ConceptNameCodeSequence[0])[:2] == ("246205007", "SCT")
    assert code(quantity.ConceptCodeSequence[0]) == ("VACUITY", "99SURE", "Vacuity: lack of evidence, C/S")
    assert made.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == "99SURE"
    assert (made.ContentQualification, made.file_meta.MediaStorageSOPClassUID) == (
        "RESEARCH",
        "1.2.840.10008.5.1.4.1.1.30",
    )


def test_objects_belong_to_the_study_and_refer_to_every_image(case: Case) -> None:
    case.export()
    source = [pydicom.dcmread(path, stop_before_pixels=True) for path in case.files]
    series = set()
    for name in ("segmentation.dcm", "uncertainty-vacuity.dcm", "uncertainty-entropy.dcm"):
        made = case.object(name)
        series.add(made.SeriesInstanceUID)
        assert made.StudyInstanceUID == f"{SERIES}.9"
        assert made.FrameOfReferenceUID == f"{SERIES}.8"
        named = made.ReferencedSeriesSequence[0]
        assert named.SeriesInstanceUID == source[0].SeriesInstanceUID
        listed = {item.ReferencedSOPInstanceUID for item in named.ReferencedInstanceSequence}
        assert listed == {item.SOPInstanceUID for item in source}
    assert len(series) == 3
    place = {str(item.SOPInstanceUID): np.array(item.ImagePositionPatient, float) for item in source}
    for frame in made.PerFrameFunctionalGroupsSequence:
        uid = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        assert np.allclose(place[str(uid)], frame.PlanePositionSequence[0].ImagePositionPatient, atol=1e-4)


def test_nothing_found_another_scan_and_no_dicom_are_refused_in_a_sentence(tmp_path: Path) -> None:
    empty = Case(tmp_path / "empty", STRAIGHT, np.zeros(STRAIGHT.shape, np.uint8))
    with pytest.raises(InputError, match=r"Nothing was segmented.*use NRRD or NIfTI"):
        empty.export()
    case = Case(tmp_path / "full", STRAIGHT)
    other = tmp_path / "other"
    write_dicom_series(other, case.scan.with_array(case.scan.array + 1), NAMES)
    with pytest.raises(InputError, match="other grey values: another series, or another patient"):
        case.export(other)
    smaller = tmp_path / "smaller"
    write_dicom_series(smaller, asymmetric_volume(Grid((6, 9, 10), (0.9, 0.8, 2.5), (-10.0, 20.0, -30.0))), NAMES)
    with pytest.raises(InputError, match=r"11 x 9 x 6 voxels against 10 x 9 x 6 voxels.*NRRD or NIfTI"):
        case.export(smaller)
    uneven = tmp_path / "uneven"
    write_dicom_series(uneven, case.scan, NAMES, shift_mm=[0, 0, 0, 0.5, 0, 0])
    with pytest.raises(InputError, match="unevenly spaced"):
        case.export(uneven)
    with pytest.raises(InputError, match=r"is no DICOM file.*NRRD or NIfTI"):
        case.export(case.folder / "report.json")
    assert not case.output.exists()
    assert not empty.output.exists()


def test_the_same_voxels_in_another_order_are_the_same_scan(tmp_path: Path) -> None:
    case = Case(tmp_path, OBLIQUE)
    flipped = flip_slices(case.scan)
    turned = result_on(flipped, corner_labels(OBLIQUE.shape)[::-1].copy())
    folder = write_result_folder(turned, tmp_path / "turned")
    export_result(ExportJob(folder, case.output, (ExportFormat.DICOM_SEG,), tuple(case.files)))
    mask = read_dicom_segments(case.output / "segmentation.dcm").masks[1]
    assert_same(mask, case.scan.with_array(corner_labels(OBLIQUE.shape) == 5))


def flip_slices(volume: Volume) -> Volume:
    """The same voxels at the same places, slices stored from the other end."""
    k = volume.grid.shape[0]
    direction = np.reshape(volume.grid.direction, (3, 3)) * (1, 1, -1)
    origin = (volume.grid.ijk_to_lps @ (0, 0, k - 1, 1))[:3]
    grid = Grid(volume.grid.shape, volume.grid.spacing, tuple(origin.tolist()), tuple(direction.ravel().tolist()))
    return Volume(volume.array[::-1], grid, volume.name)


def test_headers_with_missing_or_impossible_values_are_no_obstacle(tmp_path: Path) -> None:
    case = Case(tmp_path, STRAIGHT)
    for path in case.files:
        change(
            path,
            PatientBirthDate="00000000",
            StudyTime="99",
            PatientName=None,
            SpecificCharacterSet="",
            SliceThickness=None,
        )
    case.export()
    assert case.object("segmentation.dcm").PatientBirthDate == ""
    change(case.files[0], FrameOfReferenceUID="1.2.3")
    case.output = tmp_path / "second"
    with pytest.raises(InputError, match="frame of reference of its own"):
        case.export()


def change(path: Path, **values: Any) -> None:
    dataset = pydicom.dcmread(path)
    for key, value in values.items():
        if value is None:
            dataset.pop(key, None)
        else:
            setattr(dataset, key, value)
    dataset.save_as(path)


@pytest.mark.data
@pytest.mark.parametrize("source", ["ct-3slice", "24x38x3/image", "24x38x3/multiframe/mf.dcm"])
def test_real_series_and_a_real_multiframe_file(data_root: Path, tmp_path: Path, source: str) -> None:
    path = data_root / "ood_io" / "dcmqi_dicom_seg" / source
    scan = read_volume(path)
    result = result_on(scan)
    folder = write_result_folder(result, tmp_path / "result")
    export_result(ExportJob(folder, tmp_path / "out", BOTH, (path,)))
    segments = read_dicom_segments(tmp_path / "out" / "segmentation.dcm")
    assert_same(segments.masks[1], scan.with_array(result.labels.array == 5))
    assert np.array_equal(read_dicom_map(tmp_path / "out" / "uncertainty-vacuity.dcm").array, result.uncertainty.array)


@pytest.mark.data
def test_a_real_segmentation_has_no_attribute_that_ours_lacks(data_root: Path, tmp_path: Path) -> None:
    folder = data_root / "ood_io" / "dcmqi_dicom_seg"
    real = pydicom.dcmread(folder / "liver.dcm", stop_before_pixels=True)
    result = result_on(read_volume(folder / "ct-3slice"))
    export_result(
        ExportJob(write_result_folder(result, tmp_path / "r"), tmp_path / "o", BOTH[:1], (folder / "ct-3slice",))
    )
    ours = pydicom.dcmread(tmp_path / "o" / "segmentation.dcm", stop_before_pixels=True)
    trial = {name for name in real.dir() if name.startswith("ClinicalTrial")}
    assert set(real.dir()) - trial <= set(ours.dir())
    assert set(real.SegmentSequence[0].dir()) <= set(ours.SegmentSequence[0].dir())
    assert ours.StudyInstanceUID == real.StudyInstanceUID


@pytest.mark.data
def test_our_reader_reads_segmentations_of_others(data_root: Path) -> None:
    folder = data_root / "ood_io" / "dcmqi_dicom_seg"
    liver = read_dicom_segments(folder / "liver.dcm")
    drawn = read_labels(folder / "liver_seg.nrrd")
    assert_same(liver.masks[1], drawn.with_array(drawn.array != 0))
    overlapping = read_dicom_segments(folder / "partial_overlaps.dcm")
    assert list(overlapping.names.values()) == ["GREEN", "ORANGE", "PURPLE", "LIGHT_BLUE", "DARK_BLUE"]
    assert sum(int(mask.array.sum()) for mask in overlapping.masks.values()) > int(
        np.any([mask.array for mask in overlapping.masks.values()], axis=0).sum()
    ), "segments that overlap stay apart"


@pytest.mark.parametrize(
    ("sets", "name"),
    [("ISO_IR 100", "Müller^Jürgen"), (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"), ("ISO_IR 192", "Ünal^Ö")],
)
def test_a_patient_keeps_the_name_in_any_character_set(tmp_path: Path, sets: Any, name: str) -> None:
    case = Case(tmp_path, STRAIGHT)
    for path in case.files:
        dataset = pydicom.dcmread(path)
        dataset.SpecificCharacterSet, dataset.PatientName = sets, name
        dataset.save_as(path)
    case.export()
    for file in ("segmentation.dcm", "uncertainty-vacuity.dcm"):
        assert str(case.object(file).PatientName) == name


def test_our_objects_beside_the_scan_stand_in_nobodys_way(case: Case) -> None:
    case.export()
    for path in sorted(case.output.glob("*.dcm")):
        (case.series / path.name).write_bytes(path.read_bytes())
    again = read_volume(case.series)
    assert np.array_equal(again.array, case.scan.array)
    assert "parametric map, segmentation" in again.remarks[0].replace("2 x ", "")
    case.output = case.output.with_name("again")
    case.export()
    assert (case.output / "segmentation.dcm").is_file()
