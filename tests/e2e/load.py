"""Sends requests while a test does something else."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx

PAUSE_SECONDS = 0.02
SECONDS = 10.0


@contextmanager
def requests_to(urls: Sequence[str]) -> Iterator[Counter[str]]:
    """
    Send requests to each address repeatedly until the block ends.

    Yields the count of each outcome, complete after the block: `200`, another status, or the kind of error. A failed
    request is not repeated.
    """
    outcomes: Counter[str] = Counter()
    done = threading.Event()

    def ask(url: str) -> Counter[str]:
        seen: Counter[str] = Counter()
        with httpx.Client(trust_env=False, timeout=SECONDS) as client:
            while not done.is_set():
                try:
                    seen[str(client.get(url).status_code)] += 1
                except httpx.HTTPError as error:
                    seen[type(error).__name__] += 1
                time.sleep(PAUSE_SECONDS)
        return seen

    with ThreadPoolExecutor(max_workers=len(urls)) as pool:
        asking = [pool.submit(ask, url) for url in urls]
        try:
            yield outcomes
        finally:
            done.set()
            for each in asking:
                outcomes.update(each.result())
