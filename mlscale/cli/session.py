"""What a command needs from the outside: the API client, and where its words go."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

from mlscale.output.messages import Messages

if TYPE_CHECKING:
    from mlscale.cli.ahead import Ahead
    from mlscale.kube.access import Access, Overrides
    from mlscale.kube.client import Client
    from mlscale.kube.discovery import Kinds
    from mlscale.kube.targets import Selection
    from mlscale.kube.transport import Transport
    from mlscale.output.structured import ObjectFormat

REQUEST_TIMEOUT = 30.0
"""Seconds that one request may take where no --request-timeout was given."""

PARALLEL = 16
"""Connections and requests at a time, where a command has no --parallel or it was not given."""


class Session:
    """One run of the command line; the client is made when it is first asked for."""

    def __init__(
        self,
        overrides: Overrides,
        request_timeout: float = REQUEST_TIMEOUT,
        *,
        disable_compression: bool = False,
        debug: bool = False,
        ahead: Ahead | None = None,
    ) -> None:
        self.overrides = overrides
        self.request_timeout = request_timeout
        self.disable_compression = disable_compression
        self.parallel = PARALLEL
        self.debug = debug
        self.messages = Messages(sys.stderr, os.environ)
        self.out: TextIO = sys.stdout
        self._ahead = ahead
        self._answered = False

    def answer(self, text: str, form: ObjectFormat | None = None) -> None:
        """Write ``text`` to stdout at once; a YAML document after another is set apart by ``---``.

        A reader that has gone, as with ``| head``, does not stop what is still to be done.
        """
        apart = "---\n" if form == "yaml" and self._answered else ""
        self._answered = True
        with suppress(BrokenPipeError):
            self.out.write(apart + text)
            self.out.flush()

    @cached_property
    def client(self) -> Client:
        """The client of the selected cluster. Raises ConfigError and UsageError."""
        from mlscale.kube.client import Client

        access, transport = self._connection()
        if access.insecure_skip_tls_verify:
            self.messages.warning(f"the certificate of {access.server} is not verified (insecure-skip-tls-verify)")
        compress = not (self.disable_compression or access.disable_compression)
        return Client(access, transport, warn=self.messages.warning, compress=compress, parallel=self.parallel)

    def _connection(self) -> tuple[Access, Transport]:
        """What was begun ahead, where it is what the whole command line asks for."""
        asked = (self.overrides, self.request_timeout, self.parallel, self.debug)
        if self._ahead and asked == (self._ahead.overrides, REQUEST_TIMEOUT, PARALLEL, False):
            return self._ahead.access, self._ahead.transport

        from mlscale.kube.kubeconfig import read_access
        from mlscale.kube.transport import Transport

        access = read_access(self.overrides, os.environ)
        debug = self.messages.debug if self.debug else None
        return access, Transport(access, timeout=self.request_timeout, debug=debug, connections=self.parallel)

    @cached_property
    def kinds(self) -> Kinds:
        """The types that this cluster knows."""
        from mlscale.kube.discovery import Kinds

        return Kinds(self.client)

    def selection(
        self,
        names: list[str] | None,
        filenames: list[str] | None,
        *,
        recursive: bool = False,
        selector: str = "",
        every: bool = False,
    ) -> Selection:
        """What the command line selects; -f takes a comma-separated list as well as several options."""
        from mlscale.kube.targets import Selection

        return Selection(
            args=tuple(names or ()),
            selector=selector,
            every=every,
            filenames=tuple(name for given in filenames or () for name in given.split(",")),
            recursive=recursive,
            namespace_given=self.overrides.namespace is not None,
        )
