"""Fixtures that several test files share."""

import os

if "PYTEST_XDIST_WORKER" in os.environ:
    # Several processes with a thread for every core each stand in one another's way; read when a library is loaded.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from damaged import write_case
from foreign import ARGUMENTS, CONFIG, DOCUMENT, write_configs
from hypothesis import settings
from needed_torch import skip_marked
from skips import pytest_sessionfinish, pytest_terminal_summary
from SUREUncertaintyLib.evaluation.cases import Case
from SUREUncertaintyLib.packages import catalogue
from SUREUncertaintyLib.packages.package import Package, load_package
from SUREUncertaintyLib.packages.staging import copy_files
from SUREUncertaintyLib.worker.client import WorkerClient
from tiny import build_tiny
from workers import LONG

# The same examples in every run, so that a change is judged by what it changed; "explore" draws others each time.
settings.register_profile("repeatable", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip_marked(items)


@pytest.fixture(scope="session")
def tiny_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """An untrained 3D package: evidential, RAS, 1 mm, patch 16^3, labels 1 shell and 2 core."""
    return build_tiny(tmp_path_factory.mktemp("packages") / "tiny")


@pytest.fixture(scope="session")
def tiny_planar_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """An untrained 2D package that runs slice by slice, in pixels, patch 16 x 16, softmax head."""
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 3, "channels": [4, 8]}
    return build_tiny(
        tmp_path_factory.mktemp("packages") / "tiny-planar",
        name="tiny-planar",
        network={"name": "unet", "arguments": arguments},
        head="softmax",
        spacing=None,
        patch=[16, 16],
        uncertainty={"primary": "entropy", "kinds": ["entropy"], "threshold": 0.5},
    )


def _shared(folder: str, variable: str, what: str) -> Path:
    beside = Path(__file__).resolve().parents[3] / "shared" / folder
    root = Path(os.environ.get(variable) or beside)
    if not root.is_dir():
        pytest.skip(f"{what} are not at {root}; set {variable} to their folder")
    return root


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real scans; tests that ask for it carry the ``data`` marker."""
    return _shared("data", "SURE_DATA", "the real scans")


@pytest.fixture(scope="session")
def cases_root() -> Path:
    """The folder of inputs that failed; tests that ask for it carry the ``data`` marker."""
    return _shared("cases", "SURE_CASES", "the inputs that failed")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MiB where mounting is permitted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    mounted = (
        mount
        and not subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("no right to mount a small file system; the simulated full disk is tested all the same")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def opened(tmp_path: Path, tiny_package: Package, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The Slicer module, opened on stand-ins for the desktop, with the tiny package in the model folder."""
    slicer = pytest.importorskip("slicer", reason="slicer-core is not installed: pip install '.[mrml]'")
    from slicer_stub import desktop_slicer

    monkeypatch.setenv("SURE_MODELS", str(tiny_package.root.parent))
    with desktop_slicer(tmp_path) as session:
        session.widget = session.module.SUREUncertaintyWidget()
        session.widget.setup()
        session.ui = session.widget.ui
        session.scene = slicer.mrmlScene
        yield session
        session.widget.cleanup()
        session.widget = None
        gc.collect()


@pytest.fixture(scope="session")
def view_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scan ``brain.nrrd`` and its ``result``, for the page in the browser."""
    import view_page

    if reason := view_page.why_not():
        pytest.skip(reason)
    pytest.importorskip("nilearn", reason="nilearn is not installed: pip install 'sure-uncertainty[demo]'")
    folder = tmp_path_factory.mktemp("view") / "folder"
    folder.mkdir()
    view_page.write_example(folder)
    return folder


@pytest.fixture(scope="session")
def view_server(view_example: Path) -> Iterator[Any]:
    """``sure view`` on the example, with small uploads and one folder."""
    import view_page

    arguments = [str(view_example / "result"), "--folder", str(view_example), "--upload-mb", "2"]
    with view_page.Served(arguments, view_example.parent / "server.log") as served:
        yield served


@pytest.fixture
def package(tiny_package: Package, tmp_path: Path) -> Package:
    """A copy of the tiny package that a test may damage."""
    copy_files(tiny_package.root, tmp_path / "tiny")
    return load_package(tmp_path / "tiny")


@pytest.fixture
def user_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models, empty; nothing is built in."""
    monkeypatch.setattr(catalogue, "BUILT_IN", tmp_path / "built-in")
    monkeypatch.setenv("SURE_MODELS", str(tmp_path / "user models é"))
    return tmp_path / "user models é"


@pytest.fixture(scope="session")
def foreign_network() -> Any:
    """The untrained network of the foreign bundle."""
    from needed_torch import torch

    torch.manual_seed(3)
    from monai.networks.nets import UNet

    return UNet(**ARGUMENTS).eval()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A MONAI Bundle as others make them, without weights yet."""
    root = tmp_path / "spleen_ct_segmentation"
    for folder in ("configs", "models", "docs"):
        (root / folder).mkdir(parents=True)
    (root / "docs" / "license.txt").write_text("Their licence")
    write_configs(root, DOCUMENT, CONFIG)
    return root


@pytest.fixture(scope="module")
def slow_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The tiny package with windows so dense that a run lasts until somebody stops it."""
    return build_tiny(tmp_path_factory.mktemp("slow") / "slow", overlap=0.95)


@pytest.fixture(scope="module")
def client(tiny_package: Package) -> Iterator[WorkerClient]:
    """A worker with the tiny package loaded, for all tests of a file."""
    with WorkerClient() as running:
        running.load(tiny_package.root, "openvino", threads=1).wait(LONG)
        yield running


@pytest.fixture
def slow_client(slow_package: Package) -> Iterator[WorkerClient]:
    """A worker of its own with the slow package."""
    with WorkerClient() as running:
        running.load(slow_package.root, "openvino", threads=1).wait(LONG)
        yield running


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """One labelled scan."""
    return write_case(tmp_path)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, headless; a module's own, since its event loop bars every other one meanwhile."""
    import view_page

    pytest.importorskip("playwright", reason="playwright is not installed: pip install playwright")
    if not view_page.find_chromium():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with view_page.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def window(browser: Any, view_server: Any) -> Iterator[Any]:
    """A page on the example, shared by all tests; a fault in its scripts fails the last of them."""
    import view_page

    opened = view_page.open_page(browser, view_server.url)
    opened.faults = []
    opened.on("pageerror", lambda error: opened.faults.append(str(error)))
    yield opened
    assert opened.faults == []
    opened.close()


@pytest.fixture
def page(window: Any) -> Any:
    """The window at the clean result, with the settings that it opens with."""
    import view_page

    if window.locator(".bar .icon").count():
        window.click(".bar .icon")
    window.evaluate("trame.trigger('stop_noise')")
    first = window.evaluate("trame.state.get('results')[0].id")
    window.evaluate("id => trame.trigger('show_result', [id])", first)
    view_page.wait_for_state(window, "result", first)
    window.evaluate(
        "trame.state.update({ opacity: 0.8, map: 'primary', threed: 'painted', surfaces: true, smooth: false,"
        " large: '' })"
    )
    view_page.settle(window)
    return window
