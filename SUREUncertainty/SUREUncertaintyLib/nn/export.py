"""A torch network as an ONNX graph that OpenVINO reads."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

OPSET = 17
INPUT = "image"
OUTPUT = "logits"
FACTOR = "factor"
"""A second output of networks with an evidence-scaling head, see ``nn.evidence_scale``."""
SMALLEST_HALF = 256
"""Constants with fewer elements stay float32: a cast node costs more than it saves."""


def export_onnx(network: nn.Module, path: Path, example_shape: Sequence[int], dynamic: bool = True) -> None:
    """Write the network in evaluation mode as ONNX: input ``image``, output ``logits``, float32.

    A network with an evidence-scaling head has a second output, ``factor`` (batch, 1, ...): what its logits were
    multiplied by.

    Constants that float16 holds exactly are stored as float16 and cast when the graph is loaded, so a network whose
    kernels were rounded to float16 (``packages.weights.rounded_to_half``) loses nothing and takes half the space.
    No folding happens here: the graph holds the same numbers as the network; engines fold in float32.

    Args:
        network: on the CPU.
        path: the file to write.
        example_shape: (1, channels, ...) of one window.
        dynamic: free batch and spatial sizes; otherwise only the batch is free.
    """
    axes = {0: "batch"}
    if dynamic:
        axes |= {axis: f"size_{axis - 2}" for axis in range(2, len(example_shape))}
    example = (torch.zeros(*example_shape),)
    has_factor = getattr(network, "scale", None) is not None
    written, outputs = (_WithFactor(network), [OUTPUT, FACTOR]) if has_factor else (network, [OUTPUT])
    write_onnx(written, path, example, [INPUT], outputs, dict.fromkeys([INPUT, *outputs], axes))


class _WithFactor(nn.Module):
    """The network as a module of two outputs."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found: tuple[torch.Tensor, torch.Tensor] = self.network.with_factor(image)
        return found


def write_onnx(
    network: nn.Module,
    path: Path,
    example: tuple[torch.Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    axes: dict[str, dict[int, str]],
) -> None:
    """Write a module of any inputs and outputs in evaluation mode; what float16 holds exactly is stored as float16.

    Args:
        example: one tensor an input.
        axes: names of the free axes of every input and output.
    """
    import onnx

    was_training = network.training
    network.eval()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            example,
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
        )
    network.train(was_training)
    model = onnx.load(str(path))
    _store_half(model.graph)
    onnx.save(model, str(path))


def compile_graph(path: Path) -> Any:
    """The graph in OpenVINO, on the CPU in float32."""
    from ..core.openvino_import import import_openvino

    core = import_openvino().Core()
    return core.compile_model(core.read_model(str(path)), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def graph_difference(network: nn.Module, path: Path, windows: NDArray[np.float32], head: str = "softmax") -> float:
    """Largest difference of a class probability between the torch network and its graph in OpenVINO.

    Args:
        windows: (B, channels, ...) float32.
        head: how the package reads probabilities from the outputs, see ``arrays.heads``.
    """
    from ..arrays.heads import class_probability, create_head

    found = np.array(compile_graph(path)(windows)[0], dtype=np.float32)
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(windows)).numpy()
    reader = create_head(head)
    return float(np.abs(class_probability(found, reader) - class_probability(expected, reader)).max())


def _store_half(graph: Any) -> None:
    import onnx
    from onnx import numpy_helper

    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALLEST_HALF or not fits_half(values):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)


def fits_half(values: NDArray[np.float32]) -> bool:
    """Whether float16 holds every value exactly."""
    with np.errstate(over="ignore"):
        return bool(np.array_equal(values.astype(np.float16).astype(np.float32), values))
