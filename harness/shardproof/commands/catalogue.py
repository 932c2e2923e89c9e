"""What there is, by name: properties, layers, stacks, actions and adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import metadata

from shardproof_models.language import whiteboard
from shardproof_models.stacks import LAYERS, STACKS
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .. import selection
from ..adapters.faulty import CONTROLS, FAULTS, Fault
from ..errors import UsageError, nearest
from ..loading import BUILT_IN, ENTRY_POINTS
from ..render.text import counted
from ..settings import Settings

Rows = tuple[tuple[str, str], ...]

#: What each role is good for, in the order in which they are listed.
_ROLES: Mapping[Role, str] = {
    Role.SAFETY: "nothing bad: true of every world",
    Role.STEP: "nothing bad: true of every step",
    Role.ISOLATION: "no shard waits for another",
    Role.ENABLED: "nothing is refused that is due",
    Role.PROGRESS: "something good: an honest attempt succeeds",
    Role.CONCRETE: "on implementations only: by twin runs, a ledger, real bytes",
    Role.WITNESS: "it can happen, so the others are not true of nothing",
    Role.LEMMA: "what makes the others inductive",
}


def properties(settings: Settings) -> Mapping[str, Rows]:
    """
    Every property, by what it is used for; with a stack or layers, those that say something of it.

    Where properties are asked for by name, all there is to say of each, its formula first.
    """
    if settings.properties:
        protocol = selection.protocol(settings.stack, settings.layers)
        asked = selection.names(settings.properties, protocol, *_ROLES)
        told = [p for p in properties_of(protocol) if selection.base(p.name) in asked]
        return {f"{p.id}  {p.name}": _told(p) for p in told}
    some = settings.stack or settings.layers
    chosen = (
        properties_of(selection.protocol(settings.stack, settings.layers)) if some else selection.catalogue()
    )
    return {
        title: rows
        for role, title in _ROLES.items()
        if (
            rows := tuple(
                {
                    selection.base(p.name): (
                        f"{p.id}  {selection.base(p.name)}",
                        p.doc.partition("\n")[0] or p.because,
                    )
                    for p in chosen
                    if p.role is role
                }.values()
            )
        )
    }


def _told(p: Property) -> Rows:
    formula = () if p.role is Role.ISOLATION else (("formula", str(p.formula)),)
    within = tuple(("claimed with", layer.name) for layer in p.within)
    return (
        *formula,
        ("says", " ".join(p.doc.split())),
        ("because", p.because),
        ("used as", p.role.value),
        *within,
    )


def layers(_: Settings) -> Mapping[str, Rows]:
    """Every layer."""
    return {
        "layers": tuple(
            (layer.name, _needs(layer.doc, [n.name for n in layer.needs])) for layer in LAYERS.values()
        )
    }


def _needs(doc: str, needs: list[str]) -> str:
    return f"{doc}; on top of {', '.join(needs)}" if needs else doc


def stacks(_: Settings) -> Mapping[str, Rows]:
    """Every stack: what it contains, which real system it follows, and where that is written down."""
    default = selection.DEFAULT_STACK
    return {
        name + (" (the default)" if name == default else ""): (
            ("layers", ", ".join(layer.name for layer in known.layers)),
            ("follows", known.follows),
            ("source", known.source),
        )
        for name, known in STACKS.items()
    }


def actions(settings: Settings) -> str:
    """The composed protocol as a person would write it on a whiteboard."""
    return whiteboard.write(selection.protocol(settings.stack, settings.layers))


def adapters(_: Settings) -> Mapping[str, Rows]:
    """Adapters of this package, the mistakes that `faulty` can make, and adapters of other packages."""
    built_in = [(name, _DESCRIPTIONS.get(name, "")) for name in BUILT_IN if name != "faulty"]
    faulty = tuple((f"faulty:{f.name}", f"{_shown_by(f)}: {_first(f.summary)}") for f in FAULTS.values())
    installed = tuple((entry.name, entry.value) for entry in metadata.entry_points(group=ENTRY_POINTS))
    controls = tuple(
        (f"faulty:{c.name}", f"{_entry(c)}in {c.stack}: {_first(c.summary)}") for c in CONTROLS.values()
    )
    own = (
        ("module:Class", "a class of yours, derived from shardproof.adapter.Adapter"),
        ("cmd:COMMAND", "a process of yours, in any language: harness/PROTOCOL.md"),
    )
    return {
        "adapters": tuple(built_in),
        "faulty, for trying out a harness": faulty,
        "different, and not to be flagged": controls,
        **({"installed": installed} if installed else {}),
        "your own": own,
    }


def _shown_by(fault: Fault) -> str:
    return f"{_entry(fault)}violates {fault.violates} in {counted(fault.shortest, 'step')}"


def _entry(fault: Fault) -> str:
    return f"{fault.corpus[0]}, " if fault.corpus else ""


def _first(doc: str) -> str:
    return doc.partition("\n")[0]


_DESCRIPTIONS = {
    "reference": "the protocol as it should be",
    "watermark": "another correct design: it remembers a mark instead of a table",
    "hyperlane": "the real contracts on an EVM; hyperlane:noop-ism has a mistake that has been made, "
    "hyperlane:anvil another EVM, and hyperlane:reorg-period chains that may drop their newest blocks",
    "axelar": "gateways with weighted signers and batches, that burn tokens here and mint them there",
    "nxtp": "Connext's swaps: locked here and there, fulfilled or given back when they expire",
    "openzeppelin": "Merkle multiproofs as compiled into an inbox of ours; openzeppelin:4.9.1 can be forged",
    "eventsourcing": "process managers that follow each other's logs; :any-order, :overtaken (loses), "
    ":pushed (believes anybody)",
    "nats": "shards behind a real broker that is killed; :window has a broker that forgets, and executes "
    "twice, :inbox shards that remember",
    "tvm": "contracts on the TVM that check native Merkle proofs; tvm:forgetful executes twice, "
    "tvm:sandbox and tvm:sandbox-forgetful are these on another TVM, in a process of Node.js",
}


LISTS: Mapping[str, Callable[[Settings], Mapping[str, Rows] | str]] = {
    "properties": properties,
    "layers": layers,
    "stacks": stacks,
    "actions": actions,
    "adapters": adapters,
}


#: The flags that choose among what is listed.
_USED: Mapping[str, tuple[str, ...]] = {
    "properties": ("stack", "layers", "property"),
    "actions": ("stack", "layers"),
}


def listed(what: str, settings: Settings) -> Mapping[str, Rows] | str:
    """One of `LISTS`. Raises `UsageError` if there is none of that name."""
    if what not in LISTS:
        raise UsageError(
            f"there is no list of {what!r}", expected=", ".join(LISTS), help=nearest(what, LISTS)
        )
    used = _USED.get(what, ())
    if idle := next(
        (name for name in ("stack", "layers", "property") if name in settings.given - {*used}), None
    ):
        raise UsageError(
            f"--{idle} means nothing here: a list of {what} is always a list of all of them",
            help=f"leave --{idle} out, or list {' or '.join(w for w, f in _USED.items() if idle in f)}",
        )
    return LISTS[what](settings)
