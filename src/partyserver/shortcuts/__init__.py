"""The fast paths, all of them, each around a detour of the platform's.

What they rely on is private to the runtime (workerd 1.20261117.1, Pyodide 314.0.6), so each
is taken only where all that it needs is there, and nothing depends on one being taken:
without them the same events arrive by the runtime's own ways. `docs/pages/performance.md` has what
each of them saves.
"""
