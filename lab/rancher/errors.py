"""Errors in the form that Rancher's v3 API gives them."""

from http import HTTPStatus

from lab.rancher.store import Document, Kind

GROUP = "management.cattle.io"


class ApiError(Exception):
    """An answer that is no success: Rancher's own code, status and text."""

    def __init__(self, status: int, code: str, message: str, field_name: str = "") -> None:
        """Keep the parts of the body."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field_name = field_name

    def body(self) -> Document:
        """Return what the client reads."""
        body: Document = {"baseType": "error", "code": self.code, "message": self.message, "status": self.status}
        if self.field_name:
            body["fieldName"] = self.field_name
        return body | {"type": "error"}


def missing(kind: Kind, name: str) -> ApiError:
    """There is no such object: the text is that of the Kubernetes API behind Rancher's."""
    return ApiError(HTTPStatus.NOT_FOUND, "NotFound", f'{kind}.{GROUP} "{name}" not found')


def bad_id() -> ApiError:
    """No object can have such an id."""
    return ApiError(HTTPStatus.NOT_FOUND, "NotFound", "failed to find resource by id")


def forbidden(user: str, verb: str, kind: Kind, name: str = "") -> ApiError:
    """
    The user's roles do not reach that far: in the words of the Kubernetes API.

    An id of two parts names the namespace that the object is in, as the id `local:p-abcde` of a project.
    """
    namespace, _, own = name.rpartition(":")
    what = f'{kind}.{GROUP} "{own}"' if own else f"{kind}.{GROUP}"
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    return ApiError(
        HTTPStatus.FORBIDDEN,
        "Forbidden",
        f'{what} is forbidden: User "{user}" cannot {verb} resource "{kind}" in API group "{GROUP}" {where}',
    )


def invalid(code: str, message: str, field_name: str = "") -> ApiError:
    """The body is refused for what it says."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, code, message, field_name)


def unauthenticated_body() -> Document:
    """What every request without a valid token gets, with status 401; the status in it is text, as Rancher's is."""
    return {"type": "error", "status": "401", "message": "Unauthorized 401: must authenticate"}
