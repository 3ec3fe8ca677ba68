"""From words to one configuration: files, plug-ins, resources of the package."""
