"""The verbs of the API on the stored objects: what a request reads or changes, and what it is answered."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from mlscale.frozen import replace
from mlscale.sandbox import custom_resources, deletion, lists, patching, preparation, scales, statuses, writing
from mlscale.sandbox.agenda import timestamp
from mlscale.sandbox.resizing import RESIZE, resized
from mlscale.sandbox.resources import DEFINITIONS, SCALE, SERVED, Resource
from mlscale.sandbox.store import copied
from mlscale.sandbox.watching import Watch, WatchOptions
from mlscale.sandbox.writing import CONTROLLER, KUBELET, SCHEDULER, Caller, Write

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from mlscale.sandbox.agenda import Agenda
    from mlscale.sandbox.scales import ScalePaths
    from mlscale.sandbox.store import Store

Json = dict[str, Any]

__all__ = ["CONTROLLER", "KUBELET", "SCHEDULER", "Api", "Caller", "Watch", "WatchOptions"]


class Api:
    """Get, list, create, update, patch and delete as the real server answers them; each may raise StatusError."""

    def __init__(self, store: Store, agenda: Agenda, random: random.Random) -> None:
        self.store = store
        self.agenda = agenda
        self.random = random
        self.resources: dict[str, Resource] = {resource.key: resource for resource in SERVED}
        """By key; a CustomResourceDefinition adds its own."""
        self.scale_paths: dict[str, ScalePaths] = {}
        """Of the custom resources that scale."""
        self.sources: dict[str, Callable[[str | None], list[Json]]] = {}
        """Resources that are not stored but computed: their objects in a namespace, or in all. Metrics are such."""

    def get(self, resource: Resource, namespace: str, name: str, subresource: str = "") -> Json:
        """One object, or its Scale."""
        obj = self._stored(resource, namespace, name)
        return self._scale(resource, obj) if subresource == "scale" else obj

    def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = 0,
        token: str = "",
        version: str = "",
        match: str = "",
    ) -> Json:
        """A list object; ``version`` and ``match`` are the request's resourceVersion and resourceVersionMatch."""
        kind = resource.kind
        selection = lists.parse_selection(kind, labels, fields)
        if source := self.sources.get(resource.key):
            found = [obj for obj in source(namespace) if selection.matches(obj)]
            return lists.as_list(kind, found, {})
        chunk = lists.Chunk(limit, token, version, match)
        return lists.list_objects(self.store, kind, namespace, selection, chunk)

    def watch(self, resource: Resource, namespace: str | None, options: WatchOptions) -> Watch:
        """The events of a resource from ``options.version`` on."""
        return Watch(self.store, resource.kind, namespace, options)

    def create(self, resource: Resource, namespace: str, body: Json, caller: Caller, *, dry_run: bool = False) -> Json:
        """Store a new object and return it."""
        obj = preparation.new_object(resource, namespace, copied(body))
        if not obj["metadata"].get("name") and obj["metadata"].get("generateName"):
            obj["metadata"]["name"] = self._free_name(resource, namespace, obj["metadata"]["generateName"])
        return self._insert(resource, obj, Write(caller, dry_run=dry_run))

    def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Json,
        caller: Caller,
        *,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Json:
        """Replace an object, or the part of it that ``subresource`` (status, scale, finalize) names.

        A few kinds are created so where there is none of that name.
        """
        write = Write(caller, subresource, dry_run)
        preparation.check_name(body, name)
        if self.creates(resource, namespace, name, subresource):
            obj = preparation.new_object(resource, namespace, copied(body))
            return self._insert(resource, obj, write)
        before = self._stored(resource, namespace, name)
        return self._replace(resource, before, copied(body), write)

    def creates(self, resource: Resource, namespace: str, name: str, subresource: str = "") -> bool:
        """Whether an update of this name would create the object, so that it is answered with 201."""
        is_creatable = preparation.is_created_by_update(resource) and not subresource
        return is_creatable and self.store.get(resource.key, namespace, name) is None

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: object,
        content_type: str,
        caller: Caller,
        *,
        subresource: str = "",
        dry_run: bool = False,
        force: bool = False,
    ) -> Json:
        """Change an object by a patch of one of the four content types; an applied one may be new."""
        write = Write(caller, subresource, dry_run)
        patching.check_content_type(resource.kind, content_type)
        if content_type in patching.APPLY:
            config = patching.applied_configuration(patch)
            return self._apply(resource, namespace, name, config, write, force)
        before = self._stored(resource, namespace, name)
        shown = self._scale(resource, before) if subresource == "scale" else before
        shown_kind = SCALE if subresource == "scale" else resource.kind
        after = patching.patched(shown_kind, shown, patch, content_type)
        preparation.check_identity(resource.kind, before, after, subresource)
        return self._replace(resource, before, after, write)

    def delete(
        self, resource: Resource, namespace: str, name: str, options: Json, caller: Caller, *, dry_run: bool = False
    ) -> Json:
        """Delete an object, at once or when its grace period and finalizers let it go; the object, or a Status."""
        deletion.check_options(options)
        dry_run = dry_run or bool(options.get("dryRun"))
        del caller  # Nothing is recorded of who deletes.
        before = self._stored(resource, namespace, name)
        plan = deletion.plan_deletion(resource, before, options, self.agenda.now)
        if not plan.removed:
            return plan.object if dry_run or plan.object == before else self.store.put(resource.key, plan.object)
        if not dry_run:
            if resource.key == "pods" and plan.object != before:
                # A watcher sees the end of the grace period before the pod goes.
                self.store.put(resource.key, plan.object)
            self._remove(resource, before)
        if deletion.answers_with_object(resource):
            return plan.object
        return statuses.success(resource.kind, name, before["metadata"]["uid"])

    def delete_collection(
        self,
        resource: Resource,
        namespace: str | None,
        options: Json,
        caller: Caller,
        *,
        labels: str = "",
        fields: str = "",
        dry_run: bool = False,
    ) -> Json:
        """Delete what the selectors match, and list it as it was before."""
        deletion.check_options(options)
        selection = lists.parse_selection(resource.kind, labels, fields)
        found = [obj for obj in self.store.list(resource.key, namespace) if selection.matches(obj)]
        metadata = {"resourceVersion": str(self.store.version)}
        for obj in found:
            self.delete(
                resource,
                obj["metadata"].get("namespace", ""),
                obj["metadata"]["name"],
                options,
                caller,
                dry_run=dry_run,
            )
        return lists.as_list(resource.kind, found, metadata)

    def bind(self, namespace: str, name: str, node: str, caller: Caller) -> Json:
        """Give a pod its node, as the scheduler does through ``pods/binding``; return the pod.

        Raises StatusError 409 where it has one already, or is being deleted.
        """
        resource = self.resources["pods"]
        before = self._stored(resource, namespace, name)
        after = writing.bound(resource.kind, before, node, self._now)
        return self._store(resource, before, after, Write(caller, "binding"))

    @property
    def _now(self) -> str:
        return timestamp(self.agenda.now)

    def _stored(self, resource: Resource, namespace: str, name: str) -> Json:
        if resource.key in self.sources:
            return self._computed(resource, namespace, name)
        obj = self.store.get(resource.key, namespace, name)
        if obj is None:
            raise statuses.not_found(resource.kind, name)
        return obj

    def _computed(self, resource: Resource, namespace: str, name: str) -> Json:
        for obj in self.sources[resource.key](namespace or None):
            if obj["metadata"]["name"] == name:
                return obj
        # metrics-server names what is measured, not its own resource.
        measured = {"nodes": "node"}.get(resource.kind.plural, resource.kind.plural)
        raise statuses.not_found(replace(resource.kind, group="", plural=measured), name)

    def _scale(self, resource: Resource, obj: Json) -> Json:
        return scales.scale_of(obj, self.scale_paths.get(resource.key))

    def _free_name(self, resource: Resource, namespace: str, prefix: str) -> str:
        """Upstream tries eight names before it gives up."""
        names = (preparation.generated_name(prefix, self.random) for _ in range(8))
        for name in names:
            if self.store.get(resource.key, namespace, name) is None:
                break
        return name

    def _insert(self, resource: Resource, obj: Json, write: Write, *, applied: bool = False) -> Json:
        uid = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        obj = preparation.with_identity(resource, obj, uid, self._now)
        if resource is DEFINITIONS:
            obj = custom_resources.defaulted(obj)
        obj = writing.completed(self.store, resource, None, obj, write, applied=applied, now=self._now)
        name, namespace = obj["metadata"]["name"], obj["metadata"].get("namespace", "")
        if (held := self.store.get(resource.key, namespace, name)) is not None:
            is_ending = "deletionTimestamp" in held["metadata"]
            raise statuses.already_exists(resource.kind, name, is_ending=is_ending)
        if write.dry_run:
            return obj
        return self._after_write(resource, self.store.put(resource.key, obj))

    def _replace(self, resource: Resource, before: Json, body: Json, write: Write) -> Json:
        if write.subresource == "scale":
            body = scales.scaled(resource.kind, before, body, self.scale_paths.get(resource.key))
        after = preparation.replacement(resource, before, body, write.subresource)
        if write.subresource == RESIZE:
            after = resized(before, after)
        stored = self._store(resource, before, after, write)
        return self._scale(resource, stored) if write.subresource == "scale" else stored

    def _apply(self, resource: Resource, namespace: str, name: str, config: Json, write: Write, force: bool) -> Json:
        if write.subresource == "scale":
            return self._apply_scale(resource, namespace, name, config, write, force)
        before = self.store.get(resource.key, namespace, name)
        preparation.check_type(resource.kind, config)
        after = writing.applied(before, namespace, name, config, write, force=force, now=self._now)
        patching.check_merged(resource.kind, config, after)
        if before is None:
            preparation.check_new(resource.kind, name, config)
            return self._insert(resource, preparation.new_object(resource, namespace, after), write, applied=True)
        after = preparation.replacement(resource, before, after, write.subresource)
        if write.subresource == RESIZE:
            after = {**after, "spec": resized(before, after)["spec"]}
        return self._store(resource, before, after, write, applied=True)

    def _apply_scale(
        self, resource: Resource, namespace: str, name: str, config: Json, write: Write, force: bool
    ) -> Json:
        """Upstream applies to the Scale and moves its managed fields over; here it is the workload's replicas."""
        before = self._stored(resource, namespace, name)
        paths = self.scale_paths.get(resource.key)
        preparation.check_identity(resource.kind, before, config, "scale")
        scales.scaled(resource.kind, before, config, paths)
        replicas = (config.get("spec") or {}).get("replicas")
        bare = {"apiVersion": before["apiVersion"], "kind": before["kind"], "metadata": {"name": name}}
        config = bare if replicas is None else scales.configured(bare, replicas, paths)
        after = writing.applied(before, namespace, name, config, write, force=force, now=self._now)
        after = preparation.replacement(resource, before, after, "scale")
        return self._scale(resource, self._store(resource, before, after, write, applied=True))

    def _store(self, resource: Resource, before: Json, after: Json, write: Write, *, applied: bool = False) -> Json:
        after = writing.completed(self.store, resource, before, after, write, applied=applied, now=self._now)
        if writing.is_unchanged(before, after):
            return before
        if write.dry_run:
            return after
        if deletion.is_finished(resource, after):
            self._remove(resource, before)
            return after
        return self._after_write(resource, self.store.put(resource.key, after))

    def _remove(self, resource: Resource, obj: Json) -> None:
        self.store.remove(resource.key, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        if resource is DEFINITIONS:
            custom_resources.withdraw(self, obj)

    def _after_write(self, resource: Resource, obj: Json) -> Json:
        if resource is DEFINITIONS:
            return custom_resources.serve(self, obj)
        return obj
