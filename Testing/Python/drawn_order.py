"""Prints, in the order of drawing, how thick each visible outline is in a slice view; a process of its own: VTK may
crash."""

from __future__ import annotations

from typing import Any

import slicer
from SUREUncertaintyLib.mrml.display import show_surfaces
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.outlines import show_smooth_outlines
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.mrml.views import SliceView
from two_blobs import two_blobs


def thicknesses(view: Any) -> list[int]:
    """Pixels of every outline along voxels that is seen, lowest first."""
    view.draw()
    props = view.renderer.GetViewProps()
    actors = [props.GetItemAsObject(number) for number in range(props.GetNumberOfItems())]
    seen = [actor.GetMapper() for actor in actors if actor.IsA("vtkActor2D") and actor.GetVisibility()]
    colours = [mapper.GetInputAlgorithm() for mapper in seen if mapper.IsA("vtkImageMapper")]
    sources = [colour.GetInputConnection(0, 0).GetProducer() for colour in colours if colour is not None]
    return [source.GetOutline() for source in sources if source.IsA("vtkImageLabelOutline")]


def look_at(view: Any, segmentation: Any) -> None:
    bounds = [0.0] * 6
    segmentation.GetRASBounds(bounds)
    view.frame([sum(bounds[n : n + 2]) / 2 for n in (0, 2, 4)], 60)
    view.node.SetSliceOffset(sum(bounds[4:]) / 2)


def main() -> None:
    with HeadlessScene() as headless:
        view, apart = SliceView(headless, "Red", (400, 300)), []
        for attempt in range(4):
            # gaps in memory, so that display nodes lie there in either order
            gaps = [slicer.vtkMRMLSegmentationDisplayNode() for _ in range(3 * attempt)]
            del gaps[::2]
            apart.append(gaps)
            published = publish(headless.scene, two_blobs())
            look_at(view, published.segmentation)
            print("first", thicknesses(view))
            show_surfaces(published)
            print("surfaces", thicknesses(view))
            show_smooth_outlines(published.segmentation, True)
            show_smooth_outlines(published.segmentation, False)
            print("smoothed and back", thicknesses(view))
            publish(headless.scene, two_blobs(), published.scan)
            print("again", thicknesses(view))
            headless.scene.RemoveNode(published.segmentation)


if __name__ == "__main__":
    main()
