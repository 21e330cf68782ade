"""A project on workerd, on one's own machines: outside of the worker, by the standard library."""
