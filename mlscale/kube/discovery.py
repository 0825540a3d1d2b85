"""Kinds that only the server knows: custom resources, found by aggregated discovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlscale.errors import NotFoundError
from mlscale.kube.asks import ask_get
from mlscale.kube.client import ACCEPT_DISCOVERY
from mlscale.kube.kinds import BUILT_IN, Kind, built_in_kind
from mlscale.kube.near import did_you_mean
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlscale.kube.client import Client, Json

LISTED = "kubectl api-resources lists the types"


class Kinds:
    """Looks types up: the built-in table first, the server (two requests, once) for any other word."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._served: list[Kind] | None = None

    def find(self, word: str) -> Kind | None:
        """The kind that kubectl would take ``word`` for (``deploy``, ``rollouts.argoproj.io``), or None."""
        return built_in_kind(word) or next((kind for kind in self.served() if kind.answers_to(word)), None)

    def named(self, word: str) -> Kind:
        """As ``find``; raises NotFoundError with near matches where the server has no such type."""
        kind = self.find(word)
        if kind is None:
            raise NotFoundError(
                f"the server has no resource type {printable(word)!r}", did_you_mean(word, self.words()) or LISTED
            )
        return kind

    def words(self) -> set[str]:
        """The plural and singular name of every kind."""
        return {name for known in (*BUILT_IN, *self.served()) for name in (known.plural, known.singular)}

    def of_object(self, api_version: str, kind: str) -> Kind:
        """The kind of an object that says ``apiVersion`` and ``kind``; raises NotFoundError if it is not served."""
        for known in (*BUILT_IN, *self._served_if_needed(api_version, kind)):
            if (known.api_version, known.kind) == (api_version, kind):
                return known
        raise NotFoundError(
            f"the server has no kind {printable(kind)!r} in {printable(api_version)!r}", "check apiVersion and kind"
        )

    def served(self) -> list[Kind]:
        """Every kind that the server offers, the preferred version of each group first."""
        if self._served is None:
            asks = [ask_get(path, accept=ACCEPT_DISCOVERY) for path in ("/api", "/apis")]
            pages = self._client.in_one_round(asks)
            self._served = []
            for page in pages:
                if isinstance(page, Exception):
                    raise page
                self._served += parse_discovery(page)
        return self._served

    def _served_if_needed(self, api_version: str, kind: str) -> list[Kind]:
        built_in = any((known.api_version, known.kind) == (api_version, kind) for known in BUILT_IN)
        return [] if built_in else self.served()


def parse_discovery(page: Json) -> Iterator[Kind]:
    """The kinds of an ``APIGroupDiscoveryList`` (apidiscovery.k8s.io/v2); a server before 1.27 sends none."""
    for group in page.get("items") or []:
        name = (group.get("metadata") or {}).get("name") or ""
        for version in group.get("versions") or []:
            for resource in version.get("resources") or []:
                yield _kind(name, version["version"], resource)


def _kind(group: str, version: str, resource: Json) -> Kind:
    subresources = [sub.get("subresource") for sub in resource.get("subresources") or []]
    return Kind(
        group=group,
        version=version,
        kind=(resource.get("responseKind") or {}).get("kind") or resource["resource"],
        plural=resource["resource"],
        scalable="scale" in subresources,
        namespaced=resource.get("scope") == "Namespaced",
        short_names=tuple(resource.get("shortNames") or ()),
    )
