"""Polls until something is as wanted; an interrupt ends it at once."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    sleep_using_event,
    stop_after_delay,
    stop_any,
    stop_when_event_set,
    wait_fixed,
)
from tenacity.retry import RetryBaseT

Seen = TypeVar("Seen")


@dataclass(frozen=True, kw_only=True)
class Poller:
    """
    Calls a function once a second until its result is good or the time is up.

    Attributes:
        seconds: The time; 0 calls it once.
        interrupted: Ends the polling when it is set.
    """

    seconds: float
    interrupted: threading.Event = field(default_factory=threading.Event)

    def until(self, good: Callable[[Seen], bool], look: Callable[[], Seen]) -> Seen:
        """Call `look` until its result is good or the time is up; return the last result."""

        def last(state: RetryCallState) -> Seen:
            # An exception of `look` has left `until` already, so there is a result.
            return cast("Seen", state.outcome.result() if state.outcome else None)

        return self._retrying(retry_if_result(lambda seen: not good(seen)), retry_error_callback=last)(look)

    def retry(self, look: Callable[[], Seen], refusal: type[Exception]) -> Seen:
        """Call `look` until it no longer raises `refusal`; raise the last one when the time is up."""
        return self._retrying(retry_if_exception_type(refusal), reraise=True)(look)

    def _retrying(self, retry: RetryBaseT, **options: Any) -> Retrying:  # noqa: ANN401 - passed on
        return Retrying(
            retry=retry,
            stop=stop_any(stop_after_delay(self.seconds), stop_when_event_set(self.interrupted)),
            wait=wait_fixed(1),
            sleep=sleep_using_event(self.interrupted),
            **options,
        )
