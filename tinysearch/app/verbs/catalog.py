"""List, check and price parts.

  python -m tinysearch catalog list [parts|chips|boards] [catalog=paper2023] [modality=face] [--json]
  python -m tinysearch catalog check PATH
  python -m tinysearch catalog price FILE.csv [catalog=PATH] [out=DIR]

`check` names every problem of a catalogue with file and line. `price` writes the prices of a CSV (columns
part,usd[,low,high,quantity,date,source,currency,seller]) into a catalogue of your own, or into a copy under out=DIR. Of
several sellers the cheapest counts; a currency has its rate on the command line: rates.eur=1.1. A built-in catalogue is
never changed: a copy of it with the prices goes to out=DIR, by default to a folder called as the CSV.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

from tinysearch.app.building.wiring import Config, build_catalog
from tinysearch.app.config.compose import compose_config, plain
from tinysearch.app.config.resources import data_dir
from tinysearch.app.config.tasks import task_of
from tinysearch.app.console import SafeConsole, say
from tinysearch.app.invocation import OK, WRONG_INPUT, Invocation
from tinysearch.app.terminal import listing_table, listing_width
from tinysearch.catalog.listing import Listing, board_listing, change_listing, chip_listing, part_listing
from tinysearch.catalog.loading import catalog_folder, check_catalog
from tinysearch.catalog.prices import read_prices, write_prices
from tinysearch.core.errors import UserError
from tinysearch.core.task import FUSION
from tinysearch.files import home_path

_LISTS = ("parts", "chips", "boards")


def run(invocation: Invocation) -> int:
    """Do what the first word says."""
    action, *rest = invocation.words or ("list",)
    config = plain(compose_config(invocation.overrides))
    match action, rest:
        case "list", _ if len(rest) <= 1:
            return _list(config, rest[0] if rest else "parts", as_json=invocation.json)
        case "check", [path]:
            return _check(path)
        case "price", [path]:
            return _price(config, home_path(path), as_json=invocation.json)
        case _:
            raise UserError(
                "catalog must be given list, check PATH or price FILE.csv",
                value=" ".join(invocation.words),
                remedy="see python -m tinysearch catalog --help",
            )


def _list(config: Config, what: str, *, as_json: bool) -> int:
    catalog = build_catalog(config)
    if what not in _LISTS:
        raise UserError(f"catalog list must be given {', '.join(_LISTS)}", value=what, remedy="leave it out for parts")
    if what == "parts":
        listing = part_listing(catalog)
    elif what == "chips":
        listing = chip_listing(catalog)
    else:
        task = task_of(config)
        sensors = task.sensors(task.combination(config["modality"] or FUSION))
        listing = board_listing(catalog, catalog.board_options(sensors), level=config["price_level"])
    _print(listing, as_json=as_json)
    return OK


def _check(path: str) -> int:
    path = str(home_path(path))
    problems = check_catalog(path, root=data_dir("hardware_catalog"))
    for problem in problems:
        say(problem)
    say(f"{path}: {len(problems)} problem{'' if len(problems) == 1 else 's'}" if problems else f"{path}: fine")
    return WRONG_INPUT if problems else OK


def _price(config: Config, path: Path, *, as_json: bool) -> int:
    name = str(config["catalog"]["name"])
    folder, built_in = catalog_folder(name, root=data_dir("hardware_catalog"))
    prices = read_prices(path, today=date.today().isoformat(), rates=config["rates"])
    out = None if config["out"] is None else Path(config["out"])
    if built_in and out is None:
        out = Path(path.stem)
    _print(change_listing(write_prices(folder, prices, out=out)), as_json=as_json)
    if out is not None:
        say(f"{out}: use it with catalog={out if len(out.parts) > 1 else f'./{out}'}", file=sys.stderr)
    return OK


def _print(listing: Listing, *, as_json: bool) -> None:
    if as_json:
        say(json.dumps(listing.records(), indent=2))
        return
    console = SafeConsole()
    if console.is_terminal:
        console.print(listing_table(listing, width=console.width))
    else:  # whole lines for those who search in them
        SafeConsole(width=listing_width(listing)).print(listing_table(listing, width=sys.maxsize))
