"""Samples, levels and difficulty come from the worker as from this process, and reach the scene of module and page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from full_result import comparable, leaves
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.difficulty.case_scale import CaseScale
from SUREUncertaintyLib.difficulty.table import DifficultyTable, reference_document
from SUREUncertaintyLib.inference.sampling import memory
from SUREUncertaintyLib.inference.sampling.samples_result import SamplingOptions
from SUREUncertaintyLib.inference.session import LiveSession
from SUREUncertaintyLib.packages.package import Package
from SUREUncertaintyLib.packages.package_building import amend_package
from SUREUncertaintyLib.packages.package_fingerprint import package_fingerprint
from SUREUncertaintyLib.worker.client import WorkerClient
from tiny import build_tiny
from workers import LONG

SHAPE = (4, 20, 18)
KINDS = ["mutual_information", "entropy", "fg_variance", "class_variance"]
WISH = SamplingOptions(3, 5, level_maps=True, keep_samples=True)


@pytest.fixture(scope="module")
def latent_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """An untrained network with latents, slice by slice."""
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 3, "channels": [4, 6, 8], "posterior": "none"}
    return build_tiny(
        tmp_path_factory.mktemp("models") / "slices",
        name="slices",
        network={"name": "latent_unet", "arguments": arguments},
        head="softmax",
        spacing=None,
        patch=[16, 16],
        normalisation={"kind": "minmax", "per_slice": True},
        uncertainty={"primary": "mutual_information", "kinds": KINDS, "threshold": 0.01},
    )


@pytest.fixture(scope="module")
def referenced_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The tiny package with a table of scans to compare a new one with."""
    package = build_tiny(tmp_path_factory.mktemp("models") / "placed", name="placed")
    header = {"fingerprint": package_fingerprint(package).to_json(), "power": 2, "center": "none"}
    measures = {"noise": 0.1, "sharpness": 1.0, "volume_ml": 1.0, "cut_share": 0.0}
    scans = tuple(CaseScale(f"s{n}", f"p{n}", scales={"core": n / 100}, measures=measures) for n in range(1, 21))
    return amend_package(package, {"reference": reference_document(DifficultyTable(scans, header))})


def scan(shape: tuple[int, int, int] = SHAPE) -> Volume:
    array = np.random.default_rng(2).normal(100, 20, shape).astype(np.float32)
    return Volume(array, Grid(shape, (0.7, 0.7, 2.5)), "scan", placed=False)


def differences(here: Any, there: Any) -> list[str]:
    """Paths of what is not the same, bit for bit; the run's times differ."""
    parts = [entry.name for entry in fields(here) if entry.name != "provenance"]
    sent, came = ({path: v for n in parts for path, v in leaves(getattr(side, n), n)} for side in (here, there))
    assert list(sent) == list(came)
    return [path for path in sent if comparable(sent[path]) != comparable(came[path])]


def test_samples_levels_and_sizes_come_from_the_worker_bit_for_bit(latent_package: Package) -> None:
    here = LiveSession(latent_package, "openvino", threads=1)
    here.open(scan())
    expected = here.segment(sampling=WISH)
    with WorkerClient() as client:
        client.load(latent_package.root, "openvino", threads=1)
        found = client.segment(scan(), sampling=WISH).wait(LONG)
        plain = client.segment(scan()).wait(LONG)
    assert differences(expected, found) == []
    assert found.sampling.options == WISH
    assert (len(found.sampling.samples), len(found.sampling.levels), len(found.sampling.bands)) == (3, 2, 2)
    assert found.provenance["sampling"] == expected.provenance["sampling"]
    assert found.provenance["options"] == expected.provenance["options"]
    assert "place-unknown" in [notice.code for notice in found.notices]  # the scan's file did not say how it lies
    assert (len(plain.sampling.samples), len(plain.sampling.sizes)) == (0, 2)


def test_difficulty_comes_from_the_worker_and_a_wish_for_samples_does_not_disturb(referenced_package: Package) -> None:
    volume = scan((18, 20, 22))
    here = LiveSession(referenced_package, "openvino", threads=1)
    here.open(volume)
    expected = here.segment(sampling=WISH)
    assert len(expected.difficulty) == 1
    with WorkerClient() as client:
        client.load(referenced_package.root, "openvino", threads=1)
        found = client.segment(volume, sampling=WISH).wait(LONG)
    assert differences(expected, found) == []
    assert found.difficulty[0].sentence == expected.difficulty[0].sentence
    assert found.sampling is None


def test_a_scan_too_large_for_samples_gets_a_sentence_instead(
    latent_package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("SUREUncertaintyLib.inference.session.affordable", _no_memory)
    session = LiveSession(latent_package, "openvino", threads=1)
    session.open(scan())
    result = session.segment(sampling=WISH)
    assert result.sampling is not None
    assert (result.sampling.samples, result.sampling.levels) == ((), ())
    assert result.notices[-1].code == "samples-left-out"
    assert "crop the scan" in result.notices[-1].text


def _no_memory(options: SamplingOptions, shape: tuple[int, int, int], levels: int) -> SamplingOptions:
    return memory.affordable(options, shape, levels, available=1)


class Ticking:
    """A timer that the test ticks; stands for that of the desktop and of the page's event loop."""

    def __init__(self, _milliseconds: int, callback: Any) -> None:
        self.callback, self.is_active = callback, False

    def start(self) -> None:
        self.is_active = True

    def stop(self) -> None:
        self.is_active = False


class View:
    """Takes what a run reports."""

    published: Any = None
    failure: Any = None

    def show_progress(self, *_: Any) -> None:
        """Not looked at."""

    def show_result(self, _result: Any, published: Any, _seconds: float) -> None:
        self.published = published

    def show_failure(self, why: Any) -> None:
        self.failure = why


@pytest.fixture
def scene() -> Iterator[Any]:
    pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")
    from SUREUncertaintyLib.mrml.headless import HeadlessScene

    with HeadlessScene() as headless:
        yield headless.scene


def run_as_a_face_does(scene: Any, package: Package, volume: Volume) -> Any:
    """What module and page do when Run is pressed; the nodes of the result."""
    from SUREUncertaintyLib.mrml.volume_nodes import add_volume
    from SUREUncertaintyLib.presenters.run_controller import RunController, RunRequest
    from SUREUncertaintyLib.presenters.worker_bridge import WorkerBridge

    timers: list[Ticking] = []

    def create_timer(milliseconds: int, callback: Any) -> Ticking:
        timers.append(Ticking(milliseconds, callback))
        return timers[-1]

    bridge, view = WorkerBridge(create_timer), View()
    try:
        request = RunRequest(add_volume(scene, volume), None, str(package.root), "openvino", 0.5)
        RunController(bridge, lambda: scene, view).start(request)
        limit = time.monotonic() + LONG
        while timers[0].is_active and time.monotonic() < limit:
            timers[0].callback()
    finally:
        bridge.close()
    assert view.failure is None
    return view.published


def test_a_run_of_module_or_page_has_levels_and_samples_to_step_through(scene: Any, latent_package: Package) -> None:
    from SUREUncertaintyLib.mrml.chosen_map import map_names
    from SUREUncertaintyLib.mrml.reading_back import result_from_nodes
    from SUREUncertaintyLib.mrml.steps import steps_in

    published = run_as_a_face_does(scene, latent_package, scan())
    assert list(map_names(published)) == ["primary", "entropy", "map1", "map2", "level1", "level0"]
    (steps,) = steps_in(scene)
    assert (steps.kind, steps.count) == ("samples", 20)
    sampling = result_from_nodes(published).sampling
    assert sampling is not None
    assert [size.interval.samples for size in sampling.sizes] == [100, 100]
    assert "place-unknown" in published.provenance.GetText()


def test_a_run_of_module_or_page_says_how_hard_the_scan_is(scene: Any, referenced_package: Package) -> None:
    from SUREUncertaintyLib.mrml.reading_back import result_from_nodes
    from SUREUncertaintyLib.mrml.table_nodes import table_text

    published = run_as_a_face_does(scene, referenced_package, scan((18, 20, 22)))
    (case,) = result_from_nodes(published).difficulty
    assert case.count == 20
    assert case.sentence in published.provenance.GetText()
    assert case.summary in table_text(published.structures, ",")
