"""Sliding windows: covered, blended as MONAI does, streamed, interruptible."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from SUREUncertaintyLib.arrays.heads import softmax
from SUREUncertaintyLib.core.errors import Cancelled
from SUREUncertaintyLib.inference.windows import blend_windows, gaussian_weight, plan_windows, window_starts


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal((1, *shape)).astype(np.float32)


def position_dependent(windows: np.ndarray) -> np.ndarray:
    """Two channels that differ with the place inside the window, so that wrong blending shows."""
    ramp = np.linspace(0, 1, int(np.prod(windows.shape[2:])), dtype=np.float32).reshape(windows.shape[2:])
    return np.concatenate([windows * ramp, windows**2 - ramp], axis=1)


@given(st.integers(1, 90), st.integers(1, 40), st.floats(0, 0.95))
@settings(max_examples=200, deadline=None)
def test_windows_cover_every_voxel_and_stay_inside(length, patch, overlap):
    length = max(length, patch)
    starts = window_starts(length, patch, overlap)
    covered = np.zeros(length, bool)
    for start in starts:
        assert 0 <= start <= length - patch
        covered[start : start + patch] = True
    assert covered.all()
    assert list(starts) == sorted(set(starts))


@pytest.mark.torch
@pytest.mark.parametrize("size", [(16,), (9, 12), (8, 16, 11)])
def test_weight_is_the_one_of_monai(size):
    from monai.data.utils import compute_importance_map

    expected = compute_importance_map(size, mode="gaussian", sigma_scale=0.125).numpy()
    assert gaussian_weight(size) == pytest.approx(expected, abs=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("shape", "patch", "overlap"),
    [
        ((33, 40, 27), (16, 16, 16), 0.5),
        ((20, 50, 19), (16, 24, 8), 0.25),
        ((10, 40, 11), (16, 16, 16), 0.5),
        ((16, 16, 16), (16, 16, 16), 0.5),
        ((7, 5, 9), (16, 8, 12), 0.625),
        ((21, 18, 30), (16, 16, 16), 0.0),
    ],
)
def test_blending_is_that_of_monais_inferer(shape, patch, overlap):
    import torch
    from monai.inferers import SlidingWindowInferer

    image = noise(*shape)
    inferer = SlidingWindowInferer(patch, overlap=overlap, mode="gaussian", sw_batch_size=1)
    expected = inferer(torch.from_numpy(image[None]), lambda w: torch.from_numpy(position_dependent(w.numpy())))
    result = blend_windows(image, patch, overlap, position_dependent)
    assert result.dtype == np.float32
    assert result == pytest.approx(expected[0].numpy(), abs=2e-5)


@pytest.mark.torch
def test_probability_blending_of_a_network_is_that_of_monais_inferer(tiny_package):
    import torch
    from monai.inferers import SlidingWindowInferer
    from SUREUncertaintyLib.packages.weights import load_network

    network, image = load_network(tiny_package), noise(30, 22, 37)
    with torch.inference_mode():
        inferer = SlidingWindowInferer((16, 16, 16), overlap=0.5, mode="gaussian")
        expected = inferer(torch.from_numpy(image[None]), lambda w: network(w).softmax(1))[0].numpy()

        def estimator(windows: np.ndarray) -> np.ndarray:
            return softmax(network(torch.from_numpy(windows)).numpy(), axis=1)

        result = blend_windows(image, (16, 16, 16), 0.5, estimator)
    assert result == pytest.approx(expected, abs=1e-5)
    assert result.std() > 0.01


def test_a_slice_network_sees_slices_in_batches_and_in_place():
    image = noise(11, 20, 23)
    shapes = []

    def planar(windows: np.ndarray) -> np.ndarray:
        shapes.append(windows.shape)
        return windows * 2

    assert blend_windows(image, (8, 8), 0.5, planar) == pytest.approx(image * 2, abs=1e-5)
    assert {shape[1:] for shape in shapes} == {(1, 8, 8)}
    assert max(shape[0] for shape in shapes) == 8


def test_padding_is_zero_and_split_on_both_sides():
    seen = []

    def keep(windows: np.ndarray) -> np.ndarray:
        seen.append(windows.copy())
        return windows

    image = np.ones((1, 3, 4, 8), np.float32)
    assert blend_windows(image, (8, 8, 8), 0.5, keep) == pytest.approx(image, abs=1e-6)
    assert len(seen) == 1
    assert np.argwhere(seen[0][0, 0]).min(0).tolist() == [2, 2, 0]
    assert np.argwhere(seen[0][0, 0]).max(0).tolist() == [4, 5, 7]


def test_two_runs_are_bit_identical():
    image = noise(30, 25, 20)
    first, second = (blend_windows(image, (12, 12, 12), 0.5, position_dependent) for _ in range(2))
    assert np.array_equal(first, second)


def test_memory_does_not_grow_with_the_number_of_windows():
    image = noise(48, 48, 48)

    def peak(overlap: float) -> int:
        tracemalloc.start()
        blend_windows(image, (16, 16, 16), overlap, lambda w: w)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    few, many = peak(0.0), peak(0.8)
    assert plan_windows((48, 48, 48), (16, 16, 16), 0.8).count > 40 * plan_windows((48,) * 3, (16,) * 3, 0.0).count
    assert many < few * 1.1
    assert many < 2.5 * image.nbytes


def test_progress_is_told_after_every_window_and_ends_at_one():
    told = []
    image = noise(32, 16, 16)
    blend_windows(image, (16, 16, 16), 0.5, lambda w: w, progress=lambda fraction, text: told.append((fraction, text)))
    assert [fraction for fraction, _ in told] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert told[-1][1] == "window 3 of 3"


def test_cancel_stops_before_the_next_window():
    calls = []

    def count(windows: np.ndarray) -> np.ndarray:
        calls.append(len(windows))
        return windows

    with pytest.raises(Cancelled):
        blend_windows(noise(64, 16, 16), (16, 16, 16), 0.5, count, is_cancelled=lambda: len(calls) >= 2)
    assert len(calls) == 2


@pytest.mark.parametrize(("patch", "overlap"), [((8, 8, 8), 1.0), ((8, 8, 8), -0.1), ((8,), 0.5), ((0, 8, 8), 0.5)])
def test_windows_that_make_no_sense_are_refused(patch, overlap):
    with pytest.raises(ValueError, match=r"overlap|patch"):
        plan_windows((16, 16, 16), patch, overlap)
