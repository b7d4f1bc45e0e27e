"""An Auto3DSeg checkpoint to safetensors and JSON, in the child process for foreign files."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...core.errors import PackageError
from ..conversion import child_main, read_in_child, state_dict_of

KEYS = ("config", "state_dict")


def convert_auto3dseg(source: Path, destination: Path) -> dict[str, Any]:
    """Write the tensors of ``model.pt`` to ``destination`` as safetensors.

    Returns:
        its ``config``: numbers, texts, lists and objects.

    Raises:
        PackageError: the file is damaged, no such checkpoint, or holds anything that is refused.
    """
    read_in_child(__name__, source, destination)
    notes = destination.with_suffix(".json")
    config = json.loads(notes.read_text(encoding="utf-8"))
    notes.unlink()
    return dict(config)


def _plain(value: object) -> None:
    """What JSON cannot hold is left out of the config."""


def _convert(source: Path, destination: Path) -> None:
    import torch
    from safetensors.torch import save

    content = torch.load(source, map_location="cpu", weights_only=True)
    missing = [key for key in KEYS if not isinstance(content, Mapping) or not isinstance(content.get(key), Mapping)]
    if missing:
        raise PackageError(f"it is no checkpoint of Auto3DSeg: it has no '{missing[0]}'.")
    tensors = state_dict_of(content["state_dict"])
    if any(not torch.isfinite(value).all() for value in tensors.values()):
        raise PackageError("its weights hold values that are no numbers; the training went wrong.")
    destination.with_suffix(".json").write_text(json.dumps(content["config"], default=_plain), encoding="utf-8")
    destination.write_bytes(save({name: value.contiguous().clone() for name, value in tensors.items()}))


if __name__ == "__main__":
    sys.exit(child_main(_convert, sys.argv[1:]))
