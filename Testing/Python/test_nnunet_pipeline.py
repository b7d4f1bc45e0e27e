"""The steps of the engine for imported pipelines, one by one, against values that are known."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from phantoms import Turn, asymmetric_volume, tilted_grid
from skimage.transform import resize
from SUREUncertaintyLib.core.errors import InputError, PackageError
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.progress import never, silent
from SUREUncertaintyLib.inference.native.axes import ArrayAxes, axes_of
from SUREUncertaintyLib.inference.native.choice import (
    MemberChoice,
    choose_passes,
    cost_sentence,
    named_choice,
    offered_passes,
    parse_choice,
)
from SUREUncertaintyLib.inference.native.cropping import box_around, nonzero_mask
from SUREUncertaintyLib.inference.native.normalising import normalise_channel
from SUREUncertaintyLib.inference.native.reading import ClassReader, RegionReader
from SUREUncertaintyLib.inference.native.resampling import BackResampler, resample_image, resampled_shape, separate_axis
from SUREUncertaintyLib.inference.native.tiles import blend_tiles, even_starts, spread_tiles, tile_weight
from SUREUncertaintyLib.packages.metadata_fields import Fields
from SUREUncertaintyLib.packages.pipeline import (
    Channel,
    ChannelNormalisation,
    Member,
    Pipeline,
    Region,
    Resampling,
    to_document,
)
from SUREUncertaintyLib.packages.pipeline_parsing import parse_pipeline

PIPELINE = Pipeline(
    orientation="native",
    transpose=(2, 0, 1),
    crop="nonzero",
    spacing=(3.0, 1.0, 1.5),
    image=Resampling(3),
    logits=Resampling(1),
    step=0.5,
    mirror_axes=(0, 2),
    members=(
        Member("fold_0", "models/fold_0.onnx", "models/fold_0.safetensors"),
        Member("fold_3", "models/fold_3.onnx", "models/fold_3.safetensors"),
    ),
    channels=(
        Channel("CT", (ChannelNormalisation("ct", False, -100.0, 200.0, 40.0, 20.0),)),
        Channel("PET", (ChannelNormalisation("zscore", True),)),
    ),
    regions=(Region("whole", 1, 0), Region("core", 2, 1)),
)
LABELS = (Label(0, "background"), Label(1, "edema"), Label(2, "core"))


def test_windows_are_spread_evenly_as_nnunet_documents_it() -> None:
    assert even_starts(110, 64, 0.5) == (0, 23, 46)
    assert even_starts(64, 64, 0.5) == (0,)
    assert even_starts(65, 64, 0.5) == (0, 1)
    assert even_starts(200, 40, 0.8) == (0, 32, 64, 96, 128, 160)


def test_a_window_weighs_most_in_its_middle_voxel_and_nothing_nowhere() -> None:
    weight = tile_weight((8, 6, 10), False)
    assert np.unravel_index(weight.argmax(), weight.shape) == (4, 3, 5)
    assert weight.max() == 10.0
    assert weight.min() > 0
    assert weight[4, 3, 5 + 1] == pytest.approx(10 * np.exp(-0.5 * (1 / (10 / 8)) ** 2), rel=2e-3)  # float16
    assert np.array_equal(tile_weight((1, 6, 10), True)[0], tile_weight((1, 6, 10), True)[0])


@pytest.mark.parametrize(("shape", "patch"), [((9, 20, 7), (8, 8, 8)), ((5, 20, 7), (8, 10))])
def test_blending_a_network_that_repeats_its_input_repeats_the_image(
    shape: tuple[int, int, int], patch: tuple[int, ...]
) -> None:
    image = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    sizes: set[tuple[int, ...]] = set()

    def repeat(windows: np.ndarray) -> np.ndarray:
        sizes.add(windows.shape[2:])
        return np.concatenate([windows, -windows], axis=1)

    blended = blend_tiles(image, spread_tiles(shape, patch, 0.5), repeat, silent, never)
    assert sizes == {patch}
    assert np.allclose(blended, np.concatenate([image, -image]), atol=1e-5)


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_logits_come_back_as_scikit_image_resizes_planes_and_the_thick_axis_apart(axis: int | None) -> None:
    logits = np.random.default_rng(1).normal(size=(2, 7, 9, 11)).astype(np.float32)
    target = (13, 6, 17)
    back = BackResampler.covering((7, 9, 11), target, Resampling(1), axis)
    found = np.concatenate([back.slab(logits, low, min(low + 4, 13)) for low in range(0, 13, 4)], axis=1)
    for channel, expected in zip(logits, found, strict=True):
        assert np.allclose(_resized(channel, target, axis), expected, atol=1e-5)


def _resized(channel: np.ndarray, target: tuple[int, int, int], axis: int | None) -> np.ndarray:
    if axis is None:
        return resize(channel, target, 1, mode="edge", anti_aliasing=False)
    flat = [n for k, n in enumerate(target) if k != axis]
    planes = [resize(p, flat, 1, mode="edge", anti_aliasing=False) for p in np.moveaxis(channel, axis, 0)]
    nearest = [int((at + 0.5) * len(planes) / target[axis]) for at in range(target[axis])]
    return np.moveaxis(np.stack([planes[n] for n in nearest]), 0, axis)


def test_the_same_grid_is_not_resampled() -> None:
    logits = np.random.default_rng(1).normal(size=(1, 3, 4, 5)).astype(np.float32)
    assert np.array_equal(
        BackResampler.covering((3, 4, 5), (3, 4, 5), Resampling(1), 0).slab(logits, 1, 3), logits[:, 1:3]
    )
    assert np.array_equal(resample_image(logits[0], (3, 4, 5), Resampling(3), 0), logits[0])


def test_the_image_is_resampled_in_planes_by_splines_and_along_the_thick_axis_by_the_nearest() -> None:
    image = np.random.default_rng(2).normal(size=(4, 9, 11)).astype(np.float32)
    found = resample_image(image, (8, 12, 7), Resampling(3, 0), 0)
    planes = [resize(plane.astype(float), (12, 7), 3, mode="edge", anti_aliasing=False) for plane in image]
    assert np.allclose(found, np.repeat(np.stack(planes), 2, axis=0), atol=1e-5)


@pytest.mark.parametrize(
    ("current", "new", "separate", "expected"),
    [
        ((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), None, None),
        ((3.1, 1.0, 1.0), (1.0, 1.0, 1.0), None, 0),
        ((3.0, 1.0, 1.0), (1.0, 1.0, 1.0), None, None),
        ((1.0, 1.0, 1.0), (1.0, 1.0, 4.0), None, 2),
        ((0.2, 1.0, 1.0), (1.0, 1.0, 1.0), None, None),
        ((9.0, 1.0, 1.0), (1.0, 1.0, 1.0), False, None),
        ((1.0, 1.5, 1.0), (1.0, 1.0, 1.0), True, 1),
    ],
)
def test_which_axis_is_apart(
    current: tuple[float, float, float],
    new: tuple[float, float, float],
    separate: bool | None,
    expected: int | None,
) -> None:
    assert separate_axis(Resampling(3, 0, separate), current, new) == expected


def test_new_sizes_round_half_to_even() -> None:
    assert resampled_shape((5, 7, 10), (1.0, 1.0, 1.0), (2.0, 2.0, 1.0)) == (2, 4, 10)


def test_the_crop_holds_every_channel_and_fills_holes() -> None:
    image = np.zeros((2, 7, 8, 9), dtype=np.float32)
    image[0, 1:6, 1:6, 1:6] = 1.0
    image[0, 3, 3, 3] = 0.0
    image[1, 6, 7, 2] = -1.0
    mask = nonzero_mask(image)
    assert mask[3, 3, 3]
    assert box_around(mask) == (slice(1, 7), slice(1, 8), slice(1, 6))
    assert box_around(np.zeros((2, 3, 4), bool)) == (slice(0, 2), slice(0, 3), slice(0, 4))


def test_every_normalisation() -> None:
    image = np.array([[[0.0, 100.0, 300.0]]], dtype=np.float32)
    mask = image != 0

    def normalised(settings: ChannelNormalisation) -> list[float]:
        copy = image.copy()
        normalise_channel(copy, mask, (settings,), "x")
        return copy.ravel().tolist()

    assert normalised(ChannelNormalisation("none")) == [0.0, 100.0, 300.0]
    assert normalised(ChannelNormalisation("unit")) == pytest.approx([0.0, 1 / 3, 1.0])
    assert normalised(ChannelNormalisation("zscore", True)) == pytest.approx([0.0, -1.0, 1.0])
    whole = (image.ravel() - image.mean()) / image.std()
    assert normalised(ChannelNormalisation("zscore")) == pytest.approx(whole.tolist())
    assert normalised(ChannelNormalisation("ct", False, 50.0, 200.0, 100.0, 10.0)) == [-5.0, 0.0, 10.0]
    with pytest.raises(InputError, match="colour values from 0 to 255"):
        normalised(ChannelNormalisation("rgb"))


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flipped", list(product([False, True], repeat=3)))
def test_axes_go_there_and_back(order: tuple[int, int, int], flipped: tuple[bool, bool, bool]) -> None:
    stored = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    axes = ArrayAxes(order, flipped, (3, 4, 5))
    seen = axes.forward(stored)
    assert np.array_equal(axes.backward(seen), stored)
    shape = seen.shape[1:]
    box = (slice(0, shape[0] - 1), slice(1, shape[1]), slice(1, 2))
    assert np.array_equal(axes.backward(seen[(slice(None), *box)]), stored[(slice(None), *axes.where(box))])


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("flips", list(product([1, -1], repeat=3)))
def test_patient_axes_look_alike_however_the_scan_is_stored(
    axes: tuple[int, int, int], flips: tuple[int, int, int]
) -> None:
    straight = asymmetric_volume(tilted_grid(angles=(3.0, -4.0, 5.0)))
    turned = Turn(axes, flips).apply(straight)
    pipeline = replace(PIPELINE, orientation="RAS", transpose=(0, 1, 2))
    seen = [axes_of(volume.grid, pipeline).forward(volume.array) for volume in (straight, turned)]
    assert np.array_equal(seen[0], seen[1])
    spacings = [axes_of(volume.grid, pipeline).spacing(volume.grid.spacing_kji) for volume in (straight, turned)]
    assert spacings[0] == pytest.approx(spacings[1])


def test_regions_paint_in_their_order_and_make_a_distribution() -> None:
    reader = RegionReader(LABELS, (1, 2))
    logits = np.log(
        np.array([[0.8, 0.2, 0.9, 0.4], [0.4, 0.3, 0.6, 0.7]])
        / (1 - np.array([[0.8, 0.2, 0.9, 0.4], [0.4, 0.3, 0.6, 0.7]]))
    )
    probability = reader.probability(logits.astype(np.float32))
    assert reader.labels(logits.astype(np.float32)).tolist() == [1, 0, 2, 2]
    classes = reader.classes(probability)
    assert np.allclose(classes.sum(axis=0), 1.0)
    assert classes[:, 0].tolist() == pytest.approx([0.2 * 0.6, 0.8 * 0.6, 0.4])
    extreme = reader.probability(np.array([[-1e4], [1e4]], dtype=np.float32))
    assert extreme.ravel().tolist() == [0.0, 1.0]


def test_a_tie_of_classes_goes_to_the_first() -> None:
    assert ClassReader(LABELS).labels(np.zeros((3, 2), np.float32)).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("estimator", "choice", "names"),
    [
        ("softmax", MemberChoice(), ["fold_0"]),
        ("ensemble", MemberChoice(), ["fold_0", "fold_3"]),
        ("native", MemberChoice(("3",), False), ["fold_3"]),
        (
            "tta",
            MemberChoice(),
            ["fold_0", "fold_0, mirrored along 0", "fold_0, mirrored along 2", "fold_0, mirrored along 0, 2"],
        ),
    ],
)
def test_an_estimator_is_a_choice_of_passes(estimator: str, choice: MemberChoice, names: list[str]) -> None:
    assert [one.name for one in choose_passes(PIPELINE, estimator, choice)] == names


@pytest.mark.parametrize(
    ("folds", "axes", "offered"),
    [
        (2, (0, 2), {"all": (2, 4), "folds": (2, 1), "mirrors": (1, 4), "one": (1, 1)}),
        (2, (), {"all": (2, 1), "one": (1, 1)}),
        (1, (0,), {"all": (1, 2), "one": (1, 1)}),
        (1, (), {}),
    ],
)
def test_what_can_be_chosen_costs_what_it_says(
    folds: int, axes: tuple[int, ...], offered: dict[str, tuple[int, int]]
) -> None:
    pipeline = replace(PIPELINE, members=PIPELINE.members[:folds], mirror_axes=axes)
    assert offered_passes(pipeline) == offered
    for name, (count, copies) in offered.items():
        run = choose_passes(pipeline, "native", named_choice(name, pipeline))
        assert len(run) == count * copies
        assert len({one.member.name for one in run}) == count
    with pytest.raises(InputError, match="no passes 'some'"):
        named_choice("some", pipeline)
    assert offered_passes(None) == {}


def test_native_runs_everything_that_was_trained_for() -> None:
    assert len(choose_passes(PIPELINE, "native", MemberChoice())) == 2 * 4


@pytest.mark.parametrize(
    ("folds", "mirrors", "sentence"),
    [("7", None, "no fold '7'. It has: 0, 3"), (",", None, "names no fold"), (None, "some", "all .* or none")],
)
def test_a_wrong_choice_is_a_sentence(folds: str | None, mirrors: str | None, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        choose_passes(PIPELINE, "native", parse_choice(folds, mirrors))


def test_the_cost_is_named_with_a_way_to_pay_less() -> None:
    run = choose_passes(PIPELINE, "native", MemberChoice())
    assert cost_sentence(run) == (
        "8 passes a window: 2 folds, 4 mirrored copies each. Fewer with --mirrors none or --folds 0."
    )
    assert cost_sentence(run[:1]) == ""


def test_a_pipeline_is_read_as_it_was_written() -> None:
    assert parse_pipeline(Fields(to_document(PIPELINE)), (8, 8, 8)) == PIPELINE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tiles", "random"),
        ("blend_on", "probability"),
        ("blend", "maximum"),
        ("order", ["crop", "resample"]),
        ("crop", "body"),
        ("read_on", "masks"),
        ("pad", "mirror"),
        ("orientation", "XYZ"),
        ("transpose", [0, 1, 1]),
        ("mirror_axes", [3]),
        ("spacing", [1.0]),
        ("postprocessing", ["keep the largest"]),
    ],
)
def test_a_step_that_this_version_does_not_do_is_refused_by_its_name(field: str, value: object) -> None:
    with pytest.raises(PackageError, match=field):
        parse_pipeline(Fields({**to_document(PIPELINE), field: value}), (8, 8, 8))


@pytest.mark.parametrize("graph", ["/etc/a.onnx", "../a.onnx", "models/a.pth"])
def test_a_members_files_stay_inside_and_are_no_pickles(graph: str) -> None:
    document = to_document(PIPELINE)
    document["members"][0]["graph"] = graph
    with pytest.raises(PackageError, match=r"members\[0\]\.graph"):
        parse_pipeline(Fields(document), (8, 8, 8))
