"""
The system under test, asked with care.

An adapter is foreign code. Whatever it raises, and whatever it answers that its contract does
not know, ends the run as an `AdapterError` that names the verb; so the rest of the harness
compares answers, and never wonders whether they are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from attrs import define, field

from .adapter import (
    Accepted,
    Adapter,
    Ended,
    Execution,
    Outcome,
    Path,
    Pending,
    Refused,
    Response,
    capabilities,
)
from .errors import AdapterError, ShardproofError
from .foreign import let_through, raised, shown, where

T = TypeVar("T")


@define(eq=False)
class System:
    """An adapter whose answers have the types that they should have."""

    adapter: Adapter
    able: frozenset[str] = field(init=False)
    #: Whether it wants to know beforehand what will be looked at.
    foresees: bool = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.able = capabilities(self.adapter)
        self.foresees = type(self.adapter).foresee is not Adapter.foresee

    def call(self, verb: str, *args: Any) -> Any:
        """A verb of the adapter; whatever it raises becomes an `AdapterError` that names the verb."""
        try:
            return getattr(self.adapter, verb)(*args)
        except ShardproofError:
            raise
        except NotImplementedError as error:
            raise AdapterError(
                f"the adapter lacks the verb {verb!r}",
                got=str(error) or None,
                help=f"define {verb} in {type(self.adapter).__name__}: harness/README.md",
            ) from error
        except BaseException as error:
            let_through(error)
            raise AdapterError(
                f"the adapter raised in {verb!r}",
                expected="an answer: adapters refuse, they do not raise",
                got=raised(error),
                said=where(error),
                help="if the system rejects in this way, catch it and return Refused(reason); "
                "anything else is a bug in the adapter or its system",
            ) from error

    def done(self, verb: str, *args: Any) -> None:
        """A verb that has no answer: what is refused, or only begun, was not done, and nobody would know."""
        answer = self.call(verb, *args)
        if answer is not None:
            raise nonsense(verb, "None", answer)

    def data(self, verb: str, *args: Any) -> bytes | Refused:
        """The answer of a verb that returns bytes: a receipt, a header, evidence."""
        answer = self.call(verb, *args)
        if not isinstance(answer, bytes | Refused):
            raise nonsense(verb, "bytes, or Refused(reason)", answer)
        return answer if isinstance(answer, Refused) else _plain(answer)

    def outcome(self, verb: str, shard: str, *args: Any) -> Outcome:
        """The answer of a verb that accepts or refuses, once `shard` has come to rest."""
        answer = self.call(verb, *args)
        if isinstance(answer, Pending):
            if "settle" not in self.able:
                raise AdapterError(
                    f"the adapter answers PENDING to {verb!r} but has no 'settle'",
                    help="override settle(shard), which lets the system come to rest",
                )
            self.done("settle", shard)
            return answer
        if not isinstance(answer, Accepted | Refused):
            raise nonsense(verb, "ACCEPTED, Refused(reason) or PENDING", answer)
        return answer

    def executed(self, shard: str, since: int) -> list[Execution]:
        """What took effect at `shard` after the first `since` effects."""
        answer = self.call("executed", shard, since)
        return [_execution(x) for x in _items("executed", "a sequence of payloads", answer)]

    def ended(self, shard: str, since: int) -> list[Ended]:
        """What senders at `shard` were told after the first `since` times."""
        return self._listed(Ended, "ended", shard, since)

    def responses(self, shard: str, since: int) -> list[Response]:
        """What `shard` has emitted of its own accord after the first `since` times."""
        return self._listed(Response, "responses", shard, since)

    def announced(self, shard: str, since: int) -> list[bytes]:
        """What the log of `shard` says took effect, after the first `since` entries."""
        return self._listed(bytes, "announced", shard, since)

    def _listed(self, kind: type[T], verb: str, shard: str, since: int) -> list[T]:
        answer = self.call(verb, shard, since)
        expected = f"a sequence of {kind.__name__}"
        items = _items(verb, expected, answer)
        for x in items:
            if not isinstance(x, kind):
                raise nonsense(verb, expected, x)
        return items

    def balance(self, shard: str) -> int:
        """What all users of `shard` hold together."""
        answer = self.call("balance", shard)
        if not isinstance(answer, int) or isinstance(answer, bool):
            raise nonsense("balance", "a whole number", answer)
        return answer

    def digest(self, verb: str, shard: str) -> bytes:
        """The answer of a verb that tells the state of a shard in a few bytes."""
        return self.plain(verb, shard)

    def plain(self, verb: str, *args: Any) -> bytes:
        """The answer of a verb that returns bytes and refuses nothing."""
        answer = self.call(verb, *args)
        if not isinstance(answer, bytes):
            raise nonsense(verb, "bytes", answer)
        return _plain(answer)

    def path(self, evidence: bytes) -> Path:
        """Honest evidence, taken apart."""
        answer = self.call("dissect", evidence)
        if not isinstance(answer, Path):
            raise nonsense("dissect", "Path(index, count, siblings)", answer)
        return answer

    def foresee(self, verb: str, calls: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        """Say what is likely to be looked at after the next `verb`, if it wants to know."""
        if self.foresees:
            # Not counted among what was asked, by whoever counts.
            System.call(self, "foresee", verb, calls)

    def another(self) -> Adapter | None:
        """The same system once more, if there can be one."""
        answer = System.call(self, "another")
        if answer is not None and not isinstance(answer, Adapter):
            raise nonsense("another", "an adapter, or None", answer)
        return answer

    def forged_header(self, shard: str, receipt: bytes, how: int) -> tuple[bytes, bytes]:
        """A header that nobody produced, and its evidence."""
        answer = self.call("forge_header", shard, receipt, how)
        if not (isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(x, bytes) for x in answer)):
            raise nonsense("forge_header", "header and evidence, as a pair of bytes", answer)
        return answer


def nonsense(verb: str, expected: str, got: object) -> AdapterError:
    """An answer of a type that the contract does not know."""
    return AdapterError(
        f"the adapter's answer to {verb!r} makes no sense",
        expected=expected,
        got=shown(got),
        help="the contract of each verb is its docstring in shardproof/adapter.py",
    )


def _plain(data: bytes) -> bytes:
    """The same bytes without what a class derived from them does: how they compare is our affair."""
    return data if type(data) is bytes else bytes(data)


def _items(verb: str, expected: str, answer: object) -> list[Any]:
    """What is in an answer that is a sequence; it may be foreign code that hands it out."""
    if not isinstance(answer, Sequence) or isinstance(answer, bytes | str):
        raise nonsense(verb, expected, answer)
    try:
        return list(answer)
    except BaseException as error:
        let_through(error)
        raise AdapterError(
            f"the adapter's answer to {verb!r} cannot be read",
            expected=expected,
            got=raised(error),
            said=where(error),
        ) from error


def _execution(x: object) -> Execution:
    if isinstance(x, Execution):
        return x
    if isinstance(x, bytes):
        return Execution(x)
    raise nonsense("executed", "payloads as bytes, or Execution(payload, source)", x)
