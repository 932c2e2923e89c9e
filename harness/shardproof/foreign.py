"""
Code of others, and what it may do to whoever calls it: raise anything, and not even say what.

Only what the person at the terminal wants goes through. `SystemExit` would end the command with an exit
code that the adapter chose, and what is no `Exception` would end it with a traceback and a 1, which
means violated.
"""

from __future__ import annotations

from .errors import ShardproofError, printable

#: What is shown of something that is shown for its type.
_SHOWN = 200


def let_through(error: BaseException) -> None:
    """Raise `error` again if it is a Ctrl-C, or an error that is told already. Else nothing happens."""
    if isinstance(error, ShardproofError | KeyboardInterrupt):
        raise error
    if isinstance(error, BaseExceptionGroup) and error.subgroup(KeyboardInterrupt) is not None:
        # Which is how a framework for tasks passes it on.
        raise KeyboardInterrupt from error


def raised(error: BaseException) -> str:
    """The type of `error` and what it says; that is foreign code too."""
    name = type(error).__name__
    try:
        text = str(error)
    except BaseException as another:
        let_through(another)
        return f"{name}, and {type(another).__name__} when it was asked what it says"
    return f"{name}: {text}" if text else name


def where(error: BaseException) -> str | None:
    """The innermost place in foreign code; none if it does not come so far."""
    trace = error.__traceback__
    place = None
    while trace is not None:
        code = trace.tb_frame.f_code
        # Not what Python does to import a module.
        if not code.co_filename.startswith("<frozen "):
            place = f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return place


def shown(thing: object) -> str:
    """The type of `thing` and how it looks, cut where that is long."""
    name = type(thing).__name__
    try:
        text = repr(thing)
    except BaseException as error:
        let_through(error)
        return f"{name}, and {type(error).__name__} when it was asked how it looks"
    return printable(f"{name}: {text}", _SHOWN)
