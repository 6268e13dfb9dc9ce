"""The service of docs/guides/ray-serve.md on this machine: answers, limits, and a replica that is killed."""

import asyncio
import json
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

import keras_bert as kb
from benchmarks.ray_serve import ask_all, load_guide, local_cluster, make_texts, replica_processes
from tests.processes import LIMIT, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.peers]
INVALID = {
    "nothing": b"",
    "not JSON": b"{",
    "no UTF-8": b"\xff",
    "a list": b'["text"]',
    "deep": b"[" * 100_000,
    "another key": b'{"texts": "film"}',
    "a number": b'{"text": 3}',
    "empty": b'{"text": " \\n"}',
    "half a pair": b'{"text": "\\ud800"}',
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("onnxruntime", reason="the extra `onnx` installs it")
    pytest.importorskip("ray.serve", reason="the guide to Ray Serve needs it")
    sentiment = kb.load_pretrained("sst2_sentiment")
    return kb.export_onnx(sentiment.model, tmp_path_factory.mktemp("ray") / "onnx", sentiment.vectorizer)


@pytest.fixture(scope="module")
def service(folder):
    """The names of the guide, the address, and the predictor that the answers must equal."""
    names = load_guide()
    with local_cluster() as url:
        names["serve"].run(names["Sentiment"].bind(folder))
        yield SimpleNamespace(**names, url=url, folder=folder, predictor=kb.Predictor(folder))


def post(url: str, body: bytes) -> tuple[int, str]:
    """Send a request once."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=LIMIT) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def assert_equal(answers: list[dict], expected: list[dict]) -> None:
    for answer, wanted in zip(answers, expected, strict=True):
        assert (answer["text"], answer["label"]) == (wanted["text"], wanted["label"])
        assert answer["probabilities"] == pytest.approx(wanted["probabilities"], abs=1e-4)


def test_no_request_is_lost(service):
    """One replica is killed after 100 answers; it is replaced, and all 500 answers are those of the predictor."""
    texts, before, lock, count = make_texts(500), replica_processes(), threading.Lock(), iter(range(500))
    assert len(before) == 2

    def ask(text):
        answer = service.ask(text, service.url)
        with lock:
            if next(count) == 100:
                before[0].kill()
        return answer

    answers, _ = ask_all(ask, texts, clients=8)
    assert_equal(answers, service.predictor(texts))
    assert not before[0].is_running() or before[0].status() == "zombie"
    wait_until(lambda: len({process.pid for process in replica_processes()} - {before[0].pid}) == 2)


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID)
def test_rejects_what_is_no_text(service, body):
    status, message = post(service.url, body)
    assert (status, message) == (400, service.INVALID)
    assert message.count("\n") == 1


def test_limit_on_length(service):
    longest = "\U0001f3ac" * service.MAX_LENGTH  # as JSON, 12 bytes a character
    status, answer = post(service.url, json.dumps({"text": longest}).encode())
    assert status == 200
    assert_equal([json.loads(answer)], service.predictor([longest]))
    assert post(service.url, json.dumps({"text": f"{longest}a"}).encode()) == (413, service.TOO_LONG)


def test_full_queue(service):
    """The replica is stopped: it has one request, one waits, and the others get 503. Then the two are answered."""
    small = service.Sentiment.options(num_replicas=1, max_ongoing_requests=1, max_queued_requests=1)
    small = small.options(ray_actor_options={"num_cpus": 0})
    service.serve.run(small.bind(service.folder), name="small", route_prefix="/small")
    url, statuses = f"{service.url}/small", []
    (process,) = replica_processes("small")
    process.suspend()
    try:
        with ThreadPoolExecutor(6) as pool:

            def send():
                statuses.append(post(url, b'{"text": "a fine film"}')[0])

            sent = [pool.submit(send) for _ in range(6)]
            try:
                wait_until(lambda: len(statuses) >= 4)
                assert set(statuses) == {503}
            finally:
                process.resume()
            for each in sent:
                each.result()
    finally:
        service.serve.delete("small")
    assert sorted(statuses)[0] == 200 and set(statuses) == {200, 503}


def test_health_check(folder):
    replica = load_guide()["Sentiment"].func_or_class(folder)
    asyncio.run(replica.check_health())

    def fail(texts):
        raise OSError("the model is gone")

    replica.predictor = fail
    with pytest.raises(OSError, match="gone"):
        asyncio.run(replica.check_health())
