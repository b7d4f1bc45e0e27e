"""The page's slider over the samples of a model that draws them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from full_result import full_result
from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.view.samples_part import SamplesPart
from test_view_frames import State
from two_blobs import two_blobs


@pytest.fixture
def page() -> Iterator[SimpleNamespace]:
    with HeadlessScene() as headless:
        published = publish(headless.scene, full_result())
        here = SimpleNamespace(state=State(), scene=headless.scene, stage=MagicMock(), shown=published)
        here.published = lambda: here.shown
        here.number = lambda name, low, high, usual: min(max(here.state[name], low), high)
        yield SimpleNamespace(part=SamplesPart(here), session=here, published=published)


def test_a_result_with_samples_offers_them_and_says_which_is_shown(page: SimpleNamespace) -> None:
    assert page.session.state.sample_count == 3
    assert page.session.state.sample_text == "Sample 1, number 1 of 3 from the smallest: 1.00 ml."
    assert page.published.sample.GetDisplayNode().GetVisibility()


def test_the_slider_shows_another_sample_and_stops_at_the_last(page: SimpleNamespace) -> None:
    page.session.state.sample = 2
    page.part.update()
    assert page.published.browser.GetSelectedItemNumber() == 2
    assert page.session.state.sample_text.startswith("Sample 0, number 3 of 3 from the smallest: 3.00")
    page.session.state.sample = 99
    page.part.update()
    assert page.published.browser.GetSelectedItemNumber() == 2
    page.session.stage.redraw.assert_called()


def test_samples_can_be_hidden(page: SimpleNamespace) -> None:
    page.session.state.samples = False
    page.part.update()
    assert not page.published.sample.GetDisplayNode().GetVisibility()


def test_samples_of_another_result_than_the_shown_one_are_hidden(page: SimpleNamespace) -> None:
    other = replace(two_blobs(), provenance={"model": {"name": "other"}})
    page.session.shown = publish(page.session.scene, other)
    page.part.refresh()
    assert page.session.state.sample_count == 0
    assert page.session.state.sample_text == ""
    assert not page.published.sample.GetDisplayNode().GetVisibility()
    page.session.shown = page.published
    page.part.refresh()
    assert page.session.state.sample_count == 3
