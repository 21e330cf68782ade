"""Apps whose code acts (see acting.py) at the place and in the way that the path tells."""

from acting import NOTES, Later, act, in_one_step
from partyserver.asgi import entrypoint
from plain import answer
from workers import Response


def app(scope, receive, send):
    """A plain function: what it returns is awaited."""
    if scope["type"] == "lifespan":
        raise RuntimeError("there is none")
    _, place, how = scope["path"].split("/")
    if place == "notes":
        return answer(send, NOTES)
    if place == "on_error":
        raise ZeroDivisionError(how)
    if how == "awaitable":
        return Later(answer_and_note(send, f"{place}.{how}"))
    return answer_and_act(send, how, f"{place}.{how}")


async def answer_and_act(send, how, name):
    await answer(send, "answered")
    return act(how, name)


async def answer_and_note(send, name):
    await answer(send, "answered")
    await in_one_step(name, None)


async def before_answer(scope, receive, send):
    """The same, before there is an answer."""
    if scope["type"] == "http":
        await act(scope["path"].split("/")[2], "before an answer")
        await answer(send, "answered")


def on_error(error):
    how = str(error)
    return act(how, f"on_error.{how}", Response("answered", status=418))


def starting(how):
    """An app that acts when it is started."""

    def starting_app(scope, receive, send):
        if scope["type"] == "lifespan":
            return act(how, f"lifespan.{how}")
        return answer(send, NOTES)

    return starting_app


HOWS = ["exit", "exit_later", "cancelled", "coroutine", "awaitable"]
SITES = {
    "acting": entrypoint(app),
    "acting-on-error": entrypoint(app, on_error=on_error),
    "acting-before": entrypoint(before_answer),
    **{f"starting-{how}": entrypoint(starting(how)) for how in HOWS},
}
