"""What a bundle's graph must be: one image in, one map of classes out, of the image's size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...core.errors import PackageError


def check_graph(path: Path, channels: int, outputs: int, window: Sequence[int] = ()) -> None:
    """Refuse a graph that OpenVINO cannot read, or whose input or output has other channels.

    Args:
        window: also run it on zeros of this size, whose output must have it too.

    Raises:
        PackageError: the sentence says what was expected.
    """
    from ...core.openvino_import import import_openvino

    core = import_openvino().Core()
    try:
        model = core.read_model(str(path))
    except RuntimeError as error:
        raise PackageError(f"OpenVINO cannot read the bundle's {path.name}: {str(error).splitlines()[0]}") from error
    ports = [*model.inputs, *model.outputs]
    if len(ports) != 2 or not all(_allows(port, n) for port, n in zip(ports, (channels, outputs), strict=True)):
        raise PackageError(
            f"The bundle's {path.name} must take one image of {channels} channel{'s' if channels > 1 else ''} and give "
            f"{outputs} classes."
        )
    if window:
        _require_size(core, model, (1, channels, *window))


def _allows(port: Any, channels: int) -> bool:
    shape = port.get_partial_shape()
    return shape.rank.is_dynamic or shape[1].is_dynamic or shape[1].get_length() == channels


def _require_size(core: Any, model: Any, shape: tuple[int, ...]) -> None:
    model.reshape({model.inputs[0].get_any_name(): list(shape)})
    found = (
        tuple(model.outputs[0].get_partial_shape().to_shape())
        if model.outputs[0].get_partial_shape().is_static
        else shape
    )
    if tuple(found[2:]) != tuple(shape[2:]):
        raise PackageError(f"The network does not run on a window of {shape}: it gives {tuple(found[2:])}.")
