"""
A trace of the model with an instance, in a protocol: what its steps are taken with, and its names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Term
from shardproof_models.layers.exactly_once import Header, Key, Receipt, Shard, exactly_once
from shardproof_models.layers.sequencing import Channel
from shardproof_models.layers.value import Account

from . import model_instance
from .errors import TraceError
from .model_trace import Names, Taken, is_in_the_format
from .readings.scope import Scope, Value
from .trace import Instance, Step, Trace


@define(eq=False)
class Recorded:
    """
    A trace whose instance says what its steps were taken with, in a protocol. Raises `TraceError`.

    The protocol may be another than the one that the trace is of, as long as it speaks of the same things.
    """

    trace: Trace
    instance: Instance
    protocol: Protocol
    scope: Scope = field(init=False)
    #: Of everything that comes to be.
    names: Names = field(init=False)
    _actions: Mapping[str, Action] = field(init=False)
    #: For each rigid function of one entity its values.
    _values: Mapping[str, Sequence[int]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.scope = model_instance.scope_of(self.instance, self.protocol)
        self.names = Names.within(self.scope)
        self._actions = {action.name: action for action in self.protocol.actions}
        self._values = {s.name: self.instance.rigid[s.name] for s in self.protocol.rigid}
        if Shard in self.scope.sizes and len(self.trace.shards) != len(self.names.shards):
            raise TraceError(
                "the trace has other shards than it says there are",
                expected=f"{len(self.names.shards)} shards",
                got=f"{len(self.trace.shards)}",
            )
        self.names = Names(self.trace.shards)
        for index, step in enumerate(self.trace.steps):
            if (attempt := self.attempt(index)) is not None:
                self._name(step, index, *attempt)

    def attempt(self, index: int) -> Taken | None:
        """The action of a step, and what it is taken with; nothing if the protocol has no such action."""
        action = self._actions.get(self.trace.steps[index].action)
        if action is None:
            return None
        return action, model_instance.arguments(self.instance, self.scope, action, index)

    def _name(self, step: Step, index: int, action: Action, args: tuple[Value, ...]) -> None:
        """Name what the step brings forth. What it says in words must be what the instance says."""
        self.names.take(action, args)
        if not is_in_the_format(self.protocol, action):
            return
        given = dict(zip((type(p) for p in action.parameters), args, strict=True))
        meant: dict[str, str] = {}
        if Receipt in given:
            meant["receipt"] = self.names.receipt(given[Receipt], self.ends(given[Receipt]))
        if Header in given:
            meant["header"] = self.names.header(given[Header], action)
        for name, said in meant.items():
            if step.args.get(name) != said:
                raise TraceError(
                    f"step {index + 1} says another {name} than it was taken with",
                    expected=said,
                    got=step.args.get(name, "nothing"),
                )

    def ends(self, m: Value) -> tuple[Value, Value]:
        """The source and the destination of a receipt."""
        return self._values["source"][m], self._values["destination"][m]

    def name(self, sort: type[Term], value: int) -> str:
        """What a person calls an element."""
        names, shards = self.names, self.names.shards
        if issubclass(sort, Bool):
            return "true" if value else "false"
        if issubclass(sort, Shard):
            return shards[value]
        if issubclass(sort, Receipt) and exactly_once in self.protocol.layers:
            return names.receipt(value, self.ends(value))
        if issubclass(sort, Key):
            theirs = [m for m, found in enumerate(self._values["key"]) if found == value]
            emitted = [m for m in theirs if m in names.receipts]
            # Of several receipts with one key, those that are spoken of: mostly there is but one.
            of = " and ".join(names.receipt(m, self.ends(m)) for m in emitted or theirs)
            return of or f"a key of no receipt ({value})"
        if issubclass(sort, Header):
            return names.headers.get(value) or f"a header that nobody produced ({value})"
        return self._of_a_layer(sort, value)

    def _of_a_layer(self, sort: type[Term], value: int) -> str:
        """By where it is: accounts and channels."""
        shards, values = self.names.shards, self._values
        if issubclass(sort, Account) and "bank" in values:
            beside = [a for a, at in enumerate(values["bank"]) if at == values["bank"][value]]
            number = beside.index(value)
            return shards[values["bank"][value]] + (f":{number}" if number else "")
        if issubclass(sort, Channel) and {"sender", "receiver"} <= values.keys():
            joined = [*zip(values["sender"], values["receiver"], strict=True)]
            number = joined[:value].count(joined[value])
            return "{}>{}".format(*(shards[end] for end in joined[value])) + (f":{number}" if number else "")
        return str(value)
