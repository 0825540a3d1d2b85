"""What a user of a kubeconfig shows the server: certificates, tokens, token files, passwords and plugins.

Which of several counts follows client-go: tools/clientcmd/client_config.go, tools/clientcmd/validation.go and
transport/round_trippers.go (v0.37.2). Options of the command line replace what the kubeconfig says.
"""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlscale.errors import ConfigError, MlscaleError, UsageError
from mlscale.kube.access import ClientCertificate, Credentials, Overrides
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from mlscale.kube.exec_plugin import ExecCredential
    from mlscale.kube.kubeconfig_file import Entry

Clock = Callable[[], float]
"""Unix seconds."""

TOKEN_FILE_SECONDS = 50.0
"""How long a token that was read from a file is used: client-go takes it as valid for 60 s and renews 10 s early."""


@contextmanager
def certificate_files(certificate: ClientCertificate) -> Iterator[tuple[str, str]]:
    """Paths of the certificate and the key, for ``SSLContext.load_cert_chain`` inside the ``with`` block.

    Inline PEM stands in a file that only this user can read and that is gone after the block; on Linux it is in memory.
    """
    with _pem_file(certificate.certificate) as certificate_path, _pem_file(certificate.key) as key_path:
        yield certificate_path, key_path


@contextmanager
def _pem_file(pem: Path | bytes) -> Iterator[str]:
    if isinstance(pem, Path):
        yield str(pem)
        return
    descriptor, path = _private_file()
    try:
        os.write(descriptor, pem)
        yield path
    finally:
        os.close(descriptor)
        if not path.startswith("/proc/"):
            os.unlink(path)


def _private_file() -> tuple[int, str]:
    with suppress(AttributeError, OSError):
        descriptor = os.memfd_create("mlscale")
        path = f"/proc/self/fd/{descriptor}"
        if os.path.exists(path):
            return descriptor, path
        os.close(descriptor)
    import tempfile

    return tempfile.mkstemp(prefix="mlscale-")


class StaticCredentials:
    """A token, a password or a certificate that stays as it is."""

    def __init__(self, header: str | None = None, certificate: ClientCertificate | None = None) -> None:
        self._header = header
        self._certificate = certificate

    def authorization(self) -> str | None:
        """See Credentials."""
        return self._header

    def client_certificate(self) -> ClientCertificate | None:
        """See Credentials."""
        return self._certificate

    def refresh(self) -> bool:
        """Nothing to renew."""
        return False


class TokenFile:
    """A token in a file that something else renews, such as the kubelet; read again when it is 50 s old."""

    def __init__(
        self, path: str, *, about: str, fallback: str, certificate: ClientCertificate | None, clock: Clock
    ) -> None:
        self._path = path
        self._about = about
        self._certificate = certificate
        self._clock = clock
        self._lock = threading.Lock()
        self._token = fallback
        self._renew()

    def authorization(self) -> str | None:
        """See Credentials."""
        with self._lock:
            if self._clock() - self._read_at >= TOKEN_FILE_SECONDS:
                self._renew()
            return f"Bearer {self._token}"

    def client_certificate(self) -> ClientCertificate | None:
        """See Credentials."""
        return self._certificate

    def refresh(self) -> bool:
        """Read the file now, whatever its age."""
        with self._lock:
            before = self._token
            self._renew()
            return self._token != before

    def _renew(self) -> None:
        """Read the file; the last good token stays in use while the file cannot be read."""
        try:
            token = _header_text(_read(self._path, self._about).decode(errors="replace"), self._about)
            if not token:
                raise ConfigError(f"{self._about} is empty")
            self._token = token
        except ConfigError:
            if not self._token:
                raise
        self._read_at = self._clock()


class ExecCredentials:
    """What a credential plugin gives; it is run at first use, at expiry and after a 401."""

    def __init__(self, run: Callable[[], ExecCredential], *, about: str, clock: Clock) -> None:
        self._run = run
        self._about = about
        self._clock = clock
        self._lock = threading.Lock()
        self._credential: ExecCredential | None = None

    def authorization(self) -> str | None:
        """See Credentials."""
        token = _header_text(self._current().token, f"the token of {self._about}")
        return f"Bearer {token}" if token else None

    def client_certificate(self) -> ClientCertificate | None:
        """See Credentials."""
        credential = self._current()
        if not credential.certificate:
            return None
        return ClientCertificate(credential.certificate.encode(), credential.key.encode())

    def refresh(self) -> bool:
        """Run the plugin again; whether it gave another token or certificate."""
        with self._lock:
            before, self._credential = self._credential, self._run()
            return before is None or _secrets(before) != _secrets(self._credential)

    def _current(self) -> ExecCredential:
        with self._lock:
            credential = self._credential
            if credential is None or (credential.expires is not None and credential.expires < self._clock()):
                credential = self._credential = self._run()
            return credential


class ProviderCredentials:
    """The token of an auth provider, resolved at first use and after a 401."""

    def __init__(self, resolve: Callable[[], str], certificate: ClientCertificate | None) -> None:
        self._resolve = resolve
        self._certificate = certificate
        self._lock = threading.Lock()
        self._header: str | None = None

    def authorization(self) -> str | None:
        """See Credentials."""
        with self._lock:
            if self._header is None:
                self._header = self._resolve()
            return self._header

    def client_certificate(self) -> ClientCertificate | None:
        """See Credentials."""
        return self._certificate

    def refresh(self) -> bool:
        """Resolve the token anew."""
        with self._lock:
            before, self._header = self._header, self._resolve()
            return self._header != before


def read_credentials(
    user: Entry,
    overrides: Overrides,
    *,
    files: Sequence[str],
    cluster: Callable[[], Mapping[str, Any]],
    environ: Mapping[str, str],
    clock: Clock,
) -> Credentials:
    """The credentials of ``user`` under ``overrides``.

    ``files`` are the merged kubeconfigs, ``cluster`` gives what a plugin is told of the cluster. Raises ConfigError for
    an unusable entry and UsageError for unusable options.
    """
    certificate = _client_certificate(user, overrides)
    header = _flag_header(user, overrides)
    if header:
        return StaticCredentials(header, certificate)
    token, token_file, username = user.text("token"), user.path("tokenFile"), user.text("username")
    if token and username:
        raise ConfigError(f"{user.where} has a token and a username", "only one of them can be used")
    if token_file:
        about = f"the token file {printable(token_file)} of {user.about}"
        return TokenFile(token_file, about=about, fallback=token.strip(), certificate=certificate, clock=clock)
    if token:
        return StaticCredentials("Bearer " + _header_text(token, f"the token of {user.about}"), certificate)
    if username:
        return StaticCredentials(_basic(username, user.text("password")), certificate)
    return _plugin_credentials(user, certificate, files, cluster, environ, clock)


def _plugin_credentials(
    user: Entry,
    certificate: ClientCertificate | None,
    files: Sequence[str],
    cluster: Callable[[], Mapping[str, Any]],
    environ: Mapping[str, str],
    clock: Clock,
) -> Credentials:
    plugin, provider = user.part("exec", "the exec"), user.part("auth-provider", "the auth-provider")
    if plugin and provider:
        raise ConfigError(f"{user.where} has an exec and an auth-provider", "only one of them can be used")
    if plugin and not certificate:
        from mlscale.kube.exec_plugin import read_exec_plugin, run_exec_plugin

        found = read_exec_plugin(plugin)
        return ExecCredentials(lambda: run_exec_plugin(found, cluster(), environ), about=found.about, clock=clock)
    if provider:
        from mlscale.kube.auth_provider import provider_authorization

        return ProviderCredentials(lambda: provider_authorization(user, provider, files), certificate)
    return StaticCredentials(None, certificate)


def _flag_header(user: Entry, overrides: Overrides) -> str | None:
    if overrides.token and overrides.username:
        raise UsageError("--token and --username cannot both be used", "leave one of them out")
    if overrides.token:
        return "Bearer " + _header_text(overrides.token, "--token", UsageError)
    if overrides.username or overrides.password:
        username = overrides.username or user.text("username")
        if not username:
            raise UsageError("--password needs a user name", "give --username too")
        return _basic(username, overrides.password or user.text("password"))
    return None


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _client_certificate(user: Entry, overrides: Overrides) -> ClientCertificate | None:
    certificate = _pem(user, overrides.client_certificate, "client-certificate")
    if certificate is None:
        if overrides.client_key:
            raise UsageError("--client-key needs a certificate", "give --client-certificate too")
        return None
    key = _pem(user, overrides.client_key, "client-key")
    if key is None:
        raise ConfigError(f"{user.where} has a client-certificate and no client-key", "name its key too")
    return ClientCertificate(certificate, key)


def _pem(user: Entry, option: str | None, key: str) -> Path | bytes | None:
    """The option's file, else the entry's inline data, else its file; None where there is none of them."""
    if option:
        _check_pem(_read(option, f"the file of --{key},", UsageError), f"--{key}", UsageError)
        return Path(os.path.abspath(option))
    about = f"the {key} of {user.about}"
    if user.text(f"{key}-data"):
        data = user.decoded(f"{key}-data")
        _check_pem(data, about)
        return data
    path = user.path(key)
    if not path:
        return None
    _check_pem(_read(path, f"{about},"), about)
    return Path(path)


def _check_pem(pem: bytes, about: str, error: type[MlscaleError] = ConfigError) -> None:
    if b"-----BEGIN " not in pem:
        raise error(f"{about} is not PEM", "it must start with -----BEGIN")
    # OpenSSL would stop and ask for the passphrase on the terminal.
    if b"ENCRYPTED" in pem:
        raise error(f"{about} is encrypted with a passphrase", "write it without one (openssl pkey -in KEY)")


def _read(path: str, about: str, error: type[MlscaleError] = ConfigError) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as cause:
        shown = "" if printable(path) in about else f" {printable(path)}"
        raise error(f"cannot read {about}{shown}: {(cause.strerror or '').lower()}") from cause


def _header_text(value: str, about: str, error: type[MlscaleError] = ConfigError) -> str:
    """``value`` without space around it; http.client would quote it in its error if a header could not carry it."""
    value = value.strip()
    if value and not (value.isascii() and value.isprintable()):
        raise error(f"{about} holds a character that no HTTP header can carry", "check how it was pasted or encoded")
    return value


def _secrets(credential: ExecCredential) -> tuple[str, str, str]:
    return credential.token, credential.certificate, credential.key
