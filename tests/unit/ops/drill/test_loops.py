"""Request loops with a steady rate and one answer for each request."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ops.drill import loops
from ops.drill.answers import Answer, parse_log
from ops.drill.loops import ClientLoop, client_command, ingress_loop
from ops.traffic.loops import CLIENT_URL
from tests.support.api_double import ApiDouble

GOOD = "Hello version: v2, instance: helloworld-v2-5f"
HEADERS = {"user-agent": "mcsps-verify", "accept": "*/*"}
CURL = f"""#!/bin/sh
number=1
while ! mkdir "$0.$number" 2>/dev/null; do number=$((number + 1)); done
printf '%s\\n' "$@" >"$0.$number/arguments"
case $number in
1) printf '%s\\n #200 0.004' '{GOOD}' ;;
2) sleep 0.5; printf ' #000 5.001' ;;
*) printf 'no  healthy * upstream #503 0.002' ;;
esac
"""


@pytest.fixture
def carried() -> list[Mapping[str, str]]:
    """Return the headers of the requests to an ingress."""
    return []


@pytest.fixture
def server(carried: list[Mapping[str, str]], monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """Run an ingress that answers every request at once, except for the third one, which it never answers."""
    served = iter(range(10_000))
    hold = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            carried.append({name.lower(): value for name, value in self.headers.items()})
            if next(served) == 2:
                hold.wait(10)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"{GOOD}\n".encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(loops, "ingress_url", lambda _: f"http://127.0.0.1:{server.server_port}/hello")
    monkeypatch.setattr(loops, "REQUEST_SECONDS", 1)
    yield server
    hold.set()
    server.shutdown()
    server.server_close()


@pytest.mark.usefixtures("server")
def test_an_ingress_is_asked_at_a_steady_rate_though_one_request_hangs(carried: list[Mapping[str, str]]) -> None:
    """The hanging request fails at its timeout and delays no other request."""
    began = time.time()
    with ingress_loop("east", "198.18.11.2", rate=20, headers=HEADERS) as loop:
        time.sleep(1.5)
        midway = time.time()
        answers = loop.answers(began)
    assert len(answers) > 20
    (hung,) = (answer for answer in answers if answer.failed)
    assert hung.error == "ReadTimeout"
    assert hung.ended - hung.began == pytest.approx(1, abs=0.5)
    assert {(answer.version, answer.instance) for answer in answers if not answer.failed} == {
        ("v2", "helloworld-v2-5f")
    }
    assert all(answer.began < midway for answer in loop.answers(began)[: len(answers)])
    assert loop.answers(midway + 10) == []
    assert all(HEADERS.items() <= headers.items() for headers in carried)


def test_an_ingress_that_is_not_there_fails_each_request_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the system's text."""
    monkeypatch.setattr(loops, "ingress_url", lambda _: "http://127.0.0.1:1/hello")
    began = time.time()
    with ingress_loop("east", "198.18.11.2", rate=20, headers=HEADERS) as loop:
        time.sleep(0.3)
    assert {answer.error for answer in loop.answers(began)} == {"Connection refused"}


def test_the_client_pods_command_prints_one_line_for_each_request(tmp_path: Path) -> None:
    """A shell runs it with a curl that first answers, then hangs, and then gets 503."""
    (tmp_path / "curl").write_text(CURL)
    (tmp_path / "curl").chmod(0o755)
    with subprocess.Popen(  # noqa: S603 - the command that is tested
        client_command(rate=20, headers=HEADERS),
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdout is not None
        lines = [shell.stdout.readline() for _ in range(25)]
        shell.kill()
    assert lines.count(f"{GOOD} #200 0.004\n") == 1
    assert lines.index("#000 5.001\n") > 2, "a request that hangs keeps others waiting"
    assert lines.count("no healthy * upstream #503 0.002\n") == 23
    arguments = (tmp_path / "curl.1" / "arguments").read_text().splitlines()
    assert arguments[-5:] == ["--header", "user-agent: mcsps-verify", "--header", "accept: */*", CLIENT_URL]
    assert client_command(10, headers={})[-1].endswith("sleep 0.100; done")


def test_a_log_is_read_by_the_time_of_each_line() -> None:
    """This is the time when the request ended. Lines without a request are skipped."""
    text = (
        f"2026-11-26T10:00:05.250000000Z {GOOD} #200 0.250000\n"
        "2026-11-26T10:00:06.000000001Z #000 5.000\n"
        "2026-11-26T10:00:07Z no healthy upstream #503 1.0\n"
        "2026-11-26T10:00:08Z Hello world #200 1.0\n"
        "2026-11-26T10:00:09Z Hello version: v1, inst"
    )
    noon = 1795687200.0
    assert list(parse_log(text)) == [
        Answer(began=noon + 5, ended=noon + 5.25, version="v2", instance="helloworld-v2-5f"),
        Answer(began=noon + 1, ended=noon + 6, error="no answer"),
        Answer(began=noon + 6, ended=noon + 7, error="HTTP 503"),
        Answer(began=noon + 7, ended=noon + 8, error="unknown answer"),
    ]


def test_a_client_loop_gives_what_began_since_then() -> None:
    """It requests only the necessary part of the log."""
    api = ApiDouble()
    asked: list[int] = []

    def log(_namespace: str, pod: str, _container: str, seconds: int) -> str:
        assert pod == "client"
        asked.append(seconds)
        return f"2026-11-26T10:00:05Z {GOOD} #200 1.0\n2026-11-26T10:00:06Z {GOOD} #200 1.0\n"

    api.log = log  # type: ignore[method-assign,assignment]
    loop = ClientLoop(cluster="east", api=api, pod="client")  # type: ignore[arg-type]
    (answer,) = loop.answers(1795687205.0)
    assert answer.began == 1795687205.0
    loop.answers(time.time() - 3)
    assert asked[-1] in (4, 5)
