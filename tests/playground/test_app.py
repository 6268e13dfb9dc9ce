"""The server of the playground: what it answers, and what it rejects. The panels are replaced by simple functions."""

import asyncio
import json
import threading
import time
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("starlette", reason="the extra `playground` is not installed")
httpx = pytest.importorskip("httpx", reason="the extra `dev` is not installed")

from starlette.testclient import TestClient  # noqa: E402

from keras_bert.errors import InputError  # noqa: E402
from keras_bert.playground.app import FILES, create_app  # noqa: E402
from keras_bert.playground.body import MAX_BYTES  # noqa: E402
from keras_bert.playground.model_queue import ModelQueue  # noqa: E402
from keras_bert.playground.panel import Panel  # noqa: E402

PORT = 8765
ADDRESS = f"http://127.0.0.1:{PORT}"
MODELS = SimpleNamespace(facts=lambda: {"encoder": "tiny"})


def echo(models, text):
    if text == "bad input":
        raise InputError("`text` must be\nanother one")
    if text == "bug":
        raise RuntimeError("a secret path")
    return {"text": text}


ECHO = {
    "echo": Panel(echo, {"text": "a"}, {"text": 50}),
    "none": Panel(echo, {}, {}, lambda models: False, ("do this",)),
}


@pytest.fixture
def client():
    return TestClient(create_app(MODELS, ECHO, PORT), base_url=ADDRESS, raise_server_exceptions=False)


def post(client, content, **headers):
    headers = {"Content-Type": "application/json", **headers}
    return client.post("/api/echo", content=content, headers=headers)


def test_answers(client):
    answer = post(client, json.dumps({"text": "a film ☺"}), Origin=ADDRESS)
    assert answer.status_code == 200 and answer.json() == {"text": "a film ☺"}
    assert client.get("/api/facts").json()["panels"]["echo"]["limits"] == {"text": 50}
    assert client.post("/api/none").json() == {"error": "no model for this panel; run: do this"}


@pytest.mark.parametrize("path", FILES)
def test_files(client, path):
    answer = client.get(path)
    assert answer.status_code == 200 and answer.headers["content-type"] == FILES[path][1]
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "://"):
        assert forbidden not in answer.text
    assert " style=" not in answer.text and " onclick=" not in answer.text


def responses(client):
    """Yield an answer of every kind."""
    yield client.get("/")
    yield client.get("/api/facts")
    yield client.get("/none")
    yield client.get("/api/echo")
    yield client.get("/", headers={"Host": "evil.example"})
    for content in ('{"text": "a"}', "{", '{"text": "bad input"}', '{"text": "bug"}'):
        yield post(client, content)


def test_headers_of_every_answer(client):
    statuses = set()
    for answer in responses(client):
        statuses.add(answer.status_code)
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["connect-src"] == policy["style-src"] == "'self'"
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in answer.headers
    assert statuses == {200, 400, 403, 404, 405, 500}


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "127.0.0.1:80", f"evil.example:{PORT}", f"127.0.0.1.evil.example:{PORT}", ""]
)
def test_rejects_other_hosts(client, host):
    """DNS rebinding: the browser sends the name of the attacker's page, which leads to 127.0.0.1."""
    for answer in (client.get("/", headers={"Host": host}), post(client, '{"text": "a"}', Host=host)):
        assert answer.status_code == 403 and answer.json() == {"error": "the header Host must name this server"}


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:8765", "http://127.0.0.1:1", ""])
def test_rejects_other_origins(client, origin):
    answer = post(client, '{"text": "a"}', Origin=origin)
    assert answer.status_code == 403 and "Origin" in answer.json()["error"]


def test_rejects_requests_of_other_sites(client):
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.get("/", headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert client.get("/", headers={"Sec-Fetch-Site": "none"}).status_code == 200
    assert client.get("/", headers={"Host": f"localhost:{PORT}"}).status_code == 200


@pytest.mark.parametrize(
    "content, status, words",
    [
        ("", 400, "JSON"),
        ("{", 400, "JSON"),
        (b"\xff", 400, "JSON"),
        ("[" * 60000, 400, "JSON"),
        ('["text"]', 400, "keys text"),
        ("{}", 400, "keys text"),
        ('{"text": "a", "path": "/etc/passwd"}', 400, "keys text"),
        ('{"text": 1}', 400, "`text` must be a text"),
        ('{"text": ["a"]}', 400, "`text` must be a text"),
        ('{"text": " "}', 400, "not empty"),
        (json.dumps({"text": "a" * 51}), 400, "at most 50 characters. Received: 51"),
        ('{"text": "\\ud800"}', 400, "surrogates"),
        ('{"text": "bad input"}', 400, "`text` must be another one"),
        ('{"text": "bug"}', 500, "the server failed"),
        ("x" * (MAX_BYTES + 1), 413, f"{MAX_BYTES} bytes"),
    ],
)
def test_rejects_bodies(client, content, status, words):
    answer = post(client, content)
    assert answer.status_code == status and words in answer.json()["error"]
    assert "\n" not in answer.json()["error"] and "secret" not in answer.text


def test_size_is_limited_without_content_length(client):
    sent = []

    def parts():
        for _ in range(1000):
            sent.append(1)
            yield b" " * 4096

    assert post(client, parts()).status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_rejects_content_types_of_forms(client, kind):
    """A page of another site can send these without asking first."""
    assert post(client, '{"text": "a"}', **{"Content-Type": kind}).status_code == 415


PATHS = ["/../pyproject.toml", "/%2e%2e/app.py", "/static/app.js", "/app.py", "//etc/passwd", "/index.html", "/api/"]


@pytest.mark.parametrize("path", PATHS)
def test_serves_no_other_file(client, path):
    answer = client.get(path)
    assert answer.status_code == 404 and answer.json() == {"error": "Not Found"}


BODIES = st.one_of(st.binary(max_size=80), st.dictionaries(st.text(max_size=5), st.text(max_size=60)).map(json.dumps))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
def test_any_body_gets_one_line(client, body):
    answer = post(client, body)
    assert answer.status_code in (200, 400)
    assert answer.status_code == 200 or "\n" not in answer.json()["error"]


def test_one_call_at_a_time_and_a_bounded_queue():
    running, most, calls, release = [], [], [], threading.Event()

    def slow(models, text):
        running.append(text)
        most.append(len(running))
        calls.append(text)
        release.wait(20)
        running.remove(text)
        return {"text": text}

    app = create_app(MODELS, {"echo": Panel(slow, {"text": "a"}, {"text": 50})}, PORT, max_waiting=2)

    async def main():
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
            tasks = [asyncio.create_task(client.post("/api/echo", json={"text": str(i)})) for i in range(6)]
            deadline = time.monotonic() + 20
            while sum(task.done() for task in tasks) < 3 and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            release.set()
            answers = await asyncio.gather(*tasks)
            return answers, await client.post("/api/echo", json={"text": "later"})

    answers, later = asyncio.run(main())
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [503] * 3
    (busy,) = {answer.json()["error"] for answer in answers if answer.status_code == 503}
    assert "2 requests wait" in busy and max(most) == 1
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 503)
    assert later.status_code == 200 and len(calls) == 4


def test_nothing_is_computed_for_a_client_that_has_left():
    calls = []

    async def main():
        async def has_left():
            return False

        return await ModelQueue().run(lambda: calls.append(1), has_left)

    assert asyncio.run(main()) is None and calls == []


def test_port_in_use_is_one_line():
    from keras_bert.playground.server import bind

    with bind(0) as listener:
        listener.listen()
        assert listener.getsockname()[0] == "127.0.0.1"
        with pytest.raises(InputError, match="`--port` must be a free port.*Received: "):
            bind(listener.getsockname()[1])
