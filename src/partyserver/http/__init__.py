"""Synchronous HTTP in hooks: `requests` and `urllib.request`.

    import partyserver.http
    import requests

    partyserver.http.enable()


    class Weather(Server):
        def on_start(self):
            self.report = requests.get("https://example.com/weather.json", timeout=10).json()

A call that waits suspends its hook alone: other events and other rooms are served meanwhile.
"""

from importlib import import_module
from importlib.util import find_spec

__all__ = ["enable"]


def enable() -> None:
    """Make `requests` and `urllib.request` work in hooks. It may be called twice.

    Call it where the worker's main module is imported, or in a hook. It needs
    `partyserver[http]`; for `urllib.request` alone, `pyodide-http`.

    Raises:
        ImportError: pyodide-http is not installed, or this is not Cloudflare's runtime.
    """
    if find_spec("js") is None:
        raise ImportError("partyserver.http works inside Cloudflare's runtime, and this is not it")
    if find_spec("pyodide_http") is None:
        raise ImportError("partyserver.http needs pyodide-http: install partyserver[http]")
    import_module(".openers", __name__).install()
    if find_spec("urllib3") is not None:
        import_module(".pools", __name__).install()
