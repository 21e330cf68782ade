"""`tools/step.sh` runs the steps of `make setup`: a line each, and all of it if one fails."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

STEP = Path(__file__).parents[2] / "tools" / "step.sh"


def step(command):
    return subprocess.run(
        [STEP, "Packages", "sh", "-c", command], capture_output=True, text=True, check=False
    )


def test_a_step_is_one_line_with_the_time_that_it_took():
    done = step("echo to nobody; echo nor to anybody >&2")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"Packages \d s\n", done.stdout)


def test_a_step_that_takes_long_shows_that_it_lives():
    assert re.fullmatch(r"Packages \.+\d+ s\n", step("sleep 6").stdout)


def test_a_step_that_fails_shows_what_it_has_printed():
    failed = step("echo what happened; echo and why >&2; exit 3")
    assert failed.returncode == 3
    assert failed.stdout == "Packages failed:\nwhat happened\nand why\n"
