"""Why a connection did not come about, out of the exceptions that libraries wrap around it."""

import ssl
from collections.abc import Iterator

from urllib3.exceptions import MaxRetryError


def trouble(error: BaseException) -> str:
    """Say it in a few words that quote nothing but the system."""
    for reason in _chain(error):
        if isinstance(reason, ssl.SSLCertVerificationError):
            return f"certificate not accepted: {getattr(reason, 'verify_message', 'not trusted')}"
        if isinstance(reason, OSError) and reason.strerror:
            return reason.strerror
    return type(error).__name__


def is_untrusted(error: BaseException) -> bool:
    """Tell whether the server's certificate was refused."""
    return any(isinstance(reason, ssl.SSLCertVerificationError) for reason in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    reason: BaseException | None = error
    while reason is not None:
        yield reason
        wrapped = reason.reason if isinstance(reason, MaxRetryError) else None
        reason = wrapped or reason.__cause__ or reason.__context__
