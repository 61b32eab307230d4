"""
How many answers of each version a weight allows.

Pure arithmetic: no cluster, no clock.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass, field

SIGMAS = 3.29
"""Width of the bound: a fair split falls outside it about once in a thousand runs."""

_ANSWER = re.compile(r"Hello version: (?P<version>v\d+), instance: (?P<instance>[^\s#]+)")
_CODE = re.compile(r"#(?P<code>\d{3})\n")
_NO_ANSWER = 0
HTTP_OK = 200


@dataclass
class Tally:
    """
    The answers of one request loop.

    Attributes:
        requests: How many requests it must send.
        versions: Good answers by version.
        instances: Good answers by instance name.
        errors: All other requests, by how they ended.
    """

    requests: int
    versions: Counter[str] = field(default_factory=Counter)
    instances: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, code: int, body: str) -> None:
        """Count one HTTP answer."""
        if code != HTTP_OK:
            self.errors[f"HTTP {code}" if code != _NO_ANSWER else "no answer"] += 1
        elif answer := read_answer(body):
            version, instance = answer
            self.versions[version] += 1
            self.instances[instance] += 1
        else:
            self.errors["unknown answer"] += 1

    @property
    def failed(self) -> int:
        """Requests without a version in their answer, and those without an answer."""
        return self.requests - self.versions["v1"] - self.versions["v2"]

    def share(self, version: str) -> float:
        """Return the share of a version among the good answers, from 0 to 1; 0 where there are none."""
        good = self.requests - self.failed
        return self.versions[version] / good if good else 0.0


def read_answer(body: str) -> tuple[str, str] | None:
    """Read version and instance from an answer of helloworld; `None` for any other answer."""
    answer = _ANSWER.match(body)
    return (answer["version"], answer["instance"]) if answer else None


def bound(weight: int, requests: int) -> float:
    """Return how far the share of v2 may be from `weight` percent, from 0 to 1; at 0 and 100 it is 0."""
    p = weight / 100
    return SIGMAS * math.sqrt(p * (1 - p) / requests)


def enough(weight: int) -> int:
    """Return how many requests show both versions of a fair split almost surely; one at 0 and 100."""
    p = weight / 100
    rarer = min(p, 1 - p)
    return math.floor(SIGMAS**2 * (1 - rarer) / rarer) + 1 if rarer else 1


def holds(tally: Tally, weight: int) -> bool:
    """
    Return whether every request was answered and the split fits `weight` (percent).

    A wanted version without an answer is no fair split, however few requests there were.
    """
    wanted = [version for version, share in (("v1", 100 - weight), ("v2", weight)) if share]
    if tally.failed or not all(tally.versions[version] for version in wanted):
        return False
    expected = weight * tally.requests / 100
    rounding = 1e-9
    return abs(tally.versions["v2"] - expected) <= (bound(weight, tally.requests) * tally.requests + rounding)


def parse_curl(output: str, requests: int, cut_off_reason: str) -> Tally:
    """
    Count what curl printed: after each answer '#', the HTTP code (000 without an answer) and a line break.

    curl sends requests in parallel, so a code does not always follow its answer. Requests that are missing in the
    output count as failed, for `cut_off_reason`.
    """
    tally = Tally(requests)
    codes = Counter(int(found["code"]) for found in _CODE.finditer(output))
    answers = [found[0] for found in _ANSWER.finditer(output)]
    for answer in answers:
        tally.add(HTTP_OK, answer)
    for code, count in codes.items():
        unmatched = count - len(answers) if code == HTTP_OK else count
        for _ in range(unmatched):
            tally.add(code, "")
    missing = requests - tally.versions.total() - tally.errors.total()
    if missing > 0:
        tally.errors[cut_off_reason or "nothing heard"] += missing
    return tally
