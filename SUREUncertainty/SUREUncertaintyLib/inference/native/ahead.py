"""What is known about a run of a pipeline before it begins: windows and memory on the grid that its networks see."""

from __future__ import annotations

from math import prod

from ...core.volume import Grid
from ...packages.metadata import PackageMetadata
from ...packages.pipeline import Pipeline
from ..windows import plan_windows
from .axes import axes_of
from .resampling import Shape, resampled_shape, wanted_spacing
from .tiles import SLICES_PER_BATCH, spread_tiles

FLOAT_BYTES = 4


def network_shape(grid: Grid, pipeline: Pipeline) -> Shape:
    """The largest image that the networks can see of a grid: a crop, which depends on the voxels, makes it smaller."""
    axes = axes_of(grid, pipeline)
    stored = axes.spacing(grid.spacing_kji)
    shape = tuple(grid.shape[axis] for axis in axes.order)
    wanted = wanted_spacing(stored, pipeline, shape)
    a, b, c = (max(1, n) for n in resampled_shape(shape, stored, wanted, pipeline.image.align))
    return (a, b, c)


def windows_of(grid: Grid, metadata: PackageMetadata, pipeline: Pipeline) -> int:
    """How often a network runs for one pass: windows, or batches of slices."""
    shape = network_shape(grid, pipeline)
    if pipeline.tiles == "whole":
        return 1
    if pipeline.tiles == "even":
        tiles = spread_tiles(shape, metadata.patch, pipeline.step)
        return -(-tiles.count // SLICES_PER_BATCH) if tiles.planar else tiles.count
    plan = plan_windows(shape, metadata.patch, metadata.overlap)
    return -(-plan.count // plan.batch)


def memory_of(grid: Grid, metadata: PackageMetadata, pipeline: Pipeline, passes: int) -> int:
    """Bytes of images and outputs: of one network's at a time, and of the sums where several passes vote."""
    outputs = max((len(part.values) for part in pipeline.parts), default=pipeline.outputs or len(metadata.labels))
    several = passes > 1 and not pipeline.parts
    there = prod(network_shape(grid, pipeline)) * (len(pipeline.channels) + (2 if several else 1) * outputs)
    here = prod(grid.shape) * (outputs + 1 if several else 0)
    return FLOAT_BYTES * (there + here)
