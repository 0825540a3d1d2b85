"""What goes to stderr: one line each, colour and live progress on a terminal only."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlscale.errors import MlscaleError, UsageError
from mlscale.kube.finding import Finding
from mlscale.output.messages import Messages


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(messages: Messages, stream: io.StringIO) -> str:
    messages.note("n")
    messages.warning("w")
    messages.debug("d")
    messages.error(UsageError("bad", "good"))
    return stream.getvalue()


PLAIN = "note: n\nwarning: w\ndebug: d\nerror: bad; good\n"


def test_lines_without_colour_in_a_pipe() -> None:
    stream = io.StringIO()
    assert said(Messages(stream, {}), stream) == PLAIN


def test_lines_with_coloured_levels_on_a_terminal() -> None:
    stream = Terminal()
    assert said(Messages(stream, {}), stream) == (
        "\x1b[36mnote:\x1b[0m n\n\x1b[33mwarning:\x1b[0m w\n\x1b[2mdebug:\x1b[0m d\n\x1b[31merror:\x1b[0m bad; good\n"
    )


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"CI": "true"}, {"TERM": "dumb"}])
def test_no_colour_where_it_is_not_wanted(environ: dict[str, str]) -> None:
    stream = Terminal()
    assert said(Messages(stream, environ), stream) == PLAIN


@pytest.mark.parametrize("environ", [{"NO_COLOR": ""}, {"CI": ""}, {"TERM": "xterm"}])
def test_an_empty_variable_says_nothing(environ: dict[str, str]) -> None:
    stream = Terminal()
    assert "\x1b[36m" in said(Messages(stream, environ), stream)


LIVE = [({}, True), ({"NO_COLOR": "1"}, True), ({"CI": "1"}, False), ({"TERM": "dumb"}, False)]


@pytest.mark.parametrize(("environ", "live"), LIVE)
def test_where_progress_is_live(environ: dict[str, str], live: bool) -> None:
    stream = Terminal()
    messages = Messages(stream, environ)
    assert messages.is_terminal is live
    messages.progress("web", "1 of 2", ())
    assert ("web: 1 of 2" in stream.getvalue()) is live
    messages.clear_progress()


def screen(text: str) -> list[str]:
    """What a terminal shows after ``text``: enough of one for rich's moves (up, erase the line, start of line)."""
    lines, row = [""], 0
    for token in re.findall(r"\x1b\[[?0-9;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if token == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif token == "\x1b[1A":
            row -= 1
        elif token == "\x1b[2K":
            lines[row] = ""
        elif token[0] not in "\x1b\r":
            lines[row] += token
    return [line for line in lines if line.strip()]


def test_live_progress_has_a_line_for_each_and_is_drawn_over() -> None:
    stream = Terminal()
    messages = Messages(stream, {})
    for about, sentence in [("web", "0 of 2"), ("api", "1 of 3"), ("web", "2 of 2")]:
        messages.progress(about, sentence, ())
    assert [line.strip() for line in screen(stream.getvalue())] == ["web: 2 of 2", "api: 1 of 3"]
    messages.clear_progress()


def test_a_line_takes_the_live_progress_away_first() -> None:
    stream = Terminal()
    messages = Messages(stream, {"NO_COLOR": "1"})
    messages.progress("web", "1 of 2", ())
    messages.note("x")
    messages.clear_progress()
    assert screen(stream.getvalue()) == ["note: x"]


def test_live_progress_never_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    # A line of two rows could not be taken away: each look would leave one behind.
    monkeypatch.setenv("COLUMNS", "20")
    stream = Terminal()
    messages = Messages(stream, {})
    messages.progress("deployment.apps/web", "1 of 2 pods ready", ())
    assert [line.strip() for line in screen(stream.getvalue())] == ["deployment.apps/web…"]
    messages.clear_progress()


def test_live_progress_neutralises_escapes() -> None:
    stream = Terminal()
    messages = Messages(stream, {})
    messages.progress("web", "0 of 1: \x1b]0;title\x07 [red]", ())
    assert r"web: 0 of 1: \x1b]0;title\x07 [red]" in stream.getvalue()
    messages.clear_progress()


def test_progress_in_a_pipe_is_a_line_for_each_change_of_causes() -> None:
    stream = io.StringIO()
    messages = Messages(stream, {})
    for sentence, causes in [("0", ()), ("1", ("Pending",)), ("2", ("Pending",)), ("3", ()), ("4", ("Quota",))]:
        messages.progress("web", sentence, causes)
    messages.progress("api", "1", ("Quota",))
    messages.clear_progress()
    assert stream.getvalue() == "note: waiting: web: 1\nnote: waiting: web: 4\nnote: waiting: api: 1\n"


def test_findings_come_once_and_refusals_as_warnings() -> None:
    stream = io.StringIO()
    note, refusal = Finding("note", "A", "first"), Finding("refusal", "B", "second")
    Messages(stream, {}).findings([note, refusal, note, Finding("warning", "C", "third")])
    assert stream.getvalue() == "note: first\nwarning: second\nwarning: third\n"


def test_an_error_without_a_hint() -> None:
    stream = io.StringIO()
    Messages(stream, {}).error(MlscaleError("only this"))
    assert stream.getvalue() == "error: only this\n"


@given(st.text(), st.booleans())
def test_whatever_the_text_it_is_one_line_without_escapes(text: str, hinted: bool) -> None:
    stream = io.StringIO()
    Messages(stream, {}).error(MlscaleError(text, text if hinted else ""))
    line = stream.getvalue()
    assert line.startswith("error: ")
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert not set("\x1b\r\x07\x9b") & set(line)
