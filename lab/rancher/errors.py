"""Errors in the form of Rancher's v3 API."""

from http import HTTPStatus

from lab.rancher.store import Document, Kind

GROUP = "management.cattle.io"


class ApiError(Exception):
    """An error answer, with Rancher's code, status and text."""

    def __init__(self, status: int, code: str, message: str, field_name: str = "") -> None:
        """Store the parts of the answer's body."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field_name = field_name

    def body(self) -> Document:
        """Return the body of the answer."""
        body: Document = {"baseType": "error", "code": self.code, "message": self.message, "status": self.status}
        if self.field_name:
            body["fieldName"] = self.field_name
        return body | {"type": "error"}


def missing(kind: Kind, name: str) -> ApiError:
    """Return the error for a missing object, with the text of the Kubernetes API behind Rancher's."""
    return ApiError(HTTPStatus.NOT_FOUND, "NotFound", f'{kind}.{GROUP} "{name}" not found')


def bad_id() -> ApiError:
    """Return the error for an id that no object can have."""
    return ApiError(HTTPStatus.NOT_FOUND, "NotFound", "failed to find resource by id")


def forbidden(user: str, verb: str, kind: Kind, name: str = "") -> ApiError:
    """
    Return the error for a request that the user's roles do not allow, with the text of the Kubernetes API.

    An id of two parts contains the object's namespace, such as the id `local:p-abcde` of a project.
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
    """Return the error for an invalid body."""
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, code, message, field_name)


def unauthenticated_body() -> Document:
    """Return the body for requests without a valid token; its status 401 is text, as in Rancher."""
    return {"type": "error", "status": "401", "message": "Unauthorized 401: must authenticate"}
