"""What a worker can import: what its Python has by itself, and what packages others come in."""

from __future__ import annotations

import sys

#: Where packages for the runtime lie, beside the wrangler config.
VENDORED = "python_modules"

#: What the runtime has beside Python, and how others of its modules begin. The SDK is an ordinary
#: package on top of these.
RUNTIME = ("js", "pyodide", "pyodide_js")
PREFIXES = ("_pyodide", "_cloudflare")
#: What only some versions of the runtime have. Packages may have these names, too.
SOMETIMES = ("cloudflare", "introspection", "micropip")

#: What Python has since the version of the runtime's.
NEWER = ("annotationlib", "compression")

#: Python's own modules that the runtime has not: for other systems or for terminals, and below,
#: those that 3.14 has no more. tests/testing/test_imports.py asks the runtime.
MISSING = {
    *("curses", "dbm", "ensurepip", "grp", "idlelib", "msvcrt", "nt", "pwd", "pydoc_data"),
    *("readline", "resource", "syslog", "tkinter", "turtle", "turtledemo", "venv", "winreg"),
    *("winsound",),
    *("aifc", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk", "crypt", "distutils"),
    *("imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes"),
    *("smtpd", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"),
}

PYTHONS = (sys.stdlib_module_names | {*NEWER}) - MISSING
#: What no package need bring.
PROVIDED = PYTHONS | {*RUNTIME, *SOMETIMES}

#: Packages whose names are not those of their modules, or that an extra of ours brings along.
_PACKAGES = {
    "PIL": "pillow",
    "asgi": "workers-runtime-sdk",
    "bs4": "beautifulsoup4",
    "cronsim": "partyserver[schedule]",
    "dateutil": "python-dateutil",
    "jwt": "pyjwt",
    "msgspec": "partyserver[events]",
    "pyodide_http": "partyserver[http]",
    "workers": "workers-runtime-sdk",
    "yaml": "pyyaml",
}


def package_of(module: str) -> str:
    """What to install for a module, as far as it can be told from the name of that.

    It is for a command line: an extra is quoted, since shells look for files by what is in `[]`.
    """
    package = _PACKAGES.get(module, module.replace("_", "-"))
    return f'"{package}"' if "[" in package else package


def why_not_there(module: str) -> str:
    """Says why a worker does not find a module of `MISSING`."""
    return f"Workers have no {module}, though it belongs to some Python: do without it"
