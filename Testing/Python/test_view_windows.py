"""What reaches the windows of the page: every change and the newest picture, also when somebody else comes."""

from typing import Any

import pytest
from SUREUncertaintyLib.view.resting_picture import RestingPicture


def test_what_is_pending_is_told_to_all_before_a_window_joins() -> None:
    trame = pytest.importorskip("trame.app", reason="trame is not installed: pip install 'sure-uncertainty[view]'")
    from SUREUncertaintyLib.view.server import send_before_a_window_joins

    server, heard = trame.get_server("two windows", client_type="vue3"), []
    server.state.result = "first"
    server.state.ready()
    server.state.change("result")(lambda result, **_: heard.append(result))
    send_before_a_window_joins(server)
    server.state.result = "second"  # not sent yet, as in the middle of a longer action
    assert server.get_server_state()["state"]["result"] == "second"
    assert heard == ["second"]


class Timers:
    """Calls that are due at rest."""

    def __init__(self) -> None:
        self.waiting: list[Any] = []

    def later(self, seconds: float, call: Any, *arguments: Any) -> "Timers.Handle":
        entry = (call, arguments)
        self.waiting.append(entry)
        return Timers.Handle(self.waiting, entry)

    class Handle:
        def __init__(self, waiting: list[Any], entry: Any) -> None:
            self._waiting, self._entry = waiting, entry

        def cancel(self) -> None:
            if self._entry in self._waiting:
                self._waiting.remove(self._entry)


def test_the_newest_picture_is_sent_once_more_at_rest() -> None:
    sent, timers = list[bytes](), Timers()
    picture = RestingPicture(lambda content, _facts: sent.append(content), timers.later)
    for content in (b"first", b"second", b"third"):
        picture(content, {})
    assert sent == [b"first", b"second", b"third"]
    for call, arguments in timers.waiting:
        call(*arguments)
    assert sent == [b"first", b"second", b"third", b"third"]
