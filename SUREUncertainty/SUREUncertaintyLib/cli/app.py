"""``sure``: the command line. Every command is one file; errors become one sentence and an exit code.

Exit codes: 0 done, 1 failed, 2 wrong input, 3 finished but some cases failed, 4 (only with --strict) done but the
verdict is "do not use", 130 cancelled.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from .. import __version__
from ..core.errors import Cancelled, SureError
from ..core.wording import DISCLAIMER
from .analyse import ManyFiles, analyse
from .calibrate import calibrate
from .cohort import cohort
from .compare import compare_app
from .demo import demo
from .difficulty import difficulty
from .evaluate import evaluate
from .export import export
from .fit import fit
from .follow_up import follow_up
from .models import models_app
from .recipe import recipe
from .robustness import robustness
from .segment import segment
from .train import train
from .view import view

FAILED = 1
ABOUT = f"Segments a medical scan and shows where the result cannot be trusted. {DISCLAIMER}."

app = typer.Typer(name="sure", help=ABOUT, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sure {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """What every command has in common: nothing but --version."""


app.command(help="Segment a scan and map the uncertainty.")(segment)
app.command(cls=ManyFiles, help="Show the uncertainty of masks or probability maps that you have.")(analyse)
app.command(help="Write a result as DICOM objects, NRRD, NIfTI, CSV or a page.")(export)
app.command("follow-up", help="Two scans of a patient: growth with its range, and whether it is real.")(follow_up)
app.command(help="Segment many scans, and list what to look at first.")(cohort)
app.command(help="Measure a model on labelled scans.")(evaluate)
app.command(help="Teach a model to foretell how good its results are, from labelled scans.")(calibrate)
app.command(help="Give a network that stays as it is a map of uncertainty, from your own scans without labels.")(fit)
app.command(help="Damage a scan more and more: when does the result break, and does the uncertainty notice?")(
    robustness
)
app.command(help="Score how hard scans are for a frozen network, and what to keep.")(difficulty)
app.command(help="Write a training recipe for your own scans.")(recipe)
app.command(help="Train a model from a recipe.")(train)
app.command(help="Open a result in the browser, or segment there.")(view)
app.add_typer(models_app, name="models")
app.add_typer(compare_app, name="compare")
app.command(help="Segment both hippocampi of the MNI152 brain template, as a first look.")(demo)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave the process with its exit code. SIGTERM and SIGHUP cancel as Ctrl-C does."""
    _open_closed_streams()
    _cancel_on_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a name that the console cannot show is no failed run
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows ``sure``; the process's own arguments when None.

    Returns:
        The exit code. Errors are on standard error: one sentence, for an unexpected one also the path of a log file.
    """
    try:
        app(None if arguments is None else list(arguments), prog_name="sure")
    except SystemExit as leaving:
        if leaving.code == Cancelled.exit_code:
            _say(str(Cancelled()))
        return leaving.code if isinstance(leaving.code, int) else 0
    except KeyboardInterrupt:
        _say(str(Cancelled()))
        return Cancelled.exit_code
    except SureError as error:
        _say(str(error))
        return error.exit_code
    except MemoryError:
        _say("The memory of this computer is not enough. Close other programs, or give a smaller region with --roi.")
        return FAILED
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            _say("A disk is full: one that was written to, or that of standard output. What was finished is whole.")
            return FAILED
        _say(
            f"An unexpected error stopped the run ({type(error).__name__}). The details are in {_write_log(arguments)}"
        )
        return FAILED
    return 0


def _open_closed_streams() -> None:
    """Give a process without standard streams (``sure ... >&-``) empty ones: what is opened next would take their
    numbers, and libraries would print into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def _cancel_on_signals() -> None:
    """Schedulers and containers send SIGTERM, a closed terminal SIGHUP; else half-written folders stay. Under nohup
    SIGHUP stays ignored."""
    signal.signal(signal.SIGTERM, _interrupt)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _write_log(arguments: Sequence[str] | None) -> str:
    """Write the current exception to a log file in the folder for temporary files; its path."""
    handle, path = tempfile.mkstemp(prefix="sure-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(f"sure {__version__}, Python {sys.version}\n")
        stream.write(f"arguments: {list(sys.argv[1:] if arguments is None else arguments)}\n\n")
        stream.write(traceback.format_exc())
    return path


if __name__ == "__main__":
    main()
