"""A system with some of its verbs put away: what several systems have in common is what they can be asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from .adapter import REQUIRED, Adapter, AdapterFactory


class _Narrowed(Adapter):
    """Passes on what it is asked."""

    def __init__(self, adapter: Adapter) -> None:
        self.adapter = adapter

    def foresee(self, verb: str, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        self.adapter.foresee(verb, calls)


def narrowed(make: Callable[[], Adapter], verbs: Collection[str]) -> AdapterFactory:
    """What makes the same systems, with no other capabilities than `verbs`."""
    passed_on = {verb: _passed_on(verb) for verb in (*REQUIRED, *verbs)}

    def construct() -> Adapter:
        adapter = make()
        said = {"name": adapter.name, "version": adapter.version, "stack": adapter.stack}
        kind = type("Narrowed", (_Narrowed,), {**said, **passed_on})
        one: Adapter = kind(adapter)
        return one

    return construct


def _passed_on(verb: str) -> Callable[..., Any]:
    def ask(self: _Narrowed, *args: Any) -> Any:
        return getattr(self.adapter, verb)(*args)

    return ask
