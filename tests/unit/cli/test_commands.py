"""Commands that are read without typer's detour are the ones that typer itself would make."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.main import get_command

from mlscale.cli import app
from mlscale.cli.commands import read_signature
from mlscale.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def found(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


FUNCTIONS = {name: found(place) for name, place in app.COMMANDS.items() if name != "sandbox"}
FUNCTIONS["mlscale"] = app.connection_options


def by_typer(function: Callable[..., Any]) -> list[Any]:
    typed = typer.Typer(add_completion=False)
    typed.command()(function)
    return get_command(typed).params


def described(parameter: Any) -> dict[str, Any]:
    kept = {key: value for key, value in vars(parameter).items() if key not in ("callback", "_custom_shell_complete")}
    completes = parameter._custom_shell_complete is not None
    return {**kept, "type": repr(parameter.type), "class": type(parameter), "completes": completes}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_those_that_typer_reads(name: str) -> None:
    parameters, _ = read_signature(FUNCTIONS[name])
    assert [described(one) for one in parameters] == [described(one) for one in by_typer(FUNCTIONS[name])]


def test_the_function_gets_the_context_and_lists() -> None:
    words = ["mlscale", "--context", "lab", "--as-group", "one", "--as-group", "two", "--as", "me"]
    context = app._group().make_context("mlscale", words[1:])
    with context:
        context.command.callback(**context.params)  # type: ignore[misc]
    assert context.obj.overrides.context == "lab"
    assert context.obj.overrides.as_groups == ("one", "two")
    assert context.obj.overrides.namespace is None


def test_a_name_that_is_nearly_a_command_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="Did you mean 'scale'"):
        app.invoke(["scle"])


def test_a_command_alone_is_imported() -> None:
    group = app._group()
    context: Any = group.make_context("mlscale", ["status"])
    group.get_command(context, "status")
    assert list(group.commands) == ["status"]
    assert group.list_commands(context) == list(app.COMMANDS)
