"""What is known before a run, said before the run, on standard error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ..core.roi import Roi
    from ..core.volume import Volume
    from ..inference.engine import Engine
    from ..packages.package import Package


def foretell(
    volume: Volume, package: Package, engine: Engine, rois: Sequence[Roi], channels: Mapping[str, Volume]
) -> None:
    """Say what speaks against this run, and how long it takes where that is long. Raises what the run would refuse."""
    from ..analysis.grey_values import grey_values
    from ..inference.forecast import forecast, seconds_a_window
    from ..inference.segmenter import check_input

    check_input(volume, package, rois, False, channels)
    values = None if volume.modality else grey_values(volume.array)
    ahead = forecast(volume.grid, package.metadata, rois, values)
    seconds = None if ahead.is_brief else seconds_a_window(package, engine)
    for sentence in ahead.sentences(seconds):
        typer.echo(f"Before the run: {sentence}", err=True)
