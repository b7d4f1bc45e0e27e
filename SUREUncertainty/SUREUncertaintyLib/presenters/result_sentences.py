"""What panel and page say about a result: its uncertain regions, its warnings, edges and noise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..analysis.agreement import Members, agreement_sentences
from ..analysis.noise_series import LevelRow, breaking_level
from ..analysis.rows import UncertainRegion
from ..core.dataclass_json import from_json
from ..core.rounding import decimals
from ..core.translation import Translate, tr as _
from ..mrml.nodes import PublishedNodes
from ..mrml.remeasure import current_labels
from ..mrml.volume_nodes import volume_from_node
from . import texts

if TYPE_CHECKING:
    from ..analysis.edge_relation import EdgeTrust


HEADERS = (_("Reviewed"), _("Structure"), _("Size (mm3)"), _("Mean uncertainty"), _("Score (mm3)"))


def region_cells(region: UncertainRegion) -> tuple[str, ...]:
    """A place as a row under ``HEADERS``."""
    numbers = (decimals(region.size_mm3, 0), decimals(region.mean_uncertainty), decimals(region.score, 1))
    return (str(region.rank), region.structure, *numbers)


def region_text(region: UncertainRegion, count: int, translate: Translate) -> str:
    """Where the views are, in words."""
    return translate(texts.REGION).format(
        rank=region.rank,
        count=count,
        structure=region.structure,
        size=region.size_mm3,
        mean=region.mean_uncertainty,
    )


def notices_text(published: PublishedNodes) -> str:
    """What to know of a result, one a line, from what it keeps in the scene: warnings, and how its members agree."""
    if published.provenance is None or not published.provenance.GetText():
        return ""
    record = json.loads(published.provenance.GetText())
    made = record.get("provenance", {}).get("made_from", {})
    lines = [notice["text"] for notice in record.get("notices", [])]
    members = record.get("members")
    lines += agreement_sentences(from_json(Members, members).to_json() if members else None)
    lines += [f"Volumes: {made['volume_range']}"] if made else []
    return "\n".join(f"\u2022 {line}" for line in lines)


def trust_text(published: PublishedNodes, translate: Translate) -> str:
    """Measure whether uncertainty is low at sharp edges, and say it."""
    from ..analysis.edge_relation import edge_trust

    uncertainty = volume_from_node(published.uncertainty)
    labels, _ = current_labels(published.segmentation, uncertainty)
    return trust_sentences(edge_trust(volume_from_node(published.scan), labels, uncertainty), translate)


def trust_sentences(trust: EdgeTrust | None, translate: Translate) -> str:
    """What the relation means, for a clinician."""
    if trust is None:
        return translate(texts.NO_BOUNDARY)
    ucc = translate(texts.UCC_GRADIENT).format(value=trust.ucc)
    ur = translate(texts.UR_GRADIENT).format(value=trust.ur_star)
    return f"{ucc}\n{ur}"


def series_sentence(rows: Sequence[LevelRow], translate: Translate) -> str:
    """One sentence about a series."""
    if not rows or rows[0].agreement != rows[0].agreement:
        return translate(texts.SERIES_EMPTY)
    level = breaking_level(rows)
    if level is None:
        return translate(texts.SERIES_HOLDS).format(level=max(row.level for row in rows))
    return translate(texts.SERIES_BREAKS).format(level=level)
