"""The parts of the Slicer module that need no Slicer: queues, words, numbers, dependencies."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from slicer_names import ROOT
from SUREUncertaintyLib.analysis.band_editing import ACTIONS, uncertain_band
from SUREUncertaintyLib.analysis.edge_relation import edge_trust
from SUREUncertaintyLib.analysis.noise_series import KINDS, LevelRow, breaking_level, damaged, level_row
from SUREUncertaintyLib.core.checks import check_scan
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.core.phantom import PHANTOM_ROIS, make_phantom
from SUREUncertaintyLib.core.roi import roi_slices
from SUREUncertaintyLib.core.volume import Grid, Volume
from SUREUncertaintyLib.metrics.relations import gradient_magnitude
from SUREUncertaintyLib.presenters.call_queue import CallQueue
from SUREUncertaintyLib.presenters.histogram import UncertaintyHistogram
from SUREUncertaintyLib.presenters.latest_request import LatestValue
from SUREUncertaintyLib.presenters.remaining_time import remaining_text
from SUREUncertaintyLib.ui import dependencies as dependencies_module
from SUREUncertaintyLib.ui.dependencies import Dependencies, Dependency, DependencyError, offline
from SUREUncertaintyLib.ui.setup_words import network_text

RESOURCES = ROOT / "SUREUncertainty" / "Resources"
SPACING = (1.0, 1.0, 1.0)


def test_of_many_positions_during_one_job_only_the_last_is_run_next() -> None:
    started: list[int] = []
    latest = LatestValue(started.append)
    for value in (1, 2, 3, 4):
        latest.submit(value)
    assert started == [1]
    latest.done()
    assert started == [1, 4]
    latest.done()
    assert started == [1, 4]
    assert not latest.is_running


def test_what_follows_a_job_gives_way_to_a_newer_position() -> None:
    started: list[int] = []
    latest = LatestValue(started.append)
    latest.submit(1)
    latest.done(then=7)
    latest.submit(9)
    latest.done(then=8)
    assert started == [1, 7, 9]


def test_a_job_that_cannot_start_does_not_block_the_next() -> None:
    started: list[int] = []

    def start(value: int) -> None:
        if value < 0:
            raise InputError("no")
        started.append(value)

    latest = LatestValue(start)
    with pytest.raises(InputError):
        latest.submit(-1)
    latest.submit(2)
    assert started == [2]


def test_calls_of_other_threads_run_in_order_in_the_thread_that_asks() -> None:
    queue = CallQueue()
    seen: list[tuple[int, int]] = []

    def put() -> None:
        for number in range(5):
            queue.put(lambda n=number: seen.append((n, threading.get_ident())))  # type: ignore[misc]

    thread = threading.Thread(target=put)
    thread.start()
    thread.join()
    assert queue.run_pending() == 5
    assert seen == [(n, threading.get_ident()) for n in range(5)]
    assert queue.run_pending() == 0


@pytest.mark.parametrize(
    ("fraction", "elapsed", "words"),
    [
        (0.01, 10.0, ""),
        (0.5, 1.0, ""),
        (0.5, 10.0, "about 10 s left"),
        (0.1, 60.0, "about 9 min left"),
        (1.0, 60.0, ""),
    ],
)
def test_remaining_time_is_said_once_it_can_be_known(fraction: float, elapsed: float, words: str) -> None:
    assert remaining_text(fraction, elapsed) == words


def test_the_histogram_counts_analysed_voxels_only() -> None:
    uncertainty = np.full(1000, np.nan)
    uncertainty[:300] = 0.25
    uncertainty[300:400] = 0.75
    histogram = UncertaintyHistogram(uncertainty, voxel_volume_mm3=2.0)
    assert histogram.share(0.5, 1.0) == pytest.approx(0.25)
    assert histogram.volume_ml(0.0, 1.0) == pytest.approx(0.8)
    text = histogram.text(0.5, 1.0)
    assert len(text) == 40
    assert text[10] == "·"
    assert text[30] not in "·▁"
    rows = histogram.rich_text(0.5, 1.0, (0.0, 0.8)).split("<br>")
    assert len(rows) == 3
    lowest = rows[-1].split("</span>")
    assert lowest[10] == '<span style="color:#9aa0a6">█', "grey outside the band"
    assert lowest[30] == '<span style="color:#f4f07a">█', "near the pale end of the colours"
    assert lowest[20] == '<span style="color:transparent">█', "no voxel there"
    assert "transparent" not in rows[0].split("</span>")[10], "the highest bar reaches the top"


def test_the_histogram_of_nothing_is_empty() -> None:
    assert UncertaintyHistogram(np.full(8, np.nan), 1.0).share(0.0, 1.0) == 0.0


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_edits_never_leave_the_band(action: str) -> None:
    generator = np.random.default_rng(3)
    mask = np.zeros((12, 12, 12), bool)
    mask[3:9, 3:9, 3:9] = True
    band = generator.random(mask.shape) > 0.5
    changed = ACTIONS[action](mask, band, SPACING) != mask
    assert changed.any()
    assert not (changed & ~band).any()


def test_growing_and_shrinking_a_cube_in_a_full_band_moves_its_faces_by_one_voxel() -> None:
    mask = np.zeros((12, 12, 12), bool)
    mask[4:8, 4:8, 4:8] = True
    everywhere = np.ones_like(mask)
    assert ACTIONS["grow"](mask, everywhere, SPACING).sum() == 4**3 + 6 * 4**2
    assert ACTIONS["shrink"](mask, everywhere, SPACING).sum() == 2**3


def test_smoothing_removes_a_lone_voxel_and_keeps_a_plane() -> None:
    mask = np.zeros((16, 16, 16), bool)
    mask[:8] = True
    mask[12, 8, 8] = True
    smooth = ACTIONS["smooth"](mask, np.ones_like(mask), SPACING)
    assert not smooth[12, 8, 8]
    assert smooth[:8, 4:12, 4:12].all()


def test_the_band_includes_its_ends() -> None:
    assert uncertain_band(np.array([0.4, 0.5, 0.7, 0.8]), 0.5, 0.7).tolist() == [False, True, True, False]


def test_a_level_is_compared_with_the_clean_result() -> None:
    clean = np.zeros((4, 4, 4), np.uint8)
    clean[:2] = 1
    noisy = np.zeros_like(clean)
    noisy[1:3] = 2
    row = level_row(0.3, clean, noisy, np.where(clean, 0.5, 0.1), voxel_volume_mm3=2.0)
    assert row == LevelRow(0.3, 0.5, pytest.approx(0.5), pytest.approx(0.064))


def test_the_breaking_level_is_the_lowest_below_nine_tenths() -> None:
    rows = [LevelRow(level, agreement, 0.1, 1.0) for level, agreement in ((0.2, 0.8), (0.0, 1.0), (0.1, 0.95))]
    assert breaking_level(rows) == 0.2
    assert breaking_level(rows[1:]) is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_panel_damages_a_scan_and_leaves_it_alone_at_zero(kind: str) -> None:
    scan = make_phantom()
    before = scan.array.copy()
    assert np.allclose(damaged(scan, kind, 0.0, 0), before)
    assert not np.allclose(damaged(scan, kind, 0.4, 0), before)
    assert np.array_equal(damaged(scan, kind, 0.4, 0), damaged(scan, kind, 0.4, 0))
    assert np.array_equal(scan.array, before)


def test_gaussian_noise_has_the_strength_s_spread_on_the_z_scored_scan() -> None:
    scan = make_phantom(noise=0.0)
    change = damaged(scan, "gaussian", 0.5, 1) - scan.array
    assert change.std() / scan.array.std() == pytest.approx(0.5, rel=0.02)


def test_sharp_edges_that_are_certain_are_recognised() -> None:
    grid = Grid((12, 16, 16))
    labels = np.zeros(grid.shape, np.uint8)
    labels[:, :, :8] = 1
    image = Volume(np.where(labels, 0.0, np.linspace(1, 50, 16)[None, :, None] * np.ones(grid.shape)), grid)
    gradient = gradient_magnitude(image.array, grid.spacing_kji)
    uncertainty = Volume((1.0 - gradient / gradient.max()).astype(np.float32), grid)
    trust = edge_trust(image, Volume(labels, grid), uncertainty)
    assert trust is not None
    assert trust.ucc == pytest.approx(-1.0, abs=0.02)
    assert trust.ur_star == pytest.approx(1.0, abs=0.02)
    assert edge_trust(image, Volume(np.zeros(grid.shape, np.uint8), grid), uncertainty) is None


def test_the_phantom_is_a_scan_with_a_body_in_each_box() -> None:
    phantom = make_phantom()
    check_scan(phantom, needs_3d=True)
    assert np.array_equal(phantom.array, make_phantom().array)
    clean = make_phantom(noise=0.0)
    for roi in PHANTOM_ROIS:
        assert np.count_nonzero(clean.array[roi_slices(clean.grid, roi)] == 115) > 1000
    centre = clean.grid.ijk_to_ras @ (47.5, 39.5, 31.5, 1.0)
    assert np.allclose(centre[:3], 0)


GRAPHICS_NAMES = "torch, monai, safetensors"


class FakeInstaller:
    """Notes what it was asked; ``effect`` is what the installation does."""

    def __init__(self, version: tuple[int, int] = (5, 12), effect: str = "") -> None:
        self.version, self.effect = version, effect
        self.seen: list[tuple[str, str, dict[str, str | None]]] = []

    def slicer_version(self) -> tuple[int, int]:
        return self.version

    def ensure(self, requirements: Path, constraints: Path, names: str) -> None:
        pip = {name: os.environ.get(name) for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS")}
        self.seen.append((names, constraints.read_text(encoding="utf-8"), pip))
        if self.effect == "fails":
            raise RuntimeError("pip said no")

    def ensure_torch(self) -> None:
        self.seen.append(("torch", "", {}))

    def reinstall(self, packages: Sequence[str], constraints: Path) -> None:
        self.seen.append((" ".join(packages), constraints.read_text(encoding="utf-8"), {}))


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package is needed that nobody has."""
    needed = (Dependency("not-there", "module_that_is_not_there", "tests"),)
    monkeypatch.setattr(dependencies_module, "INFERENCE", needed)


def test_nothing_is_asked_when_everything_is_there(tmp_path: Path) -> None:
    installer = FakeInstaller()
    Dependencies(RESOURCES, tmp_path, installer).require()
    assert installer.seen == []


def test_an_old_slicer_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DependencyError, match=r"needs 3D Slicer 5\.10 or newer, this is 5\.8"):
        Dependencies(RESOURCES, tmp_path, FakeInstaller((5, 8))).require()


def test_repair_installs_again_only_what_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "site" / "broken_here"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('a library is missing')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(broken.parent))
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    items = (Dependency("fine", "json", "tests"), Dependency("broken", "broken_here", "tests"))
    monkeypatch.setattr(dependencies_module, "INFERENCE", items)
    installer = FakeInstaller()
    with pytest.raises(DependencyError, match="broken is installed but does not start: ImportError: a library is"):
        Dependencies(RESOURCES, tmp_path, installer).repair()
    assert [entry[0] for entry in installer.seen] == ["broken"]
    assert f"numpy=={np.__version__}" in installer.seen[0][1]
    installer.reinstall = lambda *_: (broken / "__init__.py").write_text("")  # type: ignore[method-assign]
    assert Dependencies(RESOURCES, tmp_path, installer).repair() == "broken was installed again and works."
    assert Dependencies(RESOURCES, tmp_path, installer).repair().startswith("Everything that a run needs")


def test_proxy_and_certificates_are_named_without_a_password() -> None:
    assert network_text({}) == "Downloads go straight to the internet (no proxy is set). Certificates: those of pip."
    text = network_text({"HTTPS_PROXY": "http://me:secret@proxy.clinic:8080", "REQUESTS_CA_BUNDLE": "/etc/clinic.pem"})
    assert text == "Downloads go through the proxy proxy.clinic:8080. Certificates: /etc/clinic.pem."
    assert "proxy.clinic" in network_text({"http_proxy": "proxy.clinic"})


@pytest.mark.usefixtures("lacking")
def test_an_installation_keeps_slicer_s_numpy_and_scipy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    installer = FakeInstaller()
    with pytest.raises(DependencyError, match="must be installed before the first run"):
        Dependencies(RESOURCES, tmp_path, installer).require()
    (names, constraints, pip) = installer.seen[0]
    assert names == "not-there"
    assert f"numpy=={np.__version__}" in constraints.splitlines()
    assert any(line.startswith("scipy==") for line in constraints.splitlines())
    assert "openvino<2027" in constraints
    assert pip == {"PIP_NO_INDEX": None, "PIP_FIND_LINKS": None}


@pytest.mark.usefixtures("lacking")
def test_with_a_wheel_folder_pip_stays_offline_and_a_failure_says_what_to_do(tmp_path: Path) -> None:
    installer = FakeInstaller(effect="fails")
    with pytest.raises(DependencyError, match="choose a folder with the packages' wheel files"):
        Dependencies(RESOURCES, tmp_path, installer).require(wheels=tmp_path)
    assert installer.seen[0][2] == {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    assert os.environ.get("PIP_FIND_LINKS") != str(tmp_path)


def test_pytorch_is_asked_for_only_when_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = FakeInstaller()
    monkeypatch.setattr(dependencies_module, "find_spec", lambda name: object())
    Dependencies(RESOURCES, tmp_path, installer).require_torch()
    assert [entry[0] for entry in installer.seen] == [GRAPHICS_NAMES]
    monkeypatch.setattr(dependencies_module, "find_spec", lambda name: None)
    Dependencies(RESOURCES, tmp_path, installer).require_torch()
    assert [entry[0] for entry in installer.seen] == [GRAPHICS_NAMES, "torch", GRAPHICS_NAMES]


def test_training_needs_more_than_a_run_and_says_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = FakeInstaller()
    monkeypatch.setattr(dependencies_module, "find_spec", lambda name: object())
    Dependencies(RESOURCES, tmp_path, installer).require_training()
    assert installer.seen == [], "everything is there"
    monkeypatch.setattr(dependencies_module, "find_spec", lambda name: None if name == "onnx" else object())
    with pytest.raises(DependencyError, match="onnx could not be installed"):
        Dependencies(RESOURCES, tmp_path, installer).require_training()
    assert [entry[0] for entry in installer.seen] == [GRAPHICS_NAMES]


def test_without_the_pytorch_extension_there_is_a_sentence() -> None:
    with pytest.raises(DependencyError, match="through the PyTorch extension"):
        dependencies_module.SlicerInstaller().ensure_torch()


def test_proxy_and_certificates_of_the_hospital_stay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("PIP_FIND_LINKS", "before")
    with offline(tmp_path):
        assert os.environ["HTTPS_PROXY"] == "http://proxy:3128"
    assert os.environ["PIP_FIND_LINKS"] == "before"


def test_requirements_have_lower_and_constraints_upper_bounds() -> None:
    needed, graphics, bounds = (
        [line for line in (RESOURCES / name).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
        for name in ("requirements.txt", "requirements-torch.txt", "constraints.txt")
    )
    assert all(">=" in line and "==" not in line for line in needed + graphics)
    assert all("<" in line for line in bounds)
    named = {line.split(">=")[0] for line in needed}
    assert named == {item.package for item in dependencies_module.INFERENCE}
