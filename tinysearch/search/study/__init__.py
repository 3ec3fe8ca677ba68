"""Where a search is recorded, and who else works on it."""
