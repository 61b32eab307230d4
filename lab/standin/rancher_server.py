"""
The v3 API of one Rancher server, used as the rancher2 provider uses it, with retries of transient errors.

Owns connection, login and the texts of the API's errors. Does not own the resources.
"""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import httpx
import tenacity

from errors import UserError
from kube import errors as kube_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recorder.values import Properties

RETRY_SECONDS: Final = 15
_ANSWER_SECONDS: Final = 30.0
_PASSING: Final = frozenset({409, 429, 502, 503, 504})
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN})
"""Both mean that a resource does not exist, because Rancher answers either for resources that are not visible."""


class RefusedError(UserError):
    """The server has refused a request and changed nothing."""


class LoginError(UserError):
    """The server refuses a username and password."""


class _BusyError(Exception):
    """An answer that a retry may change."""


class RancherServer:
    """The API of one server, as one of its users; safe to use from several threads."""

    def __init__(self, client: httpx.Client, token: str) -> None:
        self._client = client
        self._token = token

    @classmethod
    def connect(cls, url: str, ca_certs: str | None, token: str) -> RancherServer:
        """
        Prepare a connection; nothing is sent yet.

        Raises:
            UserError: `ca_certs` is no PEM.
        """
        try:
            trust = ssl.create_default_context(cadata=ca_certs)
        except (ssl.SSLError, ValueError):
            raise UserError(f"the CA given for {url} is no PEM certificate") from None
        # Since Python 3.13 strict verification refuses CAs that Go, and so the provider, accepts.
        trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
        client = httpx.Client(
            base_url=url,
            headers={"Accept": "application/json"},
            timeout=_ANSWER_SECONDS,
            verify=trust,
            # The lab is reachable directly, without the environment's proxy.
            trust_env=False,
        )
        return cls(client, token)

    def close(self) -> None:
        """Close the connection for all its users."""
        self._client.close()

    def get(self, plural: str, id_: str) -> Properties | None:
        """Return a resource; None if it does not exist or is not visible."""
        answer = self._request("GET", f"/v3/{plural}/{id_}")
        return None if answer.status_code in _GONE else _read(answer)

    def select(self, plural: str, fields: Mapping[str, str]) -> list[Properties]:
        """Return the resources of a type with these field values; an empty text means that the field is missing."""
        given = {name: value for name, value in fields.items() if value}
        found: list[Properties] = _read(self._request("GET", f"/v3/{plural}", params=given))["data"]
        # Rancher ignores filters on fields that it cannot filter by.
        return [it for it in found if all((it.get(name) or "") == value for name, value in fields.items())]

    def create(self, plural: str, body: Properties) -> Properties:
        """Create a resource and return the API's answer."""
        return _read(self._request("POST", f"/v3/{plural}", json=body))

    def update(self, plural: str, id_: str, body: Properties, *, replaces: bool = False) -> Properties:
        """Update a resource; with `replaces`, fields that are not in the body are removed."""
        params = {"_replace": "true"} if replaces else {}
        return _read(self._request("PUT", f"/v3/{plural}/{id_}", params=params, json=body))

    def act(self, plural: str, id_: str, action: str, body: Properties) -> None:
        """Run an action of a resource."""
        _refuse_errors(self._request("POST", f"/v3/{plural}/{id_}", params={"action": action}, json=body))

    def delete(self, plural: str, id_: str) -> bool:
        """Delete a resource; return False if it does not exist or is not visible."""
        answer = self._request("DELETE", f"/v3/{plural}/{id_}")
        if answer.status_code in _GONE:
            return False
        _refuse_errors(answer)
        return True

    @contextmanager
    def session(self, username: str, password: str) -> Iterator[RancherServer]:
        """
        Log a user in, yield the connection, and log the user out.

        Raises:
            LoginError: The user does not exist or is disabled, or the password is wrong.
        """
        login = {"type": "localProvider", "username": username, "password": password, "ttl": 0}
        answer = self._request(
            "POST",
            "/v3-public/localProviders/local",
            params={"action": "login"},
            json=login | {"description": "mcsps stand-in, temporary"},
        )
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise LoginError(
                f"{self._client.base_url} refuses the login of user {username}",
                "Check that the user is enabled and has this password",
            )
        own = RancherServer(self._client, str(_read(answer)["token"]))
        try:
            yield own
        finally:
            _refuse_errors(own._request("POST", "/v3/tokens", params={"action": "logout"}, json={}))

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's
        def send() -> httpx.Response:
            answer = self._client.request(method, path, headers={"Authorization": f"Bearer {self._token}"}, **options)
            if answer.status_code in _PASSING and method != "POST":
                raise _BusyError(_explain(answer))
            return answer

        def may_pass(error: BaseException) -> bool:
            if isinstance(error, httpx.ConnectError):
                return not kube_errors.is_untrusted(error)
            # The server may have processed a POST, so it must not be sent twice.
            return isinstance(error, httpx.TransportError | _BusyError) and method != "POST"

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(may_pass),
            wait=tenacity.wait_exponential(multiplier=0.1, max=2),
            stop=tenacity.stop_after_delay(RETRY_SECONDS),
            reraise=True,
        )
        try:
            return retrying(send)
        except _BusyError as error:
            raise UserError(f"Rancher refuses: {error}") from None
        except httpx.HTTPError as error:
            raise UserError(
                f"no connection to Rancher at {self._client.base_url}: {kube_errors.reason(error)}"
            ) from None


def _read(answer: httpx.Response) -> Properties:
    _refuse_errors(answer)
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise UserError(f"{answer.request.url.host} answers {answer.status_code}, but not as a Rancher server does")
    return body


def _refuse_errors(answer: httpx.Response) -> None:
    if answer.is_client_error:
        raise RefusedError(f"Rancher refuses: {_explain(answer)}")
    if answer.is_error:
        # The server may have processed the request before it failed.
        raise UserError(f"Rancher fails: {_explain(answer)}")


def _explain(answer: httpx.Response) -> str:
    """Return the message of the error that the API sent."""
    try:
        error = answer.json()
        parts = [error.get("fieldName"), error.get("message") or error.get("code")]
    except (ValueError, AttributeError):
        parts = []
    return ": ".join(filter(None, parts)) or f"{answer.status_code} {answer.reason_phrase}"
