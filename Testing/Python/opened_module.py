"""Using the opened module in tests: scans in, Run, wait."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from phantoms import asymmetric_volume
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.mrml.volume_nodes import add_volume

LIMIT_SECONDS = 120.0


class State(SimpleNamespace):
    """Stands in for trame's state."""

    def update(self, values: dict[str, Any]) -> None:
        vars(self).update(values)

    def __getitem__(self, name: str) -> Any:
        return vars(self)[name]


def page_beside(session: SimpleNamespace) -> SimpleNamespace:
    """The page's input part on the scene and the worker of the opened module, without a browser."""
    from SUREUncertaintyLib.view.input_part import InputPart
    from SUREUncertaintyLib.view.session import Session

    state = State(model="", obstacle="", opacity=0.8)
    page = Session(SimpleNamespace(scene=session.scene), state, lambda: None)  # type: ignore[arg-type]
    return SimpleNamespace(session=page, state=state, input=InputPart(page, session.widget.panel.bridge))


def parameters(session: SimpleNamespace) -> Any:
    return session.widget._parameterNode


def add_scan(session: SimpleNamespace, name: str = "scan", grid: Grid | None = None) -> Any:
    scan = asymmetric_volume(grid or Grid((18, 20, 22)))
    return add_volume(session.scene, Volume(scan.array, scan.grid, name))


def wait(session: SimpleNamespace) -> None:
    """Tick like the event loop until no timer runs any more."""
    limit = time.monotonic() + LIMIT_SECONDS
    while session.desktop.tick():
        assert time.monotonic() < limit, session.ui.statusLabel.text


def run(session: SimpleNamespace, scan: Any) -> Any:
    parameters(session).inputVolume = scan
    parameters(session).model = "tiny"
    session.ui.runButton.click()
    wait(session)
    assert session.desktop.errors == []
    return parameters(session).segmentation
