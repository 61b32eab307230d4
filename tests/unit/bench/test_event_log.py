"""The events of a run: received as they occur, and read as steps."""

import json
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from pulumi.runtime.proto.events_pb2 import EventRequest
from pulumi.runtime.proto.events_pb2_grpc import EventsStub

from bench.event_log import Event, Span, read_spans, receiving

PRE, OUTPUTS = "resourcePreEvent", "resOutputsEvent"


def event(arrived: float, kind: str, urn: str, op: str = "create", *, custom: bool = True) -> Event:
    """Return an event of a step, as Pulumi writes it."""
    made = {"urn": urn, **({"custom": True} if custom else {})}
    old, new = (made, None) if op == "delete" else (None, made)
    return Event(arrived, {"sequence": 1, kind: {"metadata": {"urn": urn, "op": op, "old": old, "new": new}}})


def test_events_are_received_with_the_time_of_their_arrival() -> None:
    """Pulumi's own times are whole seconds."""
    sent: list[dict[str, Any]] = [{"sequence": number, "timestamp": 7} for number in range(2)]

    def requests() -> Iterator[EventRequest]:
        for body in sent:
            yield EventRequest(event=json.dumps(body))
            time.sleep(0.05)

    with receiving() as log, grpc.insecure_channel(log.address.removeprefix("tcp://")) as channel:
        EventsStub(channel).StreamEvents(requests())
    assert [each.body for each in log.events] == sent
    first, second = (each.arrived for each in log.events)
    assert 0.04 < second - first < 5


def test_an_event_with_a_large_resource_is_received() -> None:
    """A CRD can exceed the 4 MB that gRPC allows by default."""
    large = json.dumps({"text": "x" * 5_000_000})
    with receiving() as log, grpc.insecure_channel(log.address.removeprefix("tcp://")) as channel:
        EventsStub(channel).StreamEvents(iter([EventRequest(event=large)]))
    assert len(log.events) == 1


def test_a_step_lasts_from_its_first_event_to_its_outputs() -> None:
    """Steps overlap; times count from the start of the command."""
    events = [event(11, PRE, "a"), event(12, PRE, "b"), event(13, OUTPUTS, "b"), event(15, OUTPUTS, "a")]
    assert list(read_spans(events, began=10)) == [
        Span(urn="b", op="create", start=2, end=3),
        Span(urn="a", op="create", start=1, end=5),
    ]


def test_a_replacement_has_a_step_for_each_operation() -> None:
    """They have one URN."""
    events = [
        event(1, PRE, "a", "create-replacement"),
        event(2, OUTPUTS, "a", "create-replacement"),
        event(3, PRE, "a", "delete"),
        event(4, OUTPUTS, "a", "delete"),
    ]
    assert [(span.op, span.start) for span in read_spans(events, began=0)] == [("create-replacement", 1), ("delete", 3)]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([event(1, PRE, "a", custom=False), event(2, OUTPUTS, "a", custom=False)], id="component"),
        pytest.param([event(1, PRE, "a")], id="unfinished"),
        pytest.param([event(2, OUTPUTS, "a")], id="outputs without a step"),
        pytest.param([Event(1, {"sequence": 0, "diagnosticEvent": {"message": "text"}})], id="message"),
    ],
)
def test_nothing_else_is_a_step(events: list[Event]) -> None:
    """The engine does no work for a component."""
    assert list(read_spans(events, began=0)) == []
