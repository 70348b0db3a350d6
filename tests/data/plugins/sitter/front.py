"""Nothing: what it does, it does in the worker."""


class Plugin:
    """Has no hooks."""
