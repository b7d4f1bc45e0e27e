"""What a window may ask for: a list with typed arguments. Everything else of the application cannot be called."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import ANY, AsyncMock, MagicMock

import pytest
from SUREUncertaintyLib.core.errors import InputError
from SUREUncertaintyLib.view.actions import Actions
from SUREUncertaintyLib.view.folders import Folders
from SUREUncertaintyLib.view.routes import ASSETS
from SUREUncertaintyLib.view.uploads import Uploads

GOOD: dict[str, tuple[Any, ...]] = {
    "greet": ("window 1",),
    "lead": (),
    "dismiss": (),
    "browse": ("",),
    "stop_browsing": (),
    "open": ("scan.nrrd",),
    "sample": (),
    "choose_scan": ("vtkMRMLScalarVolumeNode1",),
    "run": (),
    "queue": (),
    "cancel": (),
    "drop": (1,),
    "place": (),
    "move_box": ([0.0, 1, 2, 3.5, 4, 5],),
    "suggest": (),
    "show_result": ("vtkMRMLSegmentationNode1",),
    "show_segment": ("left_5", True),
    "frame": (),
    "go_to": (2,),
    "go_on": (),
    "tick": (2, False),
    "series": (),
    "stop_noise": (),
    "look_from": ("L",),
    "shift_window": (1.5, -2.0),
    "reset_window": (),
    "measure": ("Red", [0.1, 0.2, 0.3, 0.4]),
    "clear_distances": (),
    "look_at": ("Red", [0.1, 0.2]),
    "trust": (),
    "follow_up": (),
    "copy": (),
    "worklist_step": (1,),
    "worklist_open": (),
    "worklist_decide": ("accepted",),
    "worklist_undo": (),
}
"""All that may be called, with arguments as the page sends them."""

REQUIRE: Any = ANY
"""What a cohort's scans are checked by; ``test_view_worklist`` tries it."""

BAD: dict[type, list[Any]] = {
    str: [None, 5, True, ["x"], {"path": "x"}, "x" * 5000],
    int: [None, "1", 1.5, True, [1]],
    float: [None, "1", True, [1], float("nan")],
    bool: [None, 0, 1, "true", [True]],
    list: [None, "0,1,2,3,4,5", [0, 1, 2], [0, 1, 2, 3, 4, "5"], [0, 1, 2, 3, 4, float("nan")], [True] * 6],
}
"""By the kind of a good argument: what must not pass for one."""


class State(dict[str, Any]):
    """trame's state as far as actions use it."""

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def flush(self) -> None:
        """Nobody listens."""


@pytest.fixture
def page(tmp_path: Path) -> Iterator[SimpleNamespace]:
    (tmp_path / "folder").mkdir()
    application = MagicMock()
    application.session.state, application.open = State(), AsyncMock()
    application.follow_up.compare = AsyncMock()
    uploads = Uploads(1)
    actions = Actions(application, Folders([tmp_path / "folder"]), uploads, MagicMock())
    yield SimpleNamespace(actions=actions, application=application, uploads=uploads, folder=tmp_path / "folder")
    uploads.close()


def test_the_list_is_this_one_and_every_name_on_it_is_used_or_known_to_the_page(page: SimpleNamespace) -> None:
    assert set(page.actions.offered()) == set(GOOD)
    text = "".join(path.read_text(encoding="utf-8") for path in (ASSETS / "page.html", ASSETS / "page.js"))
    called = set(re.findall(r"trigger\(\s*[\"'](\w+)[\"']", text)) | {"browse", "open"}  # these two by one expression
    assert called == set(GOOD)


def test_no_other_method_or_attribute_is_an_action(page: SimpleNamespace) -> None:
    offered = page.actions.offered()
    others = {*dir(page.actions), *vars(page.actions), *dir(page.application), "open_upload", "makers"} - set(GOOD)
    assert {"open_upload", "makers", "offered", "_open", "_app", "__init__", "__class__"} <= others
    assert not others & set(offered)
    for name, action in offered.items():
        assert action.act == getattr(page.actions, name)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_an_action_takes_its_own_arguments_only(page: SimpleNamespace, name: str) -> None:
    action, good = page.actions.offered()[name], GOOD[name]
    wrong = [(*good, "one more")]
    wrong += [() for _ in good[: 0 if name == "browse" else 1]]
    for place, value in enumerate(good):
        wrong += [(*good[:place], bad, *good[place + 1 :]) for bad in BAD[type(value)]]
    before = (dict(page.application.session.state), len(page.application.mock_calls))
    for arguments in wrong:
        with pytest.raises(InputError, match=r"Nothing was changed|Reload the page"):
            action(*arguments)
    assert (dict(page.application.session.state), len(page.application.mock_calls)) == before


@pytest.mark.parametrize("name", sorted(set(GOOD) - {"open", "sample", "suggest", "follow_up"}))
def test_an_action_with_good_arguments_acts(page: SimpleNamespace, name: str) -> None:
    page.actions.offered()[name](*GOOD[name])


def test_a_comparison_is_left_to_its_part(page: SimpleNamespace) -> None:
    asyncio.run(page.actions.offered()["follow_up"]())
    page.application.follow_up.compare.assert_awaited_once_with(page.application.in_thread)


def test_a_path_is_opened_inside_the_folders_only(page: SimpleNamespace) -> None:
    inside, outside = page.folder / "scan.nrrd", page.folder.parent / "secret.nrrd"
    for path in (inside, outside):
        path.write_bytes(b"x")
    act = page.actions.offered()["open"]
    asyncio.run(act(str(inside)))
    page.application.open.assert_awaited_once_with(inside.resolve(), REQUIRE)
    with pytest.raises(InputError, match="not in the folders"):
        page.application.open.await_args.args[1](outside)
    for path in (str(outside), "../secret.nrrd", str(page.folder / ".." / "secret.nrrd")):
        with pytest.raises(InputError, match="not in the folders"):
            asyncio.run(act(path))
    page.application.open.assert_awaited_once()


def test_an_upload_is_opened_from_the_folder_of_uploads_only(page: SimpleNamespace) -> None:
    (page.uploads.folder / "upload 1").mkdir()
    sent = page.uploads.folder / "upload 1" / "scan.nrrd"
    outside = page.folder / "scan.nrrd"
    for path in (sent, outside):
        path.write_bytes(b"x")
    asyncio.run(page.actions.open_upload(sent))
    page.application.open.assert_awaited_once_with(sent.resolve(), REQUIRE)
    link = page.uploads.folder / "link.nrrd"
    link.symlink_to(outside)
    for path in (outside, link, page.uploads.folder / ".." / "x", page.uploads.folder, sent.parent / "gone.nrrd"):
        with pytest.raises(InputError, match="no longer there"):
            asyncio.run(page.actions.open_upload(path))
    page.application.open.assert_awaited_once()
