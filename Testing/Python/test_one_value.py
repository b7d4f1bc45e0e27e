"""Windows of one value are computed once: which ones, that the result is the same, and when nothing is remembered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from SUREUncertaintyLib.inference import openvino_graph
from SUREUncertaintyLib.inference.engine import Engine
from SUREUncertaintyLib.inference.forecast import seconds_a_window
from SUREUncertaintyLib.inference.one_value import MOST_KEPT, LatestOutputs, is_repeatable, one_value
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoEngine
from SUREUncertaintyLib.inference.openvino_graph import OpenVinoGraph
from SUREUncertaintyLib.inference.windows import blend_windows
from SUREUncertaintyLib.packages.package import Package

Float32 = NDArray[np.float32]


def test_the_key_is_shape_and_bits_and_different_values_have_none() -> None:
    assert one_value([np.zeros((2, 3), np.float32)]) == (((2, 3), 0),)
    assert one_value([np.full((2, 3), -0.0, np.float32)]) == (((2, 3), 1 << 31),), "a network may tell -0 from 0"
    assert one_value([np.full(2, np.nan, np.float32)]) is not None
    mixed = np.zeros((2, 3), np.float32)
    mixed[1, 1] = np.finfo(np.float32).tiny
    assert one_value([mixed]) is None
    assert one_value([np.zeros(2, np.float32), mixed]) is None


def test_what_is_kept_is_a_copy_of_the_latest_and_never_large() -> None:
    latest, output = LatestOutputs(), np.ones(4, np.float32)
    key, other = one_value([np.zeros(1, np.float32)]), one_value([np.ones(1, np.float32)])
    assert key is not None
    assert other is not None
    latest.keep(key, [output])
    output[:] = 5
    found = latest.get(key)
    assert found is not None
    assert found[0].tolist() == [1, 1, 1, 1]
    found[0][:] = 7
    again = latest.get(key)
    assert again is not None
    assert again[0].tolist() == [1, 1, 1, 1]
    latest.keep(other, [np.zeros(MOST_KEPT // 4 + 1, np.float32)])
    assert latest.get(other) is None
    latest.keep(other, [output])
    assert latest.get(key) is None


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    calls: list[int] = []
    real = OpenVinoGraph._infer

    def infer(self: Any, arrays: Any) -> Any:
        calls.append(1)
        return real(self, arrays)

    monkeypatch.setattr(OpenVinoGraph, "_infer", infer)
    return calls


def test_a_scan_in_much_air_gives_the_same_bits_with_far_fewer_runs_of_the_network(
    tiny_package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch = tiny_package.metadata.patch
    image = np.full((1, *(4 * n for n in patch)), -0.7, np.float32)
    inner = tuple(slice(n, 2 * n) for n in patch)
    image[0][inner] = np.random.default_rng(1).standard_normal(patch)
    remembering, asking = OpenVinoEngine(tiny_package), OpenVinoEngine(tiny_package)
    asking._graph._latest = None
    calls = counted(monkeypatch)
    found = blend_windows(image, patch, 0.25, remembering.logits)
    few = len(calls)
    expected = blend_windows(image, patch, 0.25, asking.logits)
    np.testing.assert_array_equal(found.view(np.uint32), expected.view(np.uint32))
    assert np.ptp(found) > 0
    assert few <= 28, "the 27 windows that touch the tissue, and one of air"
    assert len(calls) - few == 125


def test_graphs_that_draw_random_numbers_are_asked_each_time() -> None:
    import openvino
    from openvino import opset13 as opset

    shape = opset.constant(np.array([2], np.int64))
    drawn = opset.random_uniform(shape, opset.constant(np.float32(0)), opset.constant(np.float32(1)), "f32")
    image = opset.parameter([2], np.float32)
    steady = openvino.Model([opset.relu(image)], [image], "steady")
    drawing = openvino.Model([opset.add(image, drawn)], [image], "drawing")
    assert is_repeatable(steady.get_ops())
    assert not is_repeatable(drawing.get_ops())


@pytest.mark.parametrize(("repeatable", "runs"), [(True, 1), (False, 2)])
def test_a_graph_is_asked_once_about_the_same_air_if_it_says_the_same_each_time(
    tiny_package: Package, monkeypatch: pytest.MonkeyPatch, repeatable: bool, runs: int
) -> None:
    monkeypatch.setattr(openvino_graph, "is_repeatable", lambda operations: repeatable)
    engine, calls = OpenVinoEngine(tiny_package), counted(monkeypatch)
    air = np.zeros((1, 1, *tiny_package.metadata.patch), np.float32)
    np.testing.assert_array_equal(engine.logits(air), engine.logits(air))
    assert len(calls) == runs


def test_the_forecast_of_a_run_measures_a_window_that_is_not_remembered(tiny_package: Package) -> None:
    seen: list[Float32] = []

    class Watched(OpenVinoEngine):
        def logits(self, windows: Float32) -> Float32:
            seen.append(windows)
            return super().logits(windows)

    engine: Engine = Watched(tiny_package)
    assert seconds_a_window(tiny_package, engine) is not None
    assert [one_value([window]) for window in seen] == [None, None]
