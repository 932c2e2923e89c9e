"""
Code of others, and what it may do to whoever calls it: raise anything, and not even say what.

Only what the person at the terminal wants goes through. `SystemExit` would end the command with an exit
code that the adapter chose, and what is no `Exception` would end it with a traceback and a 1, which
means violated.
"""

from __future__ import annotations

import sysconfig

from .errors import ShardproofError, printable

#: Where Python's own modules are, and besides them what is installed: nothing that a user would change.
_PYTHON = ("<frozen ", *(sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib")))
_INSTALLED = (*_PYTHON, *(sysconfig.get_path(kind) for kind in ("purelib", "platlib")))

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
    """
    The innermost place in code that its author can change, and then the one that raised.

    None of what was raised nowhere in foreign code.

    A decoder of the standard library that was given nonsense says nothing; who called it does.
    """
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(
            (code.co_filename, f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} in {code.co_name}")
        )
        trace = trace.tb_next
    # The first frame is our own call. What Python does to import a module is no place to look at either.
    foreign = [frame for frame in frames[1:] or frames if not frame[0].startswith("<frozen ")]
    if not foreign:
        return None
    of_its_author = (
        place
        for known in (_INSTALLED, _PYTHON)
        for file, place in reversed(foreign)
        if not file.startswith(known)
    )
    raiser = foreign[-1][1]
    own = next(of_its_author, raiser)
    return own if own == raiser else f"{own}, into {raiser}"


def shown(thing: object) -> str:
    """The type of `thing` and how it looks, cut where that is long."""
    name = type(thing).__name__
    try:
        text = repr(thing)
    except BaseException as error:
        let_through(error)
        return f"{name}, and {type(error).__name__} when it was asked how it looks"
    return printable(f"{name}: {text}", _SHOWN)
