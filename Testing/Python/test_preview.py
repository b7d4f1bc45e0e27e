"""Previews: the maps of the full run without its tables, and their voxels in the nodes that are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from SUREUncertaintyLib.core.errors import Cancelled
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.inference.openvino_engine import QUICK, OpenVinoEngine
from SUREUncertaintyLib.inference.preview import preview, preview_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.inference.session import LiveSession
from SUREUncertaintyLib.inference.torch_engine import TorchEngine
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.live_preview import exchange_voxels
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.rollback import node_ids
from SUREUncertaintyLib.mrml.segmentation_nodes import own_segments, was_edited
from SUREUncertaintyLib.mrml.volume_nodes import grid_from_node, image_array, right_handed, volume_from_node
from two_blobs import two_blobs
from workers import LONG, scan

MAPS = ("labels", "uncertainty", "entropy")


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def other(result: Any) -> Any:
    """Another result on the same grid: everything moved by a voxel."""
    moved = {name: getattr(result, name) for name in (*MAPS, "image")}
    moved = {name: volume.with_array(np.roll(volume.array, 1, 2)) for name, volume in moved.items()}
    return replace(result, **moved)


def test_a_preview_has_the_maps_of_the_full_run_and_none_of_its_tables(tiny_package: Any) -> None:
    engine, volume = OpenVinoEngine(tiny_package, threads=1), scan()
    rois = (Roi("a", (-30, -40, 0), (-12, 0, 40)), Roi("b", (-20, -40, 0), (0, 0, 40)))
    quick, full = preview(volume, tiny_package, engine, rois), segment(volume, tiny_package, engine, rois)
    for name in MAPS:
        assert np.array_equal(getattr(quick, name).array, getattr(full, name).array), name
    assert (quick.label_set, quick.rois, quick.threshold) == (full.label_set, full.rois, full.threshold)
    assert (quick.structures, quick.regions, quick.notices) == ((), (), ())
    assert quick.provenance["preview"] == "f32"
    assert quick.provenance["model"]["name"] == full.provenance["model"]["name"]


@pytest.mark.torch
def test_lower_precision_is_used_where_the_processor_has_it_and_changes_next_to_nothing(tiny_package: Any) -> None:
    exact = OpenVinoEngine(tiny_package, threads=1)
    quick = preview_engine(tiny_package, exact)
    assert (quick is exact) == (OpenVinoEngine(tiny_package, precision=QUICK).precision == "f32")
    one, two = (preview(scan(), tiny_package, engine) for engine in (exact, quick))
    assert np.abs(one.uncertainty.array - two.uncertainty.array).max() < 0.02
    torch = TorchEngine(tiny_package, "cpu")
    assert preview_engine(tiny_package, torch) is torch


def test_a_preview_can_be_cancelled(tiny_package: Any) -> None:
    with pytest.raises(Cancelled):
        preview(scan(), tiny_package, OpenVinoEngine(tiny_package), is_cancelled=lambda: True)


def test_a_session_and_a_worker_preview_other_intensities(client: Any, tiny_package: Any) -> None:
    volume = scan()
    noisy = volume.array + np.random.default_rng(5).normal(0, 50, volume.array.shape)
    session = LiveSession(tiny_package, "openvino", threads=1)
    session.open(volume)
    client.segment(volume).wait(LONG)
    here, there = session.preview(noisy), client.resegment(noisy, preview=True).wait(LONG)
    assert np.array_equal(here.labels.array, there.labels.array)
    assert np.array_equal(there.image.array, noisy)
    assert there.provenance["preview"] in ("f32", QUICK)
    assert "preview" not in client.resegment(noisy).wait(LONG).provenance


def test_voxels_are_exchanged_in_the_nodes_that_are_there(scene: Any) -> None:
    first = two_blobs()
    published = publish(scene, first)
    nodes, moved = node_ids(scene), other(first)
    told = []
    published.segmentation.AddObserver("ModifiedEvent", lambda *_: told.append(1))
    assert exchange_voxels(published, moved)
    assert len(told) == 1
    assert node_ids(scene) == nodes
    for node, volume in ((published.scan, moved.image), (published.uncertainty, moved.uncertainty)):
        assert np.array_equal(volume_from_node(node).array, right_handed(volume).array)
    assert not was_edited(published.segmentation, grid_from_node(published.uncertainty))
    assert publish(scene, first, published.scan).segmentation is published.segmentation


def test_surfaces_come_back_with_the_next_full_result(scene: Any) -> None:
    first = two_blobs()
    published = publish(scene, first)
    published.segmentation.CreateClosedSurfaceRepresentation()
    names = published.segmentation.GetSegmentation().ContainsRepresentation
    assert exchange_voxels(published, other(first))
    assert not names("Closed surface")
    publish(scene, first, published.scan)
    assert published.segmentation.GetSegmentation().ContainsRepresentation("Closed surface")


def test_nothing_is_exchanged_after_an_edit_or_on_another_grid(scene: Any) -> None:
    first = two_blobs()
    published = publish(scene, first)
    before = volume_from_node(published.uncertainty).array
    smaller = replace(first, uncertainty=first.uncertainty.with_array(first.uncertainty.array.astype(np.float64)))
    assert not exchange_voxels(published, smaller)
    segment_id = own_segments(published.segmentation)[0]
    labelmap = published.segmentation.GetSegmentation().GetSegment(segment_id).GetRepresentation("Binary labelmap")
    image_array(labelmap)[0, 0, 0] = 5
    assert not exchange_voxels(published, other(first))
    assert np.array_equal(volume_from_node(published.uncertainty).array, before)
