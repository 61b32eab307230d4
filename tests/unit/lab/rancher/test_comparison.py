"""The comparison with a real server finds only real differences."""

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
    """Return a server with these answers, by path."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = answers.get(request.url.path)
        return httpx.Response(404, json={}) if found is None else httpx.Response(200, json=found)

    return Server(httpx.Client(base_url=url, transport=httpx.MockTransport(answer)), {"admin": "token-aaaaa:key"})


def thing(name: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever JSON has
    """Return a resource with a random id."""
    made = {"id": name, "created": "2026-01-01T00:00:00Z", "createdTS": 1, "links": {"self": f"/v3/things/{name}"}}
    return made | fields


def found(left: dict[str, Any], right: dict[str, Any]) -> list[Difference]:
    """Return the differences between two servers with these resources."""
    both = [
        server(f"https://{one['id']}.test", {"/v3/things": one, f"/v3/things/{one['id']}": one}).play((MADE, READ))
        for one in (left, right)
    ]
    return rancher_comparison.differences(*both)


def test_what_is_random_is_no_difference() -> None:
    """Stored ids, addresses and times count as equal."""
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
    """Differences at any depth of lists and documents are found, in both requests."""
    differences = found(thing("p-aaaaa") | left, thing("p-bbbbb") | right)
    assert [(it.step, it.field) for it in differences] == [("made", field), ("read", field)]


def test_a_documented_difference_is_none_where_it_is_documented() -> None:
    """Known differences are selected by request and field, and a known absence hides no other value."""
    differences = found(thing("p-aaaaa", one=1), thing("p-bbbbb", one=2, two=2))
    known = [Known("made", "body.one", "because"), Known("*", "body.*", "it has no more", is_absence=True)]
    assert [str(it) for it in rancher_comparison.unknown(differences, known)] == ["read: body.one: double 1, real 2"]


def test_a_request_is_sent_again_until_the_answer_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """If it never comes, the last answer is used."""
    monkeypatch.setattr(rancher_comparison, "WAIT_SECONDS", 0)
    played = server("https://a.test", {"/v3": {"state": "waiting"}}).play(
        [Step("s", "GET /v3", until={"state": "active"})]
    )
    assert played["s"]["body.state"] == "waiting"
