from __future__ import annotations

from rich.console import Console

from tinysearch.app.terminal import front_table


def test_the_widest_front_fits_eighty_columns() -> None:
    branch = {"blocks": [2, 2, 2, 2], "precision": "float32"}
    point = {
        "branches": {"face": branch, "voice": branch},
        "values": {"eer": 0.1234, "eer_ci95": [0.1, 0.15], "bom_cost_usd": 113.82, "latency_s": 0.9994},
        "platform": {"processor": "esp32c61", "flash_bytes": 16 << 20, "psram_bytes": 32 << 20},
    }
    console = Console(width=80, record=True, file=None, quiet=False)
    with console.capture() as capture:
        console.print(front_table([point]))
    text = capture.get()
    assert "…" not in text
    assert "esp32c61" in text
    assert "32 MB" in text
    assert "face 2222 float32" in text
