"""A result that goes into a scene and comes back: every field of it, in memory and from a saved scene."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from full_result import comparable, full_result, leaves
from SUREUncertaintyLib.core.volume import Volume
from SUREUncertaintyLib.export.content import read_content
from SUREUncertaintyLib.inference.result import SegmentationResult
from SUREUncertaintyLib.inference.sampling.samples_result import SamplingOptions
from SUREUncertaintyLib.mrml.archive import read_mrb, write_mrb
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.nodes import all_published
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.reading_back import result_from_nodes
from SUREUncertaintyLib.mrml.volume_nodes import right_handed
from SUREUncertaintyLib.view.result_archive import write_files
from two_blobs import two_blobs

NOT_IN_A_SCENE = {"probabilities"}
"""They are kept for scripts, and a scene has no node for them."""


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


def differences(given: SegmentationResult, found: SegmentationResult) -> list[str]:
    """Paths of what is not the same, names of volumes aside, which are those of nodes."""
    sent, came = dict(_parts(given)), dict(_parts(found))
    assert list(came) == list(sent)
    return [path for path in sent if not _same(sent[path], came[path])]


def _parts(result: SegmentationResult) -> Iterator[tuple[str, Any]]:
    for entry in fields(result):
        if entry.name not in NOT_IN_A_SCENE:
            for path, value in leaves(getattr(result, entry.name), entry.name, stop=Volume):
                yield path, right_handed(value) if isinstance(value, Volume) else value


def _same(sent: Any, came: Any) -> bool:
    if isinstance(sent, Volume):
        return bool(np.array_equal(sent.array, came.array)) and came.grid.matches(sent.grid, 1e-6)
    return bool(comparable(sent) == comparable(came))


@pytest.mark.parametrize("left_handed", [False, True])
def test_every_field_of_a_result_comes_back_from_its_nodes(scene: Any, left_handed: bool) -> None:
    given = full_result(left_handed)
    found = result_from_nodes(publish(scene, given))
    assert differences(given, found) == []
    assert (found.image.modality, found.image.placed) == ("MR", False)


def test_every_field_of_a_result_comes_back_from_a_saved_scene(scene: Any, tmp_path: Path) -> None:
    given = full_result()
    publish(scene, given)
    write_mrb(scene, tmp_path / "scene.mrb")
    with HeadlessScene() as other:
        read_mrb(other.scene, tmp_path / "scene.mrb")
        (published,) = all_published(other.scene)
        found = result_from_nodes(published)
    text = [path for path in differences(given, found) if not path.startswith(("structures", "regions", "label_set"))]
    assert text == []  # tables and colours are saved with a few decimals
    assert [row.difficulty for row in found.structures] == [row.difficulty for row in given.structures]


def test_a_second_run_without_samples_takes_maps_and_contours_away(scene: Any) -> None:
    first = publish(scene, full_result())
    assert (len(first.maps), len(first.contours)) == (4, 2)
    assert {*first.maps.values(), *first.contours.values()} <= set(first.results)
    second = publish(scene, two_blobs())
    assert second.segmentation is first.segmentation
    assert (second.maps, second.contours) == ({}, {})
    assert result_from_nodes(second).sampling is None


def test_what_a_person_deleted_is_left_out_and_the_rest_comes_back(scene: Any) -> None:
    given = full_result()
    published = publish(scene, given)
    scene.RemoveNode(published.maps[1])
    scene.RemoveNode(published.contours[0])
    scene.RemoveNode(published.samples)
    sampling = result_from_nodes(publish_again(published)).sampling
    assert sampling is not None
    assert given.sampling is not None
    assert list(sampling.maps) == ["vacuity", "class_variance"]
    assert list(sampling.bands) == list(given.sampling.bands)[1:]
    assert (sampling.samples, sampling.most_different) == ((), ())
    assert sampling.sizes == given.sampling.sizes


def publish_again(published: Any) -> Any:
    (found,) = all_published(published.segmentation.GetScene())
    return found


def test_a_scene_of_an_earlier_version_opens(scene: Any) -> None:
    """Its manifest named neither the samples' options nor their maps."""
    given = full_result()
    published = publish(scene, given)
    record = json.loads(published.provenance.GetText())
    del record["sampling"], record["difficulty"]
    record["regions_of_interest"] = [{"name": "box", "low": [0.0, 1.0, 2.0], "high": [3.0, 4.0, 5.0]}]
    published.provenance.SetText(json.dumps(record))
    found = result_from_nodes(published)
    assert found.difficulty == ()
    assert [(roi.name, roi.high) for roi in found.rois] == [("box", (3.0, 4.0, 5.0))]
    assert found.sampling is not None
    assert found.sampling.options == SamplingOptions(3, 11)
    assert (len(found.sampling.levels), len(found.sampling.samples)) == (2, 3)
    published.provenance.SetText("")
    assert result_from_nodes(published).rois == ()


def test_a_download_from_the_page_holds_what_the_samples_say(scene: Any, tmp_path: Path) -> None:
    given = replace(full_result(), rois=())
    assert given.members is not None
    write_files(result_from_nodes(publish(scene, given)), "not installed", tmp_path)
    content = read_content(tmp_path)
    assert set(content.maps) == {"vacuity", "entropy", "fg_variance", "class_variance", *given.members.maps}
    assert sorted(path.name for path in tmp_path.rglob("*.seg.nrrd"))[:3] == [
        f"sample-00{n}.seg.nrrd" for n in range(3)
    ]
    assert len(list((tmp_path / "levels").iterdir())) == len(list((tmp_path / "contours").iterdir())) == 2
    assert content.document["samples"]["options"]["count"] == 3
    assert content.document["difficulty"][0]["sentence"] == given.difficulty[0].sentence
    assert "left blob" in (tmp_path / "sizes.csv").read_text(encoding="utf-8")
