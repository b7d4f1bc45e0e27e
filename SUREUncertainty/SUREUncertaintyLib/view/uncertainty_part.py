"""Uncertainty: which map, which band, how it is drawn, and the list of uncertain regions to review."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..analysis.rows import UncertainRegion
from ..core.uncertainty_colours import uncertainty_colours
from ..mrml.chosen_map import (
    PAINTED,
    THREED,
    map_meaning,
    map_names,
    seen_points,
    show_in_threed,
    show_legend,
    with_map,
)
from ..mrml.display import OVERLAY_OPACITY, jump_to, set_band, show_overlay
from ..mrml.nodes import PublishedNodes
from ..mrml.review import is_reviewed, mark_reviewed, next_open, read_regions
from ..mrml.segmentation_nodes import shown_in_threed
from ..mrml.uncertainty_nodes import band_of, scale_top, threshold_of
from ..mrml.volume_nodes import grid_from_node, image_array
from ..presenters import texts
from ..presenters.histogram import UncertaintyHistogram
from ..presenters.result_sentences import HEADERS, region_cells, region_text
from .session import Session

_STOPS = 12
NARROWEST = 0.01


class UncertaintyPart:
    """Follows ``map``, ``band_low``, ``band_high``, ``opacity``, ``legend`` and ``threed`` of the state."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._shown: PublishedNodes | None = None
        self._regions: tuple[UncertainRegion, ...] = ()
        self._rank = 0
        self._applied: dict[str, Any] = {}
        self._histogram: tuple[Any, UncertaintyHistogram] | None = None
        session.state.update(
            {
                "map": "primary",
                "maps": [],
                "map_text": "",
                "band_low": 0.5,
                "band_high": 1.0,
            }
        )
        session.state.update(
            {
                "opacity": OVERLAY_OPACITY,
                "legend": True,
                "threed": PAINTED,
                "threed_kinds": [{"id": key, "name": texts.THREED_NAMES[key]} for key in THREED],
                "histogram": "",
                "band_text": "",
                "places": [],
                "region_headers": HEADERS,
            }
        )
        session.state.update(
            {
                "place": 0,
                "region_text": "",
                "scale": {"colours": colour_stops(), "low": 0, "high": 1, "top": 1},
            }
        )

    def show(self, published: PublishedNodes | None, keep_band: bool = False) -> None:
        """Show a result; None for no result. Its own threshold becomes the band's lower end unless ``keep_band``."""
        self._shown, self._applied, self._rank, self._histogram = published, {}, 0, None
        state = self._session.state
        state.place = 0
        if published is None:
            state.update(
                {"maps": [], "map_text": "", "places": [], "region_text": "", "histogram": "", "band_text": ""}
            )
            return
        state.maps = [
            {"id": key, "name": name, "meaning": map_meaning(published, key)}
            for key, name in map_names(published).items()
        ]
        if not keep_band:
            state.band_low, state.band_high = round(threshold_of(published.uncertainty), 3), 1.0
        self.refresh_regions()
        self.update()

    def update(self) -> None:
        """Follow the state; touches the scene only where a setting changed."""
        shown, session = self._shown, self._session
        if shown is None or session.published() is None:
            return
        name = session.choice("map", map_names(shown), "primary")
        published = with_map(shown, name)
        session.state.map_text = map_meaning(shown, name)
        self._take_band_of(name, published)
        low = session.number("band_low", 0.0, 1.0 - NARROWEST, 0.5)
        high = session.number("band_high", low + NARROWEST, 1.0, 1.0)
        opacity = session.number("opacity", 0.0, 1.0, OVERLAY_OPACITY)
        threed = session.choice("threed", THREED, PAINTED)
        if self._changed("overlay", (name, opacity)):
            show_overlay(session.scene, published, opacity)
            session.stage.redraw()  # trame-slicer draws nothing when the layers of a slice change
        if self._changed("threed", (name, threed, shown_in_threed(shown.segmentation))):
            show_in_threed(session.scene, shown, name, threed, session.stage.on_cpu)
            self._applied.pop("band", None)
            if self._changed("camera", threed):
                session.stage.frame_threed(seen_points(shown, threed))
        show_legend(shown, name, False)  # the page draws one legend for all views
        if self._changed("band", (name, low, high)):
            set_band(published, low, high)
            self._show_histogram(published, low, high)

    def refresh_regions(self) -> None:
        """Read the list of uncertain regions again."""
        table = None if self._shown is None else self._shown.regions
        self._regions = () if table is None else read_regions(table)
        state = self._session.state
        state.places = [_line(region, is_reviewed(table, region)) for region in self._regions]
        state.region_text = "" if self._regions else texts.NO_REGIONS

    def go_to(self, rank: Any) -> None:
        """Jump all views to a place."""
        region = self._region(rank)
        if region is None:
            return
        self._rank = region.rank
        jump_to(self._session.scene, region.centre_ras)
        self._session.stage.centre_on(region.centre_ras)
        self._session.state.place = region.rank
        self._session.state.region_text = region_text(region, len(self._regions), str)

    def go_on(self) -> None:
        """Jump to the most uncertain region that is not reviewed yet, after the present one."""
        if self._shown is None or self._shown.regions is None:
            return
        region = next_open(self._shown.regions, self._rank)
        if region is None:
            self._session.state.region_text = texts.ALL_REVIEWED.format(count=len(self._regions))
        else:
            self.go_to(region.rank)

    def tick(self, rank: Any, reviewed: Any) -> None:
        """Mark a place as reviewed, or not."""
        region = self._region(rank)
        if region is not None and self._shown is not None:
            mark_reviewed(self._shown.regions, region, reviewed is True)
            self.refresh_regions()
            self._session.state.region_text = region_text(region, len(self._regions), str)

    @contextmanager
    def legend_in_scene(self) -> Iterator[None]:
        """The scene as it should look in Slicer: with Slicer's own legend in place of the page's."""
        shown = self._shown
        name = self._session.choice("map", () if shown is None else map_names(shown), "primary")
        if shown is not None:
            show_legend(shown, name, self._session.state.legend is True)
        try:
            yield
        finally:
            if shown is not None:
                show_legend(shown, name, False)

    def _region(self, rank: Any) -> UncertainRegion | None:
        return next((region for region in self._regions if region.rank == rank), None)

    def _changed(self, what: str, value: Any) -> bool:
        changed = self._applied.get(what) != value
        self._applied[what] = value
        return changed

    def _take_band_of(self, name: str, published: PublishedNodes) -> None:
        """With another map comes the band that it was last drawn with: no number means the same on two kinds."""
        earlier = self._applied.get("map")
        self._applied["map"] = name
        if earlier not in (None, name):
            low, high = band_of(published.uncertainty)
            self._session.state.update({"band_low": round(low, 3), "band_high": high})

    def _show_histogram(self, published: PublishedNodes, low: float, high: float) -> None:
        node, state = published.uncertainty, self._session.state
        if self._histogram is None or self._histogram[0] is not node:
            voxel = grid_from_node(node).voxel_volume_mm3
            self._histogram = (node, UncertaintyHistogram(image_array(node.GetImageData()), voxel))
        histogram, top = self._histogram[1], scale_top(node)
        ends = {"low": node.GetDisplayNode().GetWindowLevelMin(), "high": node.GetDisplayNode().GetWindowLevelMax()}
        state.histogram = histogram.rich_text(low, high, (0.0, top))
        state.band_text = texts.BAND.format(volume=histogram.volume_ml(low, high), share=histogram.share(low, high))
        state.scale = {"colours": colour_stops(ends["low"] / top, ends["high"] / top), "top": top, **ends}


def colour_stops(start: float = 0.0, end: float = 1.0) -> str:
    """The part start..end (shares) of the colours of uncertainty as stops of a CSS gradient, the least first."""
    scale = uncertainty_colours()
    places = (np.linspace(start, end, _STOPS) * (len(scale) - 1)).round().astype(int)
    shades = (scale[places] * 255).round().astype(int).tolist()
    return ", ".join(f"rgb({red} {green} {blue})" for red, green, blue in shades)


def _line(region: UncertainRegion, reviewed: bool) -> dict[str, Any]:
    _, structure, *numbers = region_cells(region)
    return {"rank": region.rank, "structure": structure, "numbers": numbers, "reviewed": reviewed}
