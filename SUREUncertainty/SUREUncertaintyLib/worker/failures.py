"""Why a worker's job ended without a result: one sentence and one action each."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.errors import Cancelled, EngineError, InputError, PackageError, SureError

KILL_SIGNALS = (-9, -15, 137, 143)
MEMORY_SIGNS = ("MemoryError", "bad_alloc", "Cannot allocate memory", "out of memory", "OutOfMemoryError")
WINDOWS_NO_MEMORY = (0xC0000017, -1073741801)


@dataclass(frozen=True)
class Failure:
    """What went wrong and what to do.

    Attributes:
        kind: stable name for machines, a key of ``ACTIONS``.
        text: one sentence for people.
        action: what to do now.
        details: a traceback or the worker's last words, for a bug report.
    """

    kind: str
    text: str
    action: str
    details: str = ""


ACTIONS = {
    "cancelled": "Start it again when you want to.",
    "superseded": "Nothing is to be done; the newer request is running.",
    "out_of_memory": "Analyse a smaller region, or close other programs, and try again.",
    "killed": "Close other programs or analyse a smaller region, and start it again; nothing of yours was changed.",
    "torch_missing": "Choose the OpenVINO engine, or install PyTorch in this environment.",
    "engine": "Choose the engine 'auto' or another device.",
    "bad_weights": "Get the model package again from its source, or choose another model.",
    "input": "Correct the input and try again.",
    "unknown": "Try again; if it happens again, report it with the details below.",
}

TEXTS = {
    "cancelled": "The run was cancelled; nothing was written.",
    "superseded": "A newer request took this one's place.",
    "out_of_memory": "There was not enough memory for this scan.",
    "killed": "The system or another program ended the computation, most often because memory ran out.",
    "unknown": "The computation ended unexpectedly.",
}


def failure(kind: str, text: str = "", details: str = "") -> Failure:
    """A failure of a known kind, with the kind's own sentence unless another is given."""
    return Failure(kind, text or TEXTS[kind], ACTIONS[kind], details)


def failure_of(error: BaseException, details: str = "") -> Failure:
    """Sort an exception of a job into its class."""
    if isinstance(error, Cancelled):
        return failure("cancelled")
    if isinstance(error, MemoryError):
        return failure("out_of_memory", details=details)
    if isinstance(error, EngineError):
        return failure("torch_missing" if _lacks_torch(error) else "engine", str(error), details)
    if isinstance(error, PackageError):
        return failure("bad_weights", str(error), details)
    if isinstance(error, (InputError, SureError)):
        return failure("input", str(error), details)
    return failure("unknown", f"The computation failed: {type(error).__name__}: {error}", details)


def failure_of_exit(code: int | None, last_words: Sequence[str] = ()) -> Failure:
    """Sort the end of a whole process into its class.

    Args:
        code: exit code as ``subprocess`` gives it; negative for a signal.
        last_words: the end of its standard error.
    """
    details = "\n".join([f"exit code {code}", *last_words])
    if code in WINDOWS_NO_MEMORY or any(sign in line for line in last_words for sign in MEMORY_SIGNS):
        return failure("out_of_memory", details=details)
    if code in KILL_SIGNALS or (sys.platform == "win32" and code == 1 and not last_words):
        return failure("killed", details=details)
    if any("No module named 'torch'" in line for line in last_words):
        return failure("torch_missing", "PyTorch is not installed here.", details)
    return failure("unknown", details=details)


def _lacks_torch(error: EngineError) -> bool:
    return isinstance(error.__cause__, (ImportError, OSError)) and "PyTorch" in str(error)
