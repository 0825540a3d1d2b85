"""In which form an answer is wanted: JSON or YAML, whole objects, a Table or metadata only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from mlscale.sandbox.server.request_info import is_true
from mlscale.sandbox.statuses import StatusError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Shape = Literal["", "Table", "PartialObjectMetadata", "PartialObjectMetadataList", "APIGroupDiscoveryList"]
JSON = "application/json"
YAML = "application/yaml"
WATCHED = f"{JSON};stream=watch"
_ANY = ("*/*", "")
_SHAPES: dict[tuple[str, str], tuple[Shape, ...]] = {
    ("meta.k8s.io", "v1"): ("Table", "PartialObjectMetadata", "PartialObjectMetadataList"),
    ("meta.k8s.io", "v1beta1"): ("Table", "PartialObjectMetadata", "PartialObjectMetadataList"),
    ("apidiscovery.k8s.io", "v2"): ("APIGroupDiscoveryList",),
}
_KNOWN = {JSON, YAML, "application/vnd.kubernetes.protobuf"}
_PRETTY_AGENTS = ("curl/", "Wget/", "Mozilla/5.0")


@dataclass(frozen=True)
class Form:
    """How to write the answer. ``version`` is that of ``shape``'s group."""

    media_type: str = JSON
    shape: Shape = ""
    version: str = ""
    pretty: bool = False


def read_form(
    headers: Mapping[str, str],
    query: Mapping[str, str],
    *,
    watch: bool = False,
    offered: Sequence[str] = (JSON, YAML),
) -> Form:
    """The first form of the Accept header that the sandbox can write; protobuf is not one of them.

    A watch is written as JSON only. Raises StatusError 406 if there is none, which names what is ``offered``; where
    that is nothing, or the media type is right and the shape is not, the real server has other words.
    """
    pretty = _is_pretty(headers, query)
    wanted = [_parsed(text) for text in headers.get("accept", "").split(",")]
    # Sorted by their q, ties in the order of the header; sort is stable.
    for media_type, parameters in sorted(wanted, key=lambda one: -_quality(one[1])):
        if media_type in _ANY:
            return Form(JSON, pretty=pretty)
        if media_type not in (JSON, YAML) or (watch and media_type == YAML):
            continue
        shape = _shape(parameters)
        if shape is not None:
            return Form(media_type, shape, parameters.get("v", "") if shape else "", pretty)
    if not offered or any(media_type in _KNOWN for media_type, _ in wanted):
        raise StatusError(406, "NotAcceptable", f"only the following media types are accepted: {JSON}, {YAML}")
    message = f"406: Not Acceptable\n\nAvailable representations: {', '.join(offered)}"
    raise StatusError(406, "NotAcceptable", message, {})


def _parsed(text: str) -> tuple[str, dict[str, str]]:
    media_type, *parameters = (part.strip() for part in text.split(";"))
    return media_type.lower(), dict(parameter.partition("=")[::2] for parameter in parameters)


def _quality(parameters: Mapping[str, str]) -> float:
    try:
        return float(parameters.get("q", "1"))
    except ValueError:
        return 0


def _shape(parameters: Mapping[str, str]) -> Shape | None:
    """The shape that ``parameters`` name, empty for whole objects; None where the sandbox has no such shape."""
    if "as" not in parameters:
        return ""
    known = _SHAPES.get((parameters.get("g", ""), parameters.get("v", "")), ())
    return next((shape for shape in known if shape == parameters["as"]), None)


def _is_pretty(headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
    """Asked for, else what a person reads in a terminal or browser (apiserver negotiation.isPrettyPrint)."""
    if "pretty" in query:
        return is_true(query["pretty"])
    return headers.get("user-agent", "").startswith(_PRETTY_AGENTS)
