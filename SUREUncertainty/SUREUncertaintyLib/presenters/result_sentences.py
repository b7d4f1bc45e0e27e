"""What panel and page say about a result: its uncertain regions, its warnings, edges and noise."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from ..analysis.agreement import Members, agreement_sentences
from ..analysis.in_samples import absent_words
from ..analysis.noise_series import LevelRow, breaking_level, notice_of
from ..analysis.rows import Notice, StructureRow, UncertainRegion
from ..analysis.verdict import Verdict, verdict_of
from ..analysis.wholes import Asymmetry, WholeRow, as_drawn, whole_sentences
from ..cine.cine_sentences import frame_sentences, phases_status, short_sentences
from ..core.dataclass_json import from_json
from ..core.rounding import decimals
from ..core.translation import Text, Translate, tr as _
from ..core.wording import REASON_NAMES, VERDICT_MEANINGS, VERDICT_NAMES
from ..corruptions.registry import CORRUPTIONS
from ..mrml.cine_frames import numbers_of
from ..mrml.nodes import REMEASURED, PublishedNodes
from ..mrml.reading_back import read_structures
from ..mrml.remeasure import current_labels
from ..mrml.volume_nodes import volume_from_node
from . import texts

if TYPE_CHECKING:
    from ..analysis.edge_relation import EdgeTrust
    from .noise_controller import Noise
    from .run_controller import RunRequest


HEADERS = (_("Seen"), _("Place"), _("Size (mm3)"), _("Uncertainty"))


def region_cells(region: UncertainRegion) -> tuple[str, ...]:
    """A place as a row under ``HEADERS``."""
    numbers = (decimals(region.size_mm3, 0), decimals(region.mean_uncertainty))
    return (str(region.rank), region_place(region), *numbers)


def region_place(region: UncertainRegion, translate: Translate = str) -> str:
    """The structure and why the region is listed, as in "Left Posterior hippocampus, inside"."""
    if not region.reason or region.is_island:
        return region.structure
    return f"{region.structure}, {translate(REASON_NAMES[region.reason])}"


def region_text(region: UncertainRegion, count: int, translate: Translate) -> str:
    """Where the views are, in words."""
    return translate(texts.REGION).format(
        rank=region.rank,
        count=count,
        structure=region_place(region, translate),
        size=region.size_mm3,
        mean=region.mean_uncertainty,
    )


VERDICT_COLOURS = {"usable": "#2e8b57", "check": "#c98500", "do_not_use": "#d0453f"}
"""Readable on light and on dark panels."""
TRACK = "#9aa4af"


@dataclass(frozen=True)
class ShownForecast:
    """A forecast as a sentence and as a bar: the interval of the Dice and its middle, in percent of the bar."""

    sentence: str
    low: float
    value: float
    high: float


@dataclass(frozen=True)
class ShownVerdict:
    """What the panels say first: the status, its word and meaning, forecasts, volumes of what several structures make
    up and of scans over time, how hard the scan is for the model, why, and the warnings without a say."""

    status: str
    word: str
    meaning: str
    reasons: tuple[str, ...]
    further: tuple[str, ...]
    volumes: tuple[str, ...] = ()
    forecasts: tuple[ShownForecast, ...] = ()
    hardness: tuple[str, ...] = ()


def shown_verdict(published: PublishedNodes, translate: Translate = str) -> ShownVerdict | None:
    """The verdict of a result, from what it keeps in the scene; of scenes without one, from the warnings there."""
    if published.provenance is None or not published.provenance.GetText():
        return None
    record = json.loads(published.provenance.GetText())
    notices = tuple(Notice(entry["code"], entry["text"]) for entry in record.get("notices", []))
    kept = "status" in record
    verdict = Verdict(record["status"], tuple(record["status_reasons"])) if kept else verdict_of(notices)
    numbers = numbers_of(published)
    if numbers is not None:
        verdict = Verdict(phases_status(numbers), _reasons_over_time(verdict, numbers))
    word, meaning = (translate(names[verdict.status]) for names in (VERDICT_NAMES, VERDICT_MEANINGS))
    told_already = tuple(verdict.reasons)
    further = [n.text for n in notices if not any(reason.endswith(n.text) for reason in told_already)]
    edited = published.structures is not None and bool(published.structures.GetAttribute(REMEASURED))
    told = () if edited else record
    changed = [translate(texts.CINE_EDITED)] if edited else []
    over_time = () if numbers is None else (*short_sentences(numbers), *changed)
    return ShownVerdict(
        verdict.status,
        word,
        _closed(meaning),
        verdict.reasons,
        (*further, *_about_members(record)),
        volumes=(*over_time, *_wholes(published, record)),
        forecasts=_forecasts(told.get("quality", ())) if told else (),
        hardness=_hardness(record.get("difficulty", ())),
    )


def _closed(sentence: str) -> str:
    """A sentence that the reasons follow elsewhere, with a full stop: here, numbers stand next to it."""
    return f"{sentence[:-1]}." if sentence.endswith(":") else sentence


def _reasons_over_time(end_diastole: Verdict, numbers: Mapping[str, Any]) -> tuple[str, ...]:
    """Each warning once, with the frames that have it."""
    frames = frame_sentences(numbers)
    alone = [reason for reason in end_diastole.reasons if not any(text.endswith(reason) for text in frames)]
    return (*frames, *alone)


def _hardness(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Of every region that can be compared with others, after its name where there are several."""
    known = [case for case in entries if case["scale"] is not None and not case["outside"]]
    several = len(entries) > 1
    return tuple(f"{case['region']}: {case['sentence']}" if several else case["sentence"] for case in known)


def _wholes(published: PublishedNodes, record: Mapping[str, Any]) -> tuple[str, ...]:
    """Volumes of wholes as they are drawn now, and how the sides compare; the latter only while nothing was edited."""
    recorded = from_json(tuple[WholeRow, ...], record.get("wholes", ()))
    if not recorded or published.structures is None:
        return ()
    rows = as_drawn(recorded, read_structures(published.structures))
    sides = from_json(tuple[Asymmetry, ...], record.get("asymmetry", ())) if rows == recorded else ()
    return whole_sentences(rows, sides)


def _forecasts(entries: Sequence[Mapping[str, Any]]) -> tuple[ShownForecast, ...]:
    """Those that there are; why there is none stands among the reasons."""
    return tuple(
        ShownForecast(entry["sentence"], *(100.0 * entry["dice"][key] for key in ("low", "value", "high")))
        for entry in entries
        if not entry["reason"]
    )


def _about_members(record: Mapping[str, Any]) -> list[str]:
    """How the members of a result agree, and what its volume ranges are where no model promises them."""
    members, made = record.get("members"), record.get("provenance", {}).get("made_from", {})
    lines = list(agreement_sentences(from_json(Members, members).to_json())) if members else []
    return lines + ([f"Volumes: {made['volume_range']}"] if made else [])


def verdict_html(published: PublishedNodes, translate: Translate = str) -> str:
    """The verdict, forecasts and volumes as rich text; empty where the scene keeps none. Reasons stand below."""
    shown = shown_verdict(published, translate)
    if shown is None:
        return ""
    head = f'<b style="color:{VERDICT_COLOURS[shown.status]}">{escape(shown.word)}.</b> {escape(shown.meaning)}'
    volumes = [escape(text) for text in shown.volumes]
    told = [_bar_html(forecast, VERDICT_COLOURS[shown.status]) for forecast in shown.forecasts]
    return "<br>".join([head, *told, *volumes, *(escape(text) for text in shown.hardness)])


def reasons_html(published: PublishedNodes, translate: Translate = str) -> str:
    """Why the verdict is what it is, then further warnings, as rich text."""
    shown = shown_verdict(published, translate)
    texts_shown = () if shown is None else (*shown.reasons, *shown.further)
    return "<br>".join(f"\u2022 {escape(text)}" for text in texts_shown)


VOLUME_HEADERS = (_("Structure"), _("Volume (ml)"), _("Predicted Dice"), _("Uncertainty"), _("Axial (mm)"))


def volume_table(published: PublishedNodes | None) -> tuple[tuple[Text, ...], list[tuple[str, ...]]]:
    """Headings and a row a structure: volume with its range below it, and the predicted Dice, else the longest axial
    diameter with its range where samples gave one, else mean uncertainty.

    Edited structures have no ranges.
    """
    rows = () if published is None or published.structures is None else read_structures(published.structures)
    foretold = any(row.predicted_dice == row.predicted_dice for row in rows)
    measured = not foretold and any(row.axial_mm == row.axial_mm for row in rows)
    structure, volume, dice, mean, axial = VOLUME_HEADERS
    third = dice if foretold else axial if measured else mean

    def told(row: StructureRow) -> str:
        if measured:
            return _with_range(row.axial_mm, row.axial_low_mm, row.axial_high_mm, 1)
        return decimals(row.predicted_dice if foretold else row.mean_uncertainty)

    cells: list[tuple[str, ...]] = [(row.name, _volume(row), told(row)) for row in rows]
    return (structure, volume, third), cells


def _volume(row: StructureRow) -> str:
    """The volume with its range, or that there is none and how large it is at most."""
    if row.voxels:
        return _with_range(row.volume_ml, row.volume_low_ml, row.volume_high_ml)
    most = decimals(row.volume_high_ml) if row.samples_with else ""
    return "\n".join((absent_words(row.samples, row.samples_with), *([f"up to {most}"] if most else [])))


def _with_range(value: float, low: float, high: float, digits: int = 2) -> str:
    """A number with its range below it, where there is one."""
    shown, least, most = (decimals(x, digits) for x in (value, low, high))
    return f"{shown}\n{least} to {most}" if least and most else shown


def _bar_html(forecast: ShownForecast, colour: str) -> str:
    """A sentence and a bar of three cells, which is what rich text of Qt can draw."""
    widths = (forecast.low, max(forecast.high - forecast.low, 1.0), max(100.0 - forecast.high, 0.0))
    cells = "".join(
        f'<td width="{width:.0f}%" bgcolor="{shade}"><font size="1">&nbsp;</font></td>'
        for width, shade in zip(widths, (TRACK, colour, TRACK), strict=True)
        if width >= 0.5
    )
    return f'{escape(forecast.sentence)}<table width="100%" cellspacing="0" cellpadding="0"><tr>{cells}</tr></table>'


NEITHER = 0.1
"""A weaker correlation is none."""


RIGHT, NONE, WRONG, UNKNOWN = "right", "none", "wrong", "unknown"


@dataclass(frozen=True)
class ShownTrust:
    """How uncertainty behaves at edges: one of ``RIGHT``, ``NONE``, ``WRONG`` and ``UNKNOWN``, and it in words."""

    kind: str
    text: str

    def html(self) -> str:
        """As rich text; only a relation that is right or wrong has a colour."""
        lines = "<br>".join(escape(line) for line in self.text.splitlines())
        colour = {RIGHT: VERDICT_COLOURS["usable"], WRONG: VERDICT_COLOURS["do_not_use"]}.get(self.kind)
        return f'<span style="color:{colour}">{lines}</span>' if colour else lines


def measured_trust(published: PublishedNodes, translate: Translate) -> ShownTrust:
    """Measure whether uncertainty is low at sharp edges, and say it."""
    from ..analysis.edge_relation import edge_trust

    uncertainty = volume_from_node(published.uncertainty)
    labels, _ = current_labels(published.segmentation, uncertainty)
    return shown_trust(edge_trust(volume_from_node(published.scan), labels, uncertainty), translate)


EDGES = {RIGHT: texts.EDGES_RIGHT, NONE: texts.EDGES_NEITHER, WRONG: texts.EDGES_WRONG}


def shown_trust(trust: EdgeTrust | None, translate: Translate) -> ShownTrust:
    """What the relation means, for a clinician."""
    if trust is None:
        return ShownTrust(UNKNOWN, translate(texts.NO_BOUNDARY))
    related = abs(trust.ucc) >= NEITHER  # not so for NaN, where uncertainty or edges are the same all along
    kind = (RIGHT if trust.ucc < 0 else WRONG) if related else NONE
    pairs = translate(texts.EDGE_PAIRS).format(value=trust.ur_star)
    return ShownTrust(kind, f"{translate(EDGES[kind]).format(value=trust.ucc)}\n{pairs}")


def series_sentence(rows: Sequence[LevelRow], translate: Translate) -> str:
    """Whether the result bears the noise, and whether its uncertainty noticed."""
    if not rows or rows[0].agreement != rows[0].agreement:
        return translate(texts.SERIES_EMPTY)
    level, told = breaking_level(rows), notice_of(rows)
    if level is None:
        first = translate(texts.SERIES_HOLDS).format(level=max(row.level for row in rows))
    else:
        first = translate(texts.SERIES_BREAKS).format(level=level)
    second = {True: texts.SERIES_NOTICED, False: texts.SERIES_MISSED, None: texts.SERIES_CALM}[told.noticed]
    return f"{first} {translate(second).format(before=told.before, after=told.after)}"


def live_sentence(noise: Noise, row: LevelRow, request: RunRequest, translate: Translate) -> str:
    """One sentence about a position of the noise slider, and which region of several it is about."""
    text = translate(texts.LIVE).format(
        kind=translate(CORRUPTIONS[noise.kind].title),
        strength=noise.strength,
        agreement=row.agreement,
        uncertainty=row.uncertainty,
    )
    if request.region is None or not request.further:
        return text
    return f"{text} {translate(texts.LIVE_REGION).format(region=request.region.GetName())}"
