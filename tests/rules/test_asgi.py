import pytest
from partyserver.rules.asgi import REQUEST, request_behind

PLATFORMS = object()


class Framework:
    """A request of an app's framework, which knows its scope."""

    def __init__(self, scope):
        self.scope = scope


@pytest.mark.parametrize(
    "request_of_an_app", [{REQUEST: PLATFORMS}, Framework({REQUEST: PLATFORMS})]
)
def test_the_platforms_request_stands_in_the_scope(request_of_an_app):
    assert request_behind(request_of_an_app) is PLATFORMS


@pytest.mark.parametrize("request_itself", [PLATFORMS, Framework("a permission"), None])
def test_any_other_is_one_itself(request_itself):
    assert request_behind(request_itself) is request_itself


@pytest.mark.parametrize("elsewhere", [{"type": "http"}, Framework({})])
def test_a_scope_of_another_server_says_what_it_lacks(elsewhere):
    with pytest.raises(TypeError, match=rf"this {type(elsewhere).__name__} has not come by party"):
        request_behind(elsewhere)
