"""Attacks on a running server, over HTTP and websocket: each one is refused, and the page goes on."""

import asyncio
import http.client
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.render, pytest.mark.xdist_group("browser")]

SCAN = b"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\n\n" + bytes(8)


def ask(server: Any, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes, Any]:
    place = urlsplit(server.address)
    connection = http.client.HTTPConnection("127.0.0.1", place.port or 0, timeout=90)
    sent = {"Host": place.netloc} | {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    except (BrokenPipeError, ConnectionResetError):
        return 0, b"", {}  # the server hung up on a body that it does not want
    finally:
        connection.close()


def upload(server: Any, files: dict[str, bytes], token: str | None = None) -> tuple[int, str]:
    border, parts = "sure-border", b""
    for name, content in files.items():
        head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        parts += head.encode() + content + b"\r\n"
    kind = f"multipart/form-data; boundary={border}"
    status, body, _ = ask(
        server,
        "POST",
        "/sure/upload",
        parts + f"--{border}--\r\n".encode(),
        Content_Type=kind,
        X_SURE_Token=server.token if token is None else token,
    )
    text = body.decode()
    return status, json.loads(text).get("error", "") if text.startswith("{") else text


def uploads_of(server: Any) -> list[Path]:
    import psutil

    folders = Path(os.environ.get("TMPDIR", "/tmp")).glob("sure-upload-*")
    mine = psutil.Process(server.process.pid).create_time() - 1
    return [f for folder in folders if folder.stat().st_ctime >= mine for f in folder.rglob("*") if f.is_file()]


def test_the_server_listens_on_this_machine_only(view_server: Any) -> None:
    import psutil

    sockets = psutil.Process(view_server.process.pid).net_connections("tcp")
    listening = {c.laddr.ip for c in sockets if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_the_secret_is_not_on_the_command_line(view_server: Any) -> None:
    import psutil

    assert view_server.token not in " ".join(psutil.Process(view_server.process.pid).cmdline())


@pytest.mark.parametrize("path", ["/", "/index.html", "/sure/page.js", "/vue.global.js", "/ws"])
@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
    ids=["host", "origin", "null"],
)
def test_foreign_hosts_and_origins_get_nothing(view_server: Any, path: str, headers: dict[str, str]) -> None:
    status, body, _ = ask(view_server, "GET", path, **headers)
    assert (status, body) == (403, b"This address is not served here.")


def test_every_answer_forbids_framing_and_foreign_scripts(view_server: Any) -> None:
    for path in ("/index.html", "/vue.global.js", "/nothing"):
        _, _, headers = ask(view_server, "GET", path)
        assert headers["X-Frame-Options"] == "DENY", path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert headers["Referrer-Policy"] == "no-referrer", path


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/sure/session"), ("POST", "/sure/upload"), ("POST", "/sure/save/results.zip")],
)
@pytest.mark.parametrize("token", ["", "wslink-secret", "x" * 32])
def test_nothing_of_the_scene_is_there_without_the_token(view_server: Any, method: str, path: str, token: str) -> None:
    status, body, _ = ask(view_server, method, path, X_SURE_Token=token)
    assert status == 403
    assert b"no longer valid" in body


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/sure/../../../../etc/passwd",
        "/sure/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2f..%2f..%2fetc/passwd",
        "/sure/app.py",
        "//etc/passwd",
    ],
)
def test_no_path_leads_out_of_the_page(view_server: Any, path: str) -> None:
    status, body, _ = ask(view_server, "GET", path)
    assert status in (403, 404)
    assert b"root:" not in body


@pytest.mark.parametrize("name", ["page.html", "run.exe", "scan.nhdr", "../../escaped.exe"])
def test_other_kinds_of_upload_are_refused(view_server: Any, name: str) -> None:
    before = uploads_of(view_server)
    status, why = upload(view_server, {name: b"<script>alert(1)</script>"})
    assert status == 400
    assert "not a scan or scene that can be uploaded" in why
    assert uploads_of(view_server) == before


def test_an_upload_that_is_too_large_is_refused_and_leaves_nothing(view_server: Any) -> None:
    before = uploads_of(view_server)
    status, why = upload(view_server, {"large.nrrd": SCAN + bytes(3 << 20)})
    assert status in (0, 400)  # 0: it hung up before everything was sent
    assert status == 0 or "larger than 2 MB" in why
    assert uploads_of(view_server) == before


def test_several_files_are_only_taken_as_a_dicom_series(view_server: Any) -> None:
    status, why = upload(view_server, {"a.nrrd": SCAN, "b.nrrd": SCAN})
    assert status == 400
    assert "DICOM series" in why


def test_an_upload_without_a_file_is_refused(view_server: Any) -> None:
    assert upload(view_server, {})[0] == 400
    status, _, _ = ask(view_server, "POST", "/sure/upload", b"junk", X_SURE_Token=view_server.token)
    assert status == 400


def test_an_unknown_download_is_refused(view_server: Any) -> None:
    status, _, _ = ask(view_server, "POST", "/sure/save/..%2Fetc%2Fpasswd", X_SURE_Token=view_server.token)
    assert status == 404


async def speak(server: Any, messages: list[dict[str, Any]], **headers: str) -> list[dict[str, Any]]:
    """Send messages of trame's protocol and give the answers."""
    import aiohttp
    from wslink.chunking import UnChunker, generate_chunks

    answers = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(server.address.replace("http", "ws") + "/ws", headers=headers) as socket,
    ):
        unchunker = UnChunker()
        unchunker.set_max_message_size(1 << 30)
        import msgpack

        for message in messages:
            for chunk in generate_chunks(msgpack.packb(message), 1 << 20):
                await socket.send_bytes(chunk)
            while True:
                answer = unchunker.process_chunk((await socket.receive(timeout=90)).data)
                if answer is not None and answer.get("id") == message["id"]:
                    answers.append(answer)
                    break
    return answers


def hello(secret: Any) -> dict[str, Any]:
    return {"wslink": "1.0", "id": "system:c0:0", "method": "wslink.hello", "args": [{"secret": secret}], "kwargs": {}}


def call(method: str, *args: Any) -> dict[str, Any]:
    return {"wslink": "1.0", "id": "rpc:x:1", "method": method, "args": list(args), "kwargs": {}}


@pytest.mark.parametrize("secret", ["", "wslink-secret", None, ["x"], 5])
def test_a_socket_without_the_token_learns_and_does_nothing(view_server: Any, secret: Any) -> None:
    greeting, state = asyncio.run(speak(view_server, [hello(secret), call("trame.state.get")]))
    assert greeting["error"]["message"] == "Authentication failed"
    assert "Unauthorized" in state["error"]["message"]
    assert "result" not in state


def test_a_socket_of_a_foreign_page_is_not_opened(view_server: Any) -> None:
    import aiohttp

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        asyncio.run(speak(view_server, [hello(view_server.token)], Origin="http://evil.example"))
    assert refused.value.status == 403


def test_a_socket_with_the_token_works_and_cannot_read_files_outside(view_server: Any, view_example: Path) -> None:
    outside = view_example.parent / "outside.nrrd"
    outside.write_bytes(SCAN)
    messages = [hello(view_server.token), call("trame.trigger", "open", [str(outside)], {}), call("trame.state.get")]
    greeting, _, state = asyncio.run(speak(view_server, messages))
    assert "clientID" in greeting["result"]
    found = state["result"]["state"]
    assert "not in the folders that this page may read" in found["message"]["text"]
    assert "outside" not in [scan["name"] for scan in found["scans"]]


def test_no_method_of_the_program_can_be_called_that_is_not_on_the_list(view_server: Any, view_example: Path) -> None:
    from SUREUncertaintyLib.view.actions import Actions
    from SUREUncertaintyLib.view.app import Application

    outside = view_example.parent / "outside.nrrd"
    outside.write_bytes(SCAN)
    offered = {"greet", "lead", "dismiss", "browse", "stop_browsing", "open", "sample", "choose_scan", "run", "cancel"}
    offered |= {"drop", "place", "move_box", "suggest", "show_result", "show_segment", "frame", "go_to", "go_on"}
    offered |= {"queue", "tick", "series", "stop_noise", "look_from", "trust", "copy", "follow_up"}
    offered |= {"worklist_step", "worklist_open", "worklist_decide", "worklist_undo"}
    offered |= {"shift_window", "reset_window", "measure", "clear_distances", "look_at"}
    names = sorted({*dir(Actions), *dir(Application), "_app", "_folders"} - offered)
    assert "open_upload" in names
    messages = [hello(view_server.token), call("trame.state.get")]
    messages += [call("trame.trigger", name, [str(outside)], {}) for name in names]
    messages += [call("trame.trigger", name, [], {}) for name in names]
    messages += [call("trame.state.get")]
    _, before, *answers, after = asyncio.run(speak(view_server, messages))
    assert {answer.get("result") for answer in answers} == {None}
    kept = ("scans", "title", "browser", "message", "result")
    assert {name: after["result"]["state"][name] for name in kept} == {
        name: before["result"]["state"][name] for name in kept
    }


def test_nonsense_in_the_state_does_no_harm(view_server: Any) -> None:
    names = ("opacity", "band_low", "band_high", "map", "region", "model", "engine", "seed", "slice_Red")
    earlier = asyncio.run(speak(view_server, [hello(view_server.token), call("trame.state.get")]))[1]["result"]["state"]
    messages = [hello(view_server.token)]
    for value in (None, [], {}, "x", 1e300, -5, True, [[1, 2], 3]):
        messages.append(call("trame.state.update", [{"key": name, "value": value} for name in names]))
        messages += [call("trame.trigger", name, [value], {}) for name in ("go_to", "move_box", "show_result", "drop")]
    messages += [
        call("trame.state.update", [{"key": name, "value": earlier[name]} for name in names]),
        call("trame.trigger", "dismiss", [], {}),
        call("trame.state.get"),
    ]
    answers = asyncio.run(speak(view_server, messages))
    assert [answer.get("error") for answer in answers] == [None] * len(messages)
    after = answers[-1]["result"]["state"]
    assert {name: after[name] for name in names} == {name: earlier[name] for name in names}
    assert view_server.process.poll() is None
