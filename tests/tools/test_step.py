"""`tools/step.sh` runs the steps of `make setup`: a line each, and all of it if one fails."""

from __future__ import annotations

import os
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
    assert re.fullmatch(r"Packages \.*\d+ s\n", done.stdout)


def test_a_step_that_takes_long_shows_that_it_lives(tmp_path):
    end = tmp_path / "end"
    os.mkfifo(end)
    # It takes until the first dot was seen; the limit is for a step that shows none.
    command = [STEP, "Packages", "timeout", "300", "cat", end]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as long:
        assert long.stdout.read(len("Packages .")) == "Packages ."
        end.write_text("")
        assert re.fullmatch(r"\.*\d+ s\n", long.stdout.read())
    assert long.returncode == 0


def test_a_step_that_fails_shows_what_it_has_printed():
    failed = step("echo what happened; echo and why >&2; exit 3")
    assert failed.returncode == 3
    assert re.fullmatch(r"Packages \.*failed:\nwhat happened\nand why\n", failed.stdout)
