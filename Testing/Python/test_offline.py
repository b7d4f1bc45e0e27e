"""Nothing is sent anywhere: OpenVINO's telemetry is never loaded, and no run connects to anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from SUREUncertaintyLib.packages.package import Package

LIBRARY_ROOT = Path(__file__).resolve().parents[2] / "SUREUncertainty"

WATCHED = """
import sys
seen = []
REACHING = {"connect", "getaddrinfo", "gethostbyname", "gethostbyaddr", "sendto", "sendmsg"}

def watch(event, arguments):
    module, _, call = event.partition(".")
    if (module == "socket" and call in REACHING) or event in ("urllib.Request", "http.client.connect"):
        seen.append(event)
        raise PermissionError("the network is blocked")

sys.addaudithook(watch)
"""

RUN = """
from pathlib import Path
import numpy as np
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.catalogue import find_package

package = find_package(Path(sys.argv[1]))
array = np.random.default_rng(0).standard_normal((18, 20, 16)).astype(np.float32)
result = segment(Volume(array, Grid(array.shape)), package, create_engine(package, sys.argv[2], "cpu"))
assert result.labels.array.any()
import threading
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(10)
"""

REPORT = """
print("telemetry", sys.modules.get("openvino_telemetry") is not None)
print("network", *seen)
"""


def run(code: str, home: Path, *arguments: str) -> dict[str, str]:
    """Run code with the network watched, in a home folder that is empty; what it prints, by first word."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CI", "GITHUB", "PYTEST"))}
    environment = {**kept, "PYTHONPATH": str(LIBRARY_ROOT), "HOME": str(home), "USERPROFILE": str(home)}
    command = [sys.executable, "-c", WATCHED + code + REPORT, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("engine", ["openvino", pytest.param("torch", marks=pytest.mark.torch)])
def test_a_run_connects_to_nothing_and_leaves_no_trace_at_home(
    tiny_package: Package, tmp_path: Path, engine: str
) -> None:
    said = run(RUN, tmp_path, str(tiny_package.root), engine)
    assert said == {"telemetry": "False", "network": ""}
    assert not [path for path in tmp_path.rglob("*") if "telemetry" in path.name or "intel" in path.name]


def test_the_watch_sees_a_connection(tmp_path: Path) -> None:
    attempt = """
import socket
try:
    socket.create_connection(("localhost", 9), timeout=1)
except PermissionError:
    pass
"""
    assert "socket.getaddrinfo" in run(attempt, tmp_path)["network"]


def test_openvinos_own_import_would_load_its_telemetry(tmp_path: Path) -> None:
    """The guard guards something: without it the package is loaded."""
    plain = run("import openvino\n", tmp_path)
    guarded = run(
        "from SUREUncertaintyLib.inference.openvino_engine import import_openvino\nimport_openvino()\n", tmp_path
    )
    assert (plain["telemetry"], guarded["telemetry"]) == ("True", "False")
