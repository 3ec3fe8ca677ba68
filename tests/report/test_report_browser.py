"""The page in Chromium: it opens without complaint, the slider filters, points compare, nothing smuggled runs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from report_browser import MISSING, Browser, browser
from report_cases import Case, branch, evaluation, make_case, rates
from test_report_page import EVIL, small_case

from tinysearch.core.cascade import Cascade, CascadeFigures
from tinysearch.core.execution import Execution
from tinysearch.report import write_data, write_report
from tinysearch.report.table import rows

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

READY = "document.documentElement.dataset.ready"
ROWS = "[...document.querySelectorAll('#table tbody tr')].filter(row => !row.hidden).map(row => row.dataset.id)"
POINTS = "document.getElementById('plot-cost').data[2].customdata"
HOME, END, RIGHT = "\ue011", "\ue010", "\ue014"


CASE = small_case(EVIL)
WORSE = (("bare", 0.2), ("everything", 0.1))


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def opened(started: Browser, tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """The page of a run with a hostile part name, opened once for all tests that leave it as they found it."""
    _open(started, CASE, tmp_path_factory.mktemp("run"))
    return started


@pytest.fixture
def chromium(opened: Browser) -> Iterator[Browser]:
    """That page; afterwards nothing smuggled has run, nothing was fetched and the console is empty."""
    yield opened
    opened.run("document.getElementById('clear').click()")
    assert opened.run("return window.hacked === undefined && !document.querySelector('img')")
    assert opened.run("return performance.getEntriesByType('resource').length") == 0
    assert opened.messages() == []


def _open(chromium: Browser, case: Case, folder: Path) -> None:
    chromium.resize(1400, 1000)
    chromium.open(write_report(case.write(folder)))
    chromium.wait(READY)
    _look(chromium, "plot-cost")
    chromium.wait("(document.getElementById('plot-cost').data || []).length === 4")


def _look(chromium: Browser, element: str) -> None:
    """Figures draw themselves only while they are in view."""
    chromium.run("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", element)


def _press(chromium: Browser, selector: str, keys: str) -> None:
    element = chromium.call("POST", "/element", {"using": "css selector", "value": selector})
    chromium.call("POST", f"/element/{next(iter(element.values()))}/value", {"text": keys})


def _click(chromium: Browser, selector: str) -> None:
    element = chromium.call("POST", "/element", {"using": "css selector", "value": selector})
    chromium.call("POST", f"/element/{next(iter(element.values()))}/click")


def _settled(chromium: Browser, condition: str) -> None:
    chromium.wait(condition, seconds=10)


def test_the_slider_filters_points_and_nothing_complains(chromium: Browser) -> None:
    case = CASE
    assert chromium.run(f"return {ROWS}") == list(case.front)
    assert sorted(chromium.run(f"return {POINTS}")) == sorted(case.front)
    _press(chromium, "#budget", HOME)
    _settled(chromium, f"{POINTS}.length === 1")
    cheapest = min(case.view.points, key=case.view.cost)
    assert chromium.run(f"return {ROWS}") == [cheapest.id]
    assert chromium.run(f"return {POINTS}") == [cheapest.id]
    assert chromium.run("return document.getElementById('amount').value") == f"{case.view.cost(cheapest):g}"
    _press(chromium, "#budget", END)
    _settled(chromium, f"{POINTS}.length === 3")


def test_any_figure_can_be_limited(chromium: Browser) -> None:
    offered = chromium.run("return [...document.getElementById('limited').options].map((option) => option.value)")
    assert {"latency_s", "eer"} <= set(offered)
    for name in ("latency_s", "eer"):
        chromium.run(f"document.getElementById('limited').value = '{name}'")
        chromium.run("document.getElementById('limited').dispatchEvent(new Event('change'))")
        _press(chromium, "#limit", HOME)
        least = min(CASE.view.points, key=lambda design: getattr(design, name))
        assert chromium.run(f"return {ROWS}") == [least.id]
        assert " at most " in chromium.run("return document.getElementById('bound').textContent")
        _press(chromium, "#limit", END)
        assert chromium.run(f"return {ROWS}") == list(CASE.front)
    assert chromium.run("return document.getElementById('bound').textContent") == "none"


def test_the_legend_hides_and_shows(chromium: Browser) -> None:
    box = "[...document.querySelectorAll('#legend label')].find(label => label.textContent === 'face').firstChild"
    chromium.run(f"{box}.click()")
    _settled(chromium, f"{POINTS}.length === 2")
    chromium.run(f"{box}.click()")
    _settled(chromium, f"{POINTS}.length === 3")


def test_a_processor_can_be_chosen(started: Browser, opened: Browser, tmp_path: Path) -> None:
    found = [
        evaluation([branch("voice")], board="bare", errors=rates(0.2), latency_s=0.1),
        evaluation([branch("voice")], board="camera", errors=rates(0.2), latency_s=0.2),
        evaluation([branch("face")], board="camera", errors=rates(0.1), latency_s=0.3),
    ]
    platform = replace(found[1].candidate.platform, processor="esp32c3", board="one core")
    found[1] = replace(found[1], candidate=replace(found[1].candidate, platform=platform))
    case = make_case(found)
    _open(started, case, tmp_path)
    choose = (
        "const select = document.getElementById('processor'); select.value = arguments[0];"
        "select.dispatchEvent(new Event('change', {bubbles: true}))"
    )
    # What another chip dominates is on the front of its own chip.
    assert found[1].candidate.id not in case.front
    started.run(choose, "esp32c3")
    assert started.run(f"return {ROWS}") == [found[1].candidate.id]
    _settled(started, f"{POINTS}.length === 1")
    assert "Lowest EER 20.0 %: voice 1-1 int8" in started.run("return document.getElementById('count').textContent")
    _click(started, f"tr[data-id='{found[1].candidate.id}'] input")
    assert "On the front of what is shown" in started.run("return document.querySelector('#cards').textContent")
    started.run(choose, "")
    assert started.run(f"return {ROWS}") == list(case.front)
    assert started.messages() == []


def test_pictures_show_how_networks_are_executed(started: Browser, opened: Browser, tmp_path: Path) -> None:
    both = [branch("face"), branch("voice")]
    found = [
        evaluation([branch("face")], board="two cores", errors=rates(0.2), latency_s=0.1),
        evaluation(both, board="two cores", errors=rates(0.15), latency_s=0.2),
        evaluation(both, board="everything", errors=rates(0.1), latency_s=0.3),
    ]
    for number, execution in ((0, Execution(cores=2)), (2, Execution(cascade=True))):
        platform = replace(found[number].candidate.platform, execution=execution)
        found[number] = replace(found[number], candidate=replace(found[number].candidate, platform=platform))
    cascade = Cascade(first="voice", reject_below=0, accept_from=1, runs=0.5, impostor_runs=0.4)
    taken = {"latency_s": 0.25, "acquisition_s": 1.0, "energy_mj": None, "effective_latency_s": None}
    found[2] = replace(found[2], cascade=CascadeFigures(cascade=cascade, second="face", **taken))
    case = make_case(found)
    _open(started, case, tmp_path)
    _click(started, "#clear")
    told = []
    for each in found:
        _click(started, f"tr[data-id='{each.candidate.id}'] input")
        told.append(started.run("return document.querySelector('#cards article').textContent"))
        _click(started, f"tr[data-id='{each.candidate.id}'] input")
    assert ["heavy layers on both cores" in text for text in told] == [True, False, False]
    assert ["scores added" in text for text in told] == [False, True, False]
    assert ["voicefirst,theotherifunsure" in text.replace(" ", "") for text in told] == [False, False, True]
    assert [text.count("core 1") for text in told] == [1, 1, 0]
    assert all("cameraOV2640" in text for text in told)
    assert ["microphoneINMP441" in text for text in told] == [False, True, True]
    assert started.messages() == []


def test_names_of_any_length_stay_within_their_blocks(started: Browser, opened: Browser, tmp_path: Path) -> None:
    sensor = "SPH0645LM4H breakout (Adafruit 3421, I2S), OV2640_with_a_name_of_one_word"
    found = [evaluation([branch("voice", blocks=(2,) * 9)], board="everything", errors=rates(0.1))]
    found[0] = replace(found[0], details={**found[0].details, "reads": {"voice": ["microphone", sensor]}})
    _open(started, make_case(found), tmp_path)
    picture = "document.querySelector('#cards svg[aria-label^=block]')"
    told = started.run(f"return {picture}.textContent").replace(" ", "")
    assert sensor.replace(" ", "") in told
    assert "voice2-2-2-2-2-2-2-2-2" in told
    beyond = started.run(
        f"""return [...{picture}.querySelectorAll('g')].flatMap((group) => {{
          const box = group.querySelector('rect').getBoundingClientRect();
          return [...group.querySelectorAll('text')].filter((text) => {{
            const own = text.getBoundingClientRect();
            return own.left < box.left || own.right > box.right || own.top < box.top || own.bottom > box.bottom;
          }}).map((text) => text.textContent);
        }})"""
    )
    assert beyond == []


def test_a_classification_has_an_error_and_no_eer(started: Browser, opened: Browser, tmp_path: Path) -> None:
    both = [evaluation([branch("face")], board=name, errors=rates(rate, curves=False)) for name, rate in WORSE]
    case = make_case(both)
    folder = case.write(tmp_path)
    write_data(folder, replace(case.data, rate="error"))
    started.open(write_report(folder))
    started.wait(READY)
    _look(started, "plot-cost")
    started.wait("(document.getElementById('plot-cost').data || []).length === 4")
    told = started.run("return [...document.querySelectorAll('header, main')].map(e => e.textContent).join(' ')")
    assert "EER" not in told
    assert "lowest error" in told
    assert "error (%)" in told
    assert "tell classes" in started.run("return document.querySelector('.none').textContent")


@pytest.mark.parametrize(("known", "label"), [(True, "effective, FAR 1 % / 10 %"), (False, "effective")])
def test_a_card_has_no_row_without_a_value(
    started: Browser, opened: Browser, tmp_path: Path, known: bool, label: str
) -> None:
    """As of a classification, which nobody repeats until it accepts."""
    told = rates(0.1) if known else replace(rates(0.1), frr_at_far={}, frr_ci95_at_far={}, eer_ci95=None)
    found = [replace(evaluation([branch("face")], board="bare", errors=told), energy_mj=2.0 if known else None)]
    _open(started, make_case(found), tmp_path)
    rows_told = started.run("return [...document.querySelectorAll('#cards table')][0].innerText.split('\\n')")
    assert any(row.startswith(label) for row in rows_told) == known
    assert any(row.startswith("energy") for row in rows_told) == known
    assert not any(row.endswith(("-", "- / -")) for row in rows_told)


def test_cards_and_table_write_numbers_alike(started: Browser, opened: Browser, tmp_path: Path) -> None:
    """Halves too: Python rounds them to even digits, JavaScript alone would round them up. No figure is told as 0.0."""
    values = (0.0625, 0.1125, 0.1135, 0.2375, 0.30005, 0.00043)
    found = [
        evaluation(
            [branch("face", blocks=(i + 1,))],
            board="bare",
            parts=[("chip", 9.125 - i)],
            errors=rates(value, width=0.0),
            latency_s=0.1125 * 10.0 ** (i - 4),
        )
        for i, value in enumerate(sorted(values))
    ]
    case = make_case(found, objectives=("eer", "bom_cost_usd"))
    _open(started, case, tmp_path)
    for name in case.front:
        started.run("document.getElementById('clear').click()")
        started.run("document.querySelector(`tr[data-id='${arguments[0]}'] input`).click()", name)
        cells = next(row.cells for row in rows(case.view) if row.id == name)
        card = started.run("return [...document.querySelectorAll('#cards tr')].map(row => row.textContent)")
        for label, column in (
            ("EER", "eer"),
            ("cost", "cost"),
            ("computing", "latency"),
            ("energy of computing", "energy"),
        ):
            shown = next(text for text in card if text.startswith(label)).removeprefix(label)
            assert shown.startswith(cells[column].split(" [")[0]), (label, shown, cells[column])
            assert any(digit in cells[column] for digit in "123456789")


def test_a_printed_page_is_as_wide_as_paper(started: Browser, opened: Browser, tmp_path: Path) -> None:
    _open(started, CASE, tmp_path)
    started.run("window.dispatchEvent(new Event('beforeprint'))")
    widths = started.run(
        "return [...document.querySelectorAll('.plot .main-svg')].map(s => s.getBoundingClientRect())"
        ".map(box => [box.width, box.right])"
    )
    assert len(widths) > 6
    assert all(width > 0 and right <= 700 for width, right in widths)
    started.run("window.dispatchEvent(new Event('afterprint'))")
    assert started.run("return document.documentElement.className") == ""
    _settled(started, "document.getElementById('plots').clientWidth > 1000")


def test_chosen_points_are_marked_everywhere(chromium: Browser) -> None:
    case = CASE
    _click(chromium, "#clear")
    assert chromium.run("return document.querySelectorAll('#cards article').length") == 0
    for name in case.front[:2]:
        _click(chromium, f"tr[data-id='{name}'] input")
    cards = "[...document.querySelectorAll('#cards article')].map(card => card.dataset.id)"
    assert chromium.run(f"return {cards}") == list(case.front[:2])
    _look(chromium, "plot-cost")
    _settled(chromium, "document.getElementById('plot-cost').data[3].x.length === 2")
    _look(chromium, "curves")
    _settled(chromium, "(document.getElementById('plot-det').data || []).length === 3")
    _settled(chromium, "(document.getElementById('plot-distances').data || []).length === 4")
    assert chromium.run("return document.querySelectorAll('#cards article svg').length") >= 8


def test_a_point_clicked_in_a_figure_is_chosen(chromium: Browser) -> None:
    _click(chromium, "#clear")
    _look(chromium, "plot-cost")
    where = chromium.run(
        "const plot = document.getElementById('plot-cost'), layout = plot._fullLayout, trace = plot.data[2];"
        "const box = plot.getBoundingClientRect();"
        "return {x: box.x + layout.xaxis._offset + layout.xaxis.d2p(trace.x[0]),"
        " y: box.y + layout.yaxis._offset + layout.yaxis.d2p(trace.y[0]), id: trace.customdata[0]}"
    )
    spot = {"x": round(where["x"]), "y": round(where["y"])}
    # A mouse moves before it presses; Plotly looks at what lies below it at most every 50 ms.
    _mouse(chromium, {"type": "pointerMove", "duration": 0, "x": spot["x"] - 3, "y": spot["y"]})
    time.sleep(0.1)
    _mouse(
        chromium,
        {"type": "pointerMove", "duration": 0, **spot},
        {"type": "pause", "duration": 120},
        {"type": "pointerDown", "button": 0},
        {"type": "pointerUp", "button": 0},
    )
    _settled(chromium, "document.querySelectorAll('#cards article').length === 1")
    assert chromium.run("return document.querySelector('#cards article').dataset.id") == where["id"]


def _mouse(chromium: Browser, *actions: dict[str, object]) -> None:
    device = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": list(actions)}
    chromium.call("POST", "/actions", {"actions": [device]})


def test_dark_paper_is_chosen_by_system_and_by_hand(chromium: Browser) -> None:
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    chromium.devtools("Emulation.setEmulatedMedia", dark)
    paper = "getComputedStyle(document.body).backgroundColor"
    _settled(chromium, f"{paper} === 'rgb(20, 23, 27)'")
    _click(chromium, "#theme")
    _settled(chromium, f"{paper} === 'rgb(255, 255, 255)'")
    _click(chromium, "#theme")
    chromium.devtools("Emulation.setEmulatedMedia", {"features": []})
    _settled(chromium, f"{paper} === 'rgb(255, 255, 255)'")


def test_a_phone_needs_no_sideways_scrolling(chromium: Browser) -> None:
    chromium.resize(390, 844)
    _settled(chromium, "document.documentElement.clientWidth === 390")
    assert chromium.run("return document.documentElement.scrollWidth") <= 390


def test_names_from_catalogues_run_nothing(chromium: Browser) -> None:
    case = CASE
    for name in case.front:
        chromium.run("document.querySelector(`tr[data-id='${arguments[0]}'] input`).click()", name)
    chromium.run("Plotly.Fx.hover('plot-cost', [{curveNumber: 2, pointNumber: 0}, {curveNumber: 2, pointNumber: 1}])")
    assert chromium.run("return window.hacked === undefined")
    assert chromium.run("return document.querySelectorAll('img').length") == 0


def test_the_front_is_recomputed_where_cost_is_no_objective(started: Browser, opened: Browser, tmp_path: Path) -> None:
    found = [
        evaluation([branch("voice")], board="bare", errors=rates(0.2), latency_s=0.3),
        evaluation([branch("face")], board="camera", errors=rates(0.1, validation=0.3), latency_s=0.2),
        evaluation([branch("face"), branch("voice")], board="two cores", errors=rates(0.05), latency_s=0.1),
    ]
    names = ("eer", "latency_s")
    case = make_case(found, objectives=names)
    _open(started, case, tmp_path)
    assert started.run(f"return {ROWS}") == list(case.front) == [found[2].candidate.id]
    for budget in (5.0, 10.0):
        smaller = make_case(found, objectives=names, budget_usd=budget)
        started.run(
            "const box = document.getElementById('amount'); box.value = arguments[0];"
            "box.dispatchEvent(new Event('input', {bubbles: true}))",
            budget,
        )
        assert sorted(started.run(f"return {ROWS}")) == sorted(smaller.front)
    assert started.messages() == []


def test_of_two_batteries_the_one_that_lasts_is_better(started: Browser, opened: Browser, tmp_path: Path) -> None:
    found = [
        evaluation([branch("voice")], board="bare", errors=rates(0.2), days=400.0),
        evaluation([branch("face")], board="camera", errors=rates(0.2), days=90.0),
        evaluation([branch("face"), branch("voice")], board="two cores", errors=rates(0.1), days=41.0),
    ]
    case = make_case(found, objectives=("eer", "battery_days"))
    _open(started, case, tmp_path)
    lasting = [found[0].candidate.id, found[2].candidate.id]
    assert sorted(started.run(f"return {ROWS}")) == sorted(case.front) == sorted(lasting)
    started.run(
        "const box = document.getElementById('amount'); box.value = 1000;"
        "box.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    assert sorted(started.run(f"return {ROWS}")) == sorted(lasting)
    assert started.messages() == []
