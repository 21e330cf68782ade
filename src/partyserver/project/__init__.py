"""A project as it lies on the disk: what the command and the testing kit both know of it.

On the standard library alone, and for outside of the worker.
"""
