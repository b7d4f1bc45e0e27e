"""Uncertainty: which map, which band, how it is drawn, and the list of uncertain regions to review."""

from __future__ import annotations

from typing import Any

from ..analysis.rows import UncertainRegion
from ..core.translation import EMPTY
from ..mrml.chosen_map import THREED, map_meaning, map_names, seen_points, show_in_threed, show_legend, with_map
from ..mrml.contour_lines import has_contours, show_contours
from ..mrml.display import jump_to, set_band, show_overlay, show_surfaces
from ..mrml.nodes import PublishedNodes
from ..mrml.outlines import show_smooth_outlines
from ..mrml.review import is_reviewed, mark_reviewed, next_open, read_regions
from ..mrml.segmentation_nodes import shown_in_threed, surfaces_shown
from ..mrml.uncertainty_nodes import band_of, scale_top
from ..mrml.volume_nodes import grid_from_node, image_array
from ..presenters import texts
from ..presenters.histogram import UncertaintyHistogram
from ..presenters.result_sentences import HEADERS, region_cells, region_text
from .context import PanelContext, choose, chosen, fill_combo, tell


class UncertaintyPanel:
    """Follows the parameter node; touches the scene only where a setting changed."""

    def __init__(self, context: PanelContext) -> None:
        self._context, self.ui = context, context.ui
        self._shown: PublishedNodes | None = None
        self._regions: tuple[UncertainRegion, ...] = ()
        self._rank = 0
        self._applied: dict[str, Any] = {}
        self._histogram: tuple[Any, UncertaintyHistogram] | None = None

    def connect(self) -> None:
        """Listen to the widgets."""
        names = {key: self._context.translate(texts.THREED_NAMES[key]) for key in THREED}
        fill_combo(self.ui.threedSelector, names, THREED[0])
        self.ui.threedSelector.connect("currentIndexChanged(int)", self._on_threed)
        self.ui.mapSelector.connect("currentIndexChanged(int)", self._on_map)
        self.ui.bandRange.connect("valuesChanged(double,double)", self._on_band)
        self.ui.nextUncertainButton.connect("clicked(bool)", self._on_next)
        self.ui.reviewedButton.connect("clicked(bool)", self._on_reviewed)
        self.ui.regionsTable.connect("cellClicked(int,int)", self._on_cell)

    def show(self, published: PublishedNodes | None) -> None:
        """Show a result; None for no result."""
        self._shown, self._applied, self._rank, self._histogram = published, {}, 0, None
        self._context.allow(self.ui.uncertaintyFrame, published is not None, EMPTY, texts.NO_RESULT)
        self._context.allow(
            self.ui.contoursCheckBox, has_contours(published), texts.CONTOURS_TOOLTIP, texts.NO_CONTOURS
        )
        if published is not None:
            names = map_names(published, self._context.translate)
            fill_combo(self.ui.mapSelector, names, self._context.parameters.map)
        self.refresh_regions()
        self.update()

    def renew(self) -> None:
        """The nodes of the shown result have other voxels and places than before."""
        self._histogram = None
        self._applied.pop("band", None)
        self.refresh_regions()
        self.update()

    def update(self) -> None:
        """Follow the parameter node."""
        parameters, shown, published = self._context.parameters, self._shown, self._map_nodes()
        if parameters is None or shown is None or published is None:
            return
        choose(self.ui.mapSelector, parameters.map)
        if self._changed("meaning", parameters.map):
            self.ui.mapSelector.setToolTip(map_meaning(shown, parameters.map, self._context.translate))
        band = (parameters.bandLow, parameters.bandHigh)
        name = parameters.map
        choose(self.ui.threedSelector, parameters.threed)
        if self._changed("overlay", (name, parameters.overlayOpacity)):
            show_overlay(self._context.scene(), published, parameters.overlayOpacity)
        if self._changed("smooth", parameters.smoothOutlines):
            show_smooth_outlines(shown.segmentation, parameters.smoothOutlines)
        if self._changed("contours", parameters.showContours):
            show_contours(self._context.scene(), shown, parameters.showContours)
        if self._changed("threed", (name, parameters.threed, shown_in_threed(shown.segmentation))):
            show_in_threed(self._context.scene(), shown, name, parameters.threed)
            self._applied.pop("band", None)
        if self._changed("band", (name, *band)):
            self._show_range(*band)
            set_band(published, *band)
            self._show_histogram(published, *band)
        explains = parameters.showLegend and parameters.overlayOpacity > 0 and self._share(*band) > 0
        if self._changed("legend", (name, explains, self._applied["threed"])):
            show_legend(shown, name, explains)

    def refresh_regions(self) -> None:
        """Read the list of uncertain regions again."""
        table = None if self._shown is None else self._shown.regions
        self._regions = () if table is None else read_regions(table)
        ticks = [is_reviewed(table, region) for region in self._regions]
        rows = [region_cells(region) for region in self._regions]
        headers = [self._context.translate(header) for header in HEADERS]
        self._context.desktop.fill_table(self.ui.regionsTable, headers, rows, ticks, wide=1)
        obstacle = texts.NO_RESULT if self._shown is None else texts.NO_REGIONS
        self._context.allow(self.ui.nextUncertainButton, bool(self._regions), texts.NEXT_TOOLTIP, obstacle)
        tell(self.ui.regionLabel, "" if self._regions else self._context.translate(texts.NO_REGIONS))
        self._allow_reviewed()

    def go_to(self, region: UncertainRegion) -> None:
        """Jump all slice views to a place."""
        self._rank = region.rank
        self._allow_reviewed()
        jump_to(self._context.scene(), region.centre_ras)
        tell(self.ui.regionLabel, region_text(region, len(self._regions), self._context.translate))

    def show_threed(self) -> None:
        """3D shows the structures or not any more: with them comes their uncertainty, and the camera turns to both."""
        self.update()
        parameters, shown = self._context.parameters, self._shown
        if shown is not None and surfaces_shown(shown.segmentation):
            self._context.desktop.frame_threed(seen_points(shown, parameters.threed))

    def _on_map(self, _index: int) -> None:
        """Another map, with the band that it was last drawn with: no number means the same on two kinds of maps."""
        parameters = self._context.parameters
        if parameters is None or self._shown is None:
            return
        name = chosen(self.ui.mapSelector)
        parameters.bandLow, parameters.bandHigh = band_of(with_map(self._shown, name).uncertainty)
        parameters.map = name

    def _on_threed(self, _index: int) -> None:
        """Whoever chooses how 3D looks wants to see it."""
        if self._context.parameters is None:
            return
        self._context.parameters.threed = chosen(self.ui.threedSelector)
        if self._shown is not None:
            show_surfaces(self._shown)
            self.show_threed()

    def _on_band(self, low: float, high: float) -> None:
        if self._context.parameters is not None:
            self._context.parameters.bandLow = low
            self._context.parameters.bandHigh = high

    def _show_range(self, low: float, high: float) -> None:
        earlier = self.ui.bandRange.blockSignals(True)
        self.ui.bandRange.setValues(low, high)
        self.ui.bandRange.blockSignals(earlier)

    def _on_next(self, _checked: bool = False) -> None:
        if self._shown is None or self._shown.regions is None:
            return
        region = next_open(self._shown.regions, self._rank)
        if region is None:
            tell(self.ui.regionLabel, self._context.translate(texts.ALL_REVIEWED).format(count=len(self._regions)))
        else:
            self.go_to(region)

    def _on_reviewed(self, _checked: bool = False) -> None:
        region = self._current()
        if self._shown is None or region is None:
            return
        mark_reviewed(self._shown.regions, region, True)
        self.refresh_regions()
        self._on_next()

    def _current(self) -> UncertainRegion | None:
        """The place that the views show."""
        return next((region for region in self._regions if region.rank == self._rank), None)

    def _allow_reviewed(self) -> None:
        allowed = self._current() is not None
        self._context.allow(self.ui.reviewedButton, allowed, texts.REVIEWED_TOOLTIP, texts.NO_REGION_YET)

    def _on_cell(self, row: int, column: int) -> None:
        if self._shown is None or not 0 <= row < len(self._regions):
            return
        region = self._regions[row]
        if column == 0:
            mark_reviewed(self._shown.regions, region, self._context.desktop.is_ticked(self.ui.regionsTable, row))
        self.go_to(region)

    def _map_nodes(self) -> PublishedNodes | None:
        """The shown result with the chosen map as its uncertainty."""
        published, parameters = self._shown, self._context.parameters
        if published is None or parameters is None:
            return published
        return with_map(published, parameters.map)

    def _changed(self, what: str, value: Any) -> bool:
        changed = self._applied.get(what) != value
        self._applied[what] = value
        return changed

    def _share(self, low: float, high: float) -> float:
        return 0.0 if self._histogram is None else self._histogram[1].share(low, high)

    def _show_histogram(self, published: PublishedNodes, low: float, high: float) -> None:
        node = published.uncertainty
        if self._histogram is None or self._histogram[0] is not node:
            voxel = grid_from_node(node).voxel_volume_mm3
            self._histogram = (node, UncertaintyHistogram(image_array(node.GetImageData()), voxel))
        histogram = self._histogram[1]
        words = self._context.translate(texts.BAND).format(
            volume=histogram.volume_ml(low, high), share=histogram.share(low, high)
        )
        bars = histogram.rich_text(low, high, (0.0, scale_top(node)))
        self.ui.histogramLabel.setText(f'{bars}<div style="margin-top:6px">{words}</div>')
