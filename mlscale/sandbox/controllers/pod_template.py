"""Pods out of the templates of their controllers, and the hash that names a template.

The rules are those of kubernetes pkg/controller/controller_utils.go (GetPodFromTemplate), v1.37.2.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from mlscale.sandbox.controllers.ownership import controller_reference

Json = dict[str, Any]

HASH_LABEL = "pod-template-hash"
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Of apimachinery util/rand: no vowels, so that no words appear."""
_DIGITS = 10


def pod_of(owner: Json) -> Json:
    """A pod, without a name of its own, as ``owner``'s template says."""
    template = owner["spec"]["template"]
    asked = template.get("metadata") or {}
    metadata: Json = {name: asked[name] for name in ("labels", "annotations", "finalizers") if asked.get(name)}
    metadata |= {
        "generateName": owner["metadata"]["name"] + "-",
        "namespace": owner["metadata"]["namespace"],
        "ownerReferences": [controller_reference(owner)],
    }
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}


def template_hash(template: Json, collisions: int | None = None) -> str:
    """A short name for ``template``; ``collisions`` makes another one where two templates got the same."""
    text = json.dumps(template, sort_keys=True) + (f"/{collisions}" if collisions is not None else "")
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return "".join(_ALPHABET[number // len(_ALPHABET) ** place % len(_ALPHABET)] for place in range(_DIGITS))


def same_template(one: Json, other: Json) -> bool:
    """Whether two templates are equal but for the hash label."""
    return _bare(one) == _bare(other)


def _bare(template: Json) -> Json:
    metadata = template.get("metadata") or {}
    labels = {name: value for name, value in (metadata.get("labels") or {}).items() if name != HASH_LABEL}
    rest = {name: value for name, value in metadata.items() if name not in ("labels", "creationTimestamp") and value}
    return {**template, "metadata": {**rest, "labels": labels}}
