"""The live noise slider from hand to picture, and what it costs to publish a large result, without a desktop."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from SUREUncertaintyLib.analysis.noise_series import damaged, level_row
from SUREUncertaintyLib.core.labels import Label
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.mrml.display import show_result
from SUREUncertaintyLib.mrml.headless import SLICE_VIEWS, HeadlessScene
from SUREUncertaintyLib.mrml.live_preview import exchange_voxels
from SUREUncertaintyLib.mrml.nodes import PublishedNodes
from SUREUncertaintyLib.mrml.opengl import pick_gl
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.volume_nodes import add_volume, fill_volume, right_handed
from SUREUncertaintyLib.worker.client import WorkerClient
from template_crop import template_crop

UPDATES = 40
RESTS = 10
WINDOW = (500, 400)
LARGE = (256, 256, 256)
PUBLISHED = 3


@dataclass(frozen=True, eq=False)
class Slider:
    """The scan of a slider, its clean result, and where results go."""

    client: WorkerClient
    scan: Volume
    clean: SegmentationResult
    published: PublishedNodes
    views: list[Any]

    def noisy(self, number: int) -> NDArray[Any]:
        """The scan at one position of the slider."""
        return damaged(self.scan, "gaussian", (number % 60) / 100, 0)

    def exchange(self, result: SegmentationResult) -> None:
        """The preview into the nodes, and its row of the table."""
        if not exchange_voxels(self.published, result):
            raise AssertionError("the nodes do not take the preview")
        labels, volume = self.clean.labels.array, self.scan.grid.voxel_volume_mm3
        level_row(0.1, labels, result.labels.array, result.uncertainty.array, volume)

    def draw(self) -> None:
        """The three slices."""
        for view in self.views:
            view.draw()


def bench_live(model: str) -> dict[str, Any]:
    """What a hand on the slider sees.

    An update is: noise on the region, a preview in the worker, its voxels into the scene, three slices drawn. Its time
    is the median over positions one by one. The rate is that of a hand that keeps moving: as in the module and the
    page, the worker computes the next position while the last one is shown. The full result with its tables, which the
    slider gives when it rests, is timed apart.
    """
    gl = pick_gl()
    if gl is not None:
        os.environ.update(gl.environment())
    with HeadlessScene() as headless, WorkerClient() as client:
        client.load(model, "openvino").wait()
        scan = template_crop()
        clean = client.segment(scan).wait()
        node = add_volume(headless.scene, scan)
        published = publish(headless.scene, clean, node)
        show_result(headless.scene, published)
        slider = Slider(client, scan, clean, published, _views(headless) if gl is not None else [])
        rows = [_update(slider, number) for number in range(UPDATES)]
        rate = _rate(slider)
        rests = [_rest(headless.scene, client, scan, node, n) for n in range(RESTS)]
    whole = sorted(sum(row.values()) for row in rows)
    return {
        "region": "x".join(map(str, scan.grid.shape)),
        "updates": UPDATES,
        "drawn": gl.renderer if gl is not None else "nothing: no OpenGL here",
        "median_s": round(float(np.median(whole)), 4),
        "p95_s": round(whole[int(0.95 * len(whole))], 4),
        "updates_per_s": round(rate, 2),
        "stages_s": {name: round(float(np.median([row[name] for row in rows])), 4) for name in rows[0]},
        "rest_s": round(float(np.median(rests)), 4),
        "publish": _publish_large(),
    }


def _update(slider: Slider, number: int) -> dict[str, float]:
    """Seconds of every step from the hand to the picture."""
    watch, clock = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        watch[name], clock = now - clock, now

    array = slider.noisy(number)
    lap("noise")
    result = slider.client.resegment(array, preview=True).wait()
    lap("worker")
    slider.exchange(result)
    lap("scene")
    slider.draw()
    lap("slices")
    return watch


def _rate(slider: Slider) -> float:
    """Updates a second while the hand keeps moving."""
    start = time.perf_counter()
    job = slider.client.resegment(slider.noisy(0), preview=True)
    for number in range(1, UPDATES + 1):
        result = job.wait()
        job = slider.client.resegment(slider.noisy(number), preview=True)
        slider.exchange(result)
        slider.draw()
    job.wait()
    return UPDATES / (time.perf_counter() - start)


def _rest(scene: Any, client: WorkerClient, scan: Volume, node: Any, number: int) -> float:
    start = time.perf_counter()
    result = client.resegment(damaged(scan, "gaussian", (number % 60) / 100, 0)).wait()
    fill_volume(node, right_handed(result.image), ExitStack())
    publish(scene, result, node)
    return time.perf_counter() - start


def _views(headless: HeadlessScene) -> list[Any]:
    from SUREUncertaintyLib.mrml.views import SliceView

    return [SliceView(headless, name, WINDOW) for name in SLICE_VIEWS]


def _publish_large() -> dict[str, Any]:
    """Seconds until a result of a large scan, whose node is there, is in the scene; surfaces are not made."""
    ramp = np.random.default_rng(1).random(LARGE, np.float32)
    labels = np.zeros(LARGE, np.uint8)
    labels[60:180, 80:200, 70:190] = 1
    labels[90:150, 110:170, 100:160] = 2
    image = Volume((ramp * 1000).astype(np.int16), Grid(LARGE), "large")
    names = (Label(1, "shell"), Label(2, "core"))
    maps = {"uncertainty": image.with_array(ramp), "entropy": image.with_array(ramp)}
    result = SegmentationResult(image, image.with_array(labels), label_set=names, **maps)
    times = []
    with HeadlessScene() as headless:
        node = add_volume(headless.scene, image)
        for _ in range(PUBLISHED):
            start = time.perf_counter()
            publish(headless.scene, replace(result), node)
            times.append(round(time.perf_counter() - start, 3))
    return {"size": "x".join(map(str, LARGE)), "first_s": times[0], "again_s": min(times[1:])}
