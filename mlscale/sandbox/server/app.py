"""The ASGI application: HTTP requests in, the answers of the simulated API out."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount

from mlscale.sandbox.server import documents, openapi
from mlscale.sandbox.server.calls import Answer, Call, PageNotFoundError
from mlscale.sandbox.server.discovery import catalogue
from mlscale.sandbox.server.gate import admitted_user
from mlscale.sandbox.server.negotiation import JSON, WATCHED, YAML, Form, read_form
from mlscale.sandbox.server.operations import Operations, shown_version
from mlscale.sandbox.server.options import read_number
from mlscale.sandbox.server.proxying import ServiceProxy
from mlscale.sandbox.server.rendering import encoded, shaped
from mlscale.sandbox.server.request_info import read_request_info
from mlscale.sandbox.server.routing import find_resource
from mlscale.sandbox.server.watch_stream import DEFAULT_TIMEOUT, Bell, stream
from mlscale.sandbox.statuses import StatusError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from starlette.types import Receive, Scope, Send

    from mlscale.sandbox.resources import Resource
    from mlscale.sandbox.server.clock import SimulatedClock
    from mlscale.sandbox.simulation import Simulation
    from mlscale.sandbox.tokens import Tokens

Json = dict[str, Any]

TICK = 0.05
"""Real seconds between two steps of the simulation while nobody asks."""
COMPRESSED_FROM = 128 * 1024
"""Bytes of an answer from which on it is compressed (apiserver responsewriters defaultGzipThresholdBytes)."""
LARGEST_BODY = 3 * 1024 * 1024
"""Bytes that a request may send (apiserver MaxRequestBodyBytes)."""
logger = logging.getLogger(__name__)


class ApiServer:
    """Answers each request at the simulated moment at which it comes."""

    def __init__(
        self,
        simulation: Simulation,
        tokens: Tokens,
        clock: SimulatedClock,
        seconds: Callable[[], float],
        address: str,
    ) -> None:
        """``seconds`` is a real clock that never goes back, ``address`` the server's host and port."""
        self._simulation = simulation
        self._tokens = tokens
        self._clock = clock
        self._seconds = seconds
        self._address = address
        self._operations = Operations(simulation.api, tokens)
        self._proxy = ServiceProxy(simulation)
        self.bell = Bell(simulation.store)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        self.advance()
        try:
            response = await self._response(request)
        except StatusError as error:
            response = self._refusal(request, error)
        except PageNotFoundError:
            response = self._text("404 page not found\n", 404)
        except Exception as error:  # A client must get an answer to a defect too.
            logger.exception("%s %s failed", request.method, request.url.path)
            why = f"Internal error occurred: {type(error).__name__}"
            response = self._refusal(request, StatusError(500, "InternalError", why))
        response.headers["date"] = format_datetime(self._simulation.agenda.now, usegmt=True)
        response.headers["cache-control"] = "no-cache, private"
        await response(scope, receive, send)

    def advance(self) -> None:
        """Let the cluster catch up with the clock."""
        self._simulation.advance(self._clock.moment())

    async def _response(self, request: Request) -> Response:
        query = dict(request.query_params)
        info = read_request_info(request.method, request.url.path, query)
        headers = {name.lower(): value for name, value in request.headers.items()}
        groups = request.headers.getlist("impersonate-group")
        user = admitted_user(self._simulation.store, self._tokens, info, headers, groups)
        if self._proxy.takes(info):
            page = self._proxy.page(info, query)
            return _compressed(request, Response(page.body, page.status, {"content-type": page.content_type}))
        known = catalogue(self._simulation.api.resources.values())
        if not info.resource:
            return self._document(request, headers, query)
        resource = find_resource(known, info)
        call = Call(info, user, query, headers, await _body(request))
        offered = (JSON, YAML, WATCHED) if info.verb in ("list", "watch") else (JSON, YAML)
        form = read_form(headers, query, watch=info.verb == "watch", offered=offered)
        if info.verb == "watch":
            return self._watch(resource, call, form)
        try:
            answer = self._operations.answer(resource, call)
        except StatusError as error:
            return _warned(self._refusal(request, error), call.warnings)
        self._simulation.settle()
        return _warned(self._answer(request, answer, form), call.warnings)

    def _document(self, request: Request, headers: dict[str, str], query: dict[str, str]) -> Response:
        if request.url.path == "/openapi/v2" and "protobuf" in headers.get("accept", ""):
            return Response(openapi.V2_AS_PROTOBUF, headers={"content-type": openapi.V2_PROTOBUF})
        if documents.is_health(request.url.path.rstrip("/")):
            headers = {}
        offered = () if documents.lists_groups(request.url.path) else (JSON, YAML)
        form = read_form(headers, query, offered=offered)
        aggregated = form.shape == "APIGroupDiscoveryList"
        known = catalogue(self._simulation.api.resources.values())
        said = documents.document(known, request.method, request.url.path, self._address, aggregated=aggregated)
        if isinstance(said, str):
            return self._text(said, 200)
        media_type = form.media_type
        if said.get("kind") == "APIGroupDiscoveryList":
            media_type += ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        return _compressed(request, Response(encoded(said, form), headers={"content-type": media_type}))

    def _answer(self, request: Request, answer: Answer, form: Form) -> Response:
        include = request.query_params.get("includeObject", "")
        obj = shaped(answer.obj, answer.resource, form, self._simulation.agenda.now, include)
        response = Response(encoded(obj, form), answer.status, {"content-type": form.media_type})
        return _compressed(request, response)

    def _refusal(self, request: Request, error: StatusError) -> Response:
        try:
            form = read_form(request.headers, request.query_params)
        except StatusError:
            form = Form()
        headers = {"content-type": form.media_type}
        if seconds := error.details.get("retryAfterSeconds"):
            headers["retry-after"] = str(seconds)
        return Response(encoded(error.body(), form), error.code, headers)

    def _text(self, text: str, status: int) -> Response:
        headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
        return Response(text, status, headers)

    def _watch(self, resource: Resource, call: Call, form: Form) -> Response:
        timeout = read_number(call.query, "timeoutSeconds") or DEFAULT_TIMEOUT
        watch = self._operations.watch(resource, call)
        write = self._event_writer(resource, call, form)
        lines = stream(watch, self.bell, timeout, write, self._seconds)
        return StreamingResponse(lines, headers={"content-type": form.media_type})

    def _event_writer(self, resource: Resource, call: Call, form: Form) -> Callable[[Json], bytes]:
        """Of a watch of Tables only the first tells the columns."""
        told = False

        def write(event: Json) -> bytes:
            nonlocal told
            obj = shown_version(resource, call, event["object"])
            include = call.query.get("includeObject", "")
            obj = shaped(obj, resource, form, self._simulation.agenda.now, include)
            if form.shape == "Table" and obj.get("kind") == "Table":
                obj, told = ({**obj, "columnDefinitions": None} if told else obj), True
            return encoded({"type": event["type"], "object": obj}, Form())

        return write


def application(server: ApiServer) -> Starlette:
    """``server`` with the pulse of its cluster."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        pulse = asyncio.create_task(_pulse(server))
        yield
        pulse.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pulse

    return Starlette(routes=[Mount("/", app=server)], lifespan=lifespan)


async def _pulse(server: ApiServer) -> None:
    while True:
        await asyncio.sleep(TICK)
        server.advance()
        if server.bell.closing:
            server.bell.wake()


async def _body(request: Request) -> bytes:
    """Raises StatusError 413."""
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            why = f"Request entity too large: limit is {LARGEST_BODY}"
            raise StatusError(413, "RequestEntityTooLarge", why)
        chunks.append(chunk)
    return b"".join(chunks)


def _warned(response: Response, warnings: Sequence[str]) -> Response:
    for warning in warnings:
        escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.append("warning", f'299 - "{escaped}"')
    return response


def _compressed(request: Request, response: Response) -> Response:
    body = bytes(response.body)
    if len(body) < COMPRESSED_FROM or "gzip" not in request.headers.get("accept-encoding", ""):
        return response
    small = gzip.compress(body, compresslevel=1, mtime=0)
    headers = {**response.headers, "content-encoding": "gzip", "vary": "Accept-Encoding"}
    del headers["content-length"]
    return Response(small, response.status_code, headers)
