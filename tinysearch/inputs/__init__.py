"""Kinds of input, one file each: what they are sensed with, what that costs, and how samples become network inputs."""

from __future__ import annotations

from tinysearch.inputs.kind import BUILT_IN, make_kind

__all__ = ["BUILT_IN", "make_kind"]
