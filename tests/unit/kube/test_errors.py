"""The reasons why a request to a server failed."""

import errno
import ssl

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, NewConnectionError

from kube import errors

REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
UNTRUSTED = ssl.SSLCertVerificationError(1, "secret text")
UNTRUSTED.verify_message = "self-signed certificate"


def caused(error: Exception, cause: BaseException) -> Exception:
    """Return an error with a cause, as a library wraps it."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (caused(HTTPError("with a token"), REFUSED), "Connection refused"),
        (MaxRetryError(None, "/", caused(NewConnectionError(None, "x"), REFUSED)), "Connection refused"),  # type: ignore[arg-type]
        (MaxRetryError(None, "/", ConnectTimeoutError("slow")), "ConnectTimeoutError"),  # type: ignore[arg-type]
        (caused(HTTPError("x"), UNTRUSTED), "certificate not accepted: self-signed certificate"),
        (HTTPError("with a token"), "HTTPError"),
    ],
    ids=["refused", "refused again and again", "timed out", "untrusted", "of an unknown cause"],
)
def test_a_failed_connection_is_described_by_its_cause(error: Exception, reason: str) -> None:
    """The library's own text may quote a secret, so it is never used."""
    assert errors.reason(error) == reason
    assert errors.is_untrusted(error) is ("certificate" in reason)


def test_a_request_is_described_by_its_status_or_by_the_connection() -> None:
    """The body and the headers are omitted, because they may contain a secret."""
    assert errors.describe(ApiException(status=403, reason="Forbidden")) == "the API answered 403 Forbidden"
    assert errors.describe(MaxRetryError(None, "/", ConnectTimeoutError())) == "no connection: ConnectTimeoutError"  # type: ignore[arg-type]
