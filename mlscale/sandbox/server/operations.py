"""What each request on a resource does, through the verbs of the simulated API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.kube.kinds import HPA
from mlscale.sandbox.patching import APPLY, JSON_PATCH, check_content_type
from mlscale.sandbox.preparation import check_type
from mlscale.sandbox.resources import SCALE, Resource
from mlscale.sandbox.server import bodies, hpa_v1, options
from mlscale.sandbox.server.calls import Answer, Call
from mlscale.sandbox.server.discovery import REVIEWS
from mlscale.sandbox.server.request_info import is_true
from mlscale.sandbox.server.reviews import answer_review
from mlscale.sandbox.server.routing import namespace_of
from mlscale.sandbox.tokens import TOKENREQUEST
from mlscale.sandbox.verbs import Caller, WatchOptions

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind
    from mlscale.sandbox.tokens import Tokens
    from mlscale.sandbox.verbs import Api, Watch

Json = dict[str, Any]

_SCALE = Resource(SCALE)
_REVIEWS = {resource.key for resource in REVIEWS}


class Operations:
    """Does what a call asks of ``resource``; each may raise StatusError."""

    def __init__(self, api: Api, tokens: Tokens) -> None:
        self._api = api
        self._tokens = tokens

    def answer(self, resource: Resource, call: Call) -> Answer:
        """Do it."""
        verb = call.info.verb
        if verb == "create":
            return self._create(resource, call)
        act = {
            "get": self._get,
            "list": self._list,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }[verb]
        return act(resource, call)

    def watch(self, resource: Resource, call: Call) -> Watch:
        """The events that ``call`` asks to watch."""
        query = call.query
        wanted = WatchOptions(
            labels=query.get("labelSelector", ""),
            fields=query.get("fieldSelector", ""),
            version=query.get("resourceVersion", ""),
            match=query.get("resourceVersionMatch", ""),
            bookmarks=is_true(query.get("allowWatchBookmarks")),
            initial_events=is_true(query["sendInitialEvents"]) if "sendInitialEvents" in query else None,
        )
        return self._api.watch(resource, namespace_of(resource, call.info), wanted)

    def _get(self, resource: Resource, call: Call) -> Answer:
        info = call.info
        obj = self._api.get(resource, namespace_of(resource, info) or "", info.name, info.subresource)
        return _answered(resource, call, obj)

    def _list(self, resource: Resource, call: Call) -> Answer:
        query = call.query
        options.read_number(query, "timeoutSeconds")
        found = self._api.list(
            resource,
            namespace_of(resource, call.info),
            labels=query.get("labelSelector", ""),
            fields=query.get("fieldSelector", ""),
            limit=options.read_number(query, "limit") or 0,
            token=query.get("continue", ""),
            version=query.get("resourceVersion", ""),
            match=query.get("resourceVersionMatch", ""),
        )
        return _answered(resource, call, found)

    def _create(self, resource: Resource, call: Call) -> Answer:
        info, namespace = call.info, call.info.namespace if resource.kind.namespaced else ""
        if info.subresource == "token":
            body = bodies.read_object(call.body or b"{}", _content_type(call), TOKENREQUEST)
            return Answer(self._tokens.request(namespace, info.name, body, self._api.agenda.now), 201)
        wanted = options.read_write_options("create", call.query, call.headers)
        kind = _kind_in(resource, call)
        body = bodies.read_object(call.body, _content_type(call), kind)
        if resource.key in _REVIEWS:
            agenda = self._api.agenda
            said = answer_review(resource.kind.kind, body, namespace, call.user, self._api.store, agenda.now)
            return Answer(said, 201)
        body = _known(call, kind, body, wanted.validation)
        body = _stored_version(resource, call, body)
        made = self._api.create(resource, namespace, body, _caller(call, wanted), dry_run=wanted.dry_run)
        return _answered(resource, call, made, 201)

    def _update(self, resource: Resource, call: Call) -> Answer:
        info = call.info
        wanted = options.read_write_options("update", call.query, call.headers)
        kind = _kind_in(resource, call)
        body = bodies.read_object(call.body, _content_type(call), kind)
        body = _known(call, kind, body, wanted.validation)
        body = _stored_version(resource, call, body)
        namespace = _namespace(resource, call)
        is_new = self._api.creates(resource, namespace, info.name, info.subresource)
        done = self._api.update(
            resource, namespace, info.name, body, _caller(call, wanted),
            subresource=info.subresource, dry_run=wanted.dry_run,
        )  # fmt: skip
        return _answered(resource, call, done, 201 if is_new else 200)

    def _patch(self, resource: Resource, call: Call) -> Answer:
        info, content_type = call.info, _content_type(call).partition(";")[0].strip()
        check_content_type(resource.kind, content_type)
        wanted = options.read_write_options("patch", call.query, call.headers, content_type)
        patch = bodies.read_patch(call.body, content_type)
        if content_type not in (JSON_PATCH, *APPLY) and isinstance(patch, dict):
            patch, warnings = bodies.known_patch_fields(patch, _kind_in(resource, call), wanted.validation)
            call.warnings.extend(warnings)
        namespace = _namespace(resource, call)
        is_new = content_type in APPLY and self._api.store.get(resource.key, namespace, info.name) is None
        done = self._api.patch(
            resource, namespace, info.name, patch, content_type, _caller(call, wanted),
            subresource=info.subresource, dry_run=wanted.dry_run, force=wanted.force,
        )  # fmt: skip
        return _answered(resource, call, done, 201 if is_new else 200)

    def _delete(self, resource: Resource, call: Call) -> Answer:
        wanted = _delete_options(call)
        done = self._api.delete(resource, _namespace(resource, call), call.info.name, wanted, _deleter(call))
        is_accepted = wanted.get("orphanDependents") is False and _is_held(done)
        return _answered(resource, call, done, 202 if is_accepted else 200)

    def _delete_collection(self, resource: Resource, call: Call) -> Answer:
        done = self._api.delete_collection(
            resource, namespace_of(resource, call.info), _delete_options(call), _deleter(call),
            labels=call.query.get("labelSelector", ""), fields=call.query.get("fieldSelector", ""),
        )  # fmt: skip
        return _answered(resource, call, done)


def shown_version(resource: Resource, call: Call, obj: Json) -> Json:
    """``obj``, stored in the newest version, in the one that the path asks for."""
    if resource.kind is HPA and call.info.version == "v1":
        return hpa_v1.as_v1(obj)
    return obj


def _stored_version(resource: Resource, call: Call, body: Json) -> Json:
    if resource.kind is HPA and call.info.version == "v1":
        check_type(hpa_v1.HPA_V1, body)
        return hpa_v1.from_v1(body)
    return body


def _known(call: Call, kind: Kind, body: Json, validation: str) -> Json:
    twice = bodies.repeated(call.body, _content_type(call))
    known, warnings = bodies.known_fields(body, kind, validation, twice)
    if body.get("kind") == kind.kind:
        call.warnings.extend(warnings)
    return known


def _answered(resource: Resource, call: Call, obj: Json, status: int = 200) -> Answer:
    shown = {"": resource, "status": resource, "scale": _SCALE}.get(call.info.subresource)
    return Answer(shown_version(resource, call, obj), status, shown)


def _is_held(answer: Json) -> bool:
    """Whether what answers a deletion is an object that is yet to go."""
    metadata = answer["metadata"]
    finalizers = metadata.get("finalizers") or (answer.get("spec") or {}).get("finalizers")
    return bool(finalizers or metadata.get("deletionGracePeriodSeconds"))


def _kind_in(resource: Resource, call: Call) -> Kind:
    """The kind that the body is of."""
    if call.info.subresource == "scale":
        return SCALE
    if resource.kind is HPA and call.info.version == "v1":
        return hpa_v1.HPA_V1
    return resource.kind


def _namespace(resource: Resource, call: Call) -> str:
    return namespace_of(resource, call.info) or ""


def _content_type(call: Call) -> str:
    return call.headers.get("content-type", "")


def _caller(call: Call, wanted: options.WriteOptions) -> Caller:
    return Caller(call.user.name, wanted.manager, call.user.groups)


def _deleter(call: Call) -> Caller:
    return Caller(call.user.name, options.manager_of(call.headers.get("user-agent", "")), call.user.groups)


def _delete_options(call: Call) -> Json:
    """Those of the body; those of the query count only where there is no body."""
    if call.body:
        return bodies.read_delete_options(call.body, _content_type(call))
    wanted: Json = {}
    if dry_run := call.query.get("dryRun"):
        wanted["dryRun"] = [dry_run]
    if (seconds := options.read_number(call.query, "gracePeriodSeconds")) is not None:
        wanted["gracePeriodSeconds"] = seconds
    if policy := call.query.get("propagationPolicy"):
        wanted["propagationPolicy"] = policy
    if "orphanDependents" in call.query:
        wanted["orphanDependents"] = is_true(call.query["orphanDependents"])
    return wanted
