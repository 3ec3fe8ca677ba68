"""What follows from a design by arithmetic: flash, arena, latency, boards and their rules. Pure functions."""
