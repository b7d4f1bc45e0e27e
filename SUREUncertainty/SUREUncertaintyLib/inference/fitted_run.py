"""What a head that ``sure fit`` added means for a run: how the network is read, and what the package then promises."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..arrays.heads import Head, create_head
from ..arrays.scaled_head import ScaledHead
from .engine import Engine

if TYPE_CHECKING:
    from ..packages.package import Package


def head_of(package: Package, engine: Engine) -> Head:
    """The head that reads what an engine says of a package's network."""
    head = create_head(package.metadata.head)
    return ScaledHead(head) if engine.scales else head


def as_run(package: Package, engine: Engine) -> Package:
    """The package as a run on an engine reads it.

    Under the head's factor uncertainty has a threshold of its own, and neither the volume range nor the forecast holds
    that was fitted to another map.
    """
    return replace(package, metadata=package.metadata.with_fitted_head()) if engine.scales else package


def without_head(package: Package) -> Package:
    """The package as it was before ``sure fit``, for estimators that make their uncertainty in another way."""
    return replace(package, metadata=replace(package.metadata, fitted=None))
