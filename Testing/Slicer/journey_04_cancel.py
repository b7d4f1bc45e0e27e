"""Journey 4: cancel in the middle, run again."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from journey import add_phantom, finish, open_module, run_and_wait, started, wait_until

CANCEL_SECONDS = 4.0


def journey():
    """A cancelled run leaves no result; the next one works."""
    widget = open_module()
    add_phantom(widget)
    started(widget)
    clicks = widget.panel.input.clicks
    wait_until(lambda: not clicks.is_fresh(), CANCEL_SECONDS)  # a second click at once would be half of a double click
    widget.ui.runButton.click()
    wait_until(lambda: not widget.panel.runs.is_running, CANCEL_SECONDS)
    assert widget.panel.context.published() is None
    assert run_and_wait(widget) is not None, widget.ui.statusLabel.text


if __name__ == "__main__":
    finish(journey)
