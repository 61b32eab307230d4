"""Calls of the Kubernetes client library, with this package's time limits and errors."""

from collections.abc import Callable
from typing import Any

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from kube import errors

_TIMEOUT_SECONDS = (5, 20)
_NOT_FOUND = 404


class ApiError(Exception):
    """A request to the API failed; the text has the status and the reason alone."""


class _AbsentError(ApiError):
    """The object does not exist."""


def call(method: Callable[..., Any], *args: object, **options: object) -> Any:  # noqa: ANN401
    """
    Call a method of the library; it returns generated models.

    Raises:
        ApiError: The API refuses, or there is no connection.
    """
    try:
        return method(*args, _request_timeout=_TIMEOUT_SECONDS, **options)
    except (ApiException, HTTPError) as error:
        is_absent = isinstance(error, ApiException) and error.status == _NOT_FOUND
        raise (_AbsentError if is_absent else ApiError)(errors.describe(error)) from None


def find(method: Callable[..., Any], *args: object, **options: object) -> Any:  # noqa: ANN401
    """
    Call a method as `call` does; an object that does not exist is `None`.

    Raises:
        ApiError: The API refuses, or there is no connection.
    """
    try:
        return call(method, *args, **options)
    except _AbsentError:
        return None
