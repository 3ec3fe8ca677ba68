"""YAML files -> chips, parts and boards; refuses numbers without a source."""

from tinysearch.catalog.catalog import Catalog, check_catalog, load_catalog
from tinysearch.catalog.document import Problem

__all__ = ["Catalog", "Problem", "check_catalog", "load_catalog"]
