"""The comparison with a real server finds what differs, and nothing else."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.e2e import rancher_comparison
from tests.e2e.rancher_comparison import Difference, Known, Server, Step

MADE = Step("made", "POST /v3/things", {"name": "own"}, keep={"thing": "id"})
READ = Step("read", "GET /v3/things/{thing}")


def server(url: str, answers: Mapping[str, Any]) -> Server:
    """A server that has these answers, by path."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.path)
        return httpx.Response(404, json={}) if found is None else httpx.Response(200, json=found)

    return Server(httpx.Client(base_url=url, transport=httpx.MockTransport(answer)), {"admin": "token-aaaaa:key"})


def thing(name: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON has
    """A resource whose id is random."""
    made = {"id": name, "created": "2026-01-01T00:00:00Z", "createdTS": 1, "links": {"self": f"/v3/things/{name}"}}
    return made | fields


def found(left: dict[str, Any], right: dict[str, Any]) -> list[Difference]:
    """What is different if two servers make these."""
    both = [
        server(f"https://{one['id']}.test", {"/v3/things": one, f"/v3/things/{one['id']}": one}).play((MADE, READ))
        for one in (left, right)
    ]
    return rancher_comparison.differences(*both)


def test_what_is_random_is_no_difference() -> None:
    """An id that was kept, an address, a time."""
    later = thing("p-bbbbb", created="2026-02-02T00:00:00Z", createdTS=2, self="https://p-bbbbb.test/v3")
    assert found(thing("p-aaaaa", self="https://p-aaaaa.test/v3"), later) == []


@pytest.mark.parametrize(
    ("left", "right", "field"),
    [
        ({"state": "active"}, {"state": "error"}, "body.state"),
        ({}, {"more": 1}, "body.more"),
        ({"list": [{"type": "Ready", "status": "True"}]}, {"list": [{"type": "Ready"}]}, "body.list[Ready].status"),
        ({"text": json.dumps({"limit": 1})}, {"text": json.dumps({"limit": 2})}, "body.text.limit"),
        ({"created": ""}, {}, "body.created"),
    ],
)
def test_what_differs_is_told_by_field(left: dict[str, Any], right: dict[str, Any], field: str) -> None:
    """Deep in lists and in documents inside documents, too; of both requests."""
    told = found(thing("p-aaaaa") | left, thing("p-bbbbb") | right)
    assert [(it.step, it.field) for it in told] == [("made", field), ("read", field)]


def test_a_documented_difference_is_none_where_it_is_documented() -> None:
    """By request and field; and an absence hides no other value."""
    told = found(thing("p-aaaaa", one=1), thing("p-bbbbb", one=2, two=2))
    known = [Known("made", "body.one", "because"), Known("*", "body.*", "it has no more", is_absence=True)]
    assert [str(it) for it in rancher_comparison.unknown(told, known)] == ["read: body.one: double 1, real 2"]


def test_a_request_is_sent_again_until_the_answer_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the last answer counts if it never comes."""
    monkeypatch.setattr(rancher_comparison, "WAIT_SECONDS", 0)
    played = server("https://a.test", {"/v3": {"state": "waiting"}}).play(
        [Step("s", "GET /v3", until={"state": "active"})]
    )
    assert played["s"]["body.state"] == "waiting"
