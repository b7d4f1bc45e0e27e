"""Names, origins and tokens that the page's server accepts, and who leads of several windows."""

import asyncio
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from SUREUncertaintyLib.presenters import texts
from SUREUncertaintyLib.view.access_guard import Guard

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "LOCALHOST:8000", "localhost"])
def test_this_machine_is_known_by_its_own_names(host: str) -> None:
    assert Guard().is_same_origin(host, None)
    assert Guard().is_same_origin(host, f"http://{host}")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example:8000", None),
        ("localhost.evil.example:8000", None),
        ("127.0.0.1.nip.io:8000", None),
        ("", None),
        ("localhost:8000", "http://evil.example"),
        ("localhost:8000", "http://localhost:9999"),
        ("localhost:8000", "http://127.0.0.1:8000"),
        ("localhost:8000", "null"),
        ("localhost:8000", "http://localhost:8000.evil.example"),
    ],
)
def test_other_names_and_other_pages_are_refused(host: str, origin: str | None) -> None:
    assert not Guard().is_same_origin(host, origin)


def test_a_named_host_is_known_by_that_name_too() -> None:
    assert Guard("scans.example").is_same_origin("scans.example:80", None)
    assert not Guard("scans.example").is_same_origin("other.example:80", None)


def test_tokens_are_long_and_new_each_time() -> None:
    first, second = Guard(), Guard()
    assert len(first.token) >= 32
    assert first.holds(first.token)
    for wrong in (second.token, "", first.token[:-1], None, 5, "wslink-secret", "é"):
        assert not first.holds(wrong)


class Area:
    """Stands for a view's adapter."""

    def __init__(self) -> None:
        self.sizes: list[Any] = []
        self.events: list[Any] = []
        self.renders = 0

    def update_size(self, _origin: Any, size: Any) -> None:
        self.sizes.append(size)

    def on_interaction(self, _origin: Any, event: Any) -> None:
        self.events.append(event)

    def schedule_render(self) -> None:
        self.renders += 1


@pytest.fixture
def office() -> Any:
    pytest.importorskip("wslink", reason="trame-slicer is not installed: pip install 'sure-uncertainty[view]'")
    from SUREUncertaintyLib.view.windows import Windows

    class Office:
        def __init__(self) -> None:
            self.guard, self.area, self.changes = Guard(), Area(), 0
            self.windows = Windows(self.guard, self.change)
            self.sender = ""
            self.windows.current = lambda: self.sender
            self.windows.follow({"Red": self.area})

        def change(self) -> None:
            self.changes += 1

        def come(self, connection: str) -> None:
            assert asyncio.run(self.windows.validateToken(self.guard.token, connection))
            self.sender = connection
            self.windows.greet(connection.upper())

    return Office()


def test_a_window_without_the_token_does_not_come_in(office: Any) -> None:
    assert not asyncio.run(office.windows.validateToken("wrong", "x"))
    office.sender = "x"
    office.windows.greet("X")
    office.windows.lead()
    assert office.windows.names == []


def test_only_the_first_window_sizes_and_turns_the_pictures(office: Any) -> None:
    office.come("a")
    office.area.update_size("", 1)
    office.come("b")
    office.area.update_size("", 2)
    office.area.on_interaction("", "drag")
    assert office.windows.names == ["A", "B"]
    assert (office.area.sizes, office.area.events, office.area.renders) == ([1], [], 1)
    office.sender = "a"
    office.area.on_interaction("", "drag")
    assert office.area.events == ["drag"]


def test_a_window_can_take_the_lead_and_its_size_counts(office: Any) -> None:
    office.come("a")
    office.area.update_size("", 1)
    office.come("b")
    office.area.update_size("", 2)
    office.windows.lead()
    assert office.windows.names == ["B", "A"]
    assert office.area.sizes == [1, 2]


def test_when_the_leading_window_closes_the_next_one_leads(office: Any) -> None:
    office.come("a")
    office.area.update_size("", 1)
    office.come("b")
    office.area.update_size("", 2)
    office.windows.onClose("a")
    assert office.windows.names == ["B"]
    assert office.area.sizes == [1, 2]


def test_page_and_slicer_panel_use_the_same_words() -> None:
    tree = ElementTree.parse(ROOT / "SUREUncertainty" / "Resources" / "UI" / "SUREUncertainty.ui")
    found, label = {}, ""
    for widget in tree.getroot().iter("widget"):
        properties = {p.get("name"): "".join(p.itertext()).strip() for p in widget.findall("property")}
        name = str(widget.get("name"))
        if name.startswith("label"):
            label = properties.get("text", "")
            continue
        found[name] = (properties.get("text") or label.rstrip(":"), properties.get("toolTip", ""))
        label = ""
    assert {name: found[name] for name in texts.WIDGETS} == texts.WIDGETS
    page = (ROOT / "SUREUncertainty" / "SUREUncertaintyLib" / "view" / "assets" / "page.html").read_text("utf-8")
    sections = [name for name in found if name.endswith("CollapsibleButton") and name in texts.WIDGETS]
    assert len(sections) == 6
    places = [page.index(f"say.{name}.") for name in sections]
    assert places == sorted(places)
