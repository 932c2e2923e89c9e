"""Why a shard that sends, executes, answers and refunds did not do what it was asked to."""

from __future__ import annotations

from enum import Enum


class Refusal(Enum):
    """The words are those of the model's clauses; what only bytes can be has words of its own."""

    LOST_POWER = "lost power"
    # Blocks.
    NOT_PRODUCED = "not produced"
    ALREADY_FINAL = "already final"
    PARENT_NOT_FINAL = "parent not final"
    # Delivering.
    UNTRUSTED_HEADER = "untrusted header"
    WRONG_SOURCE = "wrong source"
    MALFORMED = "malformed"
    NOT_CANONICAL = "not canonical"
    UNPROVEN = "unproven"
    WRONG_DESTINATION = "wrong destination"
    CONSUMED = "consumed"
    EXPIRED = "expired"
    OUT_OF_ORDER = "out of order"
    NOT_EXPIRED = "not expired"
    CLOSED = "closed"
    RUNNING = "running"
    # Sending.
    UNWRITABLE = "a number without an encoding"
    UNKNOWN_ASSET = "unknown asset"
    INSUFFICIENT = "insufficient balance"
    ENDED = "ended"
    # What becomes of a receipt.
    NO_ACKNOWLEDGEMENT = "no acknowledgement"
    NOT_PENDING = "not pending"
    NOT_ELAPSED = "not elapsed"
    RECEIVED = "received"
    NOT_CLOSED = "not closed"
    # Whom to believe.
    UNKNOWN_VALIDATORS = "unknown validators"
    TRUST_EXPIRED = "trust expired"
    TOO_FEW_SIGNATURES = "too few signatures"
    ALREADY_INITIALISED = "already initialised"
    ALREADY_CLAIMED = "already claimed"
    NOT_CLAIMED = "not claimed"
    CHALLENGED = "challenged"
    UNDER_CHALLENGE = "the window is open"
    IS_FINAL = "final"
