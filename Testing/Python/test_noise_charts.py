"""A noise series: charts with axes of their own, whether uncertainty noticed, and other regions kept."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import slicer
from SUREUncertaintyLib.analysis.noise_series import LevelRow, notice_of
from SUREUncertaintyLib.mrml.chart_layout import layout_description, plot_tag, show_charts
from SUREUncertaintyLib.mrml.charts import axis_range
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.other_regions import show_all_regions, show_other_regions
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.presenters.noise_controller import Noise
from SUREUncertaintyLib.presenters.result_sentences import live_sentence, series_sentence
from SUREUncertaintyLib.presenters.run_controller import RunRequest
from SUREUncertaintyLib.view.series_picture import BOTTOM, TOP, series_charts
from two_blobs import two_blobs

NAN = float("nan")


@pytest.fixture
def scene() -> Iterator[Any]:
    with HeadlessScene() as headless:
        yield headless.scene


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ((1.0, 0.99, 0.97), (0.96, 1.0)),
        ((0.071, 0.08, 0.093), (0.07, 0.11)),
        ((0.0, 1.0), (0.0, 1.0)),
        ((0.5, NAN), (0.5, 0.52)),
        ((NAN,), (0.0, 1.0)),
    ],
)
def test_an_axis_shows_small_changes_between_round_ends(values: tuple[float, ...], ends: tuple[float, float]) -> None:
    assert axis_range(values) == pytest.approx(ends)


def rows(*pairs: tuple[float, float]) -> list[LevelRow]:
    return [
        LevelRow(round(0.1 * n, 1), agreement, uncertainty, 2.0) for n, (agreement, uncertainty) in enumerate(pairs)
    ]


@pytest.mark.parametrize(
    ("series", "noticed", "words"),
    [
        (
            rows((1.0, 0.05), (0.95, 0.06), (0.8, 0.09)),
            True,
            "noticed: mean uncertainty had risen from 0.050 to 0.090",
        ),
        (rows((1.0, 0.05), (0.85, 0.052), (0.5, 0.2)), False, "It did not notice: mean uncertainty was 0.050"),
        (rows((1.0, 0.05), (0.97, 0.06)), None, "There was nothing to notice"),
    ],
)
def test_it_is_said_whether_uncertainty_noticed(series: list[LevelRow], noticed: bool | None, words: str) -> None:
    assert notice_of(series).noticed is noticed
    assert words in series_sentence(series, str)


def test_each_chart_of_the_page_fills_its_own_axis() -> None:
    agreement, mean = series_charts(rows((1.0, 0.05), (0.98, 0.055), (0.97, 0.07)), "Blur")
    assert (agreement["title"], mean["title"]) == ("Blur: how much stays", "Blur: mean uncertainty")
    for chart in (agreement, mean):
        heights = [point["y"] for point in chart["points"]]
        assert max(heights) - min(heights) > 0.5 * (BOTTOM - TOP)
        assert all(TOP <= height <= BOTTOM for height in heights)
    assert agreement["limit"] is None, "0.9 lies below what is drawn"
    broken, _ = series_charts(rows((1.0, 0.05), (0.7, NAN)), "Blur")
    assert TOP < broken["limit"] < BOTTOM
    assert len(series_charts(rows((1.0, 0.05), (0.7, NAN)), "Blur")[1]["points"]) == 1


def test_charts_stand_beside_the_views_and_take_none_away(scene: Any) -> None:
    charts = [scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name) for name in "ab"]
    views = []
    for place in range(2):
        view = slicer.vtkMRMLPlotViewNode()
        view.SetSingletonTag(plot_tag(place))
        views.append(scene.AddNode(view))
    show_charts(scene, charts)
    (layout,) = slicer.util.getNodesByClass("vtkMRMLLayoutNode", scene)
    text = layout.GetCurrentLayoutDescription()
    assert text == layout_description(2)
    for kind, count in (("vtkMRMLSliceNode", 3), ("vtkMRMLViewNode", 1), ("vtkMRMLPlotViewNode", 2)):
        assert text.count(f'class="{kind}"') == count
    assert [view.GetPlotChartNodeID() for view in views] == [chart.GetID() for chart in charts]
    assert layout.GetLayoutRootElement() is not None, "Slicer understands the description"


def test_the_other_regions_stay_in_the_views(scene: Any) -> None:
    published = publish(scene, two_blobs())
    display = published.segmentation.GetDisplayNode()
    display.SetSegmentVisibility("absent_20", False)
    assert show_other_regions(published, "left") == 2
    shown = [display.GetSegmentVisibility(name) for name in ("left_blob_5", "right_blob_12", "absent_20")]
    assert shown == [False, True, False]
    assert display.GetVisibility()
    show_all_regions(published)
    shown = [display.GetSegmentVisibility(name) for name in ("left_blob_5", "right_blob_12", "absent_20")]
    assert shown == [True, True, False], "what a person has hidden stays hidden"
    assert show_other_regions(published, "elsewhere") == 0
    assert not display.GetVisibility(), "of a single region nothing is left beside the damaged one"


def test_it_is_said_which_region_the_slider_is_about() -> None:
    region = SimpleNamespace(GetName=lambda: "Left")
    noise, row = Noise("gaussian", 0.3, 0), LevelRow(0.3, 0.95, 0.06, 2.0)
    several = RunRequest(None, region, "m", "auto", 0.8, further=(region,))
    assert "Only the region 'Left' is damaged" in live_sentence(noise, row, several, str)
    assert "region" not in live_sentence(noise, row, RunRequest(None, region, "m", "auto", 0.8), str)
