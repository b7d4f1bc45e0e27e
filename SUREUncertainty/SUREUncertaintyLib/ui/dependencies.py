"""What the module needs beyond what 3D Slicer brings, and how it gets it: asked once, never at start."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from ..core.errors import SureError
from ..core.translation import Text, Translate, tr as _
from ..presenters import texts

NEEDED_VERSION = (5, 10)
PACKAGING_VERSION = (5, 12)
START_SECONDS = 120.0
UNTOUCHED = ("numpy", "scipy")
"""Bundled with Slicer; pip must not exchange them, so their versions are pinned during an installation."""


@dataclass(frozen=True)
class Dependency:
    """One package: its name for pip, the module it gives, and what it is for."""

    package: str
    module: str
    purpose: Text


INFERENCE = (
    Dependency("openvino", "openvino", _("runs the networks on the processor")),
    Dependency("scikit-image", "skimage", _("finds the uncertain regions")),
)
GRAPHICS = (
    Dependency("torch", "torch", _("runs the networks on a graphics card, and trains them (optional)")),
    Dependency("monai", "monai", _("builds the networks for PyTorch (optional)")),
    Dependency("safetensors", "safetensors", _("reads and writes weights for PyTorch (optional)")),
)
TRAINING = (
    Dependency("onnx", "onnx", _("writes trained networks (only for training)")),
    Dependency("PyYAML", "yaml", _("reads recipes (only for training)")),
)


class DependencyError(SureError):
    """Something is missing and was not installed; the sentence says what to do."""


class Installer(Protocol):
    """How this Slicer installs packages."""

    def slicer_version(self) -> tuple[int, int]:
        """Major and minor."""
        ...

    def ensure(self, requirements: Path, constraints: Path, names: str) -> None:
        """Ask the user, then install what ``requirements`` lists within ``constraints``; nothing when declined."""
        ...

    def ensure_torch(self) -> None:
        """Ask the user, then install PyTorch for this computer's graphics card. Raises ``DependencyError``."""
        ...

    def reinstall(self, packages: Sequence[str], constraints: Path) -> None:
        """Install packages again, without what they depend on."""
        ...


class SlicerInstaller:
    """``slicer.packaging`` where it exists (5.12), the older installer in 5.10.

    Args:
        translate: of the question and of errors.
    """

    def __init__(self, translate: Translate = str) -> None:
        self._say = translate

    def slicer_version(self) -> tuple[int, int]:
        """Major and minor of the running application."""
        import slicer

        return int(slicer.app.majorVersion), int(slicer.app.minorVersion)

    def ensure(self, requirements: Path, constraints: Path, names: str) -> None:
        """As in the protocol."""
        import slicer

        if self.slicer_version() >= PACKAGING_VERSION:
            from slicer import packaging

            needed = packaging.load_requirements(requirements)
            packaging.pip_ensure(needed, constraints=constraints, requester="SURE Uncertainty")
        elif slicer.util.confirmOkCancelDisplay(self._say(texts.INSTALL_QUESTION).format(names=names)):
            slicer.util.pip_install(["-r", str(requirements), "-c", str(constraints)])

    def reinstall(self, packages: Sequence[str], constraints: Path) -> None:
        """As in the protocol."""
        import slicer

        slicer.util.pip_install(["--force-reinstall", "--no-deps", "-c", str(constraints), *packages])

    def ensure_torch(self) -> None:
        """Through the PyTorch extension, which knows which PyTorch fits the graphics card and its driver."""
        try:
            import PyTorchUtils  # type: ignore[import-not-found]
        except ImportError as error:
            raise DependencyError(self._say(texts.PYTORCH_EXTENSION)) from error
        logic = PyTorchUtils.PyTorchUtilsLogic()
        try:
            logic.installTorch(askConfirmation=True)
        except Exception as error:  # light-the-torch inside an old extension does not know Slicer's pip
            raise DependencyError(f"{self._say(texts.PYTORCH_OUTDATED)} ({error})") from error


class Dependencies:
    """Checks and installs.

    Args:
        resources: the module's Resources folder with requirements.txt and constraints.txt.
        scratch: a folder for a temporary file.
        installer: how to install.
        translate: of everything that is said.
    """

    def __init__(
        self, resources: Path, scratch: Path, installer: Installer | None = None, translate: Translate = str
    ) -> None:
        self._resources, self._scratch, self._say = resources, scratch, translate
        self._installer = installer or SlicerInstaller(translate)

    def missing(self) -> tuple[Dependency, ...]:
        """What a run needs and Slicer's Python does not have."""
        importlib.invalidate_caches()
        return tuple(item for item in INFERENCE if find_spec(item.module) is None)

    def require(self, wheels: Path | None = None) -> None:
        """Have everything that a run needs; asks the user before anything is installed.

        Args:
            wheels: folder of wheel files; with it nothing is downloaded.

        Raises:
            DependencyError: Slicer is too old, or something is still missing.
        """
        found = self._installer.slicer_version()
        if found < NEEDED_VERSION:
            raise DependencyError(self._say(texts.SLICER_TOO_OLD).format(found=".".join(map(str, found))))
        missing = self.missing()
        if missing:
            self._install(missing, wheels)

    def repair(self, wheels: Path | None = None, python: str = sys.executable) -> str:
        """Install what is missing, try everything in a process of its own, and install again what does not start.

        Returns:
            A sentence about how it went.

        Raises:
            DependencyError: as ``require``, or a package still does not start.
        """
        self.require(wheels)
        broken = [item for item in INFERENCE if problem_of(item, python)]
        if not broken:
            return self._say(texts.ALL_WORKS)
        names = [item.package for item in broken]
        with offline(wheels):
            self._installer.reinstall(names, self._constraints())
        for item in broken:
            reason = problem_of(item, python)
            if reason:
                raise DependencyError(self._say(texts.REPAIR_FAILED).format(name=item.package, reason=reason))
        return self._say(texts.REPAIRED).format(names=", ".join(names))

    def require_torch(self, wheels: Path | None = None) -> None:
        """Have PyTorch and what builds the networks for it; asks the user.

        Raises:
            DependencyError: the PyTorch extension is missing or too old, or the installation failed.
        """
        if find_spec("torch") is None:
            self._installer.ensure_torch()
        names = ", ".join(item.package for item in GRAPHICS)
        with offline(wheels):
            self._installer.ensure(self._resources / "requirements-torch.txt", self._constraints(), names)

    def require_training(self, wheels: Path | None = None) -> None:
        """Have everything that training needs: PyTorch and what writes the trained network; asks the user.

        Raises:
            DependencyError: as ``require`` and ``require_torch``, or something is still missing.
        """
        self.require(wheels)
        missing = [item for item in (*GRAPHICS, *TRAINING) if find_spec(item.module) is None]
        if not missing:
            return
        self.require_torch(wheels)
        importlib.invalidate_caches()
        left = [item.package for item in missing if find_spec(item.module) is None]
        if left:
            raise DependencyError(self._say(texts.STILL_MISSING).format(names=", ".join(left)))

    def rows(self) -> list[tuple[str, str, str]]:
        """(package, version or "", purpose) of everything that is or could be used."""
        return [
            (item.package, installed_version(item.package), self._say(item.purpose))
            for item in (*INFERENCE, *GRAPHICS, *TRAINING)
        ]

    def _install(self, missing: Sequence[Dependency], wheels: Path | None) -> None:
        names = ", ".join(item.package for item in missing)
        with offline(wheels):
            try:
                self._installer.ensure(self._resources / "requirements.txt", self._constraints(), names)
            except Exception as error:  # pip ended with an error; its words are in Slicer's log
                raise DependencyError(self._say(texts.STILL_MISSING).format(names=names) + f" ({error})") from error
        left = self.missing()
        if left:
            text = texts.INSTALL_DECLINED if len(left) == len(missing) else texts.STILL_MISSING
            raise DependencyError(self._say(text).format(names=", ".join(item.package for item in left)))

    def _constraints(self) -> Path:
        """The module's upper bounds, and what Slicer brings exactly as it is."""
        lines = (self._resources / "constraints.txt").read_text(encoding="utf-8")
        pins = [f"{name}=={installed_version(name)}" for name in UNTOUCHED if installed_version(name)]
        path = self._scratch / "sure-constraints.txt"
        path.write_text("\n".join([lines.rstrip(), *pins, ""]), encoding="utf-8")
        return path


def problem_of(item: Dependency, python: str) -> str:
    """Why a package does not start in a fresh process; "" when it does."""
    command = [python, "-c", f"import {item.module}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{error}."
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason was given"])[-1] + "."


@contextmanager
def offline(wheels: Path | None) -> Iterator[None]:
    """pip's environment for a folder of wheel files. Proxy and certificate variables are left as they are."""
    changes = {} if wheels is None else {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
    earlier = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in earlier.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def installed_version(package: str) -> str:
    """Version of an installed distribution; "" when it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
