"""Using the opened module in tests: scans in, Run, wait."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

from phantoms import asymmetric_volume
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.mrml.volume_nodes import add_volume

LIMIT_SECONDS = 120.0


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
