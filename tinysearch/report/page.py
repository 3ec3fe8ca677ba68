"""One self-contained HTML file from a run: template, style, scripts and Plotly inlined, nothing fetched."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, StrictUndefined

from tinysearch.report.view import RunView


def render(view: RunView) -> str:
    """The page as text."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_asset("page.html.jinja"))
    return template.render(view=view)


def _asset(name: str) -> str:
    return (resources.files("tinysearch.report") / "assets" / name).read_text(encoding="utf-8")
