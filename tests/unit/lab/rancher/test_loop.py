"""The controllers of a running server, with a cluster on the network."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from lab.rancher import app, names
from lab.rancher.controllers import loop
from lab.rancher.kube import KubeApi
from lab.rancher.state import Rancher
from lab.rancher.store import Kind
from tests.support import live
from tests.support.kube_double import KubeDouble
from tests.support.rancher_double import CLUSTER, OTHER, config

SECONDS = 5.0
NAMESPACES = "/api/v1/namespaces"


@pytest.fixture
def kube() -> KubeDouble:
    """Return a cluster with a watch."""
    kube = KubeDouble()
    kube.events = asyncio.Queue()
    return kube


@pytest.fixture
def rancher(tmp_path: Path, kube: KubeDouble, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rancher]:
    """Run a server that reconciles only when an event wakes it."""
    monkeypatch.setattr(loop, "RESYNC_SECONDS", 60.0)
    live.certify(tmp_path)
    server_config = config(tmp_path)
    server_config = server_config.model_copy(update={"clusters": server_config.clusters[:1]})
    with live.listening() as behind, live.listening() as front, live.served(kube.app, behind):
        url = f"http://{live.LOOPBACK}:{behind.getsockname()[1]}"
        client = httpx.AsyncClient(base_url=url, timeout=SECONDS, trust_env=False)
        rancher = app.make(server_config, {CLUSTER: KubeApi(client)})
        with live.served(app.build(rancher), front, tmp_path):
            yield rancher
            kube.say(None)


def becomes(condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.01)


def system_project(rancher: Rancher) -> str:
    """Return the id of an initial project."""
    return next(str(it["id"]) for it in rancher.store.all(Kind.PROJECT) if names.SYSTEM_PROJECT in it["labels"])


def test_a_namespace_that_appears_is_seen_by_the_watch(rancher: Rancher, kube: KubeDouble) -> None:
    """A pod that is created directly after it must find its limits."""
    becomes(lambda: kube.objects)
    kube.add_namespace("sample", {names.PROJECT_ID: system_project(rancher)})
    kube.say({"type": "ADDED", "object": {}})
    becomes(lambda: names.PROJECT_ID in (kube.namespace("sample").get("labels") or {}))


def test_a_controller_s_failure_in_one_round_is_not_its_end(
    rancher: Rancher, kube: KubeDouble, caplog: pytest.LogCaptureFixture
) -> None:
    """The server continues, and logs the error in one line."""
    becomes(lambda: kube.objects)
    kube.refuses = 503
    kube.say({"type": "ADDED", "object": {}})
    becomes(lambda: "east: starting; retrying" in caplog.text)
    kube.refuses = 0
    kube.add_namespace("sample", {names.PROJECT_ID: system_project(rancher)})
    kube.say({"type": "ADDED", "object": {}})
    becomes(lambda: names.PROJECT_ID in (kube.namespace("sample").get("labels") or {}))


def test_a_watch_that_ends_is_begun_again(rancher: Rancher, kube: KubeDouble) -> None:
    """The API server ends each watch after some minutes."""
    becomes(lambda: kube.objects)
    kube.say(None)
    assert kube.ended.wait(SECONDS)
    kube.add_namespace("sample", {names.PROJECT_ID: system_project(rancher)})
    becomes(lambda: names.PROJECT_ID in (kube.namespace("sample").get("labels") or {}))


def test_only_the_clusters_that_the_server_was_told_of_are_there(rancher: Rancher) -> None:
    """No other cluster receives a request."""
    assert rancher.store.get(Kind.CLUSTER, OTHER) is None
