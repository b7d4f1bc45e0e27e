"""Which volumes of a scene the page offers for segmentation."""

from __future__ import annotations

from types import SimpleNamespace

from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.view.input_part import InputPart
from two_blobs import two_blobs


def test_every_scan_is_offered_and_no_map_of_a_result() -> None:
    with HeadlessScene() as headless:
        scene = headless.scene
        published = publish(scene, two_blobs()).scan.GetName()
        for number in range(30):  # many: Python gives the id of a wrapper that is gone to the next one
            scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"scan {number}")
        part = SimpleNamespace(_session=SimpleNamespace(scene=scene))
        names = [node.GetName() for node in InputPart.scans(part)]  # type: ignore[arg-type]
    assert sorted(names) == sorted([published, *(f"scan {number}" for number in range(30))])
