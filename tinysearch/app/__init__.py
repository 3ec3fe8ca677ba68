"""The application: command line, verbs, Python interface, and the wiring from configuration to objects."""
