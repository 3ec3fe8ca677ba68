"""Counting instructions, and reading what a device measured."""
