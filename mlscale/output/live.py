"""Progress on a terminal: one line for each thing that is waited for, drawn over and taken away at the end."""

from __future__ import annotations

from typing import TextIO

from mlscale.kube.text import printable


class LiveProgress:
    """Lines that change in place on ``stream``; rich draws them, which takes 60 ms to import."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        console = Console(file=stream, force_terminal=True, no_color=True, highlight=False, markup=False)
        self._sentences: dict[str, str] = {}
        self._live = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False)
        self._live.start()

    def show(self, about: str, sentence: str) -> None:
        """Draw the line of ``about`` anew; a line is cut where the terminal ends."""
        from rich.text import Text

        self._sentences[about] = sentence
        lines = (printable(f"{name}: {text}") for name, text in self._sentences.items())
        self._live.update(Text("\n".join(lines), no_wrap=True, overflow="ellipsis"), refresh=True)

    def clear(self) -> None:
        """Take all lines away."""
        self._live.stop()
