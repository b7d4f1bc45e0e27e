"""A head that ``sure fit`` added to a package: what reads a network's uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

from .metadata_fields import Fields, inner_path

SETTING = "fitted"
"""Of the package's metadata."""

MOST_TAPS = 4


@dataclass(frozen=True)
class FittedHead:
    """The small graph beside the network's own.

    Attributes:
        graph: ONNX file inside the package; inputs are the image and the tapped tensors, the output is ln of the
            factor on the logits.
        taps: names of the tensors of the network's graph that it reads, in the order of its inputs after the image.
        member: the network of a pipeline that it belongs to; empty for a package with one network.
        threshold: uncertainty above which a voxel counts as uncertain, in the map under the factor.
    """

    graph: str
    taps: tuple[str, ...]
    member: str = ""
    threshold: float = 0.5


def parse_fitted(top: Fields) -> FittedHead | None:
    """Read ``fitted`` of ``metadata.json``; None where a fit kept the network's own map.

    Raises:
        PackageError: a field is missing or wrong.
    """
    fields = top.inner(SETTING)
    if not fields.has("graph"):
        return None
    taps = fields.texts("taps")
    if len(taps) > MOST_TAPS:
        fields.fail("taps", f"at most {MOST_TAPS} names of tensors")
    member = fields.content.get("member", "")
    if not isinstance(member, str):
        fields.fail("member", "the name of one of the package's networks, or an empty text")
    return FittedHead(inner_path(fields, "graph", ".onnx"), taps, member, fields.number("threshold", 0.0, 1.0))
