"""What mlscale says on stderr: notes, warnings, errors and progress, one line each."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TextIO

from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlscale.errors import MlscaleError
    from mlscale.kube.finding import Finding
    from mlscale.output.live import LiveProgress

CODES = {"error": "31", "warning": "33", "note": "36", "debug": "2"}


class Messages:
    """Lines to ``stream``; colour and the live progress line only on a terminal."""

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self.is_terminal = stream.isatty() and environ.get("TERM") != "dumb" and not environ.get("CI")
        self._colour = self.is_terminal and not environ.get("NO_COLOR")
        self._live: LiveProgress | None = None
        self._last_causes: dict[str, Sequence[str]] = {}
        self._lock = threading.RLock()

    def note(self, text: str) -> None:
        """Something worth knowing."""
        self._line("note", text)

    def warning(self, text: str) -> None:
        """Something that may not work as meant."""
        self._line("warning", text)

    def debug(self, text: str) -> None:
        """What --debug asks for."""
        self._line("debug", text)

    def plain(self, text: str) -> None:
        """A sentence of kubectl's own, without a level."""
        self.clear_progress()
        self._stream.write(f"{printable(text)}\n")
        self._stream.flush()

    def error(self, error: MlscaleError) -> None:
        """What went wrong, and what would be right."""
        self._line("error", str(error))

    def findings(self, findings: Iterable[Finding]) -> None:
        """Each finding once; a refusal that got this far was overridden and is a warning."""
        for finding in dict.fromkeys(findings):
            (self.note if finding.level == "note" else self.warning)(finding.message)

    def progress(self, about: str, sentence: str, causes: Sequence[str]) -> None:
        """How far ``about`` is: on a terminal a line that changes in place, elsewhere one whenever ``causes`` change.

        Several waits may call it side by side.
        """
        with self._lock:
            if self.is_terminal:
                self._live = self._live or _live_progress(self._stream)
                self._live.show(about, sentence)
            elif causes and self._last_causes.get(about) != causes:
                self._last_causes[about] = causes
                self._line("note", f"waiting: {about}: {sentence}")

    def clear_progress(self) -> None:
        """Take the live lines away, so that an answer on stdout does not share one."""
        with self._lock:
            if self._live is not None:
                self._live.clear()
                self._live = None

    def _line(self, level: str, text: str) -> None:
        self.clear_progress()
        label = f"\x1b[{CODES[level]}m{level}:\x1b[0m" if self._colour else f"{level}:"
        self._stream.write(f"{label} {printable(text)}\n")
        self._stream.flush()


def _live_progress(stream: TextIO) -> LiveProgress:
    from mlscale.output.live import LiveProgress

    return LiveProgress(stream)
