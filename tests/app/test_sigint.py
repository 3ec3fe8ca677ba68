"""Ctrl-C while a command begins: one line and status 130, whichever import it meets."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tinysearch.app.cli import VERBS

# A finder that finds nothing, and presses Ctrl-C when it is asked for one module.
PRESSED_AT = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
sys.argv = ["tinysearch", *{words!r}]
"""
AS_MODULE = "import runpy; runpy.run_module('tinysearch', run_name='__main__', alter_sys=True)\n"
AS_SCRIPT = "from tinysearch.__main__ import main; main()\n"


def told(code: str) -> str:
    """What a command that is interrupted says on standard error; it says nothing else and exits with 130."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    return done.stderr


@pytest.mark.parametrize("started", [AS_MODULE, AS_SCRIPT])
@pytest.mark.parametrize("module", ["tinysearch.app.cli", "difflib", "tinysearch.distribution"])
def test_an_import_of_the_command_line_is_interrupted_in_one_line(started: str, module: str) -> None:
    code = PRESSED_AT.format(module=module, words=["doctor"]) + started
    assert told(code) == "tinysearch: interrupted before anything had begun\n"


@pytest.mark.parametrize("verb", VERBS)
def test_the_import_of_every_verb_is_interrupted_in_one_line(verb: str) -> None:
    code = PRESSED_AT.format(module=f"tinysearch.app.verbs.{verb}", words=[verb]) + AS_SCRIPT
    assert told(code) == "tinysearch: interrupted before anything had begun\n"


@pytest.mark.parametrize("module", ["hydra", "tinysearch.analytic.streams"])
def test_an_import_of_a_verb_at_work_is_interrupted_in_one_line(module: str) -> None:
    words = ["evaluate", "modality=face", "face.blocks=[1,1]", "face.precision=int8"]
    code = PRESSED_AT.format(module=module, words=words) + AS_SCRIPT
    assert told(code).startswith("tinysearch: interrupted")


def test_an_interrupt_within_exec_is_no_death_by_signal() -> None:
    """Every dataclass is made by ``exec`` of a text, through which Python remembers a plain KeyboardInterrupt."""
    code = (
        "import tinysearch.app.verbs.doctor as doctor\n"
        "pressed = 'import os, signal\\nos.kill(os.getpid(), signal.SIGINT)\\n[None for _ in range(9)]'\n"
        "doctor.run = lambda invocation: exec(pressed)\n"
        "import sys\n"
        "sys.argv = ['tinysearch', 'doctor']\n"
    )
    assert told(code + AS_SCRIPT) == "tinysearch: interrupted; everything finished so far is saved\n"


def test_who_has_interrupts_ignored_is_left_alone() -> None:
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    code += PRESSED_AT.format(module="difflib", words=["--version"]) + AS_SCRIPT
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tinysearch ")
