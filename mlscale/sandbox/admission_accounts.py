"""The service account of a new pod and its token (plugin/pkg/admission/serviceaccount/admission.go, v1.37.2)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from mlscale.sandbox.statuses import forbidden

if TYPE_CHECKING:
    from mlscale.kube.kinds import Kind
    from mlscale.sandbox.store import Store

Json = dict[str, Any]

_PLACE = "/var/run/secrets/kubernetes.io/serviceaccount"
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_TOKEN_SECONDS = 3607
_MODE = 0o644


def with_service_account(store: Store, kind: Kind, pod: Json) -> Json:
    """``pod`` with its account, ``default`` if it names none, and the account's token mounted.

    Raises:
        StatusError: 403, there is no such account.
    """
    spec, metadata = dict(pod["spec"]), pod["metadata"]
    name = spec.get("serviceAccountName") or "default"
    spec |= {"serviceAccountName": name, "serviceAccount": name}
    account = store.get("serviceaccounts", metadata["namespace"], name)
    if account is None:
        why = f'error looking up service account {metadata["namespace"]}/{name}: serviceaccount "{name}" not found'
        raise forbidden(kind, metadata.get("name") or metadata.get("generateName") or "", why)
    if _mounts_token(spec, account):
        spec |= _mounted(spec, _volume_name(metadata))
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]
    return {**pod, "spec": spec}


def _mounts_token(spec: Json, account: Json) -> bool:
    for holder in (spec, account):
        if holder.get("automountServiceAccountToken") is not None:
            return bool(holder["automountServiceAccountToken"])
    return True


def _volume_name(metadata: Json) -> str:
    """Upstream draws five letters at random; here the pod's uid draws them, so that a run can be repeated."""
    digest = hashlib.sha256((metadata.get("uid") or metadata.get("name") or "").encode()).digest()
    return "kube-api-access-" + "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:5])


def _mounted(spec: Json, volume: str) -> Json:
    """The lists of ``spec`` that change: containers that have nothing at the token's place get it."""
    mount = {"name": volume, "readOnly": True, "mountPath": _PLACE}
    changed: Json = {}
    for key in ("containers", "initContainers"):
        if spec.get(key):
            changed[key] = [_with_mount(container, mount) for container in spec[key]]
    if changed == {key: spec[key] for key in changed}:
        return {}
    return {**changed, "volumes": [*(spec.get("volumes") or []), {"name": volume, "projected": _projected()}]}


def _with_mount(container: Json, mount: Json) -> Json:
    mounts = container.get("volumeMounts") or []
    if any(each.get("mountPath") == _PLACE for each in mounts):
        return container
    return {**container, "volumeMounts": [*mounts, mount]}


def _projected() -> Json:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"sources": sources, "defaultMode": _MODE}
