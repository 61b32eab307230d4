"""The metadata of the documents: what a new one gets, and what an update may change of an old one."""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from lab.rancher import names
from lab.rancher.store import Document


def timestamp(moment: datetime) -> str:
    """Return a moment as Kubernetes writes it, in whole seconds of UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new(moment: datetime, creator: str | None) -> Document:
    """Return the fields that every new document has."""
    return {
        "annotations": {},
        "created": timestamp(moment),
        "createdTS": int(moment.timestamp()) * 1000,
        "creatorId": creator,
        "labels": {},
        "uuid": str(uuid.uuid4()),
    }


def merge(old: Mapping[str, str], new: Mapping[str, str] | None) -> dict[str, str]:
    """
    Return labels or annotations after an update.

    A client that leaves one out removes it, unless it is Rancher's own: neither `cattle.io/` nor `field.cattle.io/`
    goes that way, and of Rancher's own, an update sets the fields alone.
    """
    if new is None:
        return dict(old)
    kept = {key: value for key, value in old.items() if "cattle.io/" in key}
    return kept | {key: value for key, value in new.items() if not _is_protected(key)}


def _is_protected(key: str) -> bool:
    is_field = key.startswith("field.cattle.io/")
    return "cattle.io/" in key and (not is_field or key == names.CREATOR_ID)
