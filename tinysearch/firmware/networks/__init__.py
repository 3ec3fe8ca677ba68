"""Firmware of a network that somebody brings: its C, its project, and the rungs that check it."""
