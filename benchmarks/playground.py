"""Measure the answers of the playground: each panel alone, and all panels under load on the loopback interface.

    python -m benchmarks.playground                        # starts `keras-bert playground` with the bundled models
    python -m benchmarks.playground --address http://127.0.0.1:8765/    # a server that runs already

It prints, for each panel, the median and the 95th percentile of the time of an answer, and under load the number of
answers per second and of refusals (status 503). The load is bounded: `--clients` times `--requests` requests.
"""

import argparse
import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter

import httpx

TIMEOUT = 120.0


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", help="address of a running playground; by default one is started")
    parser.add_argument("--repeats", type=int, default=20, help="requests of each panel alone")
    parser.add_argument("--clients", type=int, default=12, help="clients at the same time under load")
    parser.add_argument("--requests", type=int, default=10, help="requests of each client under load")
    arguments = parser.parse_args()
    process = None
    if arguments.address is None:
        process, arguments.address = start()
    try:
        asyncio.run(measure(arguments))
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def start() -> tuple[subprocess.Popen, str]:
    """Start a playground on a free port; return its process and address."""
    command = [sys.executable, "-u", "-m", "keras_bert", "playground", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        print(line, end="", file=sys.stderr)
        if line.startswith("playground: "):
            return process, line.split()[1]
    raise SystemExit(f"error: the playground ended with status {process.wait()}")


async def measure(arguments) -> None:
    """Measure each panel alone, then all of them under load."""
    limits = httpx.Limits(max_connections=arguments.clients)
    async with httpx.AsyncClient(base_url=arguments.address, timeout=TIMEOUT, limits=limits) as client:
        facts = (await client.get("/api/facts")).json()
        panels = {name: panel["example"] for name, panel in facts["panels"].items() if panel["available"]}
        print(
            f"{facts['encoder']}, {facts['classifier']}; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n"
        )
        print(f"| panel, alone, {arguments.repeats} requests | median ms | 95 % ms |\n|---|---|---|")
        for name, example in panels.items():
            times = [(await ask(client, name, example))[1] for _ in range(arguments.repeats)]
            print(f"| {name} | {statistics.median(times):.0f} | {percentile(times):.0f} |")
        start, results = time.perf_counter(), []

        async def one_client(number: int) -> None:
            names = list(panels)
            for i in range(arguments.requests):
                name = names[(number + i) % len(names)]
                results.append(await ask(client, name, panels[name]))

        await asyncio.gather(*map(one_client, range(arguments.clients)))
        seconds = time.perf_counter() - start
        statuses = Counter(status for status, _ in results)
        answered = [elapsed for status, elapsed in results if status == 200]
        print(f"\nload: {arguments.clients} clients, {len(results)} requests in {seconds:.1f} s, {dict(statuses)}")
        if answered:
            print(
                f"{len(answered) / seconds:.1f} answers per second; median {statistics.median(answered):.0f} ms, "
                f"95 % {percentile(answered):.0f} ms"
            )


async def ask(client, name: str, texts: dict) -> tuple[int, float]:
    """Send one request; return the status and the milliseconds until the whole answer is there."""
    start = time.perf_counter()
    answer = await client.post(f"/api/{name}", json=texts)
    return answer.status_code, 1000 * (time.perf_counter() - start)


def percentile(values: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


if __name__ == "__main__":
    main()
