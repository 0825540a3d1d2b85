"""How two specs differ, for the message that refuses a change of a pod."""

from __future__ import annotations

import json
from difflib import unified_diff
from typing import Any

Json = dict[str, Any]


def spec_difference(before: Json, after: Json) -> str:
    """The changed lines of the indented JSON, as a unified diff with three lines around.

    Upstream prints its internal structs (k8s.io/apimachinery pkg/util/diff, v0.37.2), which name their fields
    otherwise and hold the empty ones too: the changed values are the same, their surroundings are not.
    """
    lines = list(unified_diff(_lines(before), _lines(after), n=3, lineterm=""))
    return "\n".join(lines[2:]) + "\n"


def _lines(spec: Json) -> list[str]:
    return json.dumps(spec, indent=1, ensure_ascii=False, sort_keys=True).splitlines()
