"""Projects, with Rancher's checks of quotas, and the deletion of their namespaces."""

import json

from lab.rancher import errors, names, schemas, seed, validation
from lab.rancher.controllers import namespaces
from lab.rancher.resources.base import Resources
from lab.rancher.state import Rancher
from lab.rancher.store import Document, Kind
from lab.rancher.tokens import Identity

_OWNER = "project-owner"


class Projects(Resources):
    """The projects of all clusters; their ids are `<cluster>:<project>`."""

    def __init__(self, rancher: Rancher) -> None:
        """Serve the projects."""
        super().__init__(rancher, Kind.PROJECT, schemas.PROJECT)

    async def get(self, who: Identity, name: str) -> Document:
        """Return one project that the user can see."""
        if name.count(":") != 1:
            raise errors.bad_id()
        return await super().get(who, name)

    async def create(self, who: Identity, body: Document) -> Document:
        """Create a project, whose owner is the requesting user."""
        project = await super().create(who, body)
        binding = {
            "annotations": {},
            "id": f"{project['id'].partition(':')[2]}:creator-{_OWNER}",
            "labels": {names.CREATOR: names.NORMAN},
            "name": f"creator-{_OWNER}",
            "projectId": project["id"],
            "roleTemplateId": _OWNER,
            "userId": who.user,
            "userPrincipalId": f"local://{who.user}",
        }
        self.rancher.store.put(Kind.PROJECT_BINDING, binding)
        return project

    async def prepare(self, who: Identity, document: Document) -> None:
        """Refuse a project without a cluster or with inconsistent quotas; generate its id."""
        cluster = document.get("clusterId")
        if not cluster:
            raise errors.invalid("MissingRequired", "", "clusterId")
        if not document.get("name"):
            raise errors.invalid("MissingRequired", "", "name")
        if self.rancher.store.get(Kind.CLUSTER, cluster) is None:
            raise errors.missing(Kind.CLUSTER, cluster)
        validation.check_project(document)
        own = names.generate("p-")
        document |= seed.project_fields(cluster, own) | {
            "id": f"{cluster}:{own}",
            "description": document.get("description", ""),
        }
        document["annotations"][names.CREATOR_ROLES] = json.dumps({"created": [_OWNER], "required": [_OWNER]})
        document["creatorId"] = who.user

    async def check_update(self, old: Document, new: Document) -> None:
        """Refuse quotas that are inconsistent or too small for the project's namespaces."""
        validation.check_project(new)
        used = (old.get("resourceQuota") or {}).get("usedLimit") or {}
        held = [
            it
            for it in await namespaces.of_cluster(self.rancher, new["clusterId"])
            if namespaces.project_of(it) == new["id"]
        ]
        validation.check_project_use(new, used, len(held))

    async def before_delete(self, document: Document) -> None:
        """Refuse to delete the system project; delete or release the namespaces of another one, as Rancher does."""
        if document["labels"].get(names.SYSTEM_PROJECT) == "true":
            raise errors.ApiError(405, "MethodNotAllow", "System Project cannot be deleted")
        await namespaces.leave_project(self.rancher, document)
        for binding in list(self.rancher.store.all(Kind.PROJECT_BINDING)):
            if binding["projectId"] == document["id"]:
                self.rancher.store.remove(Kind.PROJECT_BINDING, binding["id"])
