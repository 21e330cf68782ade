"""What ends a command."""


class CommandError(Exception):
    """What is wrong, for the person who has run the command: it is printed, and the status is 1."""
