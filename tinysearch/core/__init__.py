"""The vocabulary every other room speaks: plain data and arithmetic, no input or output."""
