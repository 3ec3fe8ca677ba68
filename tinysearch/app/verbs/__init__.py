"""One file a verb: a docstring that is its help, and ``run``."""
