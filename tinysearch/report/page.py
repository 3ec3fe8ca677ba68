"""One self-contained HTML file from a run: template, style, scripts and Plotly inlined, nothing fetched.

Text from catalogues and configuration goes through Jinja's escaping or into a JSON block whose ``<``, ``>`` and ``&``
are escaped, control and direction characters being spelled out; scripts build elements, never HTML from text. The
Content-Security-Policy forbids every request and runs only the two scripts whose digests it names.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from tinysearch.core.safe_text import printable
from tinysearch.distribution import installed_version
from tinysearch.report.advice import advise
from tinysearch.report.payload import payload
from tinysearch.report.picks import picks
from tinysearch.report.sentence import Sentence
from tinysearch.report.table import columns, rows
from tinysearch.report.view import RunView
from tinysearch.report.wording import count, label_of, money_sign, rate_name, shown_in, usd

SCRIPTS = ("core.js", "plots.js", "drawings.js", "compare.js", "main.js")

KINDS = {
    "answer": "In short",
    "cheapest": "Cheapest",
    "fastest": "Fastest",
    "knee": "Best value",
    "next": "A little more",
    "raise": "More budget",
    "give_up": "Give up first",
    "tie": "Ties",
    "over": "Out of reach",
    "nothing": "Nothing yet",
}
"""What the kinds of the first sentences are called on the page."""


def render(view: RunView) -> str:
    """The page as text; equal runs give equal pages. Amounts are in the currency of the run's budget."""
    with shown_in(view.data.currency, rate=view.data.rate):
        return _render(view)


def _render(view: RunView) -> str:
    advice, chosen = advise(view), picks(view)
    script = "(() => {\n'use strict';\n" + "\n".join(_asset(name) for name in SCRIPTS) + "\n})();\n"
    plotly = _plotly()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_plain
    )
    budget = "no limit" if view.budget_usd is None else usd(view.budget_usd)
    return environment.from_string(_asset("page.html.jinja")).render(
        advice=advice,
        caveat=view.data.caveat,
        currency=money_sign(),
        columns=columns(view),
        headline=f"What can be built for {budget}" if view.budget_usd is not None else "What can be built",
        kinds=KINDS,
        operating=_operating(view),
        objectives=", ".join(label_of(name) for name in view.objectives),
        payload=script_json(_plain(payload(view, advice, chosen))),
        picks=chosen,
        plotly=_own(base64.b64encode(gzip.compress(plotly, mtime=0)).decode()),
        policy=_policy(script.encode(), plotly),
        provenance=_provenance(view),
        rate=rate_name(),
        rows=rows(view),
        script=_own(script),
        style=_own(_asset("style.css")),
        summary=_summary(view),
        thinning=view.data.thinning,
        title=view.data.title,
        verdicts=_verdicts(advice.guidelines),
        version=installed_version(),
    )


def _operating(view: RunView) -> str:
    """What the columns of the table that are about people hold for."""
    if view.operating_far is None:
        return ""
    far = f"{100 * view.operating_far:g} %"
    if not view.retried:
        return f"FRR: share of anomalies that are missed at {far} of false alarms, for which the threshold is set."
    return (
        f"FRR: share of an owner's attempts that are rejected at FAR {far}, the run's operating point (firmware of "
        "networks that were trained here has its threshold). Until in: mean time until an owner is in, captures and "
        "retries included."
    )


def script_json(document: Mapping[str, Any]) -> Markup:
    """JSON that is safe inside a script element, whatever text it holds."""
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - every character with a meaning in HTML was replaced


def _plain(value: Any) -> Any:
    """A value whose texts hold no control and no direction characters; what is marked as HTML is ours and stays."""
    match value:
        case Markup():
            return value
        case str():
            return printable(value)
        case Mapping():
            return {_plain(name): _plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value


def _own(text: str) -> Markup:
    """Text that comes with the package or is base64, never from a run."""
    return Markup(text)  # noqa: S704


def _policy(*scripts: bytes) -> str:
    digests = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'" for text in scripts)
    return (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; img-src data: blob:; "
        "connect-src 'none'; base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return (resources.files("tinysearch.report") / "assets" / name).read_text(encoding="utf-8")


def _plotly() -> bytes:
    """Plotly's script, from its Python package."""
    return (resources.files("plotly") / "package_data" / "plotly.min.js").read_bytes()


def _summary(view: RunView) -> str:
    search = view.manifest.get("search", {})
    found = [f"{count(len(view.front), 'design')} on the front of {view.data.known} known"]
    if search:
        found.append(f"{count(search['trials'], 'trial')}, {count(search['trainings'], 'training')}")
        found.append(str(search["reason"]))
    return "; ".join(found)


def _verdicts(guidelines: Sequence[Sentence]) -> str:
    tally = Counter(sentence.holds for sentence in guidelines)
    words = ((True, "hold" if tally[True] != 1 else "holds"), (False, "not"), (None, "open"))
    return ", ".join(f"{tally[verdict]} {word}" for verdict, word in words if tally[verdict])


def _provenance(view: RunView) -> str:
    manifest = view.manifest
    versions = ", ".join(f"{name} {value}" for name, value in manifest.get("versions", {}).items() if value)
    rules = ", ".join(f"{name} {value}" for name, value in manifest.get("rules", {}).items())
    known = (("seed", manifest.get("seed")), ("versions", versions), ("digests", rules))
    return "tinysearch; " + "; ".join(f"{name}: {value}" for name, value in known if value not in (None, ""))
