"""What client and worker say to one another: one JSON object a line, arrays in files of a private folder.

Requests (client to worker), each with an ``id`` that its answers carry:

- ``{"id": 1, "command": "load", "package": NAME_OR_PATH, "engine": "auto", "device": null, "threads": null,
  "passes": "all"}``
- ``{"id": 2, "command": "segment", "volume": {"array": FILE.npy, "grid": {..}, "name": ..} or {"path": SCAN},
  "rois": [{"name": .., "low": [..], "high": [..]}], "keep_probabilities": false, "sampling": {"count": 20, ..}}``;
  the volume is described field by field, and ``"channels": {NAME: VOLUME, ..}`` may come with it; ``sampling`` counts
  for models that draw samples, others ignore it. Without ``volume`` the last one is used again. Either way
  ``"array": FILE.npy`` may name other intensities on its grid, which are analysed where the boxes come to rest on the
  scan itself, and ``"preview": true`` asks for their labels and maps only, fast.
- ``{"id": 3, "command": "frames", "frames": [VOLUME, ..], "name": .., "times_ms": [..], "rois": [..]}``: measures every
  frame of a scan over time, whose result comes as that of ``segment`` does; the scan of ``segment`` stays open.
- ``{"id": 3, "command": "pace"}``: how long the loaded network takes here, ``seconds_a_window``
  (``inference.forecast``); dropped like a segmentation when one comes.
- ``{"id": 3, "command": "train", "folder": SCANS, "name": .., "profile": .., "output": DIR, "recipe": FILE or null}``:
  trains or resumes, imports the package into the user's models and gives its name as ``model``.
- ``{"id": 3, "command": "fit", "model": NAME, "scans": FOLDER, "output": DIR}``: fits a head for the model's
  uncertainty or goes on with that (``worker.fitting``).
- ``{"id": 3, "command": "import", "path": FOLDER_OR_ZIP}``: brings a model into the user's folder; ``model`` and
  ``summary`` say what it is.
- ``{"id": 3, "command": "cancel"}``: answered at once; the running job ends with the error ``cancelled``.
- ``{"id": 4, "command": "close"}``

Events (worker to client): ``ready`` once; ``progress`` (``id``, ``fraction``, ``text``); ``log`` (``text``);
``result`` (``id`` and what the command gives); ``error`` (``id``, ``kind``, ``text``, ``action``, ``details``).

The latest ``segment`` or ``frames`` wins: a waiting or running one ends with the error ``superseded``.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np

VERSION = 1
COMMANDS = ("load", "segment", "frames", "pace", "train", "fit", "import", "cancel", "close")


@dataclass(frozen=True)
class Request:
    """One line from the client."""

    id: int
    command: str
    arguments: dict[str, Any] = field(default_factory=dict)


def parse_request(line: str) -> Request:
    """Read a request.

    Raises:
        ValueError: not a request; the text says why.
    """
    message = json.loads(line)
    if not isinstance(message, dict) or not isinstance(message.get("id"), int):
        raise ValueError("a request is a JSON object with a whole number as 'id'")
    command = message.get("command")
    if command not in COMMANDS:
        raise ValueError(f"unknown command {command!r}; known are {', '.join(COMMANDS)}")
    rest = {key: value for key, value in message.items() if key not in ("id", "command")}
    return Request(message["id"], command, rest)


def write_message(stream: IO[str], message: dict[str, Any]) -> None:
    """Write one line and flush it. NaN becomes null: it is not JSON."""
    stream.write(json.dumps(plain(message), ensure_ascii=False, allow_nan=False) + "\n")
    stream.flush()


def plain(value: Any) -> Any:
    """The value with tuples as lists and non-finite floats as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value
