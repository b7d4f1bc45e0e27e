"""The live noise slider from hand to picture, and what it costs to publish a large result, without a desktop."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
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

REGION = (48, 64, 48)
UPDATES = 40
RESTS = 10
WINDOW = (500, 400)
LARGE = (256, 256, 256)
PUBLISHED = 3


def bench_live(model: str) -> dict[str, Any]:
    """Medians over positions of the slider, one after the other as fast as they go.

    An update is: noise on the region, a preview in the worker, its voxels into the scene, three slices drawn. What the
    slider gives when it rests, the full result with its tables, is timed apart.
    """
    gl = pick_gl()
    if gl is not None:
        os.environ.update(gl.environment())
    with HeadlessScene() as headless, WorkerClient() as client:
        views = _views(headless) if gl is not None else []
        client.load(model, "openvino").wait()
        scan = _region()
        clean = client.segment(scan).wait()
        node = add_volume(headless.scene, scan)
        published = publish(headless.scene, clean, node)
        show_result(headless.scene, published)
        rows = [_update(published, client, scan, clean, views, n) for n in range(UPDATES)]
        rests = [_rest(headless.scene, client, scan, node, n) for n in range(RESTS)]
    stages = {name: float(np.median([row[name] for row in rows])) for name in rows[0]}
    whole = sorted(sum(row.values()) for row in rows)
    return {
        "region": "x".join(map(str, REGION)),
        "updates": UPDATES,
        "drawn": gl.renderer if gl is not None else "nothing: no OpenGL here",
        "median_s": round(float(np.median(whole)), 4),
        "p95_s": round(whole[int(0.95 * len(whole))], 4),
        "updates_per_s": round(len(whole) / sum(whole), 2),
        "stages_s": {name: round(seconds, 4) for name, seconds in stages.items()},
        "rest_s": round(float(np.median(rests)), 4),
        "publish": _publish_large(),
    }


def _update(
    published: PublishedNodes,
    client: WorkerClient,
    scan: Volume,
    clean: SegmentationResult,
    views: list[Any],
    number: int,
) -> dict[str, float]:
    watch, clock = {}, time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        watch[name], clock = now - clock, now

    array = damaged(scan, "gaussian", (number % 60) / 100, 0)
    lap("noise")
    result = client.resegment(array, preview=True).wait()
    lap("worker")
    if not exchange_voxels(published, result):
        raise AssertionError("the nodes do not take the preview")
    level_row(0.1, clean.labels.array, result.labels.array, result.uncertainty.array, scan.grid.voxel_volume_mm3)
    lap("scene")
    for view in views:
        view.draw()
    lap("slices")
    return watch


def _rest(scene: Any, client: WorkerClient, scan: Volume, node: Any, number: int) -> float:
    start = time.perf_counter()
    result = client.resegment(damaged(scan, "gaussian", (number % 60) / 100, 0)).wait()
    fill_volume(node, right_handed(result.image), ExitStack())
    publish(scene, result, node)
    return time.perf_counter() - start


def _views(headless: HeadlessScene) -> list[Any]:
    from SUREUncertaintyLib.mrml.views import SliceView

    return [SliceView(headless, name, WINDOW) for name in SLICE_VIEWS]


def _region() -> Volume:
    """Something like a hippocampus in its box."""
    k, j, i = (axis - (count - 1) / 2 for axis, count in zip(np.indices(REGION), REGION, strict=True))
    body = 300 * np.exp(-((k / 12) ** 2 + (j / 18) ** 2 + (i / 9) ** 2))
    noise = np.random.default_rng(0).normal(0, 10, REGION)
    return Volume((body + noise).astype(np.float32), Grid(REGION), "region")


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
