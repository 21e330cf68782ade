"""What keeps a load from beginning."""


class LoadError(Exception):
    """What is wrong and what to do, for the person who has asked for the load: the status is 2."""
