"""The main job and its run directory."""
