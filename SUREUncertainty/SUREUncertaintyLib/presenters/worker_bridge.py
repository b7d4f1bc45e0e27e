"""The worker process as the window sees it: requests return at once, answers arrive in the main thread."""

from __future__ import annotations

import shutil
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from ..cine.cine_result import CineResult
from ..core.roi import Roi
from ..core.volume import Volume
from ..core.volume_sequence import VolumeSequence
from ..inference.native.choice import ALL
from ..inference.result import SegmentationResult
from ..inference.sampling.samples_result import SamplingOptions
from ..worker.client import WorkerClient
from ..worker.failures import Failure
from .call_queue import CallQueue
from .desktop_protocols import Timer

POLL_MILLISECONDS = 5
LOG_LINES = 2000
DRAWN = SamplingOptions(level_maps=True, keep_samples=True)
"""What a run shows of a model that draws samples: a map a level, and the samples to step through."""

OnProgress = Callable[[float, str], None]
OnResult = Callable[[SegmentationResult], None]
OnCine = Callable[[CineResult], None]
OnAnswer = Callable[[Mapping[str, Any]], None]
OnError = Callable[[Failure], None]


class WorkerBridge:
    """One worker for the module.

    Args:
        create_timer: makes a stopped timer of the main thread from milliseconds and a callback.
        create_client: makes the client from its keyword arguments; the real one by default.
    """

    def __init__(
        self,
        create_timer: Callable[[int, Callable[[], None]], Timer],
        create_client: Callable[..., WorkerClient] = WorkerClient,
    ) -> None:
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._calls = CallQueue()
        self._timer = create_timer(POLL_MILLISECONDS, self._poll)
        self._client = create_client(on_log=self.log.append, dispatch=self._calls.put, python=python_executable())
        self._model: tuple[str, str, str] | None = None
        self._open_jobs = 0
        self.open_scan: Volume | None = None
        """What ``resegment`` works on."""

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._open_jobs > 0

    def segment(
        self,
        model: str,
        engine: str,
        volume: Volume,
        rois: Sequence[Roi],
        on_progress: OnProgress,
        on_result: OnResult,
        on_error: OnError,
        channels: Mapping[str, Volume] | None = None,
        passes: str = ALL,
    ) -> None:
        """Segment a scan with a model; the model stays loaded.

        Args:
            channels: further images of the patient by name, for models that take several.
            passes: of a model that has several folds or mirrored copies, see ``native.choice.offered_passes``.

        Raises:
            EngineError: the worker cannot be started.
        """
        self._load(model, engine, passes)
        self.open_scan = volume
        self._client.segment(
            volume,
            rois,
            on_progress=on_progress,
            on_result=self._closing(on_result),
            on_error=self._closing(on_error),
            sampling=DRAWN,
            channels=channels,
        )
        self._wait()

    def frames(
        self,
        model: str,
        engine: str,
        sequence: VolumeSequence,
        rois: Sequence[Roi],
        on_progress: OnProgress,
        on_result: OnCine,
        on_error: OnError,
        passes: str = ALL,
    ) -> None:
        """Measure every frame of a scan over time with a model; the model stays loaded.

        Raises:
            EngineError: the worker cannot be started.
        """
        self._load(model, engine, passes)
        self._client.frames(sequence, rois, on_progress, self._closing(on_result), self._closing(on_error))
        self._wait()

    def pace(self, model: str, engine: str, passes: str, on_result: OnAnswer, on_error: OnError) -> None:
        """Measure how long a model takes for a window here; gives ``seconds_a_window``.

        Raises:
            EngineError: the worker cannot be started.
        """
        self._load(model, engine, passes)
        self._client.pace(on_result=self._closing(on_result), on_error=self._closing(on_error))
        self._wait()

    def resegment(self, array: NDArray[Any], preview: bool, on_result: OnResult, on_error: OnError) -> None:
        """Segment other intensities (k, j, i) on the grid and regions of the last scan; labels and maps only, fast,
        for a ``preview``.

        Raises:
            InputError: there was no scan yet. EngineError: the worker cannot be started.
        """
        self._client.resegment(array, preview, on_result=self._closing(on_result), on_error=self._closing(on_error))
        self._wait()

    def train(
        self, arguments: Mapping[str, Any], on_progress: OnProgress, on_result: OnAnswer, on_error: OnError
    ) -> None:
        """Train on a person's own scans; see ``worker.training``.

        Raises:
            EngineError: the worker cannot be started.
        """
        self._client.train(
            arguments, on_progress=on_progress, on_result=self._closing(on_result), on_error=self._closing(on_error)
        )
        self._wait()

    def fit(
        self, arguments: Mapping[str, Any], on_progress: OnProgress, on_result: OnAnswer, on_error: OnError
    ) -> None:
        """Fit a head for a model's uncertainty; see ``worker.fitting``.

        Raises:
            EngineError: the worker cannot be started.
        """
        self._client.fit(arguments, on_progress, self._closing(on_result), self._closing(on_error))
        self._wait()

    def forget_model(self) -> None:
        """The model that is loaded has changed on disk: the next run loads it again."""
        self._model = None

    def import_model(self, path: str, on_progress: OnProgress, on_result: OnAnswer, on_error: OnError) -> None:
        """Bring a model in; see ``worker.importing``.

        Raises:
            EngineError: the worker cannot be started.
        """
        self._client.import_model(path, on_progress, self._closing(on_result), self._closing(on_error))
        self._wait()

    def cancel(self) -> None:
        """Stop what runs, by killing the whole process tree if need be; returns at once."""
        self._client.cancel()

    def close(self) -> None:
        """End the worker; answers that are on their way are dropped."""
        self._timer.stop()
        self._open_jobs = 0
        self._model = self.open_scan = None
        self._client.close()
        self._calls = CallQueue()

    def _load(self, model: str, engine: str, passes: str) -> None:
        """Load a model unless it is there; when that fails, what comes next ends with the same reason."""
        if self._model != (model, engine, passes):
            self._client.load(model, engine, on_error=self._forget_model, passes=passes)
            self._model = (model, engine, passes)

    def _forget_model(self, _why: Failure) -> None:
        self._model = None

    def _wait(self) -> None:
        self._open_jobs += 1
        self._timer.start()

    def _closing(self, callback: Callable[[Any], None]) -> Callable[[Any], None]:
        """The callback, after which one job fewer is open."""

        def close(answer: Any) -> None:
            self._open_jobs -= 1
            callback(answer)

        return close

    def _poll(self) -> None:
        self._calls.run_pending()
        if not self.is_busy:
            self._timer.stop()


def python_executable() -> str:
    """Slicer's own Python (it sets up its libraries), this interpreter outside of Slicer."""
    return shutil.which("PythonSlicer") or sys.executable
