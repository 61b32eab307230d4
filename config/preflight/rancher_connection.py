"""Connects to a Rancher server, and says why that fails without a part of the request."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from config.base import NAMESPACE
from errors import UserError

SECONDS = 10.0


def connect(url: str, ca_certs: str | None, token: str, *, timeout_seconds: float = SECONDS) -> httpx.Client:
    """Create a client for a Rancher server, without a request."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    return httpx.Client(base_url=url, headers=headers, timeout=timeout_seconds, verify=_trust(ca_certs))


def _trust(ca_certs: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca_certs)
    # Python 3.13 refuses CAs that Go accepts, and with it the provider.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


@contextmanager
def reaching(url: str) -> Iterator[None]:
    """
    Report a request that does not get through as an error of the key to change.

    Raises:
        UserError: The server cannot be reached, or its certificate is not trusted.
    """
    try:
        yield
    except (httpx.InvalidURL, UnicodeError):
        raise UserError(
            f"got {url}, whose host is not valid",
            "Set the https:// address of the Rancher server",
            key=f"{NAMESPACE}:rancher.url",
        ) from None
    except httpx.HTTPError as error:
        # Only these texts are shown, since others may hold parts of the request.
        causes = list(_causes(error))
        untrusted = [it for it in causes if isinstance(it, ssl.SSLCertVerificationError)]
        if untrusted:
            raise UserError(
                f"the certificate of {url} is not trusted: {untrusted[0].verify_message}",
                "Set the PEM of the CA that signed it, and a url whose host is in the certificate",
                key=f"{NAMESPACE}:rancher.caCerts",
            ) from None
        reasons = [it.strerror for it in causes if isinstance(it, OSError) and it.strerror]
        if any(isinstance(it, ssl.SSLError) for it in causes):
            reasons = ["the server does not use TLS"]
        elif isinstance(error, httpx.TimeoutException):
            reasons = ["no response in time"]
        reason = reasons[0] if reasons else type(error).__name__
        raise UserError(
            f"got {url}, which cannot be reached: {reason}",
            "Set the https:// address of a running Rancher server",
            key=f"{NAMESPACE}:rancher.url",
        ) from None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
