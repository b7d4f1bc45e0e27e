"""How often the head locator accepts what it should refuse, and refuses what it should accept; and its judgement.

    python Testing/Bench/locator_rates.py HEADS OTHERS --output DIR [--poses 200]

HEADS is a folder of T1 scans of whole heads, with or without skull (an image's name is its name up to the first dot);
their fits without a pose are the truth that those in random poses are compared with, so look at the pictures that are
written of them. OTHERS is a folder of scans that are none. Rows are kept in DIR/rows.jsonl and not measured twice.

The judgement is a logistic regression over the measures of ``location/measures.py``. Its rates are those on heads and
scans that it has not seen: five parts, a source in one of them, each judged by what was fitted on the other four. A
fit whose middles lie more than 10 mm off counts as one to be refused.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from locator_cases import damaged_heads, made_up, pose, read_all, scans_in
from numpy.typing import NDArray
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.location.locate import fit_template, mapped, outside, template_of
from SUREUncertaintyLib.packages.catalogue import find_package

MODEL = "hippocampus-t1"
RIGHT_MM = 10.0
USED = ("correlation", "rank", "local", "local_in_boxes", "stretch")
PARTS = 5
HELD_BACK = 1.0
"""Weight decay of the regression (1 / C)."""


class Bench:
    """Runs fits and keeps their rows."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "rows.jsonl"
        self.rows: list[dict[str, Any]] = []
        if self.file.exists():
            self.rows = [json.loads(line) for line in self.file.read_text(encoding="utf-8").splitlines()]
        self._known = {row["id"] for row in self.rows}
        package = find_package(MODEL)
        assert package.metadata.locator is not None
        self.boxes: tuple[Roi, ...] = package.metadata.locator.boxes
        self.template = template_of(package)
        self.middles = np.array([(np.array(box.low) + box.high) / 2 for box in self.boxes])

    def has(self, name: str) -> bool:
        return name in self._known

    def add(
        self, name: str, kind: str, source: str, scan: Volume, truth: NDArray[np.float64] | None, how: Any = None
    ) -> None:
        began, work = time.perf_counter(), time.process_time()
        row: dict[str, Any] = {"id": name, "kind": kind, "source": source, "how": how}
        try:
            fit, measures = fit_template(scan, self.template, self.boxes)
            found = fit(self.middles)
            unseen = outside(scan, [mapped(box, fit) for box in self.boxes])
            row |= {"measures": measures, "found": found.tolist(), "outside": unseen}
            if truth is not None:
                row["error_mm"] = float(np.linalg.norm(found - truth, axis=1).max())
        except (InputError, RuntimeError) as error:
            row["failed"] = str(error)[:200]
        row |= {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - work}
        row["busy"] = os.getloadavg()[0]
        self.rows.append(row)
        self._known.add(name)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, default=float) + "\n")
        print(f"{name}: {row.get('error_mm', float('nan')):.1f} mm, {row['seconds']:.1f} s", flush=True)


def measure(bench: Bench, heads: Path, others: Path, poses: int) -> None:
    """Every fit that is not there yet."""
    files = scans_in(heads)
    for name, path in files.items():
        if not bench.has(f"head/{name}"):
            bench.add(f"head/{name}", "head", name, read_volume(path), None)
    truth = {row["source"]: np.array(row["found"]) for row in bench.rows if row["kind"] == "head" and "found" in row}
    for name, scan in [*read_all(others), *made_up(np.random.default_rng(0))]:
        if not bench.has(f"other/{name}"):
            bench.add(f"other/{name}", "other", name, scan, None)
    steps: list[Iterator[None]] = [_posed(bench, files, truth, poses)]
    steps = [steps[0], steps[0], _damaged(bench, files, truth)]
    while steps:  # in turn, so that rows of an unfinished run are of both kinds
        steps = [step for step in steps if next(step, _END) is not _END]


_END = object()


def _posed(bench: Bench, files: dict[str, Path], truth: dict[str, NDArray[np.float64]], count: int) -> Iterator[None]:
    names = list(files)
    for number in range(count):
        source = names[number % len(names)]
        if bench.has(f"posed/{number}"):
            continue
        posed = pose(read_volume(files[source]), np.random.default_rng([7, number]), truth[source])
        bench.add(f"posed/{number}", "posed", source, posed.scan, posed.place(truth[source]), posed.how)
        yield


def _damaged(bench: Bench, files: dict[str, Path], truth: dict[str, NDArray[np.float64]]) -> Iterator[None]:
    for source, path in list(files.items())[::2]:
        for name, scan in damaged_heads(read_volume(path), truth[source]):
            if not bench.has(f"damaged/{source}/{name}"):
                bench.add(f"damaged/{source}/{name}", "damaged", source, scan, None, name)
                yield


def should_accept(row: dict[str, Any]) -> bool:
    return row["kind"] in ("head", "posed") and row.get("error_mm", 0.0) <= RIGHT_MM


def fit_judgement(rows: Sequence[dict[str, Any]], names: Sequence[str] = USED) -> dict[str, Any]:
    """Logistic regression with both outcomes weighted alike, by Newton's method."""
    x = np.array([[row["measures"][name] for name in names] for row in rows])
    y = np.array([should_accept(row) for row in rows], float)
    mean, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    z = np.column_stack([(x - mean) / scale, np.ones(len(x))])
    share = np.where(y > 0, 0.5 / max(y.sum(), 1), 0.5 / max((1 - y).sum(), 1)) * len(y)
    weights, decay = np.zeros(z.shape[1]), np.diag([*[HELD_BACK] * len(names), 0.0])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(z @ weights, -50, 50)))
        slope = z.T @ (share * (y - p)) - decay @ weights
        curve = (z * (share * p * (1 - p))[:, None]).T @ z + decay + 1e-9 * np.eye(z.shape[1])
        step = np.linalg.solve(curve, slope)
        weights += step
        if np.abs(step).max() < 1e-8:
            break
    terms = [
        {"measure": name, "mean": round(m, 6), "scale": round(s, 6), "weight": round(w, 4)}
        for name, m, s, w in zip(names, mean.tolist(), scale.tolist(), weights[:-1].tolist(), strict=True)
    ]
    return {"bias": round(float(weights[-1]), 4), "terms": terms, "accept": 0.5}


def beliefs(judgement: dict[str, Any], rows: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
    total = np.full(len(rows), judgement["bias"], float)
    for term in judgement["terms"]:
        values = np.array([row["measures"][term["measure"]] for row in rows])
        total += (values - term["mean"]) / term["scale"] * term["weight"]
    return np.asarray(1 / (1 + np.exp(-np.clip(total, -500, 500))))


def held_out_beliefs(rows: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
    """Each row's belief by a judgement that was fitted without its source."""
    sources = sorted({row["source"] for row in rows})
    part = {source: n % PARTS for n, source in enumerate(np.random.default_rng(3).permutation(sources))}
    own = np.array([part[row["source"]] for row in rows])
    out = np.zeros(len(rows))
    for number in range(PARTS):
        judgement = fit_judgement([row for row, p in zip(rows, own, strict=True) if p != number])
        chosen = np.flatnonzero(own == number)
        out[chosen] = beliefs(judgement, [rows[n] for n in chosen])
    return out


def rates(rows: Sequence[dict[str, Any]], accepted: NDArray[np.bool_]) -> dict[str, Any]:
    """Counts by kind; a scan that could not be fitted at all counts as refused."""
    good = np.array([should_accept(row) for row in rows])
    kinds = [row["kind"] if row["kind"] != "posed" or ok else "wrong fit" for row, ok in zip(rows, good, strict=True)]
    table: dict[str, Any] = {}
    for kind in dict.fromkeys(kinds):
        chosen = np.array([k == kind for k in kinds])
        table[kind] = {"scans": int(chosen.sum()), "accepted": int(accepted[chosen].sum())}
    wrong = [row["id"] for row, ok, taken in zip(rows, good, accepted, strict=True) if ok != taken]
    return {
        "false_refuse": float((~accepted[good]).mean()),
        "false_accept": float(accepted[~good].mean()),
        "should_accept": int(good.sum()),
        "should_refuse": int((~good).sum()),
        "kinds": table,
        "wrong": wrong,
    }


def summarise(rows: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is written as ``rates.json``, and the judgement on all rows."""
    fitted = [row for row in rows if "measures" in row]
    believed = dict(zip((row["id"] for row in fitted), held_out_beliefs(fitted), strict=True))
    accepted = np.array([believed.get(row["id"], 0.0) >= 0.5 and not row.get("outside") for row in rows])
    errors = np.array([row["error_mm"] for row in rows if "error_mm" in row])
    right = accepted & np.array([row["kind"] == "posed" and should_accept(row) for row in rows])
    seconds = [row["seconds"] for row in rows if row["kind"] in ("head", "posed")]
    work = [row["cpu_seconds"] for row in rows if row["kind"] in ("head", "posed") and "cpu_seconds" in row] or [0.0]
    judgement = fit_judgement(fitted)
    document = {
        "measures": list(USED),
        "held_out": rates(rows, accepted),
        "fits_of_posed_heads": {
            "scans": len(errors),
            "within_10_mm": int((errors <= RIGHT_MM).sum()),
            "accepted_within_10_mm": int(right.sum()),
            "median_mm": float(np.median(errors)),
            "p95_mm": float(np.percentile(errors, 95)),
        },
        "seconds": {"median": float(np.median(seconds)), "p95": float(np.percentile(seconds, 95))},
        "cpu_seconds": {"median": float(np.median(work)), "p95": float(np.percentile(work, 95)), "scans": len(work)},
        "machine_load": {"cores": os.cpu_count(), "median": float(np.median([row["busy"] for row in rows]))},
        "heads": sorted({row["source"] for row in rows if row["kind"] == "head"}),
        "others": sorted({row["source"] for row in rows if row["kind"] == "other"}),
    }
    return document, judgement


def as_table(document: dict[str, Any]) -> str:
    held = document["held_out"]
    lines = ["| scans | number | accepted |", "|---|---|---|"]
    names = {
        "head": "heads as they are",
        "posed": "heads in random poses, fitted within 10 mm",
        "wrong fit": "heads in random poses, fitted elsewhere",
        "other": "hearts, abdomens, spines, CT, animals, crops, phantoms",
        "damaged": "heads in a wrong orientation, halves, without temporal lobes",
    }
    lines += [f"| {names[k]} | {row['scans']} | {row['accepted']} |" for k, row in held["kinds"].items()]
    lines += [
        "",
        f"False refusals {held['false_refuse']:.1%} of {held['should_accept']}, "
        f"false acceptances {held['false_accept']:.1%} of {held['should_refuse']}, "
        "each by a judgement that was fitted without the scan's source.",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heads", type=Path)
    parser.add_argument("others", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--poses", type=int, default=200)
    parser.add_argument("--only-judge", action="store_true", help="fit the judgement to the rows that are there")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    bench = Bench(arguments.output)
    if not arguments.only_judge:
        measure(bench, arguments.heads, arguments.others, arguments.poses)
    document, judgement = summarise(bench.rows)
    for name, content in (("rates.json", document), ("judgement.json", judgement)):
        (arguments.output / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    table = as_table(document)
    (arguments.output / "rates.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
