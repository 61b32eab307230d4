"""One request and its answer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ops.traffic.split import HTTP_OK, read_answer

_NO_ANSWER = 0
_LINE = re.compile(r"(?P<ended>\S+) (?P<body>.*?) ?#(?P<code>\d{3}) (?P<seconds>\d+\.\d+)")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """
    One request, which is never repeated.

    Attributes:
        began: Seconds since 1970, as is `ended`.
        version: Of helloworld; empty where the request failed.
        instance: The pod that answered.
        error: Why it failed.
    """

    began: float
    ended: float
    version: str = ""
    instance: str = ""
    error: str = ""

    @property
    def failed(self) -> bool:
        """Whether its answer has no version."""
        return not self.version


def answered(began: float, ended: float, code: int, body: str) -> Answer:
    """Read an HTTP answer; code 0 means that there is none."""
    if code == _NO_ANSWER:
        return Answer(began=began, ended=ended, error="no answer")
    if code != HTTP_OK:
        return Answer(began=began, ended=ended, error=f"HTTP {code}")
    version, instance = read_answer(body) or ("", "")
    return Answer(
        began=began, ended=ended, version=version, instance=instance, error="" if version else "unknown answer"
    )


def parse_log(text: str) -> Iterator[Answer]:
    """Read the log of a client pod: the time of the line, the answer's body, '#', the HTTP code and the seconds."""
    for line in text.splitlines():
        # The log's end may cut off a line, which then is no request.
        if found := _LINE.fullmatch(line):
            ended = datetime.fromisoformat(found["ended"]).timestamp()
            yield answered(ended - float(found["seconds"]), ended, int(found["code"]), found["body"])
