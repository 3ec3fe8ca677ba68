"""From a layout to a network spec. One file an architecture; others plug in by entry point."""
