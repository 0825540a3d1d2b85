"""One Prometheus over HTTP: the requests that are sent, and what each kind of refusal comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlscale.errors import ExitCode, MlscaleError
from mlscale.usage.model import Grid
from mlscale.usage.prometheus_api import PrometheusError, QuestionError, TooMuchError
from tests.recording_server import NO_ANSWER, Answer, RecordingServer, recording_server, status
from tests.unit.usage.prometheus_server import INSTANT, RANGE, failure, prometheus, success

if TYPE_CHECKING:
    from collections.abc import Iterator

GRID = Grid(1_700_000_000.0, 60.0, 3)
TWO = success("vector", [{"metric": {}, "value": [0, "2"]}])


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with recording_server() as running:
        yield running


def test_an_instant_query_is_one_get(server: RecordingServer) -> None:
    server.answers[INSTANT] = TWO
    assert prometheus(server).instant("up{a='+&'}", 1_700_000_000.5) == [({}, 2.0)]
    (request,) = server.requests
    assert request.query == {"query": "up{a='+&'}", "time": "1700000000.5", "timeout": "50s"}
    assert request.header("Authorization") is None


def test_a_range_query_names_its_grid(server: RecordingServer) -> None:
    server.answers[RANGE] = success("matrix", [{"metric": {"pod": "a"}, "values": [[1_700_000_060, "3"]]}])
    ((labels, row),) = prometheus(server).ranged("up", GRID)
    assert (labels, row.first, row.values.tolist()) == ({"pod": "a"}, 1, [3.0])
    assert server.requests[0].query == {
        "query": "up",
        "start": "1700000000",
        "end": "1700000120",
        "step": "60",
        "timeout": "50s",
    }


@pytest.mark.parametrize(
    ("answers", "sleeps"),
    [
        ([Answer(status=503), TWO], [1.0]),
        ([NO_ANSWER, Answer(status=502), TWO], [1.0, 4.0]),
        ([Answer(status=429, headers={"Retry-After": "7"}), TWO], [7.0]),
        ([Answer(status=429, headers={"Retry-After": "86400"}), TWO], [30.0]),
        ([Answer(status=429, headers={"Retry-After": "tomorrow"}), TWO], [1.0]),
        # "limit" in a 429 is about how often, not about how much: the same question is asked again, later.
        ([failure(429, "rate limit exceeded"), TWO], [1.0]),
    ],
)
def test_a_passing_failure_is_waited_out(server: RecordingServer, answers: list[Answer], sleeps: list[float]) -> None:
    server.answers[INSTANT] = list(answers)
    waited: list[float] = []
    assert prometheus(server, waited).instant("up") == [({}, 2.0)]
    assert waited == sleeps
    assert len(server.requests) == len(answers)


@pytest.mark.parametrize("lasting", [Answer(status=503), NO_ANSWER, Answer(status=401)])
def test_what_fails_for_good_is_not_asked_again(server: RecordingServer, lasting: Answer) -> None:
    server.answers[INSTANT] = lasting
    source = prometheus(server)
    with pytest.raises(MlscaleError) as first:
        source.instant("up")
    asked = len(server.requests)
    with pytest.raises(MlscaleError) as second:
        source.ranged("up", GRID)
    assert second.value is first.value
    assert len(server.requests) == asked <= 3


HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            Answer(b"<html>", 401, HTML),
            MlscaleError,
            "Prometheus at URL does not accept the credentials (401); set MLSCALE_PROMETHEUS_TOKEN, "
            "or MLSCALE_PROMETHEUS_USERNAME and MLSCALE_PROMETHEUS_PASSWORD",
        ),
        (
            status(403, 'services "p" is forbidden', "Forbidden"),
            MlscaleError,
            'Prometheus at URL does not allow this (403): services "p" is forbidden; '
            "ask for the right to query it (get on services/proxy)",
        ),
        (
            Answer(b"<html>log in</html>", 200, HTML),
            PrometheusError,
            "Prometheus at URL does not answer as the Prometheus API does, but 200 with text/html; "
            "give the address that has /api/v1/query below it (of Mimir it ends in /prometheus), past any login page",
        ),
        (
            Answer(b"404 page not found", 404, {"Content-Type": "text/plain"}),
            PrometheusError,
            "Prometheus at URL does not answer as the Prometheus API does, but 404 with text/plain; "
            "give the address that has /api/v1/query below it (of Mimir it ends in /prometheus), past any login page",
        ),
        (
            Answer(b"", 302, {"Location": "https://sso.example/?token=secret"}),
            PrometheusError,
            "Prometheus at URL redirects elsewhere (302); "
            "give the address that it redirects to, or the credentials that it asks for",
        ),
        (
            failure(400, 'invalid parameter "query": \x1b[31mparse error', "bad_data"),
            QuestionError,
            'Prometheus at URL refused a query (400): invalid parameter "query": \\x1b[31mparse error',
        ),
        (failure(422, "found duplicate series"), QuestionError,
         "Prometheus at URL refused a query (422): found duplicate series"),
        (
            failure(422, "query processing would load too many samples into memory in query execution"),
            TooMuchError,
            "Prometheus at URL cannot answer for so much at once: query processing would load too many samples into "
            "memory in query execution; give a shorter --history, or raise its limits",
        ),
        (
            failure(503, "query timed out in query execution", "timeout"),
            TooMuchError,
            "Prometheus at URL cannot answer for so much at once: query timed out in query execution; "
            "give a shorter --history, or raise its limits",
        ),
        (
            failure(503, "TSDB not ready", "unavailable"),
            PrometheusError,
            "Prometheus at URL answered 503 to 3 attempts: TSDB not ready; try again when it is well",
        ),
        (
            status(503, 'no endpoints available for service "p"', "ServiceUnavailable"),
            PrometheusError,
            'Prometheus at URL answered 503 to 3 attempts: no endpoints available for service "p"; '
            "try again when it is well",
        ),
        (success("matrix", []), PrometheusError,
         "Prometheus at URL does not answer as the Prometheus API does, but 200 with application/json; "
         "give the address that has /api/v1/query below it (of Mimir it ends in /prometheus), past any login page"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_wrong(
    server: RecordingServer, answer: Answer, kind: type[MlscaleError], said: str
) -> None:
    server.answers[INSTANT] = answer
    with pytest.raises(kind) as caught:
        prometheus(server).instant("up")
    assert str(caught.value) == said


def test_401_and_403_have_the_exit_code_of_not_allowed(server: RecordingServer) -> None:
    for code in (401, 403):
        server.answers[INSTANT] = Answer(status=code)
        with pytest.raises(MlscaleError) as caught:
            prometheus(server).instant("up")
        assert caught.value.exit_code == ExitCode.NOT_ALLOWED


def test_a_refused_question_leaves_the_others(server: RecordingServer) -> None:
    server.answers[INSTANT] = [failure(422, "found duplicate series"), TWO]
    source = prometheus(server)
    with pytest.raises(QuestionError):
        source.instant("bad")
    assert source.instant("good") == [({}, 2.0)]


@pytest.mark.parametrize(
    "more",
    [
        {"authorization": "Bearer s3cret"},
        {"headers": [("X-Scope-OrgID", "tenant"), ("X-Key", "s3cret")]},
    ],
)
def test_a_server_that_repeats_a_secret_does_not_get_it_printed(server: RecordingServer, more: dict[str, Any]) -> None:
    server.answers[INSTANT] = failure(400, "cannot parse header s3cret of you", "bad_data")
    with pytest.raises(QuestionError, match="cannot parse header \\*\\*\\* of you"):
        prometheus(server, **more).instant("up")
    sent = [value for _, value in server.requests[0].headers]
    assert any("s3cret" in value for value in sent)
