"""One worker process: started with a private folder, spoken to in lines, killed with everything it started."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from .protocol import write_message

LIBRARY_ROOT = Path(__file__).resolve().parents[2]
PREFIX = "sure-worker-"
LAST_WORDS = 60
KILL_SECONDS = 2.0

OnEvent = Callable[[dict[str, Any]], None]
OnExit = Callable[[int | None, list[str]], None]


class WorkerProcess:
    """A running worker.

    Args:
        on_event: gets every event, in a thread of its own.
        on_exit: gets the exit code and the end of standard error, once, after the last event.
        on_log: gets lines of standard error.
        python: the interpreter, this one when None.
        environment: variables that are added to this process's.
    """

    def __init__(
        self,
        on_event: OnEvent,
        on_exit: OnExit,
        on_log: Callable[[str], None],
        python: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = private_folder(PREFIX)
        self.was_killed = False
        self._on_event, self._on_exit, self._on_log = on_event, on_exit, on_log
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._sending = threading.Lock()
        try:
            arguments = ["-m", "SUREUncertaintyLib.worker", "--folder", str(self.folder)]
            self._process = spawn(python or sys.executable, arguments, environment or {})
        except OSError:
            self.remove_folder()
            raise
        self._errors = threading.Thread(target=self._read_errors, daemon=True)
        self._events = threading.Thread(target=self._read_events, daemon=True)
        self._errors.start()
        self._events.start()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def send(self, message: dict[str, Any]) -> None:
        """Send one request.

        Raises:
            OSError: the worker is gone.
        """
        assert self._process.stdin is not None
        with self._sending:
            try:
                write_message(self._process.stdin, message)
            except ValueError as error:  # the pipe was closed here
                raise BrokenPipeError("the worker's input is closed") from error

    def kill(self) -> None:
        """End the process and all its children now; returns when they are gone, after 2 s at most."""
        self.was_killed = True
        kill_tree(self._process)

    def wait(self, seconds: float) -> bool:
        """Whether the process ended within this time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def join(self, seconds: float) -> None:
        """Wait until the last event was handed on, unless called from the thread that hands them on."""
        if threading.current_thread() is not self._events:
            self._events.join(seconds)

    def remove_folder(self) -> None:
        """Delete the private folder with everything in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read_events(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                self._on_log(line.rstrip())
                continue
            self._on_event(event)
        code = self._process.wait()
        self._errors.join(KILL_SECONDS)
        self.remove_folder()
        self._on_exit(code, list(self._last_words))
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()  # type: ignore[union-attr]

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self._last_words.append(line.rstrip())
                self._on_log(line.rstrip())


def spawn(
    python: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    stdout: int = subprocess.PIPE,
    stderr: int | IO[bytes] = subprocess.PIPE,
    folder: Path | None = None,
) -> subprocess.Popen[str]:
    """Start a Python, in ``folder``, that finds this library and leads a group of its own. Raises ``OSError``."""
    variables = {**os.environ, **environment}
    paths = [str(LIBRARY_ROOT), *filter(None, [variables.get("PYTHONPATH")])]
    variables["PYTHONPATH"] = os.pathsep.join(paths)
    own_group: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        own_group = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return subprocess.Popen(
        [python, *arguments],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        encoding="utf-8",
        errors="replace",
        env=variables,
        **own_group,
    )


def kill_tree(process: subprocess.Popen[str], seconds: float = KILL_SECONDS) -> None:
    """Kill a process that leads its own group, and everything that it started."""
    for child in _children(process.pid):
        with contextlib.suppress(Exception):  # gone in the meantime
            child.kill()
    if sys.platform == "win32":
        command = ["taskkill", "/T", "/F", "/PID", str(process.pid)]
        subprocess.run(command, capture_output=True, timeout=seconds, check=False)
    elif process.poll() is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _children(pid: int) -> list[Any]:
    """Every descendant, also those in other process groups; none without psutil."""
    try:
        import psutil

        return list(psutil.Process(pid).children(recursive=True))
    except Exception:  # psutil is missing, or the process is gone
        return []


def private_folder(prefix: str) -> Path:
    """A folder for this process alone (mode 0700); those that killed processes left behind are deleted."""
    remove_stale_folders(prefix)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))


def remove_stale_folders(prefix: str = PREFIX) -> None:
    """Delete private folders of this user whose owner is dead: it was killed and could not."""
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        owner = folder.name.removeprefix(prefix).partition("-")[0]
        with contextlib.suppress(OSError):
            mine = not hasattr(os, "getuid") or folder.lstat().st_uid == os.getuid()
            if mine and owner.isdigit() and folder.is_dir() and not folder.is_symlink() and not _is_alive(int(owner)):
                shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    """Whether a process exists; True when that cannot be known."""
    try:
        import psutil

        return bool(psutil.pid_exists(pid))
    except ImportError:
        pass
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
