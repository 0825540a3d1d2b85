"""From --kubeconfig, KUBECONFIG, ~/.kube/config or the pod's account to one server and user.

The rules are those of client-go tools/clientcmd (client_config.go, merged_client_builder.go and loader.go, v0.37.2),
with one deliberate difference: where nothing says which server, kubectl asks localhost:8080; here that is an error.
"""

from __future__ import annotations

import base64
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mlscale.errors import ConfigError, MlscaleError, UsageError
from mlscale.frozen import frozen
from mlscale.kube.access import Access, Credentials, Overrides
from mlscale.kube.credentials import Clock, StaticCredentials, read_credentials
from mlscale.kube.kubeconfig_file import Entry, Kubeconfig, read_kubeconfig
from mlscale.kube.near import did_you_mean
from mlscale.kube.service_account import SERVICE_ACCOUNT, is_in_cluster, pod_namespace, read_service_account
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN_NAMES = 10


def read_access(
    overrides: Overrides,
    environ: Mapping[str, str],
    *,
    service_account: Path = SERVICE_ACCOUNT,
    clock: Clock = time.time,
) -> Access:
    """Read which server to ask, as whom, and with what trust.

    ``clock`` gives Unix seconds. Raises UsageError for what the command line gets wrong, and ConfigError for what is
    wrong in a kubeconfig or in a file that it names. Exec plugins are not run yet: ``Access.credentials`` does that.
    """
    paths = _paths(overrides, environ)
    config = read_merged(overrides, environ)
    chosen = _choose(config, overrides)
    in_pod = is_in_cluster(environ, service_account)
    server = overrides.server or chosen.cluster.text("server")
    if not server and not chosen.cluster.name and in_pod:
        config = read_service_account(environ, service_account)
        chosen = _choose(config, Overrides())
        server = chosen.cluster.text("server")
    server = server or environ.get("KUBERNETES_MASTER", "")
    if not server:
        raise _no_server(config, chosen, paths, environ)
    pod = pod_namespace(environ, service_account) if in_pod else ""
    namespace = overrides.namespace or chosen.context.text("namespace") or pod or "default"
    return _access(_url(server, chosen, overrides), namespace, config, chosen, overrides, environ, clock)


def read_merged(overrides: Overrides, environ: Mapping[str, str]) -> Kubeconfig:
    """The kubeconfig files that count, merged. Raises UsageError and ConfigError."""
    return read_kubeconfig(_paths(overrides, environ))


@frozen
class _Chosen:
    """The entries that count; an empty one stands for none."""

    context: Entry
    cluster: Entry
    user: Entry


def _paths(overrides: Overrides, environ: Mapping[str, str]) -> list[str]:
    if overrides.kubeconfig:
        path = os.path.expanduser(overrides.kubeconfig)
        if not os.path.exists(path):
            raise UsageError(f"--kubeconfig names {printable(path)}, which does not exist")
        return [path]
    listed = [os.path.expanduser(path) for path in environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    return list(dict.fromkeys(listed)) if listed else [_default_path(environ)]


def _default_path(environ: Mapping[str, str]) -> str:
    return os.path.join(environ.get("HOME") or os.path.expanduser("~"), ".kube", "config")


def _choose(config: Kubeconfig, overrides: Overrides) -> _Chosen:
    context_name = overrides.context or config.current_context
    source = "" if overrides.context else f"current-context of {config.where}"
    context = _entry(config.contexts, "context", context_name, config, source)
    cluster_name, user_name = overrides.cluster or context.text("cluster"), overrides.user or context.text("user")
    source = "" if overrides.cluster else context.where
    if overrides.server and not overrides.cluster and cluster_name not in config.clusters:
        cluster_name = ""
    cluster = _entry(config.clusters, "cluster", cluster_name, config, source)
    source = "" if overrides.user else context.where
    replaced = overrides.token or overrides.username or overrides.client_certificate
    if replaced and not overrides.user and user_name not in config.users:
        user_name = ""
    return _Chosen(context, cluster, _entry(config.users, "user", user_name, config, source))


def _entry(entries: Mapping[str, Entry], kind: str, name: str, config: Kubeconfig, source: str) -> Entry:
    """The entry called ``name``; ``source`` says where that name stands, "" for the command line."""
    if not name:
        return Entry(f"the {kind}", "", config.where)
    if name in entries:
        return entries[name]
    hint = did_you_mean(name, entries) or _listing(kind, entries)
    if not source:
        raise UsageError(f'{config.where} has no {kind} "{printable(name)}"', hint)
    raise ConfigError(f'{source} names the {kind} "{printable(name)}", which does not exist', hint)


def _listing(kind: str, entries: Mapping[str, Entry]) -> str:
    names = [f'"{printable(name)}"' for name in sorted(entries)]
    if not names:
        return f"there are no {kind}s"
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return f"there are the {kind}s {', '.join(names[:_SHOWN_NAMES])}{more}"


def _no_server(config: Kubeconfig, chosen: _Chosen, paths: list[str], environ: Mapping[str, str]) -> ConfigError:
    if chosen.cluster.name:
        return ConfigError(f"{chosen.cluster.where} has no server", "it must be a URL such as https://HOST:6443")
    if chosen.context.name:
        return ConfigError(f"{chosen.context.where} names no cluster", _listing("cluster", config.clusters))
    if config.contexts:
        return ConfigError(
            f"{config.where} has no current-context", f"give --context: {_listing('context', config.contexts)}"
        )
    if config.files:
        return ConfigError(f"{config.where} names no cluster: it is empty", "give another file with --kubeconfig")
    if environ.get("KUBECONFIG"):
        shown = ", ".join(map(printable, paths))
        missing = "which does not exist" if len(paths) == 1 else "none of which exists"
        return ConfigError(f"KUBECONFIG names {shown}, {missing}", "give a file that does, or --kubeconfig FILE")
    return ConfigError(
        f"there is no kubeconfig: KUBECONFIG is not set and {printable(paths[0])} does not exist",
        "give --kubeconfig FILE",
    )


def _url(server: str, chosen: _Chosen, overrides: Overrides) -> str:
    """``server`` with a scheme, and without what client-go drops: query, fragment and the last slash."""
    error, about = (UsageError, "--server") if overrides.server else (ConfigError, f"server of {chosen.cluster.where}")
    try:
        parts = urlsplit(server if "://" in server else f"http://{server}")
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = False
    if not valid or not server.isprintable() or " " in server:
        raise error(f"{about} is not a URL that can be asked", "it must be one such as https://HOST:6443")
    if parts.username is not None:
        raise error(f"{about} holds a user name", "leave it out, and name the user in the kubeconfig's users")
    return f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")


def _access(
    server: str,
    namespace: str,
    config: Kubeconfig,
    chosen: _Chosen,
    overrides: Overrides,
    environ: Mapping[str, str],
    clock: Clock,
) -> Access:
    trust = _trust(chosen.cluster, overrides)
    as_user, as_groups, as_uid, extra = _impersonation(chosen.user, overrides)
    # As client-go, which sends no credentials over plain HTTP.
    credentials: Credentials = StaticCredentials()
    if server.startswith("https:"):
        credentials = read_credentials(
            chosen.user,
            overrides,
            files=config.files,
            cluster=lambda: _plugin_cluster(server, chosen.cluster, trust),
            environ=environ,
            clock=clock,
        )
    return Access(
        server=server,
        namespace=namespace,
        context=chosen.context.name,
        cluster=chosen.cluster.name,
        user=chosen.user.name,
        kubeconfig=config.where,
        credentials=credentials,
        certificate_authority=trust.certificate_authority,
        insecure_skip_tls_verify=trust.insecure_skip_tls_verify,
        tls_server_name=trust.tls_server_name,
        proxy_url=chosen.cluster.text("proxy-url") or None,
        disable_compression=chosen.cluster.flag("disable-compression"),
        as_user=as_user,
        as_groups=as_groups,
        as_uid=as_uid,
        as_user_extra=extra,
    )


@frozen
class _Trust:
    certificate_authority: str | None
    insecure_skip_tls_verify: bool
    tls_server_name: str | None


def _trust(cluster: Entry, overrides: Overrides) -> _Trust:
    insecure = overrides.insecure_skip_tls_verify
    if overrides.certificate_authority and insecure:
        raise UsageError(
            "--certificate-authority and --insecure-skip-tls-verify cannot both be used", "leave one of them out"
        )
    # A server of the command line has another name than the kubeconfig's.
    name = overrides.tls_server_name or ("" if overrides.server else cluster.text("tls-server-name"))
    if overrides.certificate_authority:
        authority = _certificates_of_file(overrides.certificate_authority, "--certificate-authority", UsageError)
        return _Trust(authority, False, name or None)
    if insecure:
        return _Trust(None, True, name or None)
    known = _authority(cluster)
    insecure = cluster.flag("insecure-skip-tls-verify") if insecure is None else False
    if known and insecure:
        raise ConfigError(
            f"{cluster.where} has a certificate-authority and insecure-skip-tls-verify", "only one of them can be used"
        )
    return _Trust(known, insecure, name or None)


def _authority(cluster: Entry) -> str | None:
    about = f"certificate-authority of {cluster.where}"
    if cluster.text("certificate-authority-data"):
        return _certificates(cluster.decoded("certificate-authority-data"), about, ConfigError)
    path = cluster.path("certificate-authority")
    return _certificates_of_file(path, about, ConfigError) if path else None


def _certificates_of_file(path: str, about: str, error: type[MlscaleError]) -> str:
    try:
        pem = Path(path).read_bytes()
    except OSError as cause:
        reason = (cause.strerror or "").lower()
        raise error(f"cannot read {printable(path)}, the {about}: {reason}") from cause
    return _certificates(pem, about, error)


def _certificates(pem: bytes, about: str, error: type[MlscaleError]) -> str:
    """The certificates in ``pem`` only: OpenSSL refuses text in other encodings around them, and Go does not."""
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    blocks = [part.partition(end)[0] for part in pem.decode("latin-1").split(begin)[1:] if end in part]
    if not blocks:
        raise error(f"{about} holds no certificate", f"it must be PEM, with {begin}")
    return "".join(f"{begin}{block}{end}\n" for block in blocks)


def _plugin_cluster(server: str, cluster: Entry, trust: _Trust) -> dict[str, Any]:
    """What an exec plugin is told of the cluster (client-go pkg/apis/clientauthentication/v1/types.go, v0.37.2)."""
    authority = trust.certificate_authority
    extensions = cluster.fields.get("extensions") or []
    name = "client.authentication.k8s.io/exec"
    told = {
        "server": server,
        "tls-server-name": trust.tls_server_name,
        "insecure-skip-tls-verify": trust.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(authority.encode()).decode() if authority else None,
        "proxy-url": cluster.text("proxy-url"),
        "disable-compression": cluster.flag("disable-compression"),
        "config": next((e.get("extension") for e in extensions if isinstance(e, dict) and e.get("name") == name), None),
    }
    return {key: value for key, value in told.items() if value}


def _impersonation(user: Entry, overrides: Overrides) -> tuple[str, tuple[str, ...], str, dict[str, tuple[str, ...]]]:
    as_user = overrides.as_user or user.text("as")
    groups = overrides.as_groups or user.texts("as-groups")
    uid = overrides.as_uid or user.text("as-uid")
    listed = user.part("as-user-extra", "the as-user-extra")
    extra = {key: listed.texts(key) for key in listed.fields} if listed else {}
    if not as_user and (overrides.as_groups or overrides.as_uid):
        raise UsageError("--as-group and --as-uid need a user to act as", "give --as USER too")
    if not as_user and (groups or uid or extra):
        raise ConfigError(f"{user.where} has as-groups, as-uid or as-user-extra without as", "name a user with as")
    return as_user, groups, uid, extra
