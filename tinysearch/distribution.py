"""The installed distribution: its name and version, and how to install what only some work needs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version

DISTRIBUTION = "tinysearch-boards"
"""Name under which the package is installed; ``tinysearch`` on PyPI is somebody else's text search."""

_UNINSTALLED = "0+unknown"


def installed_version() -> str:
    """Version of the distribution; ``0+unknown`` where the package is used without being installed."""
    return version_of(DISTRIBUTION) or _UNINSTALLED


def version_of(distribution: str) -> str | None:
    """Version of an installed distribution, None where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def install_line(extra: str) -> str:
    """A command that installs the packages of an extra by their own names, from a checkout and a wheel alike.

    Args:
        extra: as ``pyproject.toml`` has it: ``train``, ``dashboard``, ``ray`` ...
    """
    return "python -m pip install " + " ".join(f'"{package}"' for package in _packages(extra))


def _packages(extra: str) -> list[str]:
    """Requirements of an extra as the installed distribution states them; else the extra of the checkout."""
    try:
        stated = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        stated = []
    marker = f"extra == '{extra}'"
    found = [line.partition(";")[0].strip() for line in stated if marker in line.replace('"', "'")]
    return found or [f".[{extra}]"]
