"""Kubeconfigs for tests: written as JSON, which is YAML too."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def pem(text: str, kind: str = "CERTIFICATE") -> str:
    """A PEM block of the right form around ``text``; no real certificate or key."""
    return f"-----BEGIN {kind}-----\n{encoded(text)}\n-----END {kind}-----\n"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def kubeconfig(
    *, user: dict[str, Any] | None = None, cluster: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A kubeconfig of one context "a" with one cluster "c" and one user "u"."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://c:6443"} if cluster is None else cluster}],
        "users": [{"name": "u", "user": user or {}}],
    } | {key.replace("_", "-"): value for key, value in more.items()}


def written(path: Path, config: dict[str, Any]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config))
    return str(path)


TWO = kubeconfig(
    contexts=[
        {"name": "a", "context": {"cluster": "c", "user": "u", "namespace": "team"}},
        {"name": "b", "context": {"cluster": "d", "user": "v"}},
    ],
    clusters=[
        {"name": "c", "cluster": {"server": "https://c:6443"}},
        {"name": "d", "cluster": {"server": "https://d:6443/prefix/", "tls-server-name": "api.d"}},
    ],
    users=[{"name": "u", "user": {"token": "of-u"}}, {"name": "v", "user": {"token": "of-v"}}],
)
