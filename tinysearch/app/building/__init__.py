"""From a configuration to objects: catalog, models, spaces, branches, trainers."""
