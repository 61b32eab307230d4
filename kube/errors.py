"""Why a request to a server failed, found in the exceptions that HTTP libraries wrap around the cause."""

import ssl
from collections.abc import Iterator

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError, MaxRetryError


def describe(error: ApiException | HTTPError) -> str:
    """Return why a request to an API server failed: its status, or why there was no connection."""
    if isinstance(error, ApiException):
        return f"the API answered {error.status} {error.reason}"
    return f"no connection: {reason(error)}"


def reason(error: BaseException) -> str:
    """Return the cause in a few words of the operating system or of TLS; never what was sent."""
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate not accepted: {getattr(cause, 'verify_message', 'not trusted')}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return type(_retried(error) or error).__name__


def is_untrusted(error: BaseException) -> bool:
    """Return whether the client refused the server's certificate."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = _retried(cause) or cause.__cause__ or cause.__context__


def _retried(error: BaseException) -> BaseException | None:
    """Return the error of the last try, which a MaxRetryError holds."""
    return error.reason if isinstance(error, MaxRetryError) else None
