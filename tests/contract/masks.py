"""What no two runs have alike, replaced by a word."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.contract.api import Reply

_WORDS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"\b[a-z]+-[a-z0-9]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "POD"),
    (r"\b(web|huge|empty)-[a-z0-9]{8,10}\b", "REPLICASET"),
    (r"\bdb-[a-z0-9]{8,10}\b", "REVISION"),
    (r"pod-template-hash=[a-z0-9]{8,10}\b", "pod-template-hash=HASH"),
    (r"\b(plainrs|oldrc)-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "POD"),
    (r"\b10\.\d+\.\d+\.\d+\b", "IP"),
    (r"\b(node|gpu)-\d\b", "NODE"),
    (r"current: \d+", "current: N"),
    # An object that is told in an error, with all its times and versions.
    (r'Invalid value: "\{.*\}": ', "Invalid value: OBJECT: "),
    (r"in record \(\d+\)", "in record (N)"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"kube-api-access-[a-z0-9]{5}", "kube-api-access"),
)
_AGE = re.compile(r"<invalid>|(\d+[smhdy]){1,2}")
_VERSIONS = {"resourceVersion", "continue", "remainingItemCount"}
_RANDOM = {"pod-template-hash", "controller-revision-hash", "nodeName", "templateGeneration", "ca.crt"}


def parsed(reply: Reply) -> Any:
    """The body: JSON or YAML parsed, another text as it stands."""
    kind = " ".join(reply.header("content-type"))
    if not reply.text:
        return None
    if reply.text.startswith('{"type":'):
        return [json.loads(line) for line in reply.text.splitlines()]
    if "yaml" in kind:
        return yaml.safe_load(reply.text)
    return json.loads(reply.text) if "json" in kind else reply.text


def masked(value: Any, namespace: str, key: str = "") -> Any:
    """``value`` with what varies masked; a field that is missing stays missing."""
    if isinstance(value, dict):
        return {_text(name, namespace): masked(one, namespace, name) for name, one in value.items()}
    if key == "rows" and value:
        # Names of pods are random, and so is their order.
        value = sorted(
            ({**row, "cells": masked(row["cells"], namespace)} for row in value), key=lambda row: str(row["cells"])
        )
    if key == "columnDefinitions" and value:
        return [{**column, "description": "DESCRIPTION"} for column in value]
    if key == "causes":
        # Conflicts are told in the order of a Go map, which is random.
        value = sorted(value, key=lambda cause: (cause.get("field", ""), cause.get("message", "")))
    if key == "managedFields":
        # Their order is that of times that may be a second apart or the same.
        value = sorted(value, key=lambda entry: (entry["operation"], entry["manager"], entry.get("subresource", "")))
    if isinstance(value, list):
        return [masked(one, namespace) for one in value]
    if key in _VERSIONS or key in _RANDOM:
        return key.upper()
    return _text(value, namespace) if isinstance(value, str) else value


def _text(text: str, namespace: str) -> str:
    text = text.replace(namespace, "NAMESPACE")
    for pattern, word in _WORDS:
        text = re.sub(pattern, word, text)
    return "AGE" if _AGE.fullmatch(text) else text
