"""The whole of ``sure fit``: scans, samples, head, judgement, and the package's new version."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import EngineError, InputError
from ..core.progress import IsCancelled, Progress, never, part_of, raise_if_cancelled, silent
from ..evaluation.cases import Case
from ..files.writing import write_text
from ..nn.frozen_scale import FrozenEvidenceScale
from ..packages.package import Package
from ..packages.package_fingerprint import network_digest
from ..training.calibration import best_threshold
from .frozen_network import FrozenNetwork, open_network
from .grey_values import unlike_the_others
from .judging import Judgement, judge
from .learning import export_log_factor, fit_head, sample_inputs
from .packing import add_fit
from .page import add_fit_page
from .samples import Sample, window_samples
from .scan_list import list_scans
from .scan_windows import ScanWindow, see, windows_of
from .settings import LEAST_ASIDE, LEAST_SCANS, FitSettings

SAMPLES, HEAD, REPORT, STATE = "samples", "head.onnx", "fit.json", "begun.json"
ONE_PATIENT = (
    "The scans are of {count} only, but some patients have to be set aside to judge the result. Add scans of others, "
    "or give each scan its patient in the column group of a table."
)
TOO_FEW_USABLE = "Of {all} scans only {usable} can be used, and sure fit needs {least}. Left out: {reasons}"
CHANGED = (
    "The segmentation with the head would not be the network's own to the last bit on this computer, so that nothing "
    "was changed. Please report the model's kind."
)


@dataclass(frozen=True, eq=False)
class Fit:
    """What came of it.

    Attributes:
        package: the new version; judgement: head against the network's own map on the scans set aside.
        left_out: scans by name, with the reason.
        fitted_on, set_aside: names of scans.
        seconds: of the whole fit.
    """

    package: Package
    judgement: Judgement
    left_out: dict[str, str]
    fitted_on: tuple[str, ...]
    set_aside: tuple[str, ...]
    seconds: float


@dataclass
class _Seen:
    """Windows of every usable scan, by name."""

    windows: dict[str, list[ScanWindow]] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def fit_model(
    package: Package,
    scans: Path,
    output: Path,
    labels: Path | None = None,
    settings: FitSettings | None = None,
    progress: Progress = silent,
    is_cancelled: IsCancelled = never,
    threads: int | None = None,
) -> Fit:
    """Fit a head on the network of a package, and put it into the package if it is better than the network's own map.

    The same call goes on with a fit that was stopped.

    Args:
        scans: a folder, or a table of cases; labels: a folder with label maps for some of the scans.
        output: log, report and, until it is done, what was found so far.

    Raises:
        InputError: the scans or the network cannot be used. EngineError, PackageError, OutputError.
        Cancelled: what was found so far is kept in ``output``.
    """
    began, settings = time.monotonic(), settings or FitSettings()
    progress = with_time_left(progress)
    network = open_network(package, threads)
    pipeline = package.metadata.pipeline
    channels = () if pipeline is None else tuple(one.name for one in pipeline.channels)
    cases = list_scans(scans, channels, labels)
    _begin(output, package, cases, settings)
    seen = _look(cases, network, settings, part_of(progress, 0.0, 0.1), is_cancelled)
    aside = choose_aside(seen.groups, settings)
    used = [name for name in seen.windows if name not in aside]
    files = _collect(used, seen, network, settings, output, part_of(progress, 0.1, 0.45), is_cancelled)
    head = fit_head(files, network.kind, settings, output, part_of(progress, 0.45, 0.9), is_cancelled)
    graph = output / HEAD
    export_log_factor(head, sample_inputs(Sample.load(files[0]), 0), graph)
    progress(0.9, "judging on scans that were set aside")
    judged = [(name, window) for name in aside for window in seen.windows[name]]
    judgement = judge(judged, network, network.scaled_graph(graph), settings.seed, is_cancelled)
    if judgement.identical < judgement.passes:
        raise EngineError(CHANGED)
    record = _record(judgement, network, head, files, seen, aside, settings)
    fitted = add_fit(package, record, graph if judgement.accepted else None)
    found = Fit(fitted, judgement, seen.left_out, tuple(used), aside, time.monotonic() - began)
    write_report(found, output, network)
    for leftover in (output / SAMPLES, output / "checkpoint"):
        shutil.rmtree(leftover, ignore_errors=True)
    for name in (STATE, HEAD):
        (output / name).unlink(missing_ok=True)
    progress(1.0, "done")
    return found


def with_time_left(progress: Progress) -> Progress:
    """The same progress, whose text says about how long it will take from what it took so far."""
    began = time.monotonic()

    def told(fraction: float, text: str) -> None:
        spent = time.monotonic() - began
        if 0.02 < fraction < 1.0 and spent > 5.0:
            minutes = spent * (1.0 - fraction) / fraction / 60.0
            text = f"{text}, about {minutes:.0f} min left" if minutes >= 1.0 else f"{text}, less than a minute left"
        progress(fraction, text)

    return told


def choose_aside(groups: dict[str, str], settings: FitSettings) -> tuple[str, ...]:
    """Names of the scans that nothing is fitted on: those of a share of the patients, drawn by the seed.

    Args:
        groups: the patient of each scan.

    Raises:
        InputError: there are too few patients.
    """
    patients = sorted(set(groups.values()))
    if len(patients) <= LEAST_ASIDE:
        raise InputError(ONE_PATIENT.format(count=f"{len(patients)} patient{'s' if len(patients) > 1 else ''}"))
    count = min(max(LEAST_ASIDE, round(settings.set_aside * len(patients))), len(patients) - 1)
    order = np.random.default_rng((settings.seed, 11)).permutation(len(patients))
    chosen = {patients[number] for number in order[:count]}
    return tuple(name for name, patient in groups.items() if patient in chosen)


def _begin(output: Path, package: Package, cases: Sequence[Case], settings: FitSettings) -> None:
    """Take the folder, or go on in it if it was begun with the same model, scans and settings."""
    state = {
        "model": network_digest(package),
        "scans": [[str(case.image), str(case.label or "")] for case in cases],
        "settings": asdict(settings),
    }
    text = json.dumps(state, sort_keys=True)
    file = output / STATE
    if file.is_file() and file.read_text(encoding="utf-8") != text:
        raise InputError(
            f"A fit of another model, with other scans or by another version of this program was begun in {output}. "
            "Choose another folder with --output, or delete that one."
        )
    output.mkdir(parents=True, exist_ok=True)
    write_text(file, text)


def _look(
    cases: Sequence[Case], network: FrozenNetwork, settings: FitSettings, progress: Progress, is_cancelled: IsCancelled
) -> _Seen:
    """Read every scan and let the network answer it once; what cannot be used is left out by name."""
    found, measures = _Seen(), {}
    for number, case in enumerate(cases):
        raise_if_cancelled(is_cancelled)
        progress(number / len(cases), f"looking at {case.id}")
        try:
            seen = see(case, network, is_cancelled)
            found.windows[case.id] = windows_of(seen, network, settings.slices, (settings.seed, 1, number))
        except InputError as error:
            found.left_out[case.id] = str(error)
            continue
        found.groups[case.id], measures[case.id] = case.group, seen.measures
    for name, reason in unlike_the_others(measures).items():
        found.left_out[name] = reason
        del found.windows[name], found.groups[name]
    if len(found.windows) < LEAST_SCANS:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in list(found.left_out.items())[:5])
        counts = {"all": len(cases), "usable": len(found.windows), "least": LEAST_SCANS}
        raise InputError(TOO_FEW_USABLE.format(**counts, reasons=reasons))
    return found


def _collect(
    used: Sequence[str],
    seen: _Seen,
    network: FrozenNetwork,
    settings: FitSettings,
    output: Path,
    progress: Progress,
    is_cancelled: IsCancelled,
) -> list[Path]:
    """Files of all samples; those of a scan that are there already are not made again."""
    folder = output / SAMPLES
    folder.mkdir(exist_ok=True)
    files: list[Path] = []
    for number, name in enumerate(used):
        progress(number / len(used), f"disturbed copies of {name}")
        stem = hashlib.sha256(name.encode()).hexdigest()[:12]
        done = folder / f"{stem}.done"
        if not done.is_file():
            for place, window in enumerate(seen.windows[name]):
                raise_if_cancelled(is_cancelled)
                for copy, sample in enumerate(
                    window_samples(window, network, settings, (settings.seed, 2, number, place))
                ):
                    sample.save(folder / f"{stem}-{place}-{copy}.npz")
            done.touch()
        files += sorted(folder.glob(f"{stem}-*.npz"))
    return files


def _record(
    judgement: Judgement,
    network: FrozenNetwork,
    head: FrozenEvidenceScale,
    files: Sequence[Path],
    seen: _Seen,
    aside: Sequence[str],
    settings: FitSettings,
) -> dict[str, Any]:
    """``fitted`` of the package's metadata."""
    member = "" if network.member is None else network.member.name
    teachers = network.teachers
    return {
        "accepted": judgement.accepted,
        "sentence": judgement.sentence,
        "taps": list(network.taps.names),
        "member": member,
        "threshold": _threshold(head, files, network),
        "scans": len(seen.windows) - len(aside),
        "set_aside": len(aside),
        "labelled": judgement.labelled,
        "teacher_passes": 0 if teachers is None else teachers.passes,
        "seed": settings.seed,
        "measures": judgement.to_json(),
    }


def _threshold(head: FrozenEvidenceScale, files: Sequence[Path], network: FrozenNetwork) -> float:
    """Above which a voxel counts as uncertain: where the map overlaps most with mistakes on undamaged scans."""
    import torch

    cases = []
    for path in files:
        sample = Sample.load(path)
        with torch.no_grad():
            log_factor = head(*sample_inputs(sample, 0))[0, 0].numpy()
        cases.append((network.uncertainty(sample.logits[0].astype(np.float32), log_factor), sample.wrong[0]))
    return best_threshold(cases)


def write_report(fit: Fit, output: Path, network: FrozenNetwork) -> None:
    """``fit.json`` and ``fit.html`` in the folder of the fit."""
    document = {
        "model": fit.package.metadata.name,
        "version": fit.package.metadata.version,
        "fitted_on": list(fit.fitted_on),
        "set_aside": list(fit.set_aside),
        "left_out": fit.left_out,
        "taps": list(network.taps.names),
        "seconds": round(fit.seconds, 1),
        **fit.judgement.to_json(),
    }
    write_text(output / REPORT, json.dumps(document, indent=1, ensure_ascii=False))
    add_fit_page(document, output)
