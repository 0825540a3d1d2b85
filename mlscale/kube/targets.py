"""What a command acts on: kubectl's argument grammar, read into objects."""

from __future__ import annotations

from functools import partial
from typing import IO, TYPE_CHECKING

from mlscale.errors import MlscaleError, NotFoundError, UsageError
from mlscale.frozen import frozen
from mlscale.kube.api_errors import ApiError, ApiNotFoundError
from mlscale.kube.kinds import DEPLOYMENT, NAMESPACE, Kind, built_in_kind
from mlscale.kube.manifests import read_manifests
from mlscale.kube.near import did_you_mean
from mlscale.kube.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlscale.kube.client import Client, Json
    from mlscale.kube.discovery import Kinds


@frozen
class Target:
    """One object by kind, namespace and name."""

    kind: Kind
    namespace: str
    name: str

    @property
    def printed(self) -> str:
        """``deployment.apps/web``, as kubectl prints it."""
        return f"{self.kind.printed}/{printable(self.name)}"

    def path(self, subresource: str = "") -> str:
        """Its URL path, or that of its ``subresource``."""
        return self.kind.path(self.namespace, self.name, subresource)


@frozen
class Found:
    """A target and its object: as the server has it, or ``live=False``, as a file says it."""

    target: Target
    object: Json
    live: bool = True


@frozen
class Selection:
    """``TYPE NAME…``, ``TYPE/NAME…``, ``NAME…``, ``TYPE -l …``, ``TYPE --all``, or files."""

    args: tuple[str, ...] = ()
    selector: str = ""
    every: bool = False
    filenames: tuple[str, ...] = ()
    recursive: bool = False
    namespace_given: bool = False
    """Whether -n was given: kubectl then refuses a file's object of another namespace."""


def read_found(client: Client, kinds: Kinds, selection: Selection, stdin: IO[str]) -> list[Found | MlscaleError]:
    """The selected objects in kubectl's order; an object that cannot be read stands as its error.

    Raises UsageError for a selection that makes no sense, NotFoundError for an unknown type.
    """
    check_selection(selection)
    if selection.filenames:
        return _found_in_files(client, kinds, selection, stdin)
    if selection.selector or selection.every:
        return _found_by_list(client, kinds, selection)
    targets = named_targets(client.namespace, kinds, selection.args)
    results = client.together(*[partial(_read, client, target) for target in targets])
    if isinstance(results[0], ApiNotFoundError) and _may_be_a_type(kinds, selection.args):
        raise _neither_type_nor_name(kinds, selection.args[0], explain_not_found(client, targets[0]))
    return [
        explain_not_found(client, target) if isinstance(result, ApiNotFoundError) else result
        for target, result in zip(targets, results, strict=True)
    ]


def named_alone(client: Client, kinds: Kinds, selection: Selection) -> Found | None:
    """The target of a selection that names one and no more, unread; None for any other.

    Raises UsageError and NotFoundError as ``read_found`` does.
    """
    check_selection(selection)
    if not selection.args or selection.selector or selection.every:
        return None
    targets = named_targets(client.namespace, kinds, selection.args)
    return Found(targets[0], _bare(targets[0]), live=False) if len(targets) == 1 else None


def check_selection(selection: Selection) -> None:
    """Raise UsageError for a selection that says nothing, or two things at once."""
    by_list = bool(selection.selector or selection.every)
    if selection.filenames and (selection.args or by_list):
        raise UsageError("-f was given with a name, --all or a selector", "give either files or names")
    if selection.every and selection.selector:
        raise UsageError("--all and -l were both given", "give one of them")
    if by_list and (len(selection.args) > 1 or any("/" in arg for arg in selection.args)):
        how = "--all" if selection.every else "-l"
        raise UsageError(f"both a name and {how} were given", f"give names, or a type and {how}")
    if by_list and not selection.args:
        raise UsageError("no type was given", "give one, as in deployments --all or deployments -l app=web")
    if not (selection.args or selection.filenames):
        raise UsageError("no workload was named", "give a NAME, TYPE/NAME or -f FILE")


def named_targets(namespace: str, kinds: Kinds, args: Sequence[str]) -> list[Target]:
    """The targets that ``args`` name; a bare NAME is a deployment.

    Without a slash the first argument may be a type: a built-in one always is, another word only if names
    follow it and the server knows it. Raises UsageError and NotFoundError.
    """
    if any("/" in arg for arg in args):
        return [_slashed(namespace, kinds, arg) for arg in args]
    head, names = args[0], args[1:]
    if built_in_kind(head.split(",")[0]) and not names:
        raise UsageError(
            f"{printable(head)!r} is a type and no name was given", f"give a name, or deployment/{printable(head)}"
        )
    if not names or not (built_in_kind(head.split(",")[0]) or kinds.find(head.split(",")[0])):
        return [Target(DEPLOYMENT, namespace, _checked_name(name)) for name in args]
    types = [kinds.named(word) for word in head.split(",")]
    return [Target(kind, namespace, _checked_name(name)) for kind in types for name in names]


def _may_be_a_type(kinds: Kinds, args: Sequence[str]) -> bool:
    """Whether the first of several words was read as a name only because the server has no such type."""
    return len(args) > 1 and "/" not in "".join(args) and kinds.find(args[0].split(",")[0]) is None


def _neither_type_nor_name(kinds: Kinds, word: str, not_found: MlscaleError) -> MlscaleError:
    """The error for ``statefulst db``, which must not act on a deployment db."""
    meant = did_you_mean(word, kinds.words()) or not_found.hint
    return NotFoundError(f"{not_found.message}, nor is there such a type; nothing was changed", meant)


def _slashed(namespace: str, kinds: Kinds, arg: str) -> Target:
    word, _, name = arg.partition("/")
    if not (word and name) or "/" in name:
        raise UsageError(
            f"{printable(arg)!r} is not TYPE/NAME",
            "with one TYPE/NAME every argument must be one, as in: deployment/web statefulset/db",
        )
    return Target(kinds.named(word), namespace, name)


def _checked_name(name: str) -> str:
    if not name:
        raise UsageError("an empty name was given", "give the name of a workload")
    return name


def _read(client: Client, target: Target) -> Found:
    return Found(target, client.get(target.path()))


def _found_by_list(client: Client, kinds: Kinds, selection: Selection) -> list[Found | MlscaleError]:
    query = {"labelSelector": selection.selector} if selection.selector else {}
    types = _listed_types(kinds, selection)
    lists = client.together(*[partial(client.list_all, kind.path(client.namespace), **query) for kind in types])
    found: list[Found | MlscaleError] = []
    for kind, items in zip(types, lists, strict=True):
        if isinstance(items, ApiError) and items.status.code == 400 and selection.selector:
            raise UsageError(
                f"-l {printable(selection.selector)!r} is no label selector: {items.message}",
                "write it as in -l app=web",
            )
        if isinstance(items, MlscaleError):
            found.append(items)
        else:
            # The items of a list do not repeat what they are; kubectl prints it with each.
            typed = ({"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in items)
            found += [Found(Target(kind, client.namespace, item["metadata"]["name"]), item) for item in typed]
    if not found:
        raise _nothing_selected(client, types, selection)
    return found


def _listed_types(kinds: Kinds, selection: Selection) -> list[Kind]:
    how = "--all" if selection.every else "-l"
    try:
        return [kinds.named(word) for word in selection.args[0].split(",")]
    except NotFoundError as error:
        near = error.hint if error.hint.startswith("did you mean") else ""
        raise NotFoundError(error.message, near or f"{how} takes a type before it, as in: deployments {how}") from None


def _nothing_selected(client: Client, types: list[Kind], selection: Selection) -> MlscaleError:
    missing = missing_namespace(client, client.namespace)
    if missing:
        return missing
    words = ", ".join(kind.plural for kind in types)
    by = f" match -l {printable(selection.selector)}" if selection.selector else ""
    return NotFoundError(
        f"no {words} in namespace {client.namespace!r}{by}", "nothing was done; check the namespace and labels"
    )


def _found_in_files(client: Client, kinds: Kinds, selection: Selection, stdin: IO[str]) -> list[Found | MlscaleError]:
    manifests = read_manifests(selection.filenames, recursive=selection.recursive, stdin=stdin)
    found: list[Found | MlscaleError] = []
    for manifest in manifests:
        metadata = manifest["metadata"]
        own = metadata.get("namespace") or None
        if selection.namespace_given and own not in (None, client.namespace):
            raise UsageError(
                f"{printable(metadata['name'])!r} of the file is in namespace {own!r}, not {client.namespace!r}",
                f"give -n {own}, or leave -n out",
            )
        try:
            kind = kinds.of_object(manifest["apiVersion"], manifest["kind"])
        except NotFoundError as error:
            found.append(error)
            continue
        found.append(Found(Target(kind, own or client.namespace, metadata["name"]), manifest, live=False))
    return found


def _bare(target: Target) -> Json:
    """What is known of an object without reading it."""
    metadata = {"name": target.name, "namespace": target.namespace} if target.kind.namespaced else {"name": target.name}
    return {"apiVersion": target.kind.api_version, "kind": target.kind.kind, "metadata": metadata}


def explain_not_found(client: Client, target: Target) -> MlscaleError:
    """The error for a target that is not there, with what helps: a missing namespace, or names that are near."""
    missing = missing_namespace(client, target.namespace)
    if missing:
        return missing
    try:
        rows = client.table(target.kind.path(target.namespace), limit="500").get("rows") or []
    except MlscaleError:
        rows = []
    names = [str(row["cells"][0]) for row in rows if row.get("cells")]
    where = f' in namespace "{target.namespace}"' if target.kind.namespaced else ""
    message = f'{target.kind.resource} "{printable(target.name)}" not found{where}'
    hint = did_you_mean(target.name, names) or "check the name and the namespace"
    return NotFoundError(message, hint)


def missing_namespace(client: Client, namespace: str) -> NotFoundError | None:
    """The error for a namespace that does not exist; None where it does, or where that cannot be asked."""
    try:
        client.get(NAMESPACE.path(None, namespace))
    except ApiNotFoundError:
        pass
    except MlscaleError:
        return None
    else:
        return None
    try:
        names = [item["metadata"]["name"] for item in client.list_all(NAMESPACE.path(None))]
    except MlscaleError:
        names = []
    return NotFoundError(
        f'namespace "{printable(namespace)}" not found', did_you_mean(namespace, names) or "check -n and the context"
    )
