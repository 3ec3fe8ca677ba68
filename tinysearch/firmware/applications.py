"""What a device does with embeddings, by the decision of its task: the C files of each application, and its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinysearch.core.task import Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Files of one application beside those that every project has.

    Attributes:
        sources: C files of ``main/`` that are built, copied with the header beside each.
        rendered: C files and headers of ``main/`` that come from templates.
        runtime: headers of the runtime that it calls.
        readme: its part of README.md, a template.
        stores: whether it keeps records in NVS.
    """

    sources: tuple[str, ...]
    readme: str
    rendered: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()
    stores: bool = False


_STREAMED = ("event.c", "stream.c")

APPLICATIONS: Mapping[Decision, Application] = {
    "verification": Application(
        sources=("app_lock.c", "attempts.c", "owner.c", "people.c", "sha256.c"), readme="README.lock.md", stores=True
    ),
    "classification": Application(
        sources=("app_classify.c", *_STREAMED),
        readme="README.classify.md",
        rendered=("classes.c", "classes.h"),
        runtime=("ts_classes.h",),
    ),
    "anomaly": Application(
        sources=("app_anomaly.c", *_STREAMED),
        readme="README.anomaly.md",
        rendered=("normal.c", "normal.h"),
        runtime=("ts_alarm.h", "ts_normal.h"),
    ),
}
"""By decision."""
