"""A server for the verb over several targets, and workloads to give it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlscale.autoscale import HpaOptions, Outcome, WriteOptions, autoscale, parse_settings
from mlscale.kube.api_errors import (
    ApiError,
    ApiNotFoundError,
    ApiStatus,
)
from mlscale.kube.kinds import DEPLOYMENT, Kind
from mlscale.kube.targets import Found, Target
from tests.clients import client
from tests.recording_server import Answer, RecordingServer, Request
from tests.recording_server import status as failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlscale.errors import MlscaleError

Json = dict[str, Any]
LAB = "/apis/apps/v1/namespaces/lab"
HPAS = "/apis/autoscaling/v2/namespaces/lab/horizontalpodautoscalers"
LIMITRANGES = "/api/v1/namespaces/lab/limitranges"
SCALEDOBJECTS = "/apis/keda.sh/v1alpha1/namespaces/lab/scaledobjects"
METRICS = "/apis/metrics.k8s.io/v1beta1"


def kind_of(_: str) -> Kind:
    return DEPLOYMENT


def settings(**options: Any) -> Any:
    return parse_settings(HpaOptions(**{"min": "2", "max": "5", "cpu": "50%", **options}), kind_of)


def workload(name: str, cpu: str = "500m") -> Json:
    resources = {"requests": {"cpu": cpu}} if cpu else {}
    spec = {"containers": [{"name": "server", "resources": resources}]}
    return {"metadata": {"name": name}, "spec": {"template": {"spec": spec}}}


def status(code: int, message: str = "", **details: Any) -> ApiStatus:
    return ApiStatus(code, "", message or f"code {code}", details)


class Server(RecordingServer):
    """An API server with some objects; keeps what was applied."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self.objects: dict[str, Json | ApiError] = {METRICS: {}, "/api/v1/namespaces/lab": {}}
        self.lists: dict[str, list[Json] | ApiError] = {HPAS: [], LIMITRANGES: []}
        self.applied: list[tuple[str, Json, bool, bool]] = []
        self.store: Callable[[Json], Json] = stored
        for name in names:
            self.objects[f"{LAB}/deployments/{name}"] = workload(name)
            self.objects[f"{LAB}/deployments/{name}/scale"] = {
                "spec": {"replicas": 2},
                "status": {"selector": f"app={name}"},
            }

    @property
    def asked(self) -> list[str]:
        return [request.path for request in self.requests]

    def answer(self, request: Request) -> Answer:
        with self.lock:
            self.requests.append(request)
            try:
                return Answer(self._answered(request))
            except ApiError as error:
                return failure(error.status.code, error.message, **error.status.details)

    def run(self, *found: Found | MlscaleError, settings: Any = None, **options: Any) -> list[Outcome]:
        return list(autoscale(client(self), found, settings or _SETTINGS, WriteOptions(**options)))

    def _answered(self, request: Request) -> Json:
        if request.method == "PATCH":
            query = request.query
            self.applied.append((request.path, request.json(), "force" in query, "dryRun" in query))
            return self.store(request.json())
        if "includeObject" in request.query:
            return {"rows": [{"cells": ["web"]}]}
        listed = self.lists.get(request.path)
        if isinstance(listed, ApiError):
            raise listed
        if listed is not None:
            return {"items": listed}
        found = self.objects.get(request.path, ApiNotFoundError(status(404)))
        if isinstance(found, ApiError):
            raise found
        return found


def stored(body: Json) -> Json:
    return {**body, "metadata": {**body["metadata"], "uid": "u"}}


_SETTINGS = settings()


def found(name: str, kind: Kind = DEPLOYMENT, *, live: bool = True, cpu: str = "500m") -> Found:
    return Found(Target(kind, "lab", name), workload(name, cpu), live)
