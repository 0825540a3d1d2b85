"""Commands for typer, each imported when it is called and its signature read once.

``typer.Typer`` asks for all commands beforehand and reads each signature four times, 3 ms a command. Here typer's own
commands and parameters are made, from the same signatures, without the detour.
"""

from __future__ import annotations

from copy import copy
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import typer
from typer._click.globals import get_current_context
from typer.core import TyperCommand, TyperGroup
from typer.main import get_click_param, get_command
from typer.models import ArgumentInfo, OptionInfo, ParamMeta

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typer.core import TyperArgument, TyperOption

    Parameters = list[TyperArgument | TyperOption]
    """Options and arguments as typer's parser has them."""


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are called or listed: ``MODULE:FUNCTION`` by name."""

    def __init__(self, places: Mapping[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self._places = places

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        """The names in their order."""
        return list(self._places)

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        """The command called ``cmd_name``, or None; all are then there, for a guess at what was meant."""
        for name in [cmd_name] if cmd_name in self._places else self._places:
            if name not in self.commands:
                module, _, function = self._places[name].partition(":")
                self.commands[name] = _command(name, getattr(import_module(module), function))
        return super().get_command(ctx, cmd_name)


def _command(name: str, found: typer.Typer | Callable[..., int]) -> Any:
    if isinstance(found, typer.Typer):
        command = get_command(found)
        command.name = name
        return command
    parameters, callback = read_signature(found)
    return TyperCommand(
        name, params=cast("Any", parameters), callback=callback, help=found.__doc__, rich_markup_mode=None
    )


def read_signature(function: Callable[..., Any]) -> tuple[Parameters, Callable[..., Any]]:
    """The parameters of a command's ``function``, and what typer is to call with their values.

    The first parameter of ``function`` is typer's context, each other one ``NAME: Annotated[TYPE, Option()] = VALUE``,
    or with a name for such a type, as in ``names: Names = None``.
    """
    scope = function.__globals__
    annotations = {name: text for name, text in function.__annotations__.items() if name not in ("context", "return")}
    parameters: Parameters = []
    convertors = {}
    for (name, text), default in zip(annotations.items(), function.__defaults__ or (), strict=True):
        # The text of our own annotations, which typer itself evaluates too.
        annotation = eval(text, scope)  # noqa: S307
        info = _with_default(annotation.__metadata__[0], default)
        parameter, convertor = get_click_param(ParamMeta(name=name, default=info, annotation=annotation.__origin__))
        parameters.append(parameter)
        if convertor:
            convertors[name] = convertor

    def called(**values: Any) -> Any:
        for name, convertor in convertors.items():
            values[name] = convertor(values[name])
        return function(get_current_context(), **values)

    return parameters, called


def _with_default(info: ArgumentInfo | OptionInfo, default: object) -> ArgumentInfo | OptionInfo:
    """``info`` with the parameter's default; typer's Option takes its first name where a default could stand."""
    info = copy(info)
    if isinstance(info, OptionInfo) and info.default is not ...:
        info.param_decls = (str(info.default), *(info.param_decls or ()))
    info.default = default
    return info
