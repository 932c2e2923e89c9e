"""
What a process did instead of answering, told so that its author finds the place.

Each message names the verb, the request, the line that came (one line, shortened, without control
characters), the last lines of stderr, and a guess at the cause.
"""

from __future__ import annotations

from ...errors import AdapterError, nearest, printable
from .child import Child, Silence, SilencedError
from .values import MistypedError
from .wire import HELLO, LINE_BYTES_MAX, VERSION, Failed, Verb, forms

#: How much of a line is shown.
SHOWN = 160
#: How many of the last lines of stderr are shown, and how much of each.
STDERR_LINES = 4

_PROTOCOL = "harness/PROTOCOL.md"

_GUESSES = {
    Silence.LATE: "it hangs in this verb, or keeps its answer in a buffer: flush stdout after each line",
    Silence.DEAF: "it must read stdin line by line, and answer each line before it reads the next",
    Silence.HALF: "an answer is one line, and ends with a line feed; flush stdout after it",
    Silence.LONG: f"a line has at most {LINE_BYTES_MAX:,} bytes; log lines go to stderr",
    Silence.GONE: "it must live until its stdin is closed; what it said last is above",
    Silence.SHUT: "it must read on until its stdin is closed",
    Silence.CLOSED: "nothing but answers goes to stdout, and it stays open until stdin is closed",
}

_STARTING = "is this a process that speaks the protocol? It must answer a first line, the greeting"

_SIGNALS = {
    "SIGSEGV": "it crashed in native code: a wild pointer, or a stack without end",
    "SIGABRT": "it gave up by itself: an assertion, or an allocator that found its memory broken",
    "SIGBUS": "it crashed in native code: a wild pointer",
    "SIGKILL": "somebody killed it: where nobody did, there was not enough memory",
    "SIGILL": "it ran into an instruction that this machine does not have",
}

_EXITS = {
    "with exit code 0": "it ended as if it were done: it must read on until stdin is closed",
    "with exit code 126": "its program cannot be executed",
    "with exit code 127": "a program that it needs was not found",
}


class BrokenProcessError(AdapterError):
    """A process broke the protocol, or reports that it could not answer."""

    def __init__(
        self,
        summary: str,
        verb: str,
        *,
        expected: object = None,
        got: object = None,
        said: str | None = None,
        help: str | None = None,
        definite: bool = False,
    ) -> None:
        super().__init__(summary, expected=expected, got=got, said=said, help=help)
        self.verb = verb
        #: Whether what was asked for surely did not happen.
        self.definite = definite


def shown(line: bytes | str) -> str:
    """A line of a process: inert, and short."""
    text = line.decode(errors="backslashreplace") if isinstance(line, bytes) else line
    return printable(text.replace("\r", "\\r").replace("\n", "\\n"), SHOWN)


def silent(child: Child, asked: str, verb: str, error: SilencedError, seconds: float) -> BrokenProcessError:
    """A process that did not answer."""
    ended = child.status()
    why = f"it has ended {ended}" if ended else error.why.value
    if ended and error.why is not Silence.GONE:
        why += ", and something that it started keeps its pipes open"
    guess = _EXITS.get(ended or "") or _SIGNALS.get((ended or "").removeprefix("by signal "), "")
    if verb == HELLO and not guess:
        guess = _STARTING
    expected = f"an answer to {shown(asked)}"
    if error.why in (Silence.LATE, Silence.DEAF, Silence.HALF):
        expected = f"within {seconds:g} s, {expected}"
    return BrokenProcessError(
        f"the process did not answer {verb!r}: {why}",
        verb,
        expected=expected,
        got=shown(error.begun) if error.begun else "nothing",
        said=_last_words(child),
        help=guess or _GUESSES[Silence.GONE if ended else error.why],
    )


def garbled(child: Child, asked: str, verb: str, line: bytes, why: str) -> BrokenProcessError:
    """A line that is no answer."""
    echoed = line.strip() == asked.strip().encode()
    stray = f"only answers go to stdout; if this was a log line, send it to stderr: {_PROTOCOL}"
    return BrokenProcessError(
        f"the process broke the protocol in its answer to {verb!r}: {why}",
        verb,
        expected=f'one line of JSON, {{"id": ..., "ok": ...}}, in answer to {shown(asked)}',
        got=shown(line) or "an empty line",
        said=_last_words(child),
        help="it says what it hears: is this a program that speaks the protocol?" if echoed else stray,
    )


def unasked(child: Child, asked: str, verb: str, number: int, got: object, line: bytes) -> BrokenProcessError:
    """An answer to another request than the one that waits."""
    if type(got) is not int or got < 0:
        why = "an id is the number of a request, as it was given"
    elif got < number:
        why = f"request {got} has been answered: it answers twice, or out of order"
    else:
        why = f"request {got} was never asked, or waits for its turn: answers come in the order of requests"
    return BrokenProcessError(
        f"the process answered another request than {verb!r}",
        verb,
        expected=f'"id": {number}, in answer to {shown(asked)}',
        got=shown(line),
        said=_last_words(child),
        help=why,
    )


def mistyped(child: Child, asked: str, verb: Verb, error: MistypedError, line: bytes) -> BrokenProcessError:
    """An answer that its verb cannot have."""
    return BrokenProcessError(
        f"the process's answer to {verb.name!r} makes no sense: expected {error.expected}",
        verb.name,
        expected=f"{forms(verb)}, in answer to {shown(asked)}",
        got=f"{shown(repr(error.got))} in {shown(line)}",
        said=_last_words(child),
        help=f"the table of verbs says what each answers with: {_PROTOCOL}",
    )


def failed(child: Child, asked: str, verb: str, failure: Failed, *, listed: bool) -> BrokenProcessError:
    """An error that the process reports itself."""
    fault = failure.fault
    if fault.code == "unknown-verb" and listed:
        told = f"its greeting lists {verb!r}: list only verbs that it has"
    elif fault.definite:
        told = "definite: what was asked for surely did not happen; a rejection by the system is `refused`"
    else:
        told = "indefinite: what was asked for may have happened, so nothing that follows can be judged"
    return BrokenProcessError(
        f"the process reports an error in {verb!r}: {fault.code} ({fault.says})",
        verb,
        expected=f"an answer to {shown(asked)}",
        got=shown(failure.message) or "no message",
        said=_last_words(child),
        help=told,
        definite=fault.definite,
    )


def ungreeted(child: Child, why: str, got: object, help: str | None = None) -> BrokenProcessError:
    """A greeting that is none."""
    return BrokenProcessError(
        f"the process's answer to {HELLO!r} is no greeting: {why}",
        HELLO,
        expected=f'{{"protocol": {VERSION}, "name": ..., "version": ..., "stack": ..., "verbs": [...]}}',
        got=shown(got if isinstance(got, str) else repr(got)),
        said=_last_words(child),
        help=help or f"what a greeting says: {_PROTOCOL}",
    )


def unknown_verb(child: Child, verb: str, known: list[str]) -> BrokenProcessError:
    """A greeting that lists what is no verb."""
    return ungreeted(child, "it lists a verb that there is not", verb, nearest(verb, known))


def _last_words(child: Child) -> str:
    lines = [line for line in child.stderr().splitlines() if line.strip()]
    if not lines:
        return "nothing on stderr"
    return "\n".join(["on stderr, last:", *(shown(line) for line in lines[-STDERR_LINES:])])
