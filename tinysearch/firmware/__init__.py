"""From a frozen network to a project that builds: oracle, constants of the kernels, emitter, ladder of checks."""
