"""How to reach one API server, as whom: what a kubeconfig, the flags and the environment come to.

Nothing here shows a secret: the fields that may hold one are left out of every repr.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mlscale.frozen import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@frozen
class Overrides:
    """The connection options of the command line; None or empty where one was not given.

    They stand for kubectl's flags of the same names (cli-runtime pkg/genericclioptions/config_flags.go, v0.37.2).
    """

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None
    server: str | None = None
    token: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    certificate_authority: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    as_uid: str | None = None


@frozen
class ClientCertificate:
    """A client certificate and its key, each the path of a PEM file or the PEM itself."""

    certificate: Path | bytes = field(repr=False)
    key: Path | bytes = field(repr=False)


class Credentials(Protocol):
    """What a user shows the server; safe to use from several threads.

    Each call may read a file or run a plugin, and raises ConfigError where that fails.
    """

    def authorization(self) -> str | None:
        """The value of the Authorization header for a request that is sent now, or None for no header."""

    def client_certificate(self) -> ClientCertificate | None:
        """The client certificate for a connection that is opened now."""

    def refresh(self) -> bool:
        """Get new credentials after a 401; whether they differ, so that another attempt makes sense."""


@frozen
class Access:
    """One API server, and as whom it is asked.

    ``server`` is a URL with scheme and no trailing slash. ``certificate_authority`` is PEM text of certificates
    only; None means those that the system trusts. ``kubeconfig`` is the path or paths that this was read from,
    for messages.
    """

    server: str
    namespace: str
    context: str
    cluster: str
    user: str
    kubeconfig: str
    credentials: Credentials
    certificate_authority: str | None = field(default=None, repr=False)
    insecure_skip_tls_verify: bool = False
    tls_server_name: str | None = None
    proxy_url: str | None = field(default=None, repr=False)
    disable_compression: bool = False
    as_user: str = ""
    as_groups: tuple[str, ...] = ()
    as_uid: str = ""
    as_user_extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def client_certificate(self) -> ClientCertificate | None:
        """The client certificate for a new connection; the first call may run an exec plugin."""
        return self.credentials.client_certificate()

    def impersonation_headers(self) -> list[tuple[str, str]]:
        """The Impersonate- header fields, in the order of client-go's transport/round_trippers.go (v0.37.2)."""
        if not self.as_user:
            return []
        fields = [("Impersonate-User", self.as_user)]
        if self.as_uid:
            fields.append(("Impersonate-Uid", self.as_uid))
        fields += [("Impersonate-Group", group) for group in self.as_groups]
        for key, values in self.as_user_extra.items():
            fields += [(f"Impersonate-Extra-{_escaped_key(key)}", value) for value in values]
        return fields


def _escaped_key(key: str) -> str:
    """``key`` with what a header's name cannot hold percent-encoded (RFC 7230, section 3.2.6)."""
    legal = b"!#$&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "".join(chr(byte) if byte in legal else f"%{byte:02X}" for byte in key.encode())
