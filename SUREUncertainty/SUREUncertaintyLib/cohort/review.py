"""What people decided about the cases of a cohort: beside the results, which stay as they are.

``reviews/CASE/review.json`` holds every decision in order, so that each can be taken back; an edited segmentation lies
beside it. Somebody else who reviewed the same case meanwhile is told, never overwritten.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.dataclass_json import from_json, to_json
from ..core.errors import InputError
from ..core.labels import Label
from ..core.safe_names import table_row
from ..core.volume import Volume
from ..files.output_errors import output_error
from ..files.segment_header import write_segmentation
from ..files.writing import write_text
from ..training.own_cases import TABLES, Pair, table_text
from .case_folder import CASES, CohortFolder
from .case_row import CaseRow

REVIEWS, FILE, TABLE = "reviews", "review.json", "reviews.csv"
TRAINING_TABLE = TABLES[0]
ACCEPTED, EDITED, REJECTED = "accepted", "edited", "rejected"
DECISIONS = (ACCEPTED, EDITED, REJECTED)


@dataclass(frozen=True)
class Decision:
    """One decision about a case; ``segmentation``: file of an edited one beside the decisions."""

    decision: str
    note: str = ""
    when: str = ""
    segmentation: str = ""


@dataclass(frozen=True)
class Review:
    """All decisions about a case, the last one counts."""

    decisions: tuple[Decision, ...] = ()

    @property
    def last(self) -> Decision | None:
        """The one that counts; None for a case that nobody has decided about."""
        return self.decisions[-1] if self.decisions else None


@dataclass
class Worklist:
    """The cases of a cohort, what needs a person first, with what was decided about them.

    Attributes:
        folder: of the cohort.
        rows: finished cases, sorted by need; those that failed have no result to review.
    """

    folder: CohortFolder
    rows: tuple[CaseRow, ...]
    _seen: dict[str, Review] = field(default_factory=dict)

    @classmethod
    def open(cls, path: Path) -> Worklist:
        """Read a cohort's folder.

        Raises:
            InputError: it is none, or it has no finished case.
        """
        folder = CohortFolder.at(path)
        if folder.settings() is None:
            raise InputError(f"The folder {path} is no cohort. Choose a folder that 'sure cohort' wrote.")
        rows = [CaseRow.from_json(record["row"]) for record in folder.finished().values()]
        if not rows:
            raise InputError(f"The cohort {path} has no finished case yet. Let 'sure cohort' run first.")
        listed = cls(folder, tuple(sorted(rows, key=lambda row: row.need)))
        for row in rows:
            listed.review(row)
        return listed

    def result_folder(self, row: CaseRow) -> Path:
        """Where the result of a case lies."""
        return self.folder.path / CASES / row.folder

    def review(self, row: CaseRow) -> Review:
        """The decisions about a case as they are on disk now."""
        self._seen[row.folder] = self._read(row)
        return self._seen[row.folder]

    def edited_file(self, row: CaseRow) -> Path | None:
        """The edited segmentation that counts; None where the original does."""
        last = self._seen[row.folder].last
        return None if last is None or not last.segmentation else self._folder(row) / last.segmentation

    def outline_file(self, row: CaseRow) -> Path:
        """The segmentation that counts: the edited one, else that of the run."""
        return self.edited_file(row) or self.result_folder(row) / "segmentation.seg.nrrd"

    def decide(
        self,
        row: CaseRow,
        decision: str,
        note: str = "",
        edited: tuple[Volume, Sequence[Label]] | None = None,
    ) -> Review:
        """Add a decision; an edited segmentation is written beside it, the original stays.

        Raises:
            InputError: somebody else decided about the case since it was read here. OutputError: it cannot be written.
        """
        if decision not in DECISIONS:
            raise ValueError(f"{decision} is no decision")
        self._require_unchanged(row)
        earlier, name = self._seen[row.folder].decisions, ""
        if edited is not None:
            name = f"edited-{len(earlier) + 1}.seg.nrrd"
            self._make(row)
            write_segmentation(edited[0], edited[1], self._folder(row) / name)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return self._write(row, Review((*earlier, Decision(decision, note, now, name))))

    def undo(self, row: CaseRow) -> Review:
        """Take the last decision back; its edited segmentation goes with it. Raises as ``decide``."""
        self._require_unchanged(row)
        earlier = self._seen[row.folder]
        if earlier.last is None:
            return earlier
        left = self._write(row, Review(earlier.decisions[:-1]))
        if earlier.last.segmentation:
            (self._folder(row) / earlier.last.segmentation).unlink(missing_ok=True)
        return left

    def next_open(self, after: int = -1) -> int | None:
        """Number of the first case behind ``after`` that nobody has decided about, else the first one at all."""
        waiting = [n for n, row in enumerate(self.rows) if self._seen[row.folder].last is None]
        later = [n for n in waiting if n > after]
        return next(iter(later or waiting), None)

    @property
    def decided(self) -> int:
        """How many cases have a decision."""
        return sum(review.last is not None for review in self._seen.values())

    @property
    def confirmed(self) -> tuple[CaseRow, ...]:
        """Cases whose outline somebody accepted or edited, as it is on disk now."""
        return tuple(row for row in self.rows if (last := self.review(row).last) and last.decision != REJECTED)

    def write_table(self) -> Path:
        """``reviews.csv`` beside the worklist: every case with its decision and the file that counts.

        Raises:
            OutputError: it cannot be written.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("id", "group", "decision", "note", "when", "segmentation", "predicted_dice", "status"))
        for row in self.rows:
            last = self.review(row).last or Decision("")
            counts = self.outline_file(row)
            dice = "" if row.predicted_dice != row.predicted_dice else f"{row.predicted_dice:.4g}"
            cells = (row.id, row.group, last.decision, last.note, last.when, _inside(counts, self.folder.path))
            writer.writerow(table_row((*cells, dice, row.status)))
        path = self.folder.path / TABLE
        write_text(path, text.getvalue())
        return path

    def write_training_table(self) -> Path:
        """``reviews/cases.csv``: scan and outline of every accepted or edited case, as a training takes them.

        Raises:
            InputError: nothing was accepted. OutputError: it cannot be written.
        """
        if not self.confirmed:
            raise InputError("No case of this cohort was accepted or edited yet, so there is nothing to train on.")
        pairs = (Pair(row.id, row.group, Path(row.image), self.outline_file(row)) for row in self.confirmed)
        path = self.folder.path / REVIEWS / TRAINING_TABLE
        write_text(path, table_text(pairs))
        return path

    def _folder(self, row: CaseRow) -> Path:
        return self.folder.path / REVIEWS / row.folder

    def _make(self, row: CaseRow) -> None:
        try:
            self._folder(row).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(error, self._folder(row)) from error

    def _read(self, row: CaseRow) -> Review:
        try:
            return from_json(Review, json.loads((self._folder(row) / FILE).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Review()
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(
                f"The decisions about {row.id} ({self._folder(row) / FILE}) are damaged. Move that file away."
            ) from None

    def _require_unchanged(self, row: CaseRow) -> None:
        known = self._seen[row.folder]
        found = self._read(row)
        if found != known:
            self._seen[row.folder] = found
            said = "took the decision back" if found.last is None else f"called it {found.last.decision}"
            raise InputError(f"Somebody else {said} meanwhile ({row.id}). What they did is shown now; decide again.")

    def _write(self, row: CaseRow, review: Review) -> Review:
        document: dict[str, Any] = to_json(review)
        self._make(row)
        write_text(self._folder(row) / FILE, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        self._seen[row.folder] = review
        return review


def _inside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
