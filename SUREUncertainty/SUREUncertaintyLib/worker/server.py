"""The worker process: loads a model once and segments what it is sent, one job at a time."""

from __future__ import annotations

import os
import shutil
import threading
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from .. import __version__
from ..core.dataclass_json import from_json
from ..core.errors import Cancelled, InputError
from ..core.progress import Progress, raise_if_cancelled
from ..core.roi import Roi
from ..core.volume import Volume
from ..core.volume_sequence import VolumeSequence
from ..files.reading import read_volume
from ..inference.forecast import seconds_a_window
from ..inference.sampling.samples_result import SamplingOptions
from ..inference.session import LiveSession
from ..location.choice import found_boxes
from ..packages.catalogue import find_package
from .failures import Failure, failure, failure_of
from .fitting import fit_uncertainty
from .importing import import_model
from .inbox import Inbox, Job
from .protocol import VERSION, Request, parse_request, write_message
from .result_files import read_array, write_cine, write_result
from .training import train_own

GRACE_SECONDS = 1.0
"""How long a job may take to notice that nobody waits for it any more."""

PROGRESS_SECONDS = 0.05
PARENT_SECONDS = 0.5


class Server:
    """Reads requests from ``source``, writes events to ``sink``, shares arrays in ``folder``."""

    def __init__(self, source: TextIO, sink: TextIO, folder: Path) -> None:
        self._source = source
        self._sink = sink
        self._folder = folder
        self._writing = threading.Lock()
        self._inbox = Inbox(self._tell_dropped)
        self._session: LiveSession | None = None
        self._load_error: Exception | None = None
        self._parent = os.getppid()
        self._is_orphan = False

    def serve(self) -> int:
        """Work until ``close`` or the end of the input; gives the exit code."""
        for target in (self._read, self._watch_parent):
            threading.Thread(target=target, daemon=True).start()
        self._send("ready", pid=os.getpid(), version=__version__, protocol=VERSION)
        while (job := self._inbox.take()) is not None:
            self._run(job)
        self._clean()
        return 0

    def _read(self) -> None:
        """The reading thread: answers cancel at once, whatever the working thread does."""
        for line in self._source:
            try:
                request = parse_request(line)
            except ValueError as error:
                self._fail(None, failure("input", f"The request cannot be read: {error}."))
                continue
            if request.command == "cancel":
                self._send("result", id=request.id, cancelling=self._inbox.cancel())
            elif request.command == "close":
                self._send("result", id=request.id)
                self._leave()
            else:
                self._inbox.put(request)
        self._is_orphan = True
        self._leave()

    def _watch_parent(self) -> None:
        """Leave when the client is gone although something else keeps the input open."""
        while os.getppid() == self._parent:
            time.sleep(PARENT_SECONDS)
        self._is_orphan = True
        self._leave()

    def _leave(self) -> None:
        """End the process: at once when nothing runs, else after a moment, whatever runs."""
        leaving = threading.Timer(GRACE_SECONDS, self._exit_now)
        leaving.daemon = True
        leaving.start()
        self._inbox.close()

    def _exit_now(self) -> None:
        self._clean()
        os._exit(0)

    def _clean(self) -> None:
        """Remove the shared folder when there is no client any more that would."""
        if self._is_orphan:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, job: Job) -> None:
        request = job.request
        try:
            raise_if_cancelled(job.is_stopped)
            answer = self._answer(job)
        except Cancelled:
            self._fail(request.id, failure(job.reason))
        except Exception as error:
            self._fail(request.id, failure_of(error, traceback.format_exc()))
        else:
            self._send("result", id=request.id, **answer)

    def _answer(self, job: Job) -> dict[str, Any]:
        if job.request.command == "load":
            return self._load(job.request)
        if job.request.command == "frames":
            return self._frames(job)
        if job.request.command == "train":
            return train_own(job.request.arguments, self._progress(job.request.id), job.is_stopped)
        if job.request.command == "fit":
            return fit_uncertainty(job.request.arguments, self._progress(job.request.id), job.is_stopped)
        if job.request.command == "pace":
            session = self._loaded()
            return {"seconds_a_window": seconds_a_window(session.package, session.engine)}
        if job.request.command == "import":
            return import_model(job.request.arguments, self._progress(job.request.id), job.is_stopped)
        return self._segment(job)

    def _load(self, request: Request) -> dict[str, Any]:
        arguments = request.arguments
        self._session = None  # frees the old model before the new one comes
        try:
            package = find_package(arguments["package"])
            chosen = {name: arguments[name] for name in ("engine", "device", "threads", "passes") if name in arguments}
            session = LiveSession(package, **chosen)
        except Exception as error:
            self._load_error = error
            raise
        self._session, self._load_error = session, None
        return {
            "model": package.metadata.name,
            "fingerprint": package.fingerprint,
            "engine": session.engine.name,
            "device": session.engine.device,
        }

    def _segment(self, job: Job) -> dict[str, Any]:
        session, arguments = self._loaded(), job.request.arguments
        if arguments.get("volume") is not None:
            rois = tuple(from_json(Roi, roi) for roi in arguments.get("rois") or ())
            others = {str(name): self._volume(one) for name, one in (arguments.get("channels") or {}).items()}
            session.open(self._volume(arguments["volume"]), rois, others)
        name = arguments.get("array")
        array = None if name is None else read_array(self._folder, name)
        if arguments.get("preview") and array is not None:
            result = session.preview(array, job.is_stopped)
        else:
            keep, wish = bool(arguments.get("keep_probabilities")), arguments.get("sampling")
            sampling = None if wish is None else from_json(SamplingOptions, wish)
            result = session.segment(array, keep, self._progress(job.request.id), job.is_stopped, sampling)
        return write_result(result, self._folder, str(job.request.id))

    def _frames(self, job: Job) -> dict[str, Any]:
        from ..cine.segment_frames import segment_frames

        session, arguments, progress = self._loaded(), job.request.arguments, self._progress(job.request.id)
        frames = tuple(self._volume(frame) for frame in arguments["frames"])
        sequence = VolumeSequence(frames, str(arguments["name"]), tuple(arguments["times_ms"]))
        rois = tuple(from_json(Roi, roi) for roi in arguments["rois"])
        found = found_boxes(frames[0], session.package, rois, progress, job.is_stopped)
        result = segment_frames(
            sequence, session.package, session.engine, found.rois, progress=progress, is_cancelled=job.is_stopped
        )
        return write_cine(result, self._folder, str(job.request.id))

    def _loaded(self) -> LiveSession:
        if self._load_error is not None:
            raise self._load_error
        if self._session is None:
            raise InputError("No model is loaded. Load one first.")
        return self._session

    def _volume(self, document: dict[str, Any]) -> Volume:
        if "path" in document:
            return read_volume(Path(document["path"]))
        return from_json(Volume, document, {document["array"]: read_array(self._folder, document["array"])})

    def _progress(self, job: int) -> Progress:
        """A progress that speaks at most twenty times a second, and always at the end."""
        last = float("-inf")

        def progress(fraction: float, text: str) -> None:
            nonlocal last
            now = time.monotonic()
            if fraction >= 1.0 or now - last >= PROGRESS_SECONDS:
                last = now
                self._send("progress", id=job, fraction=fraction, text=text)

        return progress

    def _tell_dropped(self, job: Job) -> None:
        self._send("log", text=f"request {job.request.id} was dropped before it started: {job.reason}")
        self._fail(job.request.id, failure(job.reason))

    def _fail(self, job: int | None, why: Failure) -> None:
        self._send("error", id=job, **asdict(why))

    def _send(self, event: str, **content: Any) -> None:
        with self._writing:
            try:
                write_message(self._sink, {"event": event, **content})
            except (BrokenPipeError, ValueError, OSError):
                self._inbox.close()  # nobody listens any more
