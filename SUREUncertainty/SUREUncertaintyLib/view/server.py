"""The server: trame with our page, our guard and one scene."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..mrml.opengl import WINDOW_VARIABLE, OpenGL
from ..mrml.without_messages import quiet_vtk
from ..presenters import texts
from ..presenters.further_images import FURTHER
from ..presenters.words import shown_words
from .access_guard import LOOPBACK, Guard
from .folders import Folders
from .routes import ASSETS

WORDS = {name: {"text": text, "hint": hint} for name, (text, hint) in texts.WIDGETS.items()}
WORDS |= {"framesCollapsible": {"text": texts.FRAMES, "hint": texts.FRAMES_HINT}}
WORDS |= {"noResult": {"text": texts.NO_RESULT, "hint": ""}}
FOR_SLICER = {"text": texts.FOR_SLICER, "hint": texts.FOR_SLICER_TOOLTIP}
FOLLOWED = {
    "uncertainty": ("map", "band_low", "band_high", "opacity", "legend", "threed"),
    "input": ("region", "boxes", "model", "engine", "passes", "all_frames", *FURTHER),
    "frames": ("cine_frame",),
    "scan_frames": ("scan_frame",),
    "samples": ("sample", "samples", "contours"),
    "noise": ("noise_kind", "strength", "seed", "live"),
    "follow_up": ("follow_before", "follow_after"),
}
"""Which part follows which entries of the state when a window changes them."""


@dataclass(frozen=True)
class Options:
    """What the command line asked for.

    Attributes:
        start: scene, folder of results or scan to open, None for an empty page.
        folders: what the file dialog may show.
        upload_mb: the largest upload.
    """

    start: Path | None
    folders: tuple[Path, ...]
    host: str = LOOPBACK[0]
    port: int = 0
    upload_mb: int = 1024


def serve(options: Options, gl: OpenGL, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM.

    Args:
        gl: how views are drawn.
        ready: gets the address with its secret when the page can be opened.

    Raises:
        InputError: what was to be opened cannot be, or the port is taken.
    """
    os.environ |= {WINDOW_VARIABLE: gl.window} if gl.window else {}
    os.environ["TRAME_ARGS"] = ""  # trame would read the command line of sure
    logging.getLogger("wslink").setLevel(logging.CRITICAL)
    asyncio.set_event_loop(asyncio.new_event_loop())
    from trame.app import get_server

    with contextlib.ExitStack() as leaving:
        leaving.enter_context(quiet_vtk())  # every change of size would print a warning about trame-slicer's events
        server = get_server("sure", client_type="vue3")
        folders = Folders(options.folders)
        guard = Guard(options.host)
        _Site(server, options, folders, guard, gl, leaving).start(ready)


class _Site:
    """The parts of a server, joined."""

    def __init__(
        self,
        server: Any,
        options: Options,
        folders: Folders,
        guard: Guard,
        gl: OpenGL,
        leaving: contextlib.ExitStack,
    ) -> None:
        from .actions import Actions
        from .app import Application
        from .four_views import Stage
        from .uploads import Uploads
        from .windows import Windows

        self._server, self._options, self._guard = server, options, guard
        self._stage = Stage(server, gl.is_software)
        leaving.callback(self._stage.close)
        server.state.update({"say": WORDS, "glossary": shown_words(), "for_slicer": FOR_SLICER})
        server.state.update({"windows": [], "leader": "", "large": ""})
        self.application = Application(self._stage, server.state, server.state.flush)
        leaving.callback(self.application.close)
        self._uploads = Uploads(options.upload_mb)
        leaving.callback(self._uploads.close)
        self._windows = Windows(guard, self._show_windows)
        self._actions = Actions(self.application, folders, self._uploads, self._windows)
        self._register()

    def start(self, ready: Callable[[str], None]) -> None:
        """Open what was asked for, then listen."""
        server, options = self._server, self._options
        loop = asyncio.get_event_loop()
        if options.start is not None:
            loop.run_until_complete(self.application.open(options.start))
        server.cli.set_defaults(authKey=self._guard.token)
        server.controller.on_server_bind.add(self._bind)
        server.controller.on_server_ready.add(lambda **_: ready(self._address()))
        try:
            server.start(
                port=options.port,
                host=options.host,
                open_browser=False,
                show_connection_info=False,
                disable_logging=True,
                timeout=0,
            )
        except OSError as error:
            raise InputError(
                f"The page cannot be served at {options.host}, port {options.port} ({error.strerror}). "
                "Choose another --port, or leave it out for a free one."
            ) from None

    def _address(self) -> str:
        host = "localhost" if self._options.host in LOOPBACK else self._options.host
        return f"http://{host}:{self._server.port}/?secret={self._guard.token}"

    def _bind(self, web: Any) -> None:
        from trame_client.module import vue3

        from .downloads import Downloads
        from .result_archive import new_folder
        from .routes import Routes

        downloads = Downloads(self._guard, self._actions.makers(), new_folder)
        Routes(self._guard, self._uploads, downloads, self._on_upload).add_to(web.app, Path(vue3.www))
        self._windows.current = lambda: str(web.last_active_client_id or "")

    def _register(self) -> None:
        """Everything by which a window can reach the application."""
        from .answers import answering
        from .server import write_page

        server, application = self._server, self.application
        for name, action in self._actions.offered().items():
            server.controller.trigger(name)(answering(application, action))
        for part, names in FOLLOWED.items():
            server.state.change(*names)(answering(application, getattr(application, part).update))
        server.state.change("surfaces", "smooth")(answering(application, application.show_surfaces))
        for view in self._stage.slice_nodes:
            server.state.change(f"slice_{view}")(functools.partial(application.slices.follow, view))
        self._windows.follow(self._stage.adapters())
        send_before_a_window_joins(server)
        server.add_protocol_to_configure(lambda protocol: protocol.registerLinkProtocol(self._windows))
        write_page(server)

    def _on_upload(self, path: Path) -> None:
        from .answers import answering

        answering(self.application, self._actions.open_upload)(path)

    def _show_windows(self) -> None:
        names = self._windows.names
        self._server.state.update({"windows": names, "leader": next(iter(names), "")})
        self._server.state.flush()


def send_before_a_window_joins(server: Any) -> None:
    """Let trame send what is pending before it gives a new window the state.

    By itself it counts the pending changes as sent then, so that the other windows and our parts never hear of them.
    """
    given = server.get_server_state

    def get_server_state() -> Any:
        server.state.flush()
        return given()

    server.get_server_state = get_server_state


TEMPLATE = "trame__template_main"


def write_page(server: Any) -> None:
    """Hand the template and our script to trame."""
    server.state[TEMPLATE] = (ASSETS / "page.html").read_text(encoding="utf-8")
    server.state.trame__title = "SURE Uncertainty"
    server.state.trame__favicon = "sure/icon.svg"
    server.enable_module({"scripts": ["sure/page.js"]})
