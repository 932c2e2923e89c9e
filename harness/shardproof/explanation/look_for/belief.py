"""Whom a shard believes: headers that are not final, that nobody produced, or that it never learned."""

from __future__ import annotations

from collections.abc import Mapping

from .line import Line

_FORGED_HEADERS = (
    Line(
        "Look at the window in which a claim can be challenged: a claim must not be believed before it is "
        "over, nor after somebody has objected.",
        lambda f: "optimistic" in f.layers,
    ),
    Line(
        "Look where the signatures of a header are verified: whether they are checked by the light client "
        "itself, enough of them, and not because the caller or a field says so.",
        lambda f: f.verb == "forge_header" and getattr(f.last, "number", 0) == 0,
    ),
    Line(
        "Look at which validators the light client takes for elected, and by which way that set can be "
        "changed.",
        lambda f: f.verb == "forge_header",
    ),
    Line("Look where the light client decides that a header was produced by its shard and is final."),
)

_BEFORE_FINAL = (
    Line(
        "Look where `deliver` looks up the header that it is shown: to be known, or to be on the chain, is "
        "not to be final, and a block that is not final can still be dropped.",
        lambda f: f.verb != "learn" and f.damage is None and "self-certified" in f.layers,
    ),
    Line(
        "Look where the light client decides that a header is final: what carries no certificate must not "
        "pass for what needs none.",
    ),
)

#: Sentence -> its lines; the last of each needs nothing.
SENTENCES: Mapping[str, tuple[Line, ...]] = {
    "executes-only-on-trusted-headers": (
        Line(
            "Look where `deliver` decides that a header is trusted: it has to be among those that were "
            "learned, and to be certified is not the same.",
        ),
    ),
    "executes-only-on-final-headers": _BEFORE_FINAL,
    "trusts-only-final-headers": _BEFORE_FINAL,
    "trusts-only-produced-headers": _FORGED_HEADERS,
    "knows-only-elected-validators": (
        Line(
            "Look at whom a payload can call: the owner of the set of validators must not be reachable by "
            "what is delivered.",
            lambda f: any(m.terms is not None and m.terms.takeover for m in f.sent),
        ),
        *_FORGED_HEADERS,
    ),
    "is-set-up-once": (
        Line(
            "Look at the mark that says that a light client was set up: who may clear it, and whether it "
            "is asked."
        ),
    ),
    "learns-what-is-final": (
        Line("Look at what a light client needs to believe the first header of a new set of validators."),
    ),
}
