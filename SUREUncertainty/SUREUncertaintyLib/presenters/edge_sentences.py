"""Whether uncertainty is low at sharp edges, measured on a result in the scene and said in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..mrml.nodes import PublishedNodes
from ..mrml.remeasure import current_labels
from ..mrml.volume_nodes import volume_from_node
from . import texts

if TYPE_CHECKING:
    from ..analysis.edge_relation import EdgeTrust


def trust_text(published: PublishedNodes, translate: Any) -> str:
    """Measure whether uncertainty is low at sharp edges, and say it."""
    from ..analysis.edge_relation import edge_trust

    uncertainty = volume_from_node(published.uncertainty)
    labels, _ = current_labels(published.segmentation, uncertainty)
    return trust_sentences(edge_trust(volume_from_node(published.scan), labels, uncertainty), translate)


def trust_sentences(trust: EdgeTrust | None, translate: Any) -> str:
    """What the relation means, for a clinician."""
    if trust is None:
        return str(translate(texts.NO_BOUNDARY))
    ucc = translate(texts.UCC_GRADIENT).format(value=trust.ucc)
    ur = translate(texts.UR_GRADIENT).format(value=trust.ur_star)
    return f"{ucc}\n{ur}"
