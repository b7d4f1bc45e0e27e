"""The two engines agree, the choice between them is as documented, and what is missing is said in a sentence."""

import sys

import numpy as np
import pytest
from SUREUncertaintyLib.arrays.heads import softmax
from SUREUncertaintyLib.core.errors import EngineError, InputError, PackageError
from SUREUncertaintyLib.inference import engine_choice as choose
from SUREUncertaintyLib.inference.engine_choice import choose_engine, create_engine
from SUREUncertaintyLib.inference.openvino_engine import OpenVinoEngine
from SUREUncertaintyLib.inference.torch_engine import TorchEngine
from tiny import build_tiny


def windows(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).standard_normal(shape).astype(np.float32)


def pretend(monkeypatch: pytest.MonkeyPatch, torch: bool, openvino: bool, cuda: bool = False) -> None:
    installed = {"torch": torch, "openvino": openvino}
    monkeypatch.setattr(choose, "is_installed", installed.__getitem__)
    monkeypatch.setattr(choose, "cuda_is_available", lambda: cuda)


@pytest.mark.torch
def test_engines_agree_on_windows_of_several_shapes(tiny_package):
    one, other = TorchEngine(tiny_package, "cpu"), OpenVinoEngine(tiny_package)
    for shape in [(1, 1, 16, 16, 16), (3, 1, 16, 24, 8), (1, 1, 32, 16, 16), (1, 1, 16, 16, 16)]:
        a, b = one.logits(windows(*shape)), other.logits(windows(*shape))
        assert a.dtype == b.dtype == np.float32
        assert a.shape == b.shape == (shape[0], 3, *shape[2:])
        assert np.abs(softmax(a, 1) - softmax(b, 1)).max() <= 1e-3
        assert a.std() > 0.05


@pytest.mark.torch
def test_planar_engines_agree(tiny_planar_package):
    batch = windows(5, 1, 16, 16)
    one, other = TorchEngine(tiny_planar_package, "cpu"), OpenVinoEngine(tiny_planar_package)
    assert np.abs(softmax(one.logits(batch), 1) - softmax(other.logits(batch), 1)).max() <= 1e-3


@pytest.mark.torch
def test_a_window_does_not_depend_on_the_batch_that_it_is_in(tiny_package):
    batch = windows(3, 1, 16, 16, 16)
    for engine in (TorchEngine(tiny_package, "cpu"), OpenVinoEngine(tiny_package)):
        assert engine.logits(batch)[1:2] == pytest.approx(engine.logits(batch[1:2]), abs=1e-4)


def test_results_stay_when_the_next_window_comes(tiny_package):
    engine = OpenVinoEngine(tiny_package)
    first = engine.logits(windows(1, 1, 16, 16, 16))
    kept = first.copy()
    engine.logits(np.zeros((1, 1, 16, 16, 16), np.float32))
    assert np.array_equal(first, kept)


@pytest.mark.torch
def test_engines_name_themselves_and_their_threads(tiny_package):
    engine = OpenVinoEngine(tiny_package, threads=1)
    assert (engine.name, engine.device, engine.threads) == ("openvino", "cpu", 1)
    assert TorchEngine(tiny_package, "cpu").name == "torch"


@pytest.mark.parametrize(
    ("torch", "openvino", "cuda", "device", "expected"),
    [
        (True, True, True, None, "torch"),
        (True, True, False, None, "openvino"),
        (True, True, True, "cpu", "openvino"),
        (True, False, False, None, "torch"),
        (False, True, False, None, "openvino"),
        (True, True, False, "mps", "torch"),
    ],
)
def test_auto_takes_cuda_then_openvino_then_torch(monkeypatch, torch, openvino, cuda, device, expected):
    pretend(monkeypatch, torch, openvino, cuda)
    assert choose_engine(device) == expected


def test_no_engine_at_all_is_said(monkeypatch):
    pretend(monkeypatch, torch=False, openvino=False)
    with pytest.raises(EngineError, match="pip install openvino"):
        choose_engine()


def test_an_unknown_engine_lists_those_that_exist(tiny_package):
    with pytest.raises(InputError, match="auto, torch, openvino"):
        create_engine(tiny_package, "onnxruntime")


@pytest.mark.parametrize(("engine", "module"), [("torch", "torch"), ("openvino", "openvino")])
def test_a_missing_engine_says_what_to_install(monkeypatch, tiny_package, engine, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EngineError, match="pip install"):
        create_engine(tiny_package, engine)


@pytest.mark.torch
@pytest.mark.parametrize("device", ["cuda:99", "xpu", "mps:3x"])
def test_a_device_that_is_not_there_lists_those_that_are(tiny_package, device):
    with pytest.raises(EngineError, match="Available: cpu"):
        create_engine(tiny_package, "torch", device)


def test_openvino_refuses_other_devices(tiny_package):
    with pytest.raises(EngineError, match="CPU only"):
        create_engine(tiny_package, "openvino", "cuda")


@pytest.mark.torch
def test_unreadable_graph_and_weights_are_said(tmp_path):
    package = build_tiny(tmp_path / "broken")
    package.graph_path("main").write_bytes(b"not a graph")
    package.weights_path.write_bytes(b"not weights")
    with pytest.raises(EngineError, match="cannot read the ONNX graph"):
        OpenVinoEngine(package)
    with pytest.raises(PackageError, match="cannot be read"):
        TorchEngine(package, "cpu")


@pytest.mark.torch
def test_a_wrong_window_is_an_engine_error_not_a_crash(tiny_package):
    for engine in (OpenVinoEngine(tiny_package), TorchEngine(tiny_package, "cpu")):
        with pytest.raises(EngineError):
            engine.logits(windows(1, 2, 16, 16, 16))
