"""The sliders of slices: what the server tells the page, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")

from SUREUncertaintyLib.mrml.headless import HeadlessScene
from SUREUncertaintyLib.mrml.publish import publish
from SUREUncertaintyLib.view import slice_bars
from SUREUncertaintyLib.view.session import Session
from SUREUncertaintyLib.view.slice_bars import SliceBars
from two_blobs import two_blobs


class State(dict[str, Any]):
    """As trame's: what was set to the value that it had is sent only when it is called dirty."""

    def __init__(self) -> None:
        super().__init__()
        self.anew: list[str] = []

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "anew":
            super().__setattr__(name, value)
        else:
            self[name] = value

    def dirty(self, *names: str) -> None:
        self.anew.extend(names)


@pytest.fixture
def stage() -> Iterator[Any]:
    with HeadlessScene() as headless:
        publish(headless.scene, two_blobs())
        logics = headless.slice_logics
        yield SimpleNamespace(
            scene=headless.scene,
            logic=logics.__getitem__,
            slice_nodes={name: logic.GetSliceNode() for name, logic in logics.items()},
        )


def test_offsets_are_told_again_once_when_the_slices_have_come_to_rest(
    stage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, sent = State(), []
    monkeypatch.setattr(slice_bars, "SECONDS", 0.0)
    monkeypatch.setattr(slice_bars, "REST_SECONDS", 0.0)

    async def move() -> None:
        at_rest = asyncio.Event()

        def flush() -> None:
            sent.append((round(state["slice_Red"], 3), tuple(state.anew)))
            if state.anew:
                at_rest.set()

        SliceBars(Session(stage, state, flush))
        stage.logic("Red").SetSliceOffset(1.5)
        stage.logic("Red").SetSliceOffset(2.5)
        await asyncio.wait_for(at_rest.wait(), 60)

    asyncio.run(move())
    assert sent[0] == (2.5, ())
    assert sent[-1] == (2.5, tuple(f"slice_{name}" for name in stage.slice_nodes))
