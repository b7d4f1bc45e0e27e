"""``sure view``: a result, or a scan and the job, in the browser."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

NOT_INSTALLED = (
    "The page in the browser needs trame-slicer, which is not installed. "
    "Install it with: pip install 'sure-uncertainty[view]' (Python 3.11 to 3.13)."
)
NO_OPENGL = (
    "The views cannot be drawn, because this machine has no OpenGL library. On Debian or Ubuntu: "
    "apt-get install --no-install-recommends libegl1 libgl1-mesa-dri"
)
LOOPBACK = "127.0.0.1"
FOLDER_HELP = "A folder that the page's file dialog may show, repeatable. That of what is opened if left out."
HOST_HELP = "Address to listen on. Anything but this machine's own makes scans readable on the network, unencrypted."


def view(
    path: Annotated[
        Path | None, typer.Argument(help="A scene (.mrb), a folder of results or a scan; an empty page if left out.")
    ] = None,
    folder: Annotated[list[Path] | None, typer.Option(help=FOLDER_HELP)] = None,
    host: Annotated[str, typer.Option(help=HOST_HELP)] = LOOPBACK,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    upload_mb: Annotated[int, typer.Option(min=1, help="The largest upload.")] = 1024,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, open no browser.")] = False,
) -> None:
    """Open a result in the browser, or segment there."""
    from ..core.errors import EngineError, InputError

    if not is_installed():
        raise EngineError(NOT_INSTALLED)
    if path is not None and not path.exists():
        raise InputError(f"{path} does not exist. Give a scene (.mrb), a folder of results or a scan.")
    from ..mrml.opengl import pick_gl

    typer.echo("Starting the views ...", err=True)
    with ThreadPoolExecutor(1) as beside:
        drawing = beside.submit(pick_gl)  # tried in a process of its own, while this one loads the views
        from ..view import app  # noqa: F401
        from ..view.server import Options, serve
    gl = drawing.result()
    if gl is None:
        raise EngineError(NO_OPENGL)
    folders = tuple(folder or (_beside(path),))
    serve(Options(path, folders, host, port, upload_mb), gl, lambda address: _tell(address, host, no_browser))


def is_installed() -> bool:
    """Whether the page's packages are there."""
    return find_spec("trame_slicer") is not None


def _beside(path: Path | None) -> Path:
    """The folder that may be shown when none was named."""
    if path is None:
        return Path.cwd()
    return path if path.is_dir() else path.absolute().parent


def _tell(address: str, host: str, no_browser: bool) -> None:
    """Say where the page is, and open it."""
    typer.echo(f"The page is at {address}")
    if host not in (LOOPBACK, "localhost", "::1"):
        typer.echo("Whoever has this address can see the scans, over a connection that is not encrypted.", err=True)
    typer.echo("Research use only - not a medical device. Press Ctrl-C to stop.", err=True)
    if not no_browser:
        import webbrowser

        webbrowser.open(address)
