"""T-strings, which need Python 3.14: what the worker runs on, and not what the tests do."""


def select(server, name):
    return server.sql(t"select {name} as name, {len(name)} as length, {None} as absent")


def select_formatted(server, name):
    return server.sql(t"select {name!r} as name")


def select_with_parameters(server, name):
    return server.sql(t"select {name} as name", name)


def others(server, name):
    found = server.sql_one(t"select {name} as name, {len(name)} as length")
    return [found, server.sql_value(t"select {name}")]


def as_json(server, name):
    return server.sql_json(t"select {name} as name")
