"""What a run skipped, counted by reason; under ``CI`` a reason that is not expected here fails the run.

A skip is how a test disappears unseen: of a suite that skips whatever it lacks, everything may be green that never ran.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import Any

import pytest

EXPECTED = (
    r"^the real scans are not at ",
    r"^the inputs that failed are not at ",
    r"^torch has no CUDA here$",
    r"^no right to mount a small file system",
    r"^only a Slicer from 5\.12 on has slicer\.packaging$",
    r"^no OpenGL library: |this machine has no OpenGL library\.",
    r"^Chromium is not installed: ",
    r"^xgettext is not installed: ",
    r"^dynamic-network-architectures is not installed: ",  # it brings torchvision, which wants a torch of its own
)
"""Reasons that a machine may have for want of data, rights or hardware. Python packages are no such reason."""


def expected_reasons() -> tuple[str, ...]:
    """``EXPECTED`` and what ``SURE_EXPECTED_SKIPS`` adds (one regular expression)."""
    more = os.environ.get("SURE_EXPECTED_SKIPS", "")
    return (*EXPECTED, more) if more else EXPECTED


def is_expected(reason: str) -> bool:
    return any(re.search(pattern, reason) for pattern in expected_reasons())


def reason_of(report: Any) -> str:
    """The reason of a skipped test or file, without pytest's prefix."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return str(text).removeprefix("Skipped: ")


def counted(reporter: Any) -> Counter[str]:
    """How many tests, or whole files, were skipped for which reason."""
    return Counter(reason_of(report) for report in reporter.stats.get("skipped", ()))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput") or not os.environ.get("CI"):
        return
    if exitstatus == pytest.ExitCode.OK and not all(map(is_expected, counted(reporter))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reasons = counted(terminalreporter)
    if not reasons:
        return
    terminalreporter.section(f"skipped: {reasons.total()}")
    for reason, count in reasons.most_common():
        mark = "" if is_expected(reason) else "NOT EXPECTED (see Testing/Python/skips.py): "
        terminalreporter.write_line(f"{count:5d}  {mark}{reason}")
