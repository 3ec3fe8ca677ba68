"""Firmware of points: which ones, with whose weights, into which folder."""

from __future__ import annotations
