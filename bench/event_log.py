"""
Receives the events of a Pulumi run, and reads its steps from them.

Pulumi stamps an event with whole seconds. So the events come over gRPC as they occur, as in Pulumi's Automation API,
and each gets the time of its arrival.
"""

import contextlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import events_pb2_grpc
from pulumi.runtime.proto.events_pb2 import EventRequest


@dataclass(frozen=True)
class Event:
    """An event of Pulumi's engine, and when it arrived, in seconds of the monotonic clock."""

    arrived: float
    body: Mapping[str, Any]


@dataclass(frozen=True)
class EventLog:
    """
    The events that have arrived.

    Attributes:
        address: The value of Pulumi's option `--event-log`.
    """

    address: str
    events: list[Event] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Span:
    """One step of the engine on a resource that is not a component; times are seconds from the command's start."""

    urn: str
    op: str
    start: float
    end: float


class _Receiver(events_pb2_grpc.EventsServicer):
    def __init__(self, events: list[Event]) -> None:
        self.events = events

    def StreamEvents(self, request_iterator: Iterable[EventRequest], _: grpc.ServicerContext) -> Empty:  # noqa: N802 - gRPC's name
        for request in request_iterator:
            self.events.append(Event(arrived=time.monotonic(), body=json.loads(request.event)))
        return Empty()


@contextlib.contextmanager
def receiving() -> Iterator[EventLog]:
    """Receive the events of a run of Pulumi that has the log's address as its `--event-log`."""
    # A CRD makes an event larger than gRPC's limit of 4 MB.
    server = grpc.server(ThreadPoolExecutor(1), options=[("grpc.max_receive_message_length", -1)])
    log = EventLog(f"tcp://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    events_pb2_grpc.add_EventsServicer_to_server(_Receiver(log.events), server)
    server.start()
    try:
        yield log
    finally:
        server.stop(grace=None).wait()


def read_spans(events: Iterable[Event], began: float) -> Iterator[Span]:
    """
    Yield the steps that ended, in the order of their ends.

    Args:
        events: The events in the order of their arrival.
        began: When the command began, in seconds of the monotonic clock.
    """
    starts: dict[tuple[str, str], float] = {}
    for event in events:
        for kind in event.body.keys() & {"resourcePreEvent", "resOutputsEvent"}:
            metadata = event.body[kind]["metadata"]
            step = urn, op = metadata["urn"], metadata["op"]
            if not (metadata["new"] or metadata["old"]).get("custom"):
                continue
            if kind == "resourcePreEvent":
                starts[step] = event.arrived
            elif step in starts:
                yield Span(urn=urn, op=op, start=starts.pop(step) - began, end=event.arrived - began)
