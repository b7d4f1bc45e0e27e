"""The other side of the worker: a model in a process of its own, which can be killed without harm.

Free of Qt. Callbacks run in a thread of the client unless ``dispatch`` brings them to another one, for instance::

    WorkerClient(dispatch=lambda call: qt.QTimer.singleShot(0, call))
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ..core.dataclass_json import to_json
from ..core.errors import EngineError, InputError, SureError
from ..core.roi import Roi
from ..core.volume import Volume
from ..core.volume_sequence import VolumeSequence
from ..inference.native.choice import ALL
from ..inference.sampling.samples_result import SamplingOptions
from .failures import Failure, failure, failure_of, failure_of_exit
from .jobs import ClientJob, OnError, OnProgress, OnResult, OpenScan, Read
from .process import WorkerProcess
from .result_files import read_cine, read_result

GRACE_SECONDS = 1.5
"""How long a job may take to stop by itself before the process is killed."""

NOT_HANDED_OVER = "The scan cannot be handed to the worker: {error}."

Dispatch = Callable[[Callable[[], None]], None]


class WorkerClient:
    """Starts the worker when it is needed, keeps its model loaded, and starts it anew after a crash or a kill.

    Args:
        on_log: gets what the worker prints.
        dispatch: brings callbacks to the thread that wants them; the client's own thread when None.
        python: the worker's interpreter.
        grace_seconds: how long a job may take to stop by itself before the process is killed.
        environment: variables added to the worker's environment.
    """

    def __init__(
        self,
        on_log: Callable[[str], None] | None = None,
        dispatch: Dispatch | None = None,
        python: str | None = None,
        environment: Mapping[str, str] | None = None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._grace = grace_seconds
        self._on_log = on_log or (lambda text: None)
        self._dispatch = dispatch or (lambda call: call())
        self._python, self._environment = python, environment
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._jobs: dict[int, ClientJob] = {}
        self._stopping: list[ClientJob] = []
        self._process: WorkerProcess | None = None
        self._model: dict[str, Any] | None = None
        self._scan: OpenScan | None = None
        self._open: tuple[WorkerProcess, OpenScan] | None = None

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The worker's process id, None when it is not running."""
        return self._process.pid if self._process else None

    @property
    def folder(self) -> Path | None:
        """The private folder that the worker shares, None when it is not running."""
        return self._process.folder if self._process else None

    def load(
        self,
        package: str | Path,
        engine: str = "auto",
        device: str | None = None,
        threads: int | None = None,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
        passes: str = ALL,
    ) -> ClientJob:
        """Load a model by name or folder; it stays loaded until another one comes. ``passes``: see ``LiveSession``."""
        with self._lock:
            job = self._job(self._running(reload=False), None, None, on_result, on_error)
            asked = {"engine": engine, "device": device, "threads": threads, "passes": passes}
            self._model = {"package": str(package), **asked}
            self._send(job, "load", self._model)
            return job

    def segment(
        self,
        volume: Volume,
        rois: Sequence[Roi] = (),
        keep_probabilities: bool = False,
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
        sampling: SamplingOptions | None = None,
        channels: Mapping[str, Volume] | None = None,
    ) -> ClientJob:
        """Segment a scan; an earlier segmentation that still runs or waits ends as ``superseded``.

        ``sampling``: for models that draw samples. ``channels``: further images by name, for models that take several.
        """
        with self._lock:
            self._scan, self._open = (volume, tuple(rois), tuple((channels or {}).items())), None
            wanted = {"keep_probabilities": keep_probabilities, "sampling": to_json(sampling)}
            return self._start(volume, wanted, on_progress, on_result, on_error)

    def resegment(
        self,
        array: NDArray[Any],
        preview: bool = False,
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
    ) -> ClientJob:
        """Segment other intensities (k, j, i) on the grid and regions of the last ``segment``.

        ``preview`` asks for labels and maps only, in a fraction of the time: ``inference.preview``. Raises
        ``InputError`` without a scan, or for another shape.
        """
        with self._lock:
            if self._scan is None:
                raise InputError("No scan is open. Segment one first.")
            if array.shape != self._scan[0].grid.shape:
                raise InputError(f"The image has the shape {array.shape}, the scan {self._scan[0].grid.shape}.")
            wanted = {"preview": preview}
            return self._start(self._scan[0].with_array(array), wanted, on_progress, on_result, on_error)

    def frames(
        self,
        sequence: VolumeSequence,
        rois: Sequence[Roi] = (),
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
    ) -> ClientJob:
        """Measure every frame of a scan over time; the answer is a ``CineResult`` on the frames given here.

        It takes the place of a segmentation before it, and gives way to one after it; the scan of the last
        ``segment`` stays open.
        """
        with self._lock:
            process = self._running()
            read = partial(read_cine, folder=process.folder, sequence=sequence)
            job = self._job(process, read, on_progress, on_result, on_error)
            wanted = {"name": sequence.name, "times_ms": list(sequence.times_ms), "rois": to_json(tuple(rois))}
            with self._handing_over(job, "frames", wanted) as arguments:
                arguments["frames"] = [job.describe(frame, f"frame{n}") for n, frame in enumerate(sequence.frames)]
            return job

    def pace(self, on_result: OnResult | None = None, on_error: OnError | None = None) -> ClientJob:
        """Measure how long the loaded network takes for a window; the answer gives ``seconds_a_window``."""
        return self._ask("pace", {}, None, on_result, on_error, reload=True)

    def train(
        self,
        arguments: Mapping[str, Any],
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
    ) -> ClientJob:
        """Train on a person's own scans (``worker.training``); the answer names the new model.

        Give it a client of its own: the worker does one job at a time.
        """
        return self._ask("train", dict(arguments), on_progress, on_result, on_error)

    def fit(
        self,
        arguments: Mapping[str, Any],
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
    ) -> ClientJob:
        """Fit a head for a model's uncertainty (``worker.fitting``); as for ``train``, give it a client of its own."""
        return self._ask("fit", dict(arguments), on_progress, on_result, on_error)

    def import_model(
        self,
        path: str | Path,
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
    ) -> ClientJob:
        """Bring a model in (``worker.importing``); as for ``train``, give it a client of its own."""
        return self._ask("import", {"path": str(path)}, on_progress, on_result, on_error)

    def cancel(self) -> None:
        """Ask the jobs to stop, and kill the whole process tree if they have not after a moment. Returns at once.

        A job that comes before they have stopped gets a new process.
        """
        with self._lock:
            process, jobs = self._process, list(self._jobs.values())
            if process is None or not jobs:
                return
            self._stopping = jobs
            try:
                process.send({"id": next(self._numbers), "command": "cancel"})
            except OSError:
                return  # it is ending; its exit ends the jobs
        timer = threading.Timer(self._grace, self._kill_if_any, (process, jobs))
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        """End the worker and everything that it started now; running jobs end as ``cancelled``."""
        with self._lock:
            process = self._process
        if process is not None:
            process.kill()
            process.join(GRACE_SECONDS)

    def close(self) -> None:
        """End the worker; running jobs end as ``cancelled`` and the private folder is gone."""
        with self._lock:
            process = self._process
        if process is None:
            return
        process.was_killed = True
        with contextlib.suppress(OSError):  # it is gone already
            process.send({"id": next(self._numbers), "command": "close"})
        if not process.wait(GRACE_SECONDS):
            process.kill()
        process.join(GRACE_SECONDS)
        process.remove_folder()

    def _start(
        self,
        image: Volume,
        wanted: Mapping[str, Any],
        on_progress: OnProgress | None,
        on_result: OnResult | None,
        on_error: OnError | None,
    ) -> ClientJob:
        process = self._running()
        read = partial(read_result, folder=process.folder, image=image)
        job = self._job(process, read, on_progress, on_result, on_error)
        assert self._scan is not None
        with self._handing_over(job, "segment", wanted) as arguments:
            if self._open != (process, self._scan):
                arguments |= job.open_with(self._scan)
            if image is not self._scan[0]:
                arguments["array"] = job.hand_over(image, "image")
        return job

    @contextlib.contextmanager
    def _handing_over(self, job: ClientJob, command: str, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Arguments that the block completes with files for the worker; sent after it, unless the disk is full."""
        arguments = dict(wanted)
        try:
            yield arguments
        except OSError as error:
            self._end(job, why=failure("input", NOT_HANDED_OVER.format(error=error)))
        else:
            self._send(job, command, arguments)

    def _ask(
        self,
        command: str,
        arguments: Mapping[str, Any],
        on_progress: OnProgress | None,
        on_result: OnResult | None,
        on_error: OnError | None,
        reload: bool = False,
    ) -> ClientJob:
        """A job whose answer is what the worker says; ``reload`` where it is about the model."""
        with self._lock:
            job = self._job(self._running(reload), None, on_progress, on_result, on_error)
            self._send(job, command, dict(arguments))
            return job

    def _running(self, reload: bool = True) -> WorkerProcess:
        """The process, started if need be; a new one gets the last model."""
        self._leave_what_stops()
        if self._process is None or self._process.was_killed:
            try:
                self._process = self._spawn()
            except OSError as error:
                raise EngineError(f"The worker process cannot be started: {error}.") from error
            if reload and self._model is not None:
                with contextlib.suppress(OSError):  # it ended at once: the job's own message will say so
                    self._process.send({"id": next(self._numbers), "command": "load", **self._model})
        return self._process

    def _leave_what_stops(self) -> None:
        """A process that may be killed for jobs that were cancelled takes no new job; it is killed now."""
        process = self._process
        stopping = [job for job in self._stopping if not job.has_ended and job.process is process]
        if process is not None and stopping:
            process.was_killed = True
            threading.Thread(target=process.kill, daemon=True).start()

    def _spawn(self) -> WorkerProcess:
        holder: list[WorkerProcess] = []
        ready = threading.Event()

        def on_exit(code: int | None, last_words: list[str]) -> None:
            ready.wait()
            self._ended(holder[0], code, last_words)

        process = WorkerProcess(self._on_event, on_exit, self._on_log, self._python, self._environment)
        holder.append(process)
        ready.set()
        return process

    def _job(
        self,
        process: WorkerProcess,
        read: Read | None,
        on_progress: OnProgress | None,
        on_result: OnResult | None,
        on_error: OnError | None,
    ) -> ClientJob:
        job = ClientJob(next(self._numbers), process, read, on_progress, on_result, on_error)
        self._jobs[job.id] = job
        return job

    def _send(self, job: ClientJob, command: str, arguments: dict[str, Any]) -> None:
        try:
            job.process.send({"id": job.id, "command": command, **arguments})
        except OSError:
            self._end(job, why=failure("killed"))

    def _kill_if_any(self, process: WorkerProcess, jobs: list[ClientJob]) -> None:
        if not all(job.has_ended for job in jobs):
            process.kill()

    def _on_event(self, event: dict[str, Any]) -> None:
        kind = event.get("event")
        if kind == "log":
            self._on_log(str(event.get("text", "")))
        with self._lock:
            job = self._jobs.get(event.get("id") or 0)
        if job is None:
            return
        if kind == "progress" and job.on_progress is not None:
            self._call(partial(job.on_progress, float(event["fraction"]), str(event["text"])))
        elif kind == "result":
            self._take_result(job, event)
        elif kind == "error":
            self._end(job, why=Failure(event["kind"], event["text"], event["action"], event.get("details") or ""))

    def _take_result(self, job: ClientJob, event: dict[str, Any]) -> None:
        with self._lock:
            if job.opens is not None and job.opens is self._scan:
                self._open = (job.process, job.opens)
        try:
            answer = job.answer_of(event)
        except (SureError, MemoryError, KeyError) as error:
            self._end(job, why=failure_of(error))
        else:
            self._end(job, answer)

    def _end(self, job: ClientJob, answer: Any = None, why: Failure | None = None) -> None:
        with self._lock:
            if self._jobs.pop(job.id, None) is None:
                return
        job.end(answer, why)
        if why is None and job.on_result is not None:
            self._call(partial(job.on_result, answer))
        elif why is not None and job.on_error is not None:
            self._call(partial(job.on_error, why))

    def _ended(self, process: WorkerProcess, code: int | None, last_words: list[str]) -> None:
        """The process is gone: its jobs get their reason, the next job gets a new process."""
        why = failure("cancelled") if process.was_killed else failure_of_exit(code, last_words)
        with self._lock:
            if self._process is process:
                self._process = None
            jobs = [job for job in self._jobs.values() if job.process is process]
        for job in jobs:
            self._end(job, why=why)

    def _call(self, callback: Callable[[], None]) -> None:
        """Run a callback; one that fails must not end the thread that listens to the worker."""
        try:
            self._dispatch(callback)
        except Exception:
            self._on_log(traceback.format_exc())
