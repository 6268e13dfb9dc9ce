"""Throughput and latency of the service of docs/guides/ray-serve.md on this machine: python -m benchmarks.ray_serve.

Clients and replicas share the machine, so the figures are those of one machine with its load, not of a cluster. Nothing
is written. The tests use the functions too.
"""

import argparse
import contextlib
import os
import random
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "guides" / "ray-serve.md"
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no request to another host
    # The machine may do other work: replicas have the priority of this process, and the limits are wide
    "RAY_worker_niceness": "0",
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
    "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "60",
}


def load_guide() -> dict:
    """Return the names that the guide defines: the service and its client. Its program is not run."""
    *blocks, _ = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names = {"__name__": "__main__"}  # so that Ray sends the class itself, not the name of a module
    exec(compile("\n".join(blocks), GUIDE, "exec"), names)
    return names


@contextlib.contextmanager
def local_cluster(cpus: int = 2) -> Iterator[str]:
    """Run Ray and the HTTP proxy of Ray Serve on this machine, and return the address of the proxy."""
    import ray
    from ray import serve

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"include_dashboard": False, "log_to_driver": False}
    with (
        mock.patch.dict(os.environ, ENVIRONMENT),
        tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder,
    ):
        ray.init(num_cpus=cpus, object_store_memory=100 * 2**20, _temp_dir=folder, **quiet)
        try:
            with contextlib.suppress(TimeoutError):  # Serve waits 60 seconds for its proxy, which is not always enough
                serve.start(http_options={"host": "127.0.0.1", "port": port})
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            serve.shutdown()
            ray.shutdown()


def _wait_for(port: int, limit: float = 600) -> None:
    end = time.monotonic() + limit
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=limit).close()
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def replica_processes(application: str = "default") -> list:
    """Return the processes of the replicas that this process started, as `psutil.Process`."""
    import psutil

    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if process.cmdline()[:1] and process.cmdline()[0].startswith(f"ray::ServeReplica:{application}:"):
                found.append(process)
    return found


def ask_all(ask: Callable, texts: list[str], clients: int) -> tuple[list, list[float]]:
    """Send texts from several threads. Return the answers in the order of the texts, and the seconds of each."""

    def timed(text: str):
        start = time.perf_counter()
        return ask(text), time.perf_counter() - start

    with ThreadPoolExecutor(clients) as pool:
        answers, seconds = zip(*pool.map(timed, texts), strict=True)
    return list(answers), list(seconds)


def make_texts(count: int, seed: int = 0) -> list[str]:
    """Return texts of 3 to 30 words."""
    rng = random.Random(seed)
    words = "a fine film with slow scenes and good actors that lost its story in two long hours".split()
    return [" ".join(rng.choices(words, k=rng.randint(3, 30))) for _ in range(count)]


def main() -> None:
    """Serve the bundled classifier, and print the requests per second and the percentiles of their time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--clients", type=int, default=8, help="number of threads that send requests")
    options = parser.parse_args()

    import keras_bert as kb

    names, sentiment = load_guide(), kb.load_pretrained("sst2_sentiment")
    with tempfile.TemporaryDirectory() as folder, local_cluster() as url:
        exported = kb.export_onnx(sentiment.model, Path(folder) / "onnx", sentiment.vectorizer)
        names["serve"].run(names["Sentiment"].bind(exported))
        ask_all(lambda text: names["ask"](text, url), make_texts(200, seed=1), options.clients)  # warm up
        start = time.perf_counter()
        _, seconds = ask_all(lambda text: names["ask"](text, url), make_texts(options.requests), options.clients)
        rate = options.requests / (time.perf_counter() - start)
    p50, p99 = 1000 * np.percentile(seconds, [50, 99])
    print(
        f"{options.requests} requests from {options.clients} clients, 2 replicas: "
        f"{rate:.0f} requests per second, p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    )


if __name__ == "__main__":
    main()
