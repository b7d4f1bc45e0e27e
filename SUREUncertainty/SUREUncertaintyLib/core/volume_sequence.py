"""A scan over time: the same field of view again and again."""

from __future__ import annotations

from dataclasses import dataclass

from .volume import Grid, Volume


@dataclass(frozen=True, eq=False)
class VolumeSequence:
    """Volumes of one grid in the order of time.

    Attributes:
        frames: at least two.
        times_ms: of each frame since the first one; empty where the file does not say.
    """

    frames: tuple[Volume, ...]
    name: str
    times_ms: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.frames) < 2:
            raise ValueError("a scan over time has at least two frames")
        if not all(frame.grid.matches(self.grid) for frame in self.frames):
            raise ValueError("the frames of a scan over time lie on one grid")
        if self.times_ms and len(self.times_ms) != len(self.frames):
            raise ValueError(f"{len(self.times_ms)} times for {len(self.frames)} frames")

    @property
    def grid(self) -> Grid:
        """Where the voxels of every frame lie."""
        return self.frames[0].grid
