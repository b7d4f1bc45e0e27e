"""Inference, package check, metrics and worker run with just NumPy, SciPy, scikit-image, SimpleITK and OpenVINO."""

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from SUREUncertaintyLib.packages.package import Package

LIBRARY_ROOT = Path(__file__).resolve().parents[2] / "SUREUncertainty"
LIGHT = ("numpy", "scipy", "scikit-image", "SimpleITK", "openvino")
HEAVY = ("torch", "monai", "typer", "rich", "matplotlib", "pydantic", "yaml", "safetensors", "psutil")

BLOCKER = """
import os, sys
BLOCKED = set({blocked!r})

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError("No module named " + repr(name) + " (blocked)", name=name)

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        with open({trace!r}, "a") as trace:
            trace.write(event + " " + repr(arguments[-1]) + chr(10))
        raise PermissionError("the network is blocked")

sys.meta_path.insert(0, Blocker())
sys.addaudithook(watch)
"""

RUN = """
import pkgutil, importlib, sys
from pathlib import Path
import numpy as np
import SUREUncertaintyLib
from SUREUncertaintyLib.core.roi import Roi
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.files.writing import write_volume
from SUREUncertaintyLib.files.reading import read_volume
from SUREUncertaintyLib.inference.engine_choice import create_engine
from SUREUncertaintyLib.inference.segmenter import segment
from SUREUncertaintyLib.packages.catalogue import find_package
from SUREUncertaintyLib.worker.client import WorkerClient

root, scan = Path(sys.argv[1]), Path(sys.argv[2])
for layer in ("core", "packages", "inference", "analysis", "metrics", "worker", "corruptions", "robustness"):
    layer = importlib.import_module("SUREUncertaintyLib." + layer)
    for module in pkgutil.walk_packages(layer.__path__, layer.__name__ + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
array = (np.random.default_rng(0).standard_normal((20, 22, 18)) * 100).astype(np.int16)
write_volume(Volume(array, Grid(array.shape)), scan)
volume = read_volume(scan)
package = find_package(root)
engine = create_engine(package, threads=1)
here = segment(volume, package, engine, (Roi("a", (-17, -20, 1), (-1, -1, 18)),))
with WorkerClient() as client:
    client.load(root, threads=1).wait(120)
    there = client.segment(volume, here.rois).wait(120)
assert np.array_equal(here.uncertainty.array, there.uncertainty.array, equal_nan=True)
third_party = {name.partition(".")[0] for name, module in sys.modules.items() if module is not None}
print(engine.name, len(np.unique(here.labels.array)), *sorted(third_party & set(%r)))
"""


def light_distributions() -> set[str]:
    """The light packages and what they themselves require, without OpenVINO's telemetry."""
    found: set[str] = set()
    waiting = list(LIGHT)
    while waiting:
        name = re.split(r"[ ;<>=!~\[(]", waiting.pop())[0].lower().replace("_", "-")
        if name in found or name == "openvino-telemetry":
            continue
        try:
            needed = requires(name) or []
        except PackageNotFoundError:
            continue
        found.add(name)
        waiting += [entry for entry in needed if "extra ==" not in entry]
    return found


def blocked_modules() -> set[str]:
    light = light_distributions()
    return {
        module
        for module, owners in packages_distributions().items()
        if not {owner.lower().replace("_", "-") for owner in owners} & light and module != "SUREUncertaintyLib"
    }


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """Environment of a Python in which everything else cannot be imported and no socket connects."""
    code = BLOCKER.format(blocked=sorted(blocked_modules() | set(HEAVY)), trace=str(tmp_path / "network.txt"))
    (tmp_path / "sitecustomize.py").write_text(code, encoding="utf-8")
    paths = os.pathsep.join([str(LIBRARY_ROOT), str(tmp_path)])
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CI", "GITHUB", "PYTEST"))}
    return {**kept, "PYTHONPATH": paths, "HOME": str(tmp_path)}


def test_what_is_blocked_covers_the_heavy_packages_and_spares_the_light_ones() -> None:
    blocked = blocked_modules()
    assert set(HEAVY) & set(packages_distributions()) <= blocked
    assert not blocked & {"numpy", "scipy", "skimage", "SimpleITK", "openvino"}
    assert "openvino_telemetry" in blocked


def test_the_blocker_blocks(bare: dict[str, str]) -> None:
    code = """
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(name, "(blocked)" in str(error))
"""
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], env=bare, capture_output=True, encoding="utf-8")
    assert done.stdout.splitlines() == [f"{module} True" for module in HEAVY]


def test_a_segmentation_and_the_worker_run_in_the_bare_environment(
    bare: dict[str, str], tiny_package: Package, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", RUN % (HEAVY,), str(tiny_package.root), str(tmp_path / "scan.nrrd")]
    done = subprocess.run(command, env=bare, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["openvino", "3"]
    assert not (tmp_path / "network.txt").exists()
