"""The command ``mlscale``: the only place that catches errors and exits."""

from __future__ import annotations

import io
import os
import sys
from importlib import import_module
from typing import Annotated

import typer
from typer.exceptions import TyperException

from mlscale import __version__
from mlscale.cli.argv import normalised
from mlscale.cli.interrupts import hear_lost_interrupts, ignore_interrupts
from mlscale.cli.session import Session
from mlscale.cli.values import request_timeout_value
from mlscale.errors import ExitCode, MlscaleError, UsageError
from mlscale.kube.access import Overrides
from mlscale.output.messages import Messages

app = typer.Typer(
    name="mlscale",
    help="Scale machine-learning workloads on Kubernetes, and see what limits them.",
    no_args_is_help=True,
    add_completion=True,
    # Typer's own tracebacks print local variables, so tokens; and its help costs 40 ms of rich.
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mlscale {__version__}")
        raise typer.Exit


@app.callback()
def connection_options(
    context: typer.Context,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Namespace to work in.")] = None,
    kube_context: Annotated[str | None, typer.Option("--context", help="Context of the kubeconfig.")] = None,
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
    )


COMMANDS = {
    "scale": "mlscale.cli.scale_command:scale_command",
    "autoscale": "mlscale.cli.autoscale_command:autoscale_command",
    "status": "mlscale.cli.status_command:status_command",
    "recommend": "mlscale.cli.recommend_command:recommend_command",
    "sandbox": "mlscale.cli.sandbox_command:sandbox",
}


def add_commands(arguments: list[str]) -> None:
    """Give the app its commands: those that ``arguments`` name, or all where they name none (help, completion).

    typer reads the signature of every command it has, 3 ms each, whichever is called.
    """
    for name in [name for name in COMMANDS if name in arguments] or COMMANDS:
        module, _, function = COMMANDS[name].partition(":")
        found = getattr(import_module(module), function)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name)(found)


def main() -> None:
    """Run the command line and exit with its code."""
    hear_lost_interrupts()
    _open_streams()
    code = run(sys.argv[1:])
    if code == ExitCode.INTERRUPTED:
        ignore_interrupts()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run ``arguments``; the exit code. Nothing escapes as a traceback but a defect of mlscale itself."""
    messages = Messages(sys.stderr, os.environ)
    try:
        words = normalised(arguments)
        add_commands(words)
        code = int(app(words, prog_name="mlscale", standalone_mode=False) or ExitCode.DONE)
    except MlscaleError as error:
        messages.error(error)
        code = error.exit_code
    except TyperException as error:
        code = _usage_problem(error, messages)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except SystemExit as error:
        # What typer makes of an output whose reader has gone.
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        code = ExitCode.DONE
    except OSError as error:
        code = _not_written(error, messages)
    except Exception as error:  # A person at a terminal, or a log, must not get a traceback.
        messages.error(_defect(error))
        if "--debug" in arguments:
            raise
        return ExitCode.ERROR
    return _flushed(code, messages)


def _open_streams() -> None:
    """A stream that the caller has closed (``>&-``) discards; text is UTF-8 as kubectl's, whatever the locale."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  open until the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _flushed(code: int, messages: Messages) -> int:
    """Write what is left to stdout; ``code``, or that of an error in doing so."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return code or _not_written(error, messages)
    return code


def _not_written(error: OSError, messages: Messages) -> int:
    # The interpreter must not try to flush it once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        # Whoever read our output has gone, as with `| head`.
        return ExitCode.DONE
    messages.error(MlscaleError(f"cannot write to standard output: {error.strerror}", "what was asked may be done"))
    return ExitCode.ERROR


def _defect(error: Exception) -> MlscaleError:
    """A mistake of mlscale itself; its text may hold anything, so only the kind of it and the place are told."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f" in {os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}" if place else ""
    return MlscaleError(f"mlscale failed: {type(error).__name__}{where}", "please report it; --debug shows more")


def _usage_problem(error: TyperException, messages: Messages) -> int:
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(message)
        return ExitCode.USAGE
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "mlscale"
    messages.error(UsageError(message.rstrip(".").replace("\n", " "), f"see {command} --help"))
    return ExitCode.USAGE
