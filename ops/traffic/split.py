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
    The answers of one curl loop.

    Attributes:
        requests: How many requests were to be made.
        versions: Good answers by version.
        instances: Good answers by instance name.
        errors: Everything else, by what it was.
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
        """Requests that brought no version, those never answered included."""
        return self.requests - self.versions["v1"] - self.versions["v2"]

    def share(self, version: str) -> float:
        """The part of a version among the good answers, 0 to 1; 0 where there are none."""
        good = self.requests - self.failed
        return self.versions[version] / good if good else 0.0


def read_answer(body: str) -> tuple[str, str] | None:
    """Read version and instance from what helloworld answers; `None` if it is another answer."""
    answer = _ANSWER.match(body)
    return (answer["version"], answer["instance"]) if answer else None


def bound(weight: int, requests: int) -> float:
    """How far the share of v2 may lie from `weight` percent, 0 to 1; nothing at 0 and 100."""
    p = weight / 100
    return SIGMAS * math.sqrt(p * (1 - p) / requests)


def enough(weight: int) -> int:
    """How many requests it takes until a fair split is sure to have both versions; one at 0 and 100."""
    p = weight / 100
    rarer = min(p, 1 - p)
    return math.floor(SIGMAS**2 * (1 - rarer) / rarer) + 1 if rarer else 1


def holds(tally: Tally, weight: int) -> bool:
    """
    Tell whether every request was answered and the split is what `weight` (percent) asks.

    A version that is wanted and never seen is no fair split, however few requests there were.
    """
    wanted = [version for version, share in (("v1", 100 - weight), ("v2", weight)) if share]
    if tally.failed or not all(tally.versions[version] for version in wanted):
        return False
    expected = weight * tally.requests / 100
    rounding = 1e-9
    return abs(tally.versions["v2"] - expected) <= (bound(weight, tally.requests) * tally.requests + rounding)


def parse_curl(output: str, requests: int, cut_off_reason: str) -> Tally:
    """
    Count what curl printed, told to write '#', the HTTP code (000 without an answer) and a line break after each.

    curl makes requests side by side, so a code need not follow its answer. An output that was cut leaves the missing
    requests counted as failed, for the reason `cut_off_reason`.
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
