"""
A system on the way along a graph: where it is, what it was asked, and whether the judge agrees.

The model at a scope, the judge of the run and the system stand at one world. `step` asks the system
for one move and lets the judge compare; whatever is wrong ends the walk, and is told to whoever keeps
findings.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, evolve, field

from shardproof_models.language.protocol import Protocol
from shardproof_models.layers.exactly_once import Header, Receipt

from ..adapter import Adapter, Topology, capabilities
from ..deeds import DEEDS, Decides
from ..lockstep import Lockstep
from ..moves import Move
from ..oracle import Oracle
from ..readings.generated import Generated
from ..readings.rows import World
from ..runs import Bench, Found
from .agreement import Agreement
from .cast import Cast
from .course import Leg
from .graph import Graph, Instance, reachable
from .tally import Tally
from .variants import Adversary
from .walks import Planner

#: Room for receipts that are emitted again after a reorganisation, so that nothing is forgotten.
SPARE = 24

#: Steps between two looks at the clock.
LOOK_EVERY = 200

#: What users, consensus and operators do. A system may decline it, and is asked only where the model allows.
ENVIRONMENT = frozenset(
    {"emit", "produce", "finalise", "revert", "restart"}
    | {deed.action for deed in DEEDS.values() if deed.decides is Decides.ENVIRONMENT}
)


class WalkOver(Exception):  # noqa: N818  # it is no error: a walk has an end
    """Nothing more can come of this walk."""


@define(eq=False)
class Run:
    """A system, its judge and the model at one world."""

    adapter: Adapter
    #: The stack that it follows: what is broken has the name of one of its sentences.
    stack: Protocol
    #: The projection of it that judges, and that is walked on.
    protocol: Protocol
    leg: Leg
    tally: Tally
    worlds_max: int
    #: Whether the time is over; called now and then.
    late: Callable[[], bool]
    #: What becomes of a finding, and whether it is one to stop for if there are enough.
    keep: Callable[[Bench, Found], bool]
    bench: Bench = field(init=False)
    graph: Graph = field(init=False)
    planner: Planner = field(init=False)
    cast: Cast = field(init=False)
    agreement: Agreement = field(init=False)
    adversary: Adversary = field(init=False)
    #: The world at which all of them are, and how they came there.
    node: int = field(init=False, default=0)
    moves: list[Move] = field(init=False, factory=list)
    steps: int = field(init=False, default=0)
    resets: int = field(init=False, default=0)
    #: Returns to a snapshot.
    branches: int = field(init=False, default=0)
    violations: int = field(init=False, default=0)
    over: bool = field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        generated = Generated(self.protocol, self.leg.scope)
        able = capabilities(self.adapter)
        cast = self.cast = Cast(generated, able)
        instances = [Instance(a, args) for a, args in generated.instances]
        prompt = [x for x in instances if cast.prompt(x)]
        kept = []
        for instance in instances:
            if cast.prompt(instance):
                continue
            if why := cast.why_not(instance):
                self.tally.impossible[instance.name, why] += 1
            elif not self._left_out(instance):
                kept.append(instance)
        self.graph = reachable(
            generated,
            kept,
            prompt=prompt,
            tried=lambda name: name not in ENVIRONMENT,
            follows=takes_part(cast),
            worlds_max=self.worlds_max,
            late=self.late,
        )
        self.planner = Planner(self.graph)
        self.adversary = Adversary(able)
        scope, shards = self.leg.scope, cast.shards
        receipts, headers = len(scope.domain(Receipt)), len(scope.domain(Header))
        reserve = sum(cast.rigid("reserve", s) for s in range(shards))
        # The last places for headers are kept for those that there are not yet.
        oracle = Oracle(self.stack, shards, receipts + SPARE, shards + 1 + 2 * headers + 2, reserve)
        self.bench = Bench(self.adapter, oracle, evolve(Topology.of(shards), reserve=reserve))
        self.agreement = Agreement(cast, self.graph)
        self.agreement.places(oracle)

    def _left_out(self, instance: Instance) -> bool:
        """Whether an instance takes no part in this leg."""
        if instance.name in self.leg.without:
            return True
        if self.leg.idle or instance.name != "learn":
            return False
        d, h = instance.args
        of, rigid = self.cast.rigid("origin", h), self.cast.rigid
        ends = {(rigid("source", m), rigid("destination", m)) for m in self.leg.scope.domain(Receipt)}
        tells = any(a.name == "acknowledge" for a in self.protocol.actions)
        if rigid("reserve", of):
            # Any heir may have taken over what comes from there.
            return all(d != end for _, end in ends)
        return (of, d) not in ends and not (tells and (d, of) in ends)

    # ---- one step ---------------------------------------------------------------------------------

    @property
    def lock(self) -> Lockstep:
        """The run as it is now."""
        return self.bench.lock

    def begin(self) -> None:
        """Everything is at its beginning again."""
        self.bench.fresh()
        self.resets += 1
        self.node, self.moves = 0, []
        self.cast.clear()
        self.adversary.clear()
        self.planner.shy.clear()

    def step(self, move: Move) -> None:
        """One move, judged. Ends the walk if something is wrong, or if it is late."""
        self.moves.append(move)
        self.steps += 1
        self.tally.steps += 1
        wrong = self.lock.run(move)
        if wrong is not None:
            self.found(Found(self.bench.named(wrong, self.moves), tuple(self.moves)))
            raise WalkOver
        if self.lock.wide:
            self.cast.answered(self.lock)
        if self.steps % LOOK_EVERY == 0 and self.late():
            self.over = True
            raise WalkOver

    def found(self, found: Found) -> None:
        """Something is wrong."""
        self.violations += self.keep(self.bench, found)

    def still(self, node: int) -> bool:
        """Whether nothing has changed, and nobody is in doubt about it."""
        lock = self.lock
        return not lock.doubtful and not lock.happened and self.agreement.holds(lock, node)


def takes_part(cast: Cast) -> Callable[[Instance, World], bool]:
    """
    What is left out of a world, although the model has it there.

    Blocks of one shard differ in nothing but their names: the first that was not made comes first. And
    a shard that was not founded yet, or has retired, is not asked for anything.
    """
    index = cast.generated.index
    ever = [index[s] for s in cast.generated.protocol.state if s.name in ("produced", "dropped")]
    origins = {h: cast.rigid("origin", h) for h in cast.generated.scope.domain(Header)}
    before = {
        h: sum(1 << g for g in origins if cast.shards <= g < h and origins[g] == origins[h]) for h in origins
    }

    living = [index[s] for s in cast.generated.protocol.state if s.name == "live"]

    def follows(instance: Instance, world: World) -> bool:
        if instance.name not in ("produce", "restart"):
            return True
        shard = instance.args[0] if instance.name == "restart" else origins[instance.args[0]]
        if any(not world[place][0] >> shard & 1 for place in living):
            return False
        if instance.name == "restart":
            return True
        made = 0
        for place in ever:
            made |= world[place][0]
        needed = before[instance.args[0]]
        return made & needed == needed

    return follows
