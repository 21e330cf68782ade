"""Classes that cannot be agents, each made by a function; and what is said of them."""

from partyserver import Server, agents
from partyserver.events import Event, Events, on


class Say(Event):
    text: str


def initial_state_is_no_json():
    class Wrong(agents.Agent):
        initial_state = {1, 2}


def validates_later():
    class Wrong(agents.Agent):
        async def validate_state_change(self, state, source): ...


def in_camel_case():
    class Wrong(agents.Agent):
        def onStateChanged(self, state, source): ...


def by_a_name_of_old():
    class Wrong(agents.Agent):
        def on_state_update(self, state, source): ...


def hook_that_is_not_there():
    class Wrong(agents.Agent):
        async def onEmail(self, email): ...


def hook_of_workflows():
    class Right(agents.Agent):
        @agents.callable
        def onProgress(self): ...  # which clients call

        async def on_email(self, email): ...  # which another worker calls

    class Wrong(agents.Agent):
        async def onWorkflowProgress(self, workflow, id, progress): ...


def initial_state_in_camel_case():
    class Wrong(agents.Agent):
        initialState = 1


def takes_too_little():
    class Wrong(agents.Agent):
        def on_state_changed(self, state): ...  # type: ignore[override]


def misspelt():
    class Wrong(agents.Agent):
        def on_state_change(self, state, source): ...


def does_not_hibernate():
    class Wrong(agents.Agent):
        options = {"hibernate": False}


def unknown_client_state():
    class Wrong(agents.Agent):
        options = {"client_state": "ignore"}  # type: ignore[typeddict-item]


def option_of_no_agent():
    class Wrong(Server):
        options = {"client_state": "merge"}


def callable_of_no_agent():
    class Wrong(Server):
        @agents.callable
        def add(self): ...


def hook_is_callable():
    class Wrong(agents.Agent):
        @agents.callable
        def on_message(self, connection, message): ...


def fetch_is_callable():
    class Wrong(agents.Agent):
        @agents.callable
        def fetch(self, request): ...


def init_is_callable():
    class Wrong(agents.Agent):
        @agents.callable
        def __init__(self, ctx, env): ...


def then_is_callable():
    class Wrong(agents.Agent):
        @agents.callable
        def then(self): ...


def state_on_the_class():
    class Wrong(agents.Agent):
        state = {"count": 0}  # pyright: ignore[reportAssignmentType]


def callable_yields():
    class Wrong(agents.Agent):
        @agents.callable(streaming=True)
        async def count(self, stream):
            yield 1


def callable_takes_a_keyword():
    class Wrong(agents.Agent):
        @agents.callable
        def add(self, *, by): ...


def stream_without_a_stream():
    class Wrong(agents.Agent):
        @agents.callable(streaming=True)
        def count(self): ...


def callable_is_static():
    class Wrong(agents.Agent):
        @agents.callable
        @staticmethod
        def add(): ...


def static_is_callable():
    class Wrong(agents.Agent):
        @staticmethod
        @agents.callable
        def add(by): ...


def of_a_class_is_callable():
    class Wrong(agents.Agent):
        @classmethod
        @agents.callable
        def add(cls, by): ...


def callable_handles_events():
    class Wrong(Events, agents.Agent):
        @on
        @agents.callable
        async def say(self, connection, event: Say): ...


def event_handler_is_callable():
    class Wrong(Events, agents.Agent):
        @agents.callable
        @on
        async def say(self, connection, event: Say): ...


def streaming_is_no_bool():
    agents.callable(streaming=1)  # type: ignore[call-overload]


def description_is_no_text():
    agents.callable(description=1)  # type: ignore[call-overload]


def message_of(name):
    try:
        globals()[name]()
    except TypeError as error:
        return str(error)
    return None


def stream_is_an_int():
    class Wrong(agents.Agent):
        @agents.callable(streaming=True)
        def count(self, n: int): ...


def stream_of_a_plain_one():
    class Wrong(agents.Agent):
        @agents.callable
        def count(self, stream: agents.StreamingResponse): ...
