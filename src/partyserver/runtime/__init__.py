"""The layer that speaks JavaScript, with `shortcuts` beside it.

Everything here is thin and has no opinion: which value, when and why is decided by the
modules above. Module level stays free of JavaScript calls, because a start-up snapshot
can hold imported modules but no objects that were made.
"""

from pyodide.ffi import JsException, JsProxy, can_run_sync, jsnull

from . import isolate

__all__ = ["JsException", "JsProxy", "can_run_sync", "isolate", "jsnull"]
