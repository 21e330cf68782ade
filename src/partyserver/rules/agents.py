"""The wire of the Agents SDK: the frames that its clients send, and those that they get."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from json import encoder
from typing import Any, NamedTuple

from ..errors import ClientError
from .callbacks import takes_payload
from .messages import bounded_json, compact_json, parse_json, plain_json, stored_json
from .plain import is_plain
from .urls import path_of, prefix_length, query_value

IDENTITY = "cf_agent_identity"
STATE = "cf_agent_state"
STATE_ERROR = "cf_agent_state_error"
MCP_SERVERS = "cf_agent_mcp_servers"
RPC = "rpc"

#: Values of `type` that are the SDK's.
TYPES = (IDENTITY, STATE, STATE_ERROR, MCP_SERVERS, RPC)

#: What clients are told of a refused state, and of a change for a connection that may make none.
IS_READONLY = "Connection is readonly"
REJECTED = "State update rejected"

#: Bytes of a state as JSON. A row of the platform's SQLite has at most 2 MB:
#: https://developers.cloudflare.com/durable-objects/platform/limits/
MAX_STATE = 1_900_000

#: Characters of a method's name that are told back.
_LONGEST_NAME = 100


class StateFrame(NamedTuple):
    """A client sets the state."""

    state: Any


class CallFrame(NamedTuple):
    """A client calls a method."""

    id: str
    method: str
    args: list[Any]


def parse_frame(message: str | bytes) -> StateFrame | CallFrame | None:
    """What a client says to the agent itself; None for all that is the user's.

    The SDK's clients send other frames as well, which this server has no answer to.
    """
    if type(message) is not str or not _may_be_frame(message):
        return None
    try:
        value = parse_json(message)
    except ValueError:
        return None
    if type(value) is not dict:
        return None
    # By hand: `match` asks each value whether it is a mapping, and takes three times as long.
    kind = value.get("type")
    if kind == RPC:
        id, method, args = value.get("id"), value.get("method"), value.get("args")
        if type(id) is str and type(method) is str and type(args) is list:
            call: CallFrame = _new(CallFrame, (id, method, args))
            return call
    elif kind == STATE and "state" in value:
        return StateFrame(value["state"])
    return None


#: What a `NamedTuple` is made by, with a function less.
_new: Any = tuple.__new__


def _may_be_frame(text: str) -> bool:
    """Whether a type may stand in a text, which is asked of each before it is parsed."""
    return RPC in text or STATE in text or "\\u" in text


# --- what clients get -------------------------------------------------------------------

#: JSON, in ASCII, of any text.
_quoted = encoder.encode_basestring_ascii


def identity_frame(name: str, agent: str, *, state_follows: bool) -> str:
    frame: dict[str, Any] = {"type": IDENTITY, "name": name, "agent": agent}
    if state_follows:
        frame["stateFollows"] = True
    return compact_json(frame)


def state_frame(state: str) -> str:
    """`state` is JSON."""
    return f'{{"type":"{STATE}","state":{state}}}'


def state_error_frame(error: str) -> str:
    return compact_json({"type": STATE_ERROR, "error": error})


#: There are none: MCP is not a part of this library, and clients wait for the frame.
MCP_FRAME = compact_json(
    {"type": MCP_SERVERS, "mcp": {"prompts": [], "resources": [], "servers": {}, "tools": []}}
)


def result_frame(id: str, result: Any) -> str:
    """The answer to a call. None is no result, which JavaScript's callers see as `undefined`.

    Raises `TypeError` or `ValueError` for a result that JSON cannot hold.
    """
    head = f'{{"type":"{RPC}","id":{_quoted(id)},"success":true,"done":true'
    if result is None:
        return f"{head}}}"
    return f"{head},{_result(result, 'what a callable returns')}"


def chunk_head(id: str) -> str:
    """What `chunk_frame` begins with in each chunk of one call."""
    return f'{{"type":"{RPC}","id":{_quoted(id)},"success":true,"done":false,'


def chunk_frame(head: str, chunk: Any) -> str:
    """A part of a streamed answer, of which more follow; `head` is of `chunk_head`."""
    if type(chunk) is str and chunk.isascii():  # as most are, and one call less
        return f'{head}"result":{_quoted(chunk)}}}'
    return head + _result(chunk, "a chunk of a stream")


def _result(value: Any, what: str) -> str:
    """The last member of a frame, and its end.

    Most are a text or a number, whose JSON needs none of the checks.
    """
    kind = type(value)
    if kind is str and value.isascii():
        return f'"result":{_quoted(value)}}}'
    if kind is int:
        return f'"result":{value}}}'
    return bounded_json({"result": value}, what)[1:]


def error_frame(id: str, error: str) -> str:
    """A call has failed."""
    return compact_json({"type": RPC, "id": id, "success": False, "error": error})


def no_such_method(name: str) -> str:
    return f"Method {_shortened(name)} does not exist"


def not_callable(name: str) -> str:
    return f"Method {_shortened(name)} is not callable"


def told_by(error: BaseException) -> str | None:
    """What a client may be told of a failure; None if that is for the log alone."""
    message = getattr(error, "message", None)
    return message if isinstance(error, ClientError) and isinstance(message, str) else None


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


# --- functions that are tried again -----------------------------------------------------


def needs_attempt(function: Callable[..., Any]) -> bool:
    """Whether a function cannot be called without the number of the attempt.

    What is optional has a default of its own. Raises `TypeError` for one that needs more, or would
    not run when it is called.
    """
    if not takes_payload(function):
        return False
    try:
        signature(function).bind()
    except TypeError:
        return True
    except ValueError:  # of a C function, which tells nothing
        return False
    return False


# --- URLs -------------------------------------------------------------------------------

PREFIX = "agents"

#: Why a client is turned away for good.
NO_CAPNWEB = "this agent speaks JSON, not Cap'n Web: leave out transport"
NO_SUB_AGENTS = "this agent has no sub-agents"


def asks_for_capnweb(url: str) -> bool:
    """Whether a client is going to speak Cap'n Web."""
    return query_value(url, "__agents_transport") == "capnweb"


def asks_for_sub_agent(url: str, prefix: str) -> bool:
    """Whether a URL is that of an agent below the one that it names: `.../sub/:agent/:name`."""
    rest = [part for part in path_of(url).split("/") if part][prefix_length(prefix) + 2 :]
    return len(rest) > 1 and rest[0] == "sub"


# --- states -----------------------------------------------------------------------------


def state_json(state: Any, *, was_json: bool = False) -> str:
    """A state as it is stored and sent; see `stored_json`."""
    if is_plain(state):  # which most are, and then there is nothing that could be wrong
        text = plain_json(state)
        if len(text) <= MAX_STATE and "\\u" not in text:
            return text
    instead = ": keep what not every client needs in the agent's storage"
    return stored_json(state, "a state", limit=MAX_STATE, instead=instead, was_json=was_json)


def merged(state: Any, patch: Any) -> Any:
    """A state with a JSON merge patch: https://www.rfc-editor.org/rfc/rfc7396

    Members of objects that the patch has are set, and those that are null there removed. A patch
    that is no object takes the place of the state.
    """
    if not isinstance(patch, dict):
        return patch
    result = dict(state) if isinstance(state, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result
