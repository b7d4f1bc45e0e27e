"""What the Slicer panel offers of a model that draws samples: maps with names, contours, samples in their order."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from full_result import full_result
from opened_module import parameters
from SUREUncertaintyLib.core.latent_levels import LatentLevel
from SUREUncertaintyLib.mrml.chosen_map import map_names
from SUREUncertaintyLib.mrml.nodes import published_nodes
from SUREUncertaintyLib.mrml.publish import publish
from two_blobs import two_blobs

pytestmark = pytest.mark.filterwarnings("error::UserWarning")


def show(opened: SimpleNamespace) -> object:
    """A sampled result, chosen in the panel."""
    node = publish(opened.scene, full_result()).segmentation
    parameters(opened).segmentation = node
    return node


def test_every_map_is_offered_by_name_coarse_first_and_explained(opened: SimpleNamespace) -> None:
    published = published_nodes(show(opened))
    combo = opened.ui.mapSelector
    texts = list(map_names(published).values())
    assert texts[-2:] == ["Which parts, 8 px", "Rim, 1 px: carries nothing"]
    assert [combo.itemData(number) for number in range(len(texts))] == list(map_names(published))
    for name, begins in (("level1", "The coarse levels of the samples"), ("level0", "This level of the model carries")):
        parameters(opened).map = name
        assert combo.toolTip.startswith(begins)
    assert "mm" not in LatentLevel(1, 8).sentence()
    parameters(opened).map = "level1"
    assert combo.toolTip.endswith("8 pixels, 2.7 mm.")


def test_contours_are_drawn_while_ticked_and_only_where_there_are_samples(opened: SimpleNamespace) -> None:
    node = show(opened)
    box = opened.ui.contoursCheckBox
    assert box.enabled
    assert box.toolTip.startswith("Lines around the voxels")
    parameters(opened).showContours = True
    lines = published_nodes(node).lines
    assert len(lines) == 3
    assert all(line.GetDisplayNode().GetVisibility() for line in lines.values())
    parameters(opened).showContours = False
    assert not any(line.GetDisplayNode().GetVisibility() for line in lines.values())
    other = replace(two_blobs(), provenance={"model": {"name": "other"}})
    parameters(opened).segmentation = publish(opened.scene, other).segmentation
    assert not box.enabled
    assert box.toolTip.startswith("The model of this result draws no samples")


def test_the_slider_runs_from_the_smallest_sample_to_the_largest(opened: SimpleNamespace) -> None:
    published = published_nodes(show(opened))
    opened.widget.panel.steps.refresh(published.browser.GetName())
    assert opened.ui.stepLabel.text == "Sample 1, number 1 of 3 from the smallest: 1.00 ml."
    opened.ui.stepSlider.value = 2.0
    assert opened.ui.stepLabel.text == "Sample 0, number 3 of 3 from the smallest: 3.00 ml."
    assert published.browser.GetSelectedItemNumber() == 2
