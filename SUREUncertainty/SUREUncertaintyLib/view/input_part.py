"""Input and model: which scan, which regions, which network."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import slicer

from ..core.errors import InputError
from ..core.roi import Roi
from ..inference.native.choice import ALL
from ..mrml.boxes import add_roi_node, box_around, place_roi, replace_suggested, roi_from_node
from ..mrml.display import jump_to
from ..mrml.located_boxes import located_nodes
from ..mrml.nodes import all_published
from ..mrml.scan_over_time import frames_of_run
from ..mrml.steps import frame_nodes
from ..mrml.volume_nodes import grid_from_node, volume_from_node
from ..packages.catalogue import find_package, list_packages
from ..packages.metadata import PackageMetadata
from ..packages.package import Package
from ..presenters import texts
from ..presenters.cautions import cautions
from ..presenters.further_images import FURTHER, MOST, further_names, further_obstacle
from ..presenters.model_description import box_size, follows_cavity, model_text
from ..presenters.pace import Pace
from ..presenters.passes import applied_passes, passes_entries
from ..presenters.run_controller import RunRequest
from ..presenters.starting_model import StartingModel
from ..presenters.worker_bridge import WorkerBridge
from .session import Session

WHOLE, EVERY = "", "all"
"""Choices of region beside one of the boxes: none (a search, or the whole scan), and all boxes in one run."""


class InputPart:
    """Follows ``scan``, ``region``, ``boxes``, ``model``, ``engine``, ``passes`` and ``all_frames`` of the state."""

    def __init__(self, session: Session, bridge: WorkerBridge) -> None:
        self._session = session
        self._pace = Pace(bridge, lambda: True, self._tell_cautions)
        self._models: dict[str, PackageMetadata] = {}
        self._last_model = ""
        self._starting = StartingModel()
        session.state.update(
            {"all_frames": False, "scan": "", "region": WHOLE, "engine": "auto", "box": None, "boxes": True}
        )
        session.state.update({"passes": ALL, "passes_choices": []})
        session.state.update(dict.fromkeys(FURTHER, "") | {"further_names": [], "further_hint": texts.FURTHER_HINT})
        session.state.engines = [{"id": key, "name": name} for key, name in texts.ENGINE_NAMES.items()]
        self.refresh_models()

    def refresh_models(self) -> None:
        """Look which models there are."""
        self._models = {package.name: package.metadata for package in list_packages()}
        state = self._session.state
        state.models = list(self._models)
        state.model = self._session.choice("model", self._models, "")
        self.update()

    def update(self) -> None:
        """Bring lists and hints up to date with scene and choices."""
        session, state = self._session, self._session.state
        state.scans = [{"id": node.GetID(), "name": node.GetName()} for node in self.scans()]
        boxes = self.boxes()
        state.regions = [{"id": node.GetID(), "name": node.GetName()} for node in boxes]
        state.scan = session.choice("scan", {scan["id"] for scan in state.scans}, "")
        state.region = session.choice("region", {WHOLE, EVERY, *(box["id"] for box in state.regions)}, WHOLE)
        state.model = self._starting.follow(str(state.model), self._models, session.scene, self.scan())
        self._follow_model()
        entries = passes_entries(self._models.get(state.model), str)
        state.passes_choices = [{"id": key, "name": name} for key, name in entries.items()]
        state.passes = self._passes()
        state.further_names = list(further_names(self._models.get(state.model))[:MOST])
        for name in FURTHER:
            setattr(state, name, session.choice(name, {scan["id"] for scan in state.scans}, ""))
        state.model_text = model_text(self._models.get(state.model))
        state.obstacle = self.obstacle()
        self._show_cautions()
        self._show_boxes(boxes)

    def _passes(self) -> str:
        state = self._session.state
        return applied_passes(self._models.get(state.model), str(state.passes))

    def _follow_model(self) -> None:
        """With another model comes its own choice of frames: all of them for one that follows a beating cavity."""
        state = self._session.state
        if state.model != self._last_model:
            self._last_model = state.model
            state.all_frames = follows_cavity(self._models.get(state.model))

    def _show_cautions(self) -> None:
        state = self._session.state
        engine = self._session.choice("engine", texts.ENGINE_NAMES, "auto")
        seconds = partial(self._pace.of, str(state.model), engine, self._passes())
        scan, model = self.scan(), self._models.get(state.model)
        frames = frames_of_run(self._session.scene, scan, state.all_frames is True)
        state.cautions = list(cautions(scan, model, self._chosen(), seconds, frames))

    def _tell_cautions(self) -> None:
        self._show_cautions()
        self._session.flush()

    def scans(self) -> list[Any]:
        """Volumes that can be segmented: none of a result's own maps, no frame that is stepped through, and no copy of
        a frame whose scan is there."""
        results = all_published(self._session.scene)
        maps = {node.GetID() for result in results for node in result.results}
        maps |= {result.scan.GetID() for result in results if result.source is not None and result.scan is not None}
        maps |= {node.GetID() for node in frame_nodes(self._session.scene)}
        nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode", self._session.scene)
        return [n for n in nodes if n.GetID() not in maps and not n.IsA("vtkMRMLLabelMapVolumeNode")]

    def boxes(self) -> list[Any]:
        """The ROI nodes that a person sees."""
        scene = self._session.scene
        renderings = slicer.util.getNodesByClass("vtkMRMLVolumeRenderingDisplayNode", scene)
        crops = {display.GetROINodeID() for display in renderings}
        nodes = slicer.util.getNodesByClass("vtkMRMLMarkupsROINode", scene)
        return [node for node in nodes if node.GetID() not in crops]

    def scan(self) -> Any:
        """The chosen scan; None without one."""
        return self._session.scene.GetNodeByID(self._session.state.scan) if self._session.state.scan else None

    def choose_scan(self, node: Any) -> None:
        """Make this the scan that is segmented."""
        self._session.state.scan = node.GetID()
        self.update()

    def choose_model(self, name: str) -> None:
        """Choose a model, where it is there."""
        if name in self._models:
            self._session.state.model = name

    def obstacle(self) -> str:
        """Why Run is not possible now; empty when it is."""
        if self.scan() is None:
            return texts.CHOOSE_SCAN
        metadata = self._models.get(self._session.state.model)
        if metadata is None:
            return texts.CHOOSE_MODEL
        return further_obstacle(further_names(metadata), self._further())

    def request(self) -> RunRequest:
        """What the choices ask for.

        Raises:
            InputError: something is not chosen yet.
        """
        obstacle = self.obstacle()
        if obstacle:
            raise InputError(obstacle)
        state, session = self._session.state, self._session
        engine = session.choice("engine", texts.ENGINE_NAMES, "auto")
        regions = self._chosen()
        opacity = session.number("opacity", 0.0, 1.0, 1.0)
        named = tuple(zip(further_names(self._models[state.model]), self._further(), strict=False))
        first = regions[0] if regions else None
        rest, all_frames = tuple(regions[1:]), state.all_frames is True
        return RunRequest(self.scan(), first, state.model, engine, opacity, rest, named, all_frames, self._passes())

    def place(self) -> None:
        """Put the chosen box (a new one without any) around the crosshair, or around where the slices cross."""
        stage = self._session.stage
        crosshair = stage.crosshair()
        centre = stage.crossing() if crosshair is None else crosshair
        scan = None if self.scan() is None else grid_from_node(self.scan())
        roi = box_around(centre.tolist(), box_size(self._models.get(self._session.state.model), scan), "Region")
        chosen = self._chosen()
        if len(chosen) == 1:
            place_roi(chosen[0], roi)
        else:
            self._session.state.region = add_roi_node(self._session.scene, roi).GetID()
        self._session.state.boxes = True
        self.update()

    def move_box(self, bounds: Any) -> None:
        """Move the chosen box to bounds that were typed: R, A, S from and to, mm.

        Raises:
            InputError: no box is chosen, or the bounds are no box.
        """
        chosen = self._chosen()
        if len(chosen) != 1:
            raise InputError("Choose one region first, then its numbers can be changed.")
        numbers = [float(x) for x in bounds] if isinstance(bounds, list) and len(bounds) == 6 else []
        low, high = tuple(numbers[0::2]), tuple(numbers[1::2])
        if len(low) != 3 or not all(-5000 <= a < b <= 5000 for a, b in zip(low, high, strict=True)):
            raise InputError("Each first number of a region must be below its second one, in mm.")
        place_roi(chosen[0], Roi(chosen[0].GetName(), (low[0], low[1], low[2]), (high[0], high[1], high[2])))
        self.update()

    def add_boxes(self, rois: tuple[Roi, ...]) -> None:
        """Show boxes that were suggested, in the place of those suggested before, and choose them."""
        nodes = replace_suggested(self._session.scene, rois)
        r, a, s = ((np.asarray(rois[0].low) + rois[0].high) / 2).tolist()
        jump_to(self._session.scene, (r, a, s))
        self._session.state.boxes = True
        only_these = len(self.boxes()) == len(nodes)
        self._session.state.region = EVERY if len(nodes) > 1 and only_these else nodes[0].GetID()
        self.update()

    def leave_foreign_boxes(self) -> None:
        """Choose no box that lies outside of the chosen scan: it belongs to another one."""
        bounds = [0.0] * 6
        self.scan().GetRASBounds(bounds)
        low, high = np.array(bounds[0::2]), np.array(bounds[1::2])
        rois = [roi_from_node(node) for node in self._chosen()]
        if any((np.asarray(roi.high) <= low).any() or (np.asarray(roi.low) >= high).any() for roi in rois):
            self._session.state.region = WHOLE
            self.update()

    def scan_volume(self) -> Any:
        """The chosen scan's voxels. Raises ``InputError`` without one."""
        if self.scan() is None:
            raise InputError(texts.CHOOSE_SCAN)
        return volume_from_node(self.scan())

    def package(self) -> Package:
        """The chosen model. Raises ``InputError`` without one."""
        if self._session.state.model not in self._models:
            raise InputError(texts.CHOOSE_MODEL)
        return find_package(self._session.state.model)

    def _further(self) -> list[Any]:
        """The nodes in the selectors of further images; None where nothing is chosen."""
        chosen = [self._session.state[name] for name in FURTHER]
        return [self._session.scene.GetNodeByID(identifier) if identifier else None for identifier in chosen]

    def _chosen(self) -> list[Any]:
        """The boxes that Run takes; without a choice those that a search placed in this scan."""
        region = self._session.state.region
        if region == WHOLE:
            scan = self.scan()
            return [] if scan is None else located_nodes(self._session.scene, scan, str(self._session.state.model))
        boxes = self.boxes()
        return boxes if region == EVERY else [node for node in boxes if node.GetID() == region]

    def _show_boxes(self, boxes: list[Any]) -> None:
        """Draw the chosen boxes in the slices, and give the numbers of a single one."""
        chosen = self._chosen()
        for node in boxes:
            node.GetDisplayNode().SetVisibility(self._session.state.boxes is True and node in chosen)
            node.GetDisplayNode().SetVisibility3D(False)
            node.GetDisplayNode().SetPropertiesLabelVisibility(False)
        self._session.state.box = None
        if len(chosen) == 1:
            roi = roi_from_node(chosen[0])
            pairs = zip(roi.low, roi.high, strict=True)
            self._session.state.box = [round(value, 1) for pair in pairs for value in pair]
