"""A request to the worker and its answer to come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core.dataclass_json import to_json
from ..core.errors import SureError
from ..core.roi import Roi
from ..core.volume import Volume
from .failures import Failure
from .process import WorkerProcess
from .result_files import write_array

OnProgress = Callable[[float, str], None]
OnResult = Callable[[Any], None]
OnError = Callable[[Failure], None]
Read = Callable[[dict[str, Any]], Any]
"""Makes a result of what the worker says."""
OpenScan = tuple[Volume, tuple[Roi, ...], tuple[tuple[str, Volume], ...]]
"""A scan, its regions and its further channels."""


class WorkerError(SureError):
    """A job ended without a result; ``failure`` says why and what to do."""

    def __init__(self, why: Failure) -> None:
        super().__init__(f"{why.text} {why.action}")
        self.failure = why


class ClientJob:
    """One request and its future answer."""

    def __init__(
        self,
        number: int,
        process: WorkerProcess,
        read: Read | None = None,
        on_progress: OnProgress | None = None,
        on_result: OnResult | None = None,
        on_error: OnError | None = None,
    ) -> None:
        self.id = number
        self.process = process
        self.read = read
        self.opens: OpenScan | None = None
        """The scan that comes with this request, open at the worker when there is a result."""
        self.files: list[Path] = []
        self.on_progress, self.on_result, self.on_error = on_progress, on_result, on_error
        self._answer: Any = None
        self._failure: Failure | None = None
        self._ended = threading.Event()

    @property
    def has_ended(self) -> bool:
        """Whether the result or the failure is there."""
        return self._ended.is_set()

    def wait(self, seconds: float | None = None) -> Any:
        """Wait for the result: a ``SegmentationResult``, for ``frames`` a ``CineResult``, else what the worker says.

        Raises:
            WorkerError: the job failed or was cancelled.
            TimeoutError: not within this time.
        """
        if not self._ended.wait(seconds):
            raise TimeoutError(f"The worker gave no answer within {seconds} s.")
        if self._failure is not None:
            raise WorkerError(self._failure)
        return self._answer

    def hand_over(self, image: Volume, what: str) -> str:
        """Write voxels for the worker until the job ends; gives the file's name in the private folder."""
        name = f"{self.id}-{what}.npy"
        self.files.append(self.process.folder / name)
        return write_array(np.asarray(image.array), self.process.folder, name)

    def describe(self, image: Volume, what: str) -> dict[str, Any]:
        """A volume field by field; the answer is put on the image that stays with the client."""
        return {**to_json(replace(image, forms=None), {}), "array": self.hand_over(image, what)}

    def open_with(self, scan: OpenScan) -> dict[str, Any]:
        """The arguments by which the worker opens a scan for this job and those after it."""
        self.opens = scan
        image, rois, channels = scan
        arguments: dict[str, Any] = {"volume": self.describe(image, "scan"), "rois": to_json(rois)}
        if channels:
            named = enumerate(channels)
            arguments["channels"] = {name: self.describe(one, f"channel{n}") for n, (name, one) in named}
        return arguments

    def answer_of(self, event: dict[str, Any]) -> Any:
        """The answer that the worker's event holds; raises as ``read`` does."""
        if self.read is None:
            return {key: value for key, value in event.items() if key not in ("event", "id")}
        return self.read(event)

    def end(self, answer: Any = None, why: Failure | None = None) -> None:
        """Note the answer and let ``wait`` return."""
        self._answer, self._failure = answer, why
        for file in self.files:
            file.unlink(missing_ok=True)
        self._ended.set()
