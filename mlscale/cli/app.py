"""The command line: the options of every command, and the commands."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.exceptions import TyperException
from typer.main import get_install_completion_arguments

from mlscale import __version__
from mlscale.cli.argv import CONNECTION_VALUES, normalised
from mlscale.cli.commands import LazyGroup, read_signature
from mlscale.cli.options import LAST_WORD, complete_name
from mlscale.cli.session import Session
from mlscale.cli.values import request_timeout_value
from mlscale.errors import ExitCode, UsageError
from mlscale.kube.access import Overrides

if TYPE_CHECKING:
    from mlscale.cli.ahead import Ahead

COMMANDS = {
    "scale": "mlscale.cli.scale_command:scale_command",
    "autoscale": "mlscale.cli.autoscale_command:autoscale_command",
    "status": "mlscale.cli.status_command:status_command",
    "recommend": "mlscale.cli.recommend_command:recommend_command",
    "sandbox": "mlscale.cli.sandbox_command:sandbox",
}


def invoke(arguments: list[str], ahead: Ahead | None = None) -> int:
    """Run the command that ``arguments`` name; its exit code. Raises MlscaleError and KeyboardInterrupt.

    ``ahead`` is a connection that has been begun for it.
    """
    words = normalised(arguments)
    try:
        return int(_group()(words, prog_name="mlscale", standalone_mode=False, obj=ahead) or ExitCode.DONE)
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(_message(error))
            return ExitCode.USAGE
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "mlscale"
        message = _message(error).rstrip(".").replace("\n", " ")
        raise UsageError(message, f"see {command} --help") from error


def _message(error: TyperException) -> str:
    return str(error.format_message()) if hasattr(error, "format_message") else str(error)


class _Root(LazyGroup):
    """The command ``mlscale``."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        """For a completion too, a connection option counts wherever it stands."""
        last_word = args[-1] if args else ""
        if extra.get("resilient_parsing"):
            with suppress(UsageError):
                args = normalised(args[:-1] if last_word in CONNECTION_VALUES else args)
        context = super().make_context(info_name, args, *rest, **extra)
        context.meta[LAST_WORD] = last_word
        return context


def _group() -> LazyGroup:
    parameters, callback = read_signature(connection_options)
    return _Root(
        COMMANDS,
        name="mlscale",
        help="Scale machine-learning workloads on Kubernetes, and see what limits them.",
        no_args_is_help=True,
        # Typer's help costs 40 ms of rich.
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
        params=[*parameters, *get_install_completion_arguments()],
        callback=callback,
    )


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mlscale {__version__}")
        raise typer.Exit


def connection_options(
    context: typer.Context,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Namespace to work in.", autocompletion=complete_name)
    ] = None,
    kube_context: Annotated[
        str | None, typer.Option("--context", help="Context of the kubeconfig.", autocompletion=complete_name)
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="Cluster of the kubeconfig.")] = None,
    user: Annotated[str | None, typer.Option(help="User of the kubeconfig.")] = None,
    kubeconfig: Annotated[str | None, typer.Option(help="Kubeconfig file in place of $KUBECONFIG.")] = None,
    server: Annotated[str | None, typer.Option("--server", "-s", help="URL of the API server.")] = None,
    token: Annotated[str | None, typer.Option(help="Bearer token.")] = None,
    username: Annotated[str | None, typer.Option(help="User name for basic authentication.")] = None,
    password: Annotated[str | None, typer.Option(help="Password for basic authentication.")] = None,
    certificate_authority: Annotated[str | None, typer.Option(help="File with the server's CA.")] = None,
    client_certificate: Annotated[str | None, typer.Option(help="File with a client certificate.")] = None,
    client_key: Annotated[str | None, typer.Option(help="File with the certificate's key.")] = None,
    tls_server_name: Annotated[str | None, typer.Option(help="Name that the server's certificate must have.")] = None,
    insecure_skip_tls_verify: Annotated[
        bool, typer.Option("--insecure-skip-tls-verify", help="Do not verify the server's certificate.")
    ] = False,
    as_user: Annotated[str | None, typer.Option("--as", help="User to act as.")] = None,
    as_group: Annotated[list[str] | None, typer.Option(help="Group to act as; repeatable.")] = None,
    as_uid: Annotated[str | None, typer.Option(help="UID to act as.")] = None,
    request_timeout: Annotated[str, typer.Option(help="How long one request may take.")] = "30s",
    disable_compression: Annotated[bool, typer.Option("--disable-compression", help="Ask for no gzip.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show each request on stderr, never a secret.")] = False,
    version: Annotated[  # noqa: ARG001  its callback shows it
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Scale machine-learning workloads on Kubernetes, and see what limits them."""
    context.obj = Session(
        overrides=Overrides(
            kubeconfig=kubeconfig,
            context=kube_context,
            cluster=cluster,
            user=user,
            namespace=namespace,
            server=server,
            token=token,
            username=username,
            password=password,
            certificate_authority=certificate_authority,
            client_certificate=client_certificate,
            client_key=client_key,
            tls_server_name=tls_server_name,
            insecure_skip_tls_verify=insecure_skip_tls_verify or None,
            as_user=as_user,
            as_groups=tuple(as_group or ()),
            as_uid=as_uid,
        ),
        request_timeout=request_timeout_value(request_timeout),
        disable_compression=disable_compression,
        debug=debug,
        ahead=context.obj,
    )
