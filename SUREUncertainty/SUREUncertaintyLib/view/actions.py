"""What the windows may ask for: one list, and nothing else of the application can be called from a window."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..cine.cine_record import add_record
from ..core.errors import InputError
from ..export.formats import CHOICES, ExportFormat
from ..mrml.archive import write_mrb
from ..mrml.cine_frames import numbers_of
from ..mrml.nodes import MODEL
from ..mrml.reading_back import result_from_nodes
from ..presenters import texts
from .action import BOUNDS, ENDS, FLAG, NUMBER, PLACE, TEXT, WHOLE, Action
from .app import Application
from .downloads import Make
from .folders import RESULT, Folders
from .result_archive import new_folder, pack, write_export, write_files
from .uploads import Uploads
from .windows import Windows


class Actions:
    """What the windows may do to an application is in ``offered``; a method that is not there cannot be called."""

    def __init__(self, application: Application, folders: Folders, uploads: Uploads, windows: Windows) -> None:
        self._app, self._folders, self._uploads, self._windows = application, folders, uploads, windows
        self._state = application.session.state
        formats = [{"id": choice, "name": texts.EXPORT_NAMES[choice]} for choice in CHOICES]
        self._state.update({"browser": None, "exports": formats, "export_as": "nrrd"})

    def offered(self) -> dict[str, Action]:
        """The actions by the names that a window calls them by."""
        return {
            "greet": Action(self.greet, (TEXT,)),
            "lead": Action(self.lead),
            "dismiss": Action(self.dismiss),
            "browse": Action(self.browse, (TEXT,), optional=1),
            "stop_browsing": Action(self.stop_browsing),
            "open": Action(self.open, (TEXT,)),
            "sample": Action(self.sample),
            "choose_scan": Action(self.choose_scan, (TEXT,)),
            "run": Action(self.run),
            "queue": Action(self.queue),
            "cancel": Action(self.cancel),
            "drop": Action(self.drop, (WHOLE,)),
            "place": Action(self.place),
            "move_box": Action(self.move_box, (BOUNDS,)),
            "suggest": Action(self.suggest),
            "show_result": Action(self.show_result, (TEXT,)),
            "show_segment": Action(self.show_segment, (TEXT, FLAG)),
            "frame": Action(self.frame),
            "go_to": Action(self.go_to, (WHOLE,)),
            "go_on": Action(self.go_on),
            "tick": Action(self.tick, (WHOLE, FLAG)),
            "series": Action(self.series),
            "stop_noise": Action(self.stop_noise),
            "look_from": Action(self.look_from, (TEXT,)),
            "shift_window": Action(self.shift_window, (NUMBER, NUMBER)),
            "reset_window": Action(self.reset_window),
            "measure": Action(self.measure, (TEXT, ENDS)),
            "clear_distances": Action(self.clear_distances),
            "look_at": Action(self.look_at, (TEXT, PLACE)),
            "trust": Action(self.trust),
            "follow_up": Action(self.follow_up),
            "copy": Action(self.copy),
            "worklist_step": Action(self.worklist_step, (WHOLE,)),
            "worklist_open": Action(self.worklist_open),
            "worklist_decide": Action(self.worklist_decide, (TEXT,)),
            "worklist_undo": Action(self.worklist_undo),
        }

    def greet(self, name: str) -> None:
        """A window says its name."""
        self._windows.greet(name)

    def lead(self) -> None:
        """A window wants to set the size of the pictures."""
        self._windows.lead()

    def dismiss(self) -> None:
        """The message was read."""
        self._state.message = None

    def browse(self, path: str = "") -> None:
        """List a folder in the file dialog."""
        listing = self._folders.listing(path)
        self._state.browser = asdict(listing) | {"top": self._folders.is_top(listing.path)}

    def stop_browsing(self) -> None:
        """Close the file dialog."""
        self._state.browser = None

    async def open(self, path: str) -> None:
        """Open a file or folder of this machine, inside the folders that the page may read."""
        self._state.browser = None
        await self._open(self._folders.require(path))

    async def open_upload(self, path: Path) -> None:
        """Open what was uploaded; the server calls this, and no window can. Raises ``InputError`` for another path."""
        await self._open(self._uploads.require(path))

    async def sample(self) -> None:
        """Load the scan to try things with: the brain template, with the boxes and the model that fit it.

        Without the template there is none, which a sentence says: no model finds anything true in a phantom.
        """
        from ..files.demo_input import MODEL, ROIS, demo_scan
        from ..mrml.volume_nodes import add_volume

        await self._tell("Loading the example ...")
        volume = await self._app.in_thread(demo_scan)
        self._app.show_scan(add_volume(self._app.session.scene, volume))
        self._app.input.choose_model(MODEL)
        if not self._app.input.boxes():
            self._app.input.add_boxes(ROIS)

    def choose_scan(self, identifier: str) -> None:
        """Show another scan, with its result where there is one."""
        self._app.choose_scan(identifier)

    def run(self) -> None:
        """Run, or wait in line."""
        self._state.message = None
        self._app.runs.add(self._app.input.request())

    def queue(self) -> None:
        """Run this when the present run has ended, be it the same once more."""
        self._state.message = None
        self._app.runs.add(self._app.input.request(), in_line=True)

    def cancel(self) -> None:
        """Stop the run."""
        self._app.runs.cancel()

    def drop(self, number: int) -> None:
        """Take a run out of the line."""
        self._app.runs.drop(number)

    def place(self) -> None:
        """Put the box around the crosshair."""
        self._app.input.place()

    def move_box(self, bounds: list[float]) -> None:
        """Move the box to typed numbers."""
        self._app.input.move_box(bounds)

    async def suggest(self) -> None:
        """Let the chosen model search for its structures."""
        from ..location.locate import locate

        volume, package = self._app.input.scan_volume(), self._app.input.package()
        await self._tell("Searching for the structures ...")
        self._app.input.add_boxes((await self._app.in_thread(locate, volume, package)).rois)

    def show_result(self, identifier: str) -> None:
        """Show another result."""
        self._app.noise.stop()
        self._app.choose_result(self._app.published_of(identifier))

    def show_segment(self, identifier: str, visible: bool) -> None:
        """Show or hide one structure."""
        self._app.numbers.show_segment(identifier, visible)
        self._app.uncertainty.update()
        self._app.session.stage.redraw()

    def worklist_step(self, count: int) -> None:
        """So many cases on, or back."""
        self._app.worklist.step(count)

    def worklist_open(self) -> None:
        """The next case that nobody has decided about."""
        self._app.worklist.go_to_open()

    def worklist_decide(self, decision: str) -> None:
        """Accept or reject the shown case."""
        self._app.worklist.decide(decision)

    def worklist_undo(self) -> None:
        """Take the last decision about the shown case back."""
        self._app.worklist.undo()

    def frame(self) -> None:
        """Show the whole result, or the whole scan without one, in every view."""
        self._app.frame()

    def go_to(self, rank: int) -> None:
        """Jump to a uncertain region."""
        self._app.uncertainty.go_to(rank)

    def go_on(self) -> None:
        """Jump to the next uncertain region."""
        self._app.uncertainty.go_on()

    def tick(self, rank: int, reviewed: bool) -> None:
        """Mark a place as reviewed."""
        self._app.uncertainty.tick(rank, reviewed)

    def series(self) -> None:
        """Run the noise series."""
        self._app.noise.run_series()

    def stop_noise(self) -> None:
        """Stop slider or series, and show the clean result again."""
        self._app.noise.stop()
        self._app.leave_noise()

    def look_from(self, letter: str) -> None:
        """Turn the 3D view: R, L, A, P, S or I."""
        self._app.look_from(letter)

    def shift_window(self, wider: float, higher: float) -> None:
        """Change brightness and contrast of the scan that is shown."""
        self._app.tools.shift_window(wider, higher)

    def reset_window(self) -> None:
        """Brightness and contrast as at first."""
        self._app.tools.reset_window()

    def measure(self, view: str, ends: list[float]) -> None:
        """Measure between two points of a slice view."""
        self._app.tools.measure(view, ends)

    def clear_distances(self) -> None:
        """Remove every measured line."""
        self._app.tools.clear_distances()

    def look_at(self, view: str, place: list[float]) -> None:
        """Move all slices to a point of one of them."""
        self._app.tools.look_at(view, place)

    def trust(self) -> None:
        """Measure uncertainty at edges."""
        self._app.numbers.measure_trust()

    async def follow_up(self) -> None:
        """Compare the two results that are chosen."""
        await self._tell("Comparing ...")
        await self._app.follow_up.compare(self._app.in_thread)

    def copy(self) -> str:
        """The table for the clipboard of the window."""
        return self._app.numbers.csv("\t")

    def makers(self) -> dict[str, Make]:
        """What can be downloaded."""
        return {
            "structures.csv": self._save_csv,
            "results.zip": self._save_all,
            "export.zip": self._export,
            "slicer.mrb": self._for_slicer,
            "follow-up.zip": self._follow_up,
        }

    async def _save_csv(self, folder: Path) -> tuple[Path, str]:
        published = self._published()
        target = folder / "structures.csv"
        target.write_text(self._app.numbers.csv(","), encoding="utf-8", newline="")
        return target, f"{published.structures.GetName()}.csv"

    async def _save_all(self, folder: Path) -> tuple[Path, str]:
        published = self._published()
        await self._tell("Packing the results ...")
        try:
            return await self._pack(published, folder), f"{published.scan.GetName()} results.zip"
        finally:
            self._state.busy = ""
            self._state.flush()

    async def _for_slicer(self, folder: Path) -> tuple[Path, str]:
        """Scan, result and where the slices are, for editing in 3D Slicer."""
        published = self._published()
        await self._tell("Packing the scene ...")
        try:
            with self._app.uncertainty.legend_in_scene():
                write_mrb(self._app.session.scene, folder / RESULT)
        finally:
            self._state.busy = ""
            self._state.flush()
        return folder / RESULT, f"{published.scan.GetName()} for 3D Slicer.mrb"

    async def _export(self, folder: Path) -> tuple[Path, str]:
        published = self._published()
        choice = self._app.session.choice("export_as", CHOICES, "nrrd")
        await self._tell("Exporting ...")
        try:
            result, model = result_from_nodes(published), published.segmentation.GetAttribute(MODEL) or ""
            source = self._app.sources.get(published.scan.GetID())
            await self._app.in_thread(write_export, result, model, choice, source, folder / "parts")
            if ExportFormat.CSV in CHOICES[choice]:
                add_record(numbers_of(published), folder / "parts")
            await self._app.in_thread(pack, folder / "parts", folder / "export.zip")
        finally:
            self._state.busy = ""
            self._state.flush()
        return folder / "export.zip", f"{published.scan.GetName()} {choice}.zip"

    async def _follow_up(self, folder: Path) -> tuple[Path, str]:
        (folder / "parts").mkdir()
        name = await self._app.follow_up.write(folder / "parts", self._app.in_thread)
        await self._app.in_thread(pack, folder / "parts", folder / "follow-up.zip")
        return folder / "follow-up.zip", f"{name}.zip"

    async def _pack(self, published: Any, folder: Path) -> Path:
        result = result_from_nodes(published)
        model = published.segmentation.GetAttribute(MODEL) or ""
        with new_folder() as parts:
            with self._app.uncertainty.legend_in_scene():
                write_mrb(self._app.session.scene, Path(parts) / RESULT)
            await self._app.in_thread(write_files, result, model, Path(parts))
            add_record(numbers_of(published), Path(parts))
            await self._app.in_thread(pack, Path(parts), folder / "results.zip")
        return folder / "results.zip"

    def _published(self) -> Any:
        published = self._app.session.published()
        if published is None:
            raise InputError("There is no result yet. Press Run first.")
        return published

    async def _open(self, path: Path) -> None:
        await self._tell(f"Opening {path.name} ...")
        await self._app.open(path, self._folders.require)

    async def _tell(self, text: str) -> None:
        """Say what goes on, and let the windows hear it before the work begins."""
        self._state.message = None
        self._state.busy = text
        self._state.flush()
        await asyncio.sleep(0.05)
