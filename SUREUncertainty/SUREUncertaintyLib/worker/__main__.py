"""``python -m SUREUncertaintyLib.worker --folder PRIVATE``: see ``worker.protocol``. Started by ``worker.client``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from .server import Server


def main() -> int:
    """Serve until the client says ``close`` or is gone."""
    parser = argparse.ArgumentParser(prog="python -m SUREUncertaintyLib.worker")
    parser.add_argument("--folder", type=Path, required=True, help="private folder for arrays")
    folder: Path = parser.parse_args().folder
    # Ctrl-C in a shared terminal is the client's business
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # stdin and stdout belong to the protocol: libraries that print or read get stderr and nothing
    source = os.fdopen(os.dup(0), "r", encoding="utf-8")
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Server(source, sink, folder).serve()


if __name__ == "__main__":
    # the reading thread may sit in a read that never ends: do not wait for it
    code = main()
    sys.stderr.flush()
    os._exit(code)
