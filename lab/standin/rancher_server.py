"""
One Rancher server's v3 API, asked as the rancher2 provider asks it, with retries of what passes by itself.

Owns connection, log-in and the wording of the API's errors. Does not own what is made there.
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

PATIENCE_SECONDS: Final = 15
_ANSWER_SECONDS: Final = 30.0
_PASSING: Final = frozenset({409, 429, 502, 503, 504})
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN})
"""The provider takes both for gone: Rancher hides what one may not see behind either."""


class RefusedError(UserError):
    """The server has refused a request, and so carried nothing of it out."""


class LoginError(UserError):
    """The server lets nobody in by this name and password."""


class _BusyError(Exception):
    """An answer that may be another one soon."""


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
        # Python 3.13 began to refuse CAs that Go, and so the provider, takes.
        trust.verify_flags &= ~ssl.VERIFY_X509_STRICT
        client = httpx.Client(
            base_url=url,
            headers={"Accept": "application/json"},
            timeout=_ANSWER_SECONDS,
            verify=trust,
            # The lab is reached directly, whatever proxy leads to the rest of the world.
            trust_env=False,
        )
        return cls(client, token)

    def close(self) -> None:
        """Close the connection, for all who speak through it."""
        self._client.close()

    def get(self, plural: str, id_: str) -> Properties | None:
        """Read a resource; None where there is none that one may see."""
        answer = self._ask("GET", f"/v3/{plural}/{id_}")
        return None if answer.status_code in _GONE else _read(answer)

    def select(self, plural: str, fields: Mapping[str, str]) -> list[Properties]:
        """List the resources of a type whose fields are these; an empty text stands for a field that is not there."""
        given = {name: value for name, value in fields.items() if value}
        found: list[Properties] = _read(self._ask("GET", f"/v3/{plural}", params=given))["data"]
        # Rancher passes over a filter on a field that it cannot filter by.
        return [it for it in found if all((it.get(name) or "") == value for name, value in fields.items())]

    def create(self, plural: str, body: Properties) -> Properties:
        """Make a resource."""
        return _read(self._ask("POST", f"/v3/{plural}", json=body))

    def update(self, plural: str, id_: str, body: Properties, *, replaces: bool = False) -> Properties:
        """Change a resource; with `replaces`, what the body leaves out goes."""
        params = {"_replace": "true"} if replaces else {}
        return _read(self._ask("PUT", f"/v3/{plural}/{id_}", params=params, json=body))

    def act(self, plural: str, id_: str, action: str, body: Properties) -> None:
        """Carry out an action of a resource."""
        _refuse_errors(self._ask("POST", f"/v3/{plural}/{id_}", params={"action": action}, json=body))

    def delete(self, plural: str, id_: str) -> bool:
        """Ask for a resource's removal; False where there is none that one may see."""
        answer = self._ask("DELETE", f"/v3/{plural}/{id_}")
        if answer.status_code in _GONE:
            return False
        _refuse_errors(answer)
        return True

    @contextmanager
    def session(self, username: str, password: str) -> Iterator[RancherServer]:
        """
        Log a user in, and out in the end.

        Raises:
            LoginError: there is no such user, he is disabled, or it is not his password.
        """
        login = {"type": "localProvider", "username": username, "password": password, "ttl": 0}
        answer = self._ask(
            "POST",
            "/v3-public/localProviders/local",
            params={"action": "login"},
            json=login | {"description": "mcsps stand-in, for a moment"},
        )
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            raise LoginError(
                f"{self._client.base_url} does not let user {username} in: see whether he is enabled, and whether the "
                "password is still his"
            )
        own = RancherServer(self._client, str(_read(answer)["token"]))
        try:
            yield own
        finally:
            _refuse_errors(own._ask("POST", "/v3/tokens", params={"action": "logout"}, json={}))

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's
        def send() -> httpx.Response:
            answer = self._client.request(method, path, headers={"Authorization": f"Bearer {self._token}"}, **options)
            if answer.status_code in _PASSING and method != "POST":
                raise _BusyError(_explain(answer))
            return answer

        def may_pass(error: BaseException) -> bool:
            if isinstance(error, httpx.ConnectError):
                return not kube_errors.is_untrusted(error)
            # What was posted may have been carried out, and must not be twice.
            return isinstance(error, httpx.TransportError | _BusyError) and method != "POST"

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(may_pass),
            wait=tenacity.wait_exponential(multiplier=0.1, max=2),
            stop=tenacity.stop_after_delay(PATIENCE_SECONDS),
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
        raise UserError(f"{answer.request.url.host} answers {answer.status_code}, and not as Rancher does")
    return body


def _refuse_errors(answer: httpx.Response) -> None:
    if answer.is_client_error:
        raise RefusedError(f"Rancher refuses: {_explain(answer)}")
    if answer.is_error:
        # It may have carried out what was asked of it, and failed after that.
        raise UserError(f"Rancher fails: {_explain(answer)}")


def _explain(answer: httpx.Response) -> str:
    """Take the message out of the error that the API sent."""
    try:
        error = answer.json()
        parts = [error.get("fieldName"), error.get("message") or error.get("code")]
    except (ValueError, AttributeError):
        parts = []
    return ": ".join(filter(None, parts)) or f"{answer.status_code} {answer.reason_phrase}"
