"""
Layers, and how they compose into a protocol.

A layer declares symbols, adds actions, and extends the actions of lower layers; composing
is superposition. A layer strengthens guards and writes only its own state, so what was
proved of the lower layers stays true. Where it waives a clause or touches lower state it
says so, and the composition is proved again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, ParamSpec, TypeVar, overload

from attrs import evolve, field, frozen

from .actions import Action, Parts, Waiver, action_of
from .terms import (
    Bool,
    Entity,
    Kind,
    Op,
    Public,
    Symbol,
    Term,
    Variable,
    any_of,
    close,
    coerce,
    declare,
    parameters_of,
    rebuild,
    substitute,
    subterms,
    symbols_of,
)

P = ParamSpec("P")
T = TypeVar("T", bound=Term)

#: Terms that speak of copies of the state; void where a protocol makes none.
COPIES = (Op.SEALED, Op.DURABLE)

Home = Callable[..., Term] | Public
Definitions = dict[Symbol[Any, Any], Bool]


class CompositionError(TypeError):
    """Layers that do not fit together, or a layer that does what it must not."""


@frozen(eq=False)
class Layer:
    """A namespace of declarations, filled while its module is imported, read-only after."""

    name: str
    needs: tuple[Layer, ...] = ()
    #: Lower state that this layer may write; costs a new proof.
    touches: tuple[Symbol[Any, Any], ...] = ()
    doc: str = ""
    symbols: list[Symbol[Any, Any]] = field(factory=list, init=False)
    axioms: list[Bool] = field(factory=list, init=False)
    actions: list[Action] = field(factory=list, init=False)
    extensions: list[tuple[Action, Action, tuple[Waiver, ...]]] = field(factory=list, init=False)
    widenings: list[tuple[Symbol[Any, Any], Bool, tuple[Term, ...]]] = field(factory=list, init=False)
    redefinitions: list[tuple[Symbol[Any, Any], Bool, tuple[Term, ...]]] = field(factory=list, init=False)
    transformations: list[Callable[[Protocol], Protocol]] = field(factory=list, init=False)

    def _symbol(self, kind: Kind, function: Callable[P, T], home: Home | None = None) -> Symbol[P, T]:
        self.symbols.append(symbol := declare(kind, function, home))
        return symbol

    def rigid(self, function: Callable[P, T]) -> Symbol[P, T]:
        """A symbol that never changes."""
        return self._symbol(Kind.RIGID, function)

    @overload
    def state(self, function: Callable[P, T], /) -> Symbol[P, T]: ...
    @overload
    def state(self, /, *, home: Home) -> Callable[[Callable[P, T]], Symbol[P, T]]: ...
    def state(self, function: Any = None, /, *, home: Home | None = None) -> Any:
        """State; the body is the initial value. `home` is the shard that keeps it, over the parameters."""
        return self._stateful(Kind.STATE, function, home)

    @overload
    def ghost(self, function: Callable[P, T], /) -> Symbol[P, T]: ...
    @overload
    def ghost(self, /, *, home: Home) -> Callable[[Callable[P, T]], Symbol[P, T]]: ...
    def ghost(self, function: Any = None, /, *, home: Home | None = None) -> Any:
        """State that no guard may read: history, for proofs and oracles."""
        return self._stateful(Kind.GHOST, function, home)

    def _stateful(self, kind: Kind, function: Any, home: Home | None) -> Any:
        return self._symbol(kind, function) if function else lambda f: self._symbol(kind, f, home)

    def defined(self, function: Callable[P, T]) -> Symbol[P, T]:
        """An abbreviation, which layers above may widen."""
        return self._symbol(Kind.DEFINED, function)

    def axiom(self, function: Callable[..., Bool]) -> Bool:
        """What is assumed of the rigid symbols, for all values of the parameters."""
        variables = parameters_of(function)
        self.axioms.append(formula := close(variables, function(*variables)))
        return formula

    def action(self, function: Callable[..., Parts]) -> Action:
        """An action of this layer."""
        action, waivers = action_of(function)
        if waivers:
            raise CompositionError(f"{action.name}: only an extension can waive a clause")
        self.actions.append(action)
        return action

    def extends(self, base: Action) -> Callable[[Callable[..., Parts]], Action]:
        """More clauses, effects and parameters for `base`. Void in a stack without `base`."""

        def decorate(function: Callable[..., Parts]) -> Action:
            known = {p.head.name: p for p in base.parameters}
            parameters = tuple(known.get(p.head.name, p) for p in parameters_of(function))
            for ours in parameters_of(function):
                if (theirs := known.get(ours.head.name)) is not None and type(theirs) is not type(ours):
                    raise CompositionError(
                        f"{function.__name__} extends {base.name}, whose parameter {ours.head.name} is a "
                        f"{type(theirs).__name__}, not a {type(ours).__name__}"
                    )
            extension, waivers = action_of(function, parameters)
            self.extensions.append((base, extension, waivers))
            return extension

        return decorate

    def widens(self, symbol: Symbol[P, Bool]) -> Callable[[Callable[P, Bool]], None]:
        """Another case of a defined relation."""
        return self._says_of("widens", symbol, self.widenings)

    def redefines(self, symbol: Symbol[P, Bool]) -> Callable[[Callable[P, Bool]], None]:
        """What a defined relation means from here on, instead of what it meant. Costs a new proof."""
        return self._says_of("redefines", symbol, self.redefinitions)

    def _says_of(
        self,
        how: str,
        symbol: Symbol[P, Bool],
        kept: list[tuple[Symbol[Any, Any], Bool, tuple[Term, ...]]],
    ) -> Callable[[Callable[P, Bool]], None]:
        if symbol.kind is not Kind.DEFINED:
            raise CompositionError(
                f"layer {self.name!r} {how} {symbol.name}, which is not a defined relation"
            )

        def decorate(function: Callable[P, Bool]) -> None:
            variables = parameters_of(function)
            case = function(*variables)  # type: ignore[call-arg, arg-type]  # a ParamSpec cannot be built from data
            kept.append((symbol, coerce(case, Bool, f"a case of {symbol.name}"), variables))

        return decorate

    def transforms(self, function: Callable[[Protocol], Protocol]) -> Callable[[Protocol], Protocol]:
        """A change to the whole composed protocol, which speaks of state that other layers declare."""
        self.transformations.append(function)
        return function


@frozen(eq=False)
class Protocol:
    """A closed composition: nothing defined is left, only rigid symbols and state."""

    name: str
    layers: tuple[Layer, ...]
    symbols: tuple[Symbol[Any, Any], ...]
    axioms: tuple[Bool, ...]
    actions: tuple[Action, ...]
    definitions: Definitions = field(repr=False)
    #: Where a protocol remembers, for each header, the state that it sealed: symbol -> remembered symbol.
    remembers: dict[Symbol[Any, Any], Symbol[Any, Any]] = field(factory=dict, repr=False)
    #: Where shards may lose power, what they do not lose: symbol -> durable copy.
    keeps: dict[Symbol[Any, Any], Symbol[Any, Any]] = field(factory=dict, repr=False)
    #: What was expanded before: terms are keys by identity.
    _expanded: dict[Term, Term] = field(factory=dict, init=False, repr=False)

    @property
    def state(self) -> tuple[Symbol[Any, Any], ...]:
        """What a world consists of, ghosts included."""
        return tuple(s for s in self.symbols if s.is_state)

    @property
    def rigid(self) -> tuple[Symbol[Any, Any], ...]:
        """What a topology fixes."""
        return tuple(s for s in self.symbols if s.kind is Kind.RIGID)

    @property
    def sorts(self) -> tuple[type[Entity], ...]:
        """The sorts of entities that it speaks of, in order of first mention."""
        terms = [t for s in self.symbols for t in (*map(type, s.parameters), s.sort)]
        terms += [type(p) for a in self.actions for p in a.parameters]
        return tuple(dict.fromkeys(t for t in terms if issubclass(t, Entity)))

    @cached_property
    def _known(self) -> frozenset[Symbol[Any, Any]]:
        return frozenset(self.symbols)

    def action(self, name: str) -> Action:
        """The action called `name`. Raises `KeyError`."""
        return next((a for a in self.actions if a.name == name), None) or _missing(name)

    def expand(self, term: T) -> T:
        """`term` over rigid symbols and state only: definitions and `sealed` unfolded; of one term, one."""
        if term not in self._expanded:
            self._expanded[term] = self._remembered(_unfold(term, self.definitions))
        return coerce(self._expanded[term], type(term))

    def _remembered(self, term: T) -> T:
        def leaf(t: Term) -> Term:
            if t.head is Op.SEALED:
                return _in_header(t.args[0], t.args[1], self.remembers)
            return _kept(t.args[0], self.keeps) if t.head is Op.DURABLE else t

        return rebuild(term, leaf) if any(t.head in COPIES for t in subterms(term)) else term

    def speaks(self, term: Term) -> bool:
        """Whether this protocol has every symbol of `term`, and remembers what is asked as sealed."""
        heads = {t.head for t in subterms(self.expand(term))}
        return heads.isdisjoint(COPIES) and all(h in self._known for h in heads if isinstance(h, Symbol))


def _missing(name: str) -> Action:
    raise KeyError(name)


def _in_header(header: Term, term: Term, remembers: dict[Symbol[Any, Any], Symbol[Any, Any]]) -> Term:
    """`term` with every remembered symbol read in the state that `header` sealed."""
    mentioned = {s for s in symbols_of(term) if s.is_state and s.home is not Public.PUBLIC}
    if not mentioned <= remembers.keys():
        return type(term)(Op.SEALED, (header, term))
    return rebuild(
        term, lambda t: t.head.sort(remembers[t.head], (header, *t.args)) if t.head in remembers else t
    )


def _kept(term: Term, keeps: dict[Symbol[Any, Any], Symbol[Any, Any]]) -> Term:
    """`term` with every symbol that a shard keeps read in what is durable of it."""
    mentioned = {s for s in symbols_of(term) if s.is_state and s.home is not Public.PUBLIC}
    if not mentioned <= keeps.keys():
        return type(term)(Op.DURABLE, (term,))
    return rebuild(term, lambda t: evolve(t, head=keeps[t.head]) if t.head in keeps else t)


def _unfold(term: T, definitions: Definitions) -> T:
    def unfold(t: Term) -> Term:
        if t.head not in definitions:
            return t
        body = substitute(
            definitions[t.head], {p.head: a for p, a in zip(t.head.parameters, t.args, strict=True)}
        )
        return _unfold(body, definitions)

    return rebuild(term, unfold)


def compose(name: str, *layers: Layer) -> Protocol:
    """The superposition of `layers`, in that order, with what they need. Raises `CompositionError`."""
    ordered: list[Layer] = []

    def visit(layer: Layer) -> None:
        for lower in layer.needs:
            visit(lower)
        if layer not in ordered:
            ordered.append(layer)

    for layer in layers:
        visit(layer)

    definitions = _definitions(ordered)
    extensions: dict[Action, list[tuple[Action, tuple[Waiver, ...]]]] = {}
    for layer in ordered:
        own = {*layer.symbols, *layer.touches}
        for base, extension, waivers in layer.extensions:
            _must_write_only(layer, extension, own)
            extensions.setdefault(base, []).append((extension, waivers))
        for action in layer.actions:
            _must_write_only(layer, action, own)

    actions = tuple(
        _superpose(a, extensions.get(a, []), definitions) for layer in ordered for a in layer.actions
    )
    for action in actions:
        _must_not_read_ghosts(action)
    symbols = tuple(s for layer in ordered for s in layer.symbols if s.kind is not Kind.DEFINED)
    axioms = tuple(_unfold(a, definitions) for layer in ordered for a in layer.axioms)
    _must_be_unique("action", (a.name for a in actions))
    _must_be_unique("symbol", (s.name for layer in ordered for s in layer.symbols))
    protocol = Protocol(name, tuple(ordered), symbols, axioms, actions, definitions)
    for layer in ordered:
        for transformation in layer.transformations:
            protocol = transformation(protocol)
    # Once more: two symbols of one name are one symbol to a solver.
    _must_be_unique("symbol", (s.name for s in protocol.symbols))
    _must_be_unique("action", (a.name for a in protocol.actions))
    return protocol


def _definitions(layers: list[Layer]) -> Definitions:
    definitions: Definitions = {
        s: coerce(s.body, Bool, s.name) for layer in layers for s in layer.symbols if s.kind is Kind.DEFINED
    }
    redefined: dict[Symbol[Any, Any], Layer] = {}
    for layer in layers:
        for symbol, body, variables in layer.redefinitions:
            if symbol in redefined:
                raise CompositionError(
                    f"layers {redefined[symbol].name!r} and {layer.name!r} both redefine {symbol.name}"
                )
            if symbol in definitions:
                redefined[symbol] = layer
                definitions[symbol] = _over_parameters(symbol, body, variables)
    for layer in layers:
        for symbol, body, variables in layer.widenings:
            if symbol in definitions:
                case = _over_parameters(symbol, body, variables)
                definitions[symbol] = any_of(definitions[symbol], case)
    return definitions


def _over_parameters(symbol: Symbol[Any, Any], body: Bool, variables: tuple[Term, ...]) -> Bool:
    return substitute(body, {v.head: p for v, p in zip(variables, symbol.parameters, strict=True)})


def _superpose(
    base: Action, extensions: list[tuple[Action, tuple[Waiver, ...]]], definitions: Definitions
) -> Action:
    parameters, clauses, effects = list(base.parameters), list(base.clauses), list(base.effects)
    actor = base.actor
    for separate, waivers in extensions:
        extension = _sharing(separate, tuple(parameters))
        parameters += [p for p in extension.parameters if not any(p is q for q in parameters)]
        waived = {w.refusal for w in waivers}
        if missing := waived - {c.refusal for c in clauses}:
            raise CompositionError(
                f"{extension.name} waives {', '.join(map(str, missing))}, which {base.name} does not have"
            )
        clauses = [c for c in clauses if c.refusal not in waived]
        for clause in extension.clauses:
            if clause.before is not None and clause.before not in {c.refusal for c in clauses}:
                raise CompositionError(
                    f"{extension.name} puts {clause.refusal} before {clause.before}, "
                    f"which {base.name} does not have"
                )
            place = next((i for i, c in enumerate(clauses) if c.refusal == clause.before), len(clauses))
            clauses.insert(place, clause)
        effects += extension.effects
        actor = actor if extension.actor is None else extension.actor
    return evolve(
        base,
        actor=actor,
        parameters=tuple(parameters),
        clauses=tuple(evolve(c, condition=_unfold(c.condition, definitions)) for c in clauses),
        effects=tuple(
            evolve(
                e,
                value=_unfold(e.value, definitions),
                where=_unfold(e.where, definitions),
                cell=_unfold(e.cell, definitions),
            )
            for e in effects
        ),
    )


def _sharing(extension: Action, parameters: tuple[Term, ...]) -> Action:
    """`extension` with the parameters that are there already: one name is one parameter in all layers."""
    known = {p.head.name: p for p in parameters}
    by: dict[Variable, Term] = {}
    for ours in extension.parameters:
        theirs = known.get(ours.head.name, ours)
        if type(theirs) is not type(ours):
            raise CompositionError(
                f"{extension.name} has a parameter {ours.head.name} that is a {type(ours).__name__}, "
                f"and in a layer below it is a {type(theirs).__name__}"
            )
        if theirs is not ours:
            by[ours.head] = theirs
    return evolve(
        extension,
        parameters=tuple(by.get(p.head, p) for p in extension.parameters),
        clauses=tuple(evolve(c, condition=substitute(c.condition, by)) for c in extension.clauses),
        effects=tuple(
            evolve(
                e,
                cell=substitute(e.cell, by),
                value=substitute(e.value, by),
                where=substitute(e.where, by),
            )
            for e in extension.effects
        ),
    )


def _must_be_unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise CompositionError(f"two {what}s are called {name!r}, and a trace could not tell them apart")
        seen.add(name)


def _must_write_only(layer: Layer, action: Action, own: set[Symbol[Any, Any]]) -> None:
    for effect in action.effects:
        if effect.symbol not in own:
            raise CompositionError(
                f"layer {layer.name!r}: {action.name} writes {effect.symbol.name}, which is not its own\n"
                "  help  name it in Layer(touches=...) if the layer really changes lower state"
            )


def _must_not_read_ghosts(action: Action) -> None:
    for clause in action.clauses:
        for symbol in symbols_of(clause.condition):
            if symbol.kind is Kind.GHOST:
                raise CompositionError(
                    f"the clause {clause.refusal.name!r} of {action.name} reads the ghost {symbol.name}\n"
                    "  help  ghosts are history for proofs and oracles: an implementation does not have them"
                )
    for effect in action.effects:
        if effect.symbol.kind is Kind.STATE:
            for symbol in symbols_of(effect.value, effect.where, *effect.cell.args):
                if symbol.kind is Kind.GHOST:
                    raise CompositionError(
                        f"{action.name} lets the ghost {symbol.name} decide "
                        f"what becomes of {effect.symbol.name}"
                    )
