from __future__ import annotations

import pytest
from attrs import evolve

from sample_protocols.exercise import EXERCISE, HIGH, LATER, NO, catalogue
from shardproof_models.language.actions import Parts, Refusal, add, assign, at, insert, require, waive
from shardproof_models.language.protocol import CompositionError, Layer, Protocol, compose
from shardproof_models.language.terms import (
    FALSE,
    Bool,
    Entity,
    Number,
    forall,
    implies,
    next_,
    number,
    sealed,
)


class Room(Entity):
    """Somewhere."""


class Guest(Entity):
    """Somebody."""


class Nights(Number):
    """How long."""


FULL, CLOSED, LATE = Refusal("full"), Refusal("closed"), Refusal("late")

#: A layer to build on. Each test makes a layer of its own on top of it.
hotel = Layer("hotel")


@hotel.state
def taken(r: Room) -> Bool:
    """Somebody is in it."""
    return FALSE


@hotel.ghost
def stayed(r: Room) -> Nights:
    """For how long it has been taken, ever."""
    return number(0, Nights)


@hotel.defined
def free(r: Room) -> Bool:
    """Nobody is in it."""
    return ~taken(r)


@hotel.action
def enter(r: Room) -> Parts:
    """A guest takes a room."""
    yield require(free(r), FULL)
    yield insert(taken(r))
    yield add(stayed(r), 1)


@hotel.action
def leave(r: Room) -> Parts:
    """A guest goes."""
    yield require(taken(r), LATE)


class TestComposition:
    def test_an_extension_adds_clauses_effects_and_parameters(self) -> None:
        """The same name is the same parameter; a new name is a new one."""
        night = Layer("night", needs=(hotel,))

        @night.state
        def key_of(r: Room) -> Guest: ...

        @night.extends(enter)
        def at_night(r: Room, g: Guest) -> Parts:
            yield require(key_of(r) != g, CLOSED)
            yield assign(key_of(r), g)

        action = compose("inn", night).action("enter")

        assert [str(p) for p in action.parameters] == ["r", "g"]
        assert [str(c.condition) for c in action.clauses] == ["not taken(r)", "key_of(r) != g"]
        assert [str(e) for e in action.effects] == ["taken(r) := true", "stayed(r) += 1", "key_of(r) := g"]

    def test_one_name_is_one_parameter_in_all_layers(self) -> None:
        """Who goes in by night and who pays for it are the same guest, though no lower layer knows him."""
        night, bill = Layer("night", needs=(hotel,)), Layer("bill", needs=(hotel,))

        @night.state
        def key_of(r: Room) -> Guest: ...

        @bill.state
        def owes(g: Guest, r: Room) -> Bool:
            return FALSE

        @night.extends(enter)
        def at_night(r: Room, g: Guest) -> Parts:
            yield require(key_of(r) != g, CLOSED)
            yield assign(key_of(r), g)

        @bill.extends(enter)
        def on_credit(r: Room, g: Guest) -> Parts:
            yield require(~owes(g, r), LATE)
            yield insert(owes(g, r))

        action = compose("inn", night, bill).action("enter")

        assert [str(p) for p in action.parameters] == ["r", "g"]
        (g,) = {p for p in action.parameters if isinstance(p, Guest)}
        assert action.clauses[-1].condition.args[0].args[0] is g
        assert action.effects[-1].cell.args[0] is g
        assert [e.value for e in action.effects if e.symbol is key_of] == [g]

    def test_an_extension_may_say_where_an_action_happens(self) -> None:
        """A layer that moves what is somewhere else says who acts from then on."""
        night = Layer("night", needs=(hotel,))

        @night.state
        def porter(r: Room) -> Guest: ...

        @night.extends(enter)
        def let_in(r: Room) -> Parts:
            yield at(porter(r))

        assert str(compose("inn", night).action("enter").actor) == "porter(r)"
        assert compose("inn", hotel).action("enter").actor is None

    def test_before_places_a_clause_and_waive_removes_one(self) -> None:
        """Which refusal comes first can be observed, so its place is said."""
        action = EXERCISE.action("transfer")

        assert [c.refusal for c in action.clauses] == [HIGH, NO, LATER]

    def test_widening_adds_a_case_and_is_seen_by_what_is_defined_by_it(self) -> None:
        """A definition is unfolded when all layers are there."""
        night = Layer("night", needs=(hotel,))

        @night.state
        def closed() -> Bool:
            return FALSE

        @night.widens(free)
        def nobody_is_there(r: Room) -> Bool:
            return closed() & taken(r)

        protocol = compose("inn", night)

        assert str(protocol.action("enter").clauses[0].condition) == "not taken(r) or closed and taken(r)"
        assert {s.name for s in protocol.symbols} == {"taken", "stayed", "closed"}

    def test_an_extension_of_what_is_not_there_is_void(self) -> None:
        """A layer may speak of a layer that a stack does not have."""
        night = Layer("night")

        @night.extends(enter)
        def at_night(r: Room) -> Parts:
            yield require(taken(r), CLOSED)

        assert compose("nothing", night).actions == ()

    def test_needs_come_first_and_once(self) -> None:
        """The order of layers is that of their needs."""
        night, morning = Layer("night", needs=(hotel,)), Layer("morning", needs=(hotel,))

        assert [layer.name for layer in compose("inn", morning, night, hotel).layers] == [
            "hotel",
            "morning",
            "night",
        ]

    def test_an_action_has_a_name(self) -> None:
        """And asking for another one is an error that says which."""
        with pytest.raises(KeyError, match="evict"):
            compose("inn", hotel).action("evict")


class TestErrors:
    def test_writing_the_state_of_another_layer(self) -> None:
        """What was proved of the lower layer would be worth nothing; `touches` makes it visible."""
        night = Layer("night", needs=(hotel,))

        @night.extends(leave)
        def really(r: Room) -> Parts:
            yield assign(taken(r), FALSE)

        with pytest.raises(CompositionError) as error:
            compose("inn", night)

        assert str(error.value) == (
            "layer 'night': really writes taken, which is not its own\n"
            "  help  name it in Layer(touches=...) if the layer really changes lower state"
        )

    def test_touching_makes_it_legal(self) -> None:
        """The same layer, said openly."""
        night = Layer("night", needs=(hotel,), touches=(taken,))

        @night.extends(leave)
        def really(r: Room) -> Parts:
            yield assign(taken(r), FALSE)

        assert [str(e) for e in compose("inn", night).action("leave").effects] == ["taken(r) := false"]

    def test_a_guard_that_reads_a_ghost(self) -> None:
        """An implementation does not have it."""
        night = Layer("night", needs=(hotel,))

        @night.extends(enter)
        def once(r: Room) -> Parts:
            yield require(stayed(r) < 1, CLOSED)

        with pytest.raises(
            CompositionError, match=r"the clause 'closed' of enter reads the ghost stayed\n  help  ghosts are"
        ):
            compose("inn", night)

    def test_a_guard_that_reads_a_ghost_through_a_definition(self) -> None:
        """A name does not hide it, nor does widening one that was innocent."""
        night = Layer("night", needs=(hotel,))

        @night.widens(free)
        def never_used(r: Room) -> Bool:
            return stayed(r) == 0

        with pytest.raises(CompositionError, match=r"the clause 'full' of enter reads the ghost stayed"):
            compose("inn", night)

    @pytest.mark.parametrize("where", ["value", "condition"])
    def test_state_that_a_ghost_decides(self, where: str) -> None:
        """History must not flow back into what an implementation has."""
        night = Layer("night", needs=(hotel,))

        @night.state
        def long(r: Room) -> Bool:
            return FALSE

        @night.extends(enter)
        def remember(r: Room) -> Parts:
            if where == "value":
                yield assign(long(r), stayed(r) > 3)
            else:
                yield insert(long(r), where=stayed(r) > 3)

        with pytest.raises(CompositionError, match="enter lets the ghost stayed decide what becomes of long"):
            compose("inn", night)

    def test_waiving_a_clause_that_is_not_there(self) -> None:
        """A waiver of nothing hides that the clause has been renamed."""
        night = Layer("night", needs=(hotel,))

        @night.extends(enter)
        def anyone(r: Room) -> Parts:
            yield waive(LATE)
            yield require(taken(r), CLOSED)

        with pytest.raises(CompositionError, match="anyone waives late, which enter does not have"):
            compose("inn", night)

    def test_a_place_before_a_clause_that_is_not_there(self) -> None:
        """It would silently come last."""
        night = Layer("night", needs=(hotel,))

        @night.extends(enter)
        def early(r: Room) -> Parts:
            yield require(taken(r), CLOSED, before=LATE)

        with pytest.raises(
            CompositionError, match="early puts closed before late, which enter does not have"
        ):
            compose("inn", night)

    def test_a_parameter_that_changes_its_sort(self) -> None:
        """The same name would be two things."""
        night = Layer("night", needs=(hotel,))

        with pytest.raises(
            CompositionError, match=r"by_guest extends enter, whose parameter r is a Room, not a Guest"
        ):

            @night.extends(enter)
            def by_guest(r: Guest) -> Parts:
                yield require(FALSE, CLOSED)

    def test_two_layers_that_mean_different_things_by_a_parameter(self) -> None:
        """Neither knows of the other; put together, one name would be two things."""
        night, bill = Layer("night", needs=(hotel,)), Layer("bill", needs=(hotel,))

        @night.state
        def key_of(r: Room) -> Guest: ...

        @night.extends(enter)
        def at_night(r: Room, g: Guest) -> Parts:
            yield require(key_of(r) != g, CLOSED)

        @bill.extends(enter)
        def for_nights(r: Room, g: Nights) -> Parts:
            yield require(g >= 1, LATE)

        with pytest.raises(
            CompositionError,
            match="for_nights has a parameter g that is a Nights, and in a layer below it is a Guest",
        ):
            compose("inn", night, bill)

    def test_an_action_that_waives(self) -> None:
        """There is nothing below it."""
        night = Layer("night")

        with pytest.raises(CompositionError, match="rest: only an extension can waive a clause"):

            @night.action
            def rest(r: Room) -> Parts:
                yield waive(FULL)
                yield require(taken(r), CLOSED)

    def test_two_things_of_one_name(self) -> None:
        """Traces and scopes know actions and symbols by name."""
        night, day = Layer("night", needs=(hotel,)), Layer("day", needs=(hotel,))

        @night.action
        def enter(r: Room) -> Parts:
            yield require(taken(r), CLOSED)

        @day.state
        def taken_by(r: Room) -> Guest: ...

        with pytest.raises(CompositionError, match="two actions are called 'enter', and a trace could not"):
            compose("inn", night)
        day.symbols.append(evolve(day.symbols[0], name="taken"))
        with pytest.raises(CompositionError, match="two symbols are called 'taken'"):
            compose("inn", day)

    def test_widening_what_is_not_defined(self) -> None:
        """State is what it is; only an abbreviation has cases."""
        night = Layer("night", needs=(hotel,))

        with pytest.raises(
            CompositionError, match="layer 'night' widens taken, which is not a defined relation"
        ):
            night.widens(taken)


class TestExpand:
    def test_unfolds_what_a_header_remembers(self) -> None:
        """`sealed` reads the copy, where the protocol keeps one."""
        then = next(s for s in EXERCISE.state if s.name == "held_then")
        (looks_ahead,) = catalogue.entries

        expanded = EXERCISE.expand(looks_ahead.body)

        assert str(then) in str(expanded)
        assert "sealed" not in str(expanded)
        assert EXERCISE.speaks(looks_ahead.body)

    def test_does_not_speak_of_what_it_lacks(self) -> None:
        """Neither of symbols of others, nor of what no header remembers."""
        inn = compose("inn", hotel)

        assert inn.speaks(forall(Room, lambda r: implies(next_(taken(r)), free(r))))
        assert not inn.speaks(forall(Room, lambda r: sealed(r, taken(r))))
        assert not EXERCISE.speaks(forall(Room, taken))


def test_a_transformation_cannot_bring_in_a_second_symbol_of_one_name() -> None:
    """A solver would take the two for one, and prove things of neither."""
    layer = Layer("doubling")

    @layer.state
    def seen() -> Bool:
        """Something was seen."""
        return FALSE

    @layer.transforms
    def double(protocol: Protocol) -> Protocol:
        """Another symbol that is called the same."""
        return evolve(protocol, symbols=(*protocol.symbols, evolve(seen)))

    with pytest.raises(CompositionError, match="seen"):
        compose("doubled", layer)
