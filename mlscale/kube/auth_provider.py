"""Auth providers of a kubeconfig's user (``auth-provider``: oidc, gcp), resolved by the official client.

It is imported here only, when a kubeconfig asks for it: that takes 250 ms.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlscale.errors import ConfigError
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlscale.kube.kubeconfig_file import Entry

_CHOSEN = "mlscale: the chosen user"


def provider_authorization(user: Entry, provider: Entry, files: Sequence[str]) -> str:
    """The Authorization header of ``user``, whose token is renewed and written back to ``files`` when it is expired.

    ``files`` are the kubeconfigs that were merged. Raises ConfigError where no token comes.
    """
    name = provider.text("name")
    if name not in ("oidc", "gcp"):
        raise ConfigError(
            f'{provider.where} is "{printable(name)}", which clients no longer have',
            "use the exec plugin that its provider offers (kubelogin for azure)",
        )
    try:
        header = _resolved(user, files)
    # The official client lets through what urllib3, requests, oauthlib, google.auth, json and base64 raise. Their
    # messages may quote a token, so only the kind of error is told.
    except Exception as error:  # noqa: BLE001
        raise ConfigError(
            f"{provider.where} gave no token: {type(error).__name__}", "log in again, or use an exec plugin"
        ) from None
    if not header:
        raise ConfigError(f"{provider.where} gave no token", "log in again, or use an exec plugin")
    return header


def _resolved(user: Entry, files: Sequence[str]) -> str | None:
    from kubernetes.client import Configuration
    from kubernetes.config import kube_config

    official: Any = kube_config
    merger = official.KubeConfigMerger(os.pathsep.join(files))
    merged = merger.config.value
    # A cluster of its own, over plain HTTP: with the real one the client would write the user's key to /tmp.
    merged["clusters"].append({"name": _CHOSEN, "cluster": {"server": "http://localhost"}})
    merged["contexts"].append({"name": _CHOSEN, "context": {"cluster": _CHOSEN, "user": user.name}})
    fields = next(item["user"] for item in merged["users"] if item["name"] == user.name).value
    settings = fields["auth-provider"].setdefault("config", {})
    with _verified(settings):
        configuration = Configuration()
        before = dict(settings)
        official.KubeConfigLoader(merger.config, active_context=_CHOSEN, config_base_path=None).load_and_set(
            configuration
        )
        changed = settings != before
    if changed:
        merger.save_changes()
    header: str | None = configuration.api_key.get("BearerToken")
    return header


@contextmanager
def _verified(settings: dict[str, Any]) -> Iterator[None]:
    """Name the public CAs to the client: without idp-certificate-authority it asks the issuer unverified."""
    if settings.keys() & {"idp-certificate-authority", "idp-certificate-authority-data"}:
        yield
        return
    import certifi

    settings["idp-certificate-authority"] = certifi.where()
    try:
        yield
    finally:
        del settings["idp-certificate-authority"]
