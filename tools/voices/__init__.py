"""Synthetic speakers: who they are, what they say, how it is spoken, and how it reaches the microphone."""
