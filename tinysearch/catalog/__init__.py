"""YAML files -> chips, parts and boards; refuses numbers without a source."""

from tinysearch.catalog.catalog import Catalog
from tinysearch.catalog.document import Problem
from tinysearch.catalog.loading import check_catalog, load_catalog

__all__ = ["Catalog", "Problem", "check_catalog", "load_catalog"]
