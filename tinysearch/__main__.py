"""``python -m tinysearch`` and the console script."""

from __future__ import annotations

import sys

from tinysearch.app.sigint import end_at_once


def main() -> None:
    """Run the command line and exit with its status."""
    end_at_once()
    from tinysearch.app.cli import main as run

    sys.exit(run())


if __name__ == "__main__":
    main()
