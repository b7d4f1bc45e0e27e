"""Which further images a model wants, and what keeps it from running while one is not chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.translation import EMPTY, Text
from ..packages.metadata import PackageMetadata
from . import texts

MOST = 3
"""Selectors that panel and page have; a model that wants more images runs on the command line."""

FURTHER = tuple(f"further{number + 1}" for number in range(MOST))
"""Names of the page's state for the nodes in them."""


def further_names(metadata: PackageMetadata | None) -> tuple[str, ...]:
    """Names of the images beside the scan that a model takes; () for a model of one image."""
    if metadata is None or metadata.pipeline is None:
        return ()
    return tuple(channel.name for channel in metadata.pipeline.channels[1:])


def further_obstacle(names: Sequence[str], nodes: Sequence[Any]) -> Text:
    """Why Run is not possible with these nodes, one a name; empty when it is."""
    if len(names) > MOST:
        return texts.TOO_MANY_IMAGES
    return EMPTY if all(node is not None for node in nodes[: len(names)]) else texts.CHOOSE_FURTHER
