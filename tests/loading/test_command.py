"""The command line, run as its users run it."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from functools import partial

import pytest
from partyserver.load import command
from partyserver.load.report import Progress

from .servers import serving_in_threads

USUAL = ("--connections", "4", "--rate", "100", "--duration", "0.2", "--wait", "60")


@pytest.fixture(scope="module")
def url():
    with serving_in_threads(lambda message: message) as url:
        yield url


def run(*arguments, python=("-m", "partyserver.load"), **options):
    return subprocess.run(
        [sys.executable, *python, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def refused(*arguments, capsys):
    """What is said of a load that cannot begin."""
    assert command.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_a_load_that_went_well(url):
    done = run(url, *USUAL)
    assert done.returncode == 0, done
    title, *rows = done.stdout.splitlines()
    assert title == f"{url}, mode echo, 1 room"
    assert "messages        20 sent of 20" in rows
    assert "  received      20" in rows


def test_the_result_as_json(url, capfd):
    payload = '{"type": "say", "text": "{id}", "pad": "{pad}"}'
    sent = []

    def answer(message):
        sent.append(message)
        return message

    with serving_in_threads(answer) as own:
        assert command.main([own, *USUAL, "--json", "--payload", payload, "--size", "200"]) == 0
    data = json.loads(capfd.readouterr().out)
    assert (data["sent"], data["received"], data["lost"], data["problems"]) == (20, 20, 0, [])
    assert {len(message) for message in sent} == {200}
    assert {json.loads(message)["type"] for message in sent} == {"say"}


def test_losses_are_a_failure_unless_they_are_allowed(capsys):
    with serving_in_threads(lambda _: None) as url:
        losing = [url, *USUAL, "--wait", "0.1"]
        assert command.main(losing) == 1
        assert "messages are lost: 0 allowed\n" in capsys.readouterr().err
        assert command.main([*losing, "--max-lost", "20"]) == 0
        capsys.readouterr()
        assert command.main([*losing, "--json"]) == 1
    [*_, problem] = json.loads(capsys.readouterr().out)["problems"]
    assert problem.endswith(": 0 allowed")


def test_connections_that_fail_are_a_failure_unless_they_are_allowed(capsys):
    with serving_in_threads(lambda message: message) as url:
        pass
    gone = [url, "--mode", "connect", "--ramp", "0", "--duration", "0.1"]
    assert command.main(gone) == 1
    assert "10 connections failed: 0 allowed" in capsys.readouterr().err
    assert command.main([*gone, "--max-failed", "10"]) == 0


def test_another_machine_is_refused_before_anything_is_sent(capsys):
    told = refused("wss://chat.example.com/room", capsys=capsys)
    assert told.startswith("partyserver.load: chat.example.com is not this machine")


def test_more_rooms_than_connections_are_refused(url, capsys):
    assert "3 rooms need as many connections" in refused(
        url, "--rooms", "3", "--connections", "2", capsys=capsys
    )


def test_a_payload_without_an_id_is_refused(url, capsys):
    assert "has no {id}" in refused(url, "--payload", "hello", capsys=capsys)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--connections", "0"],
        ["--rate", "0"],
        ["--rate", "inf"],
        ["--ramp", "-1"],
        ["--max-lost", "-1"],
        ["--header", "no colon"],
        ["--mode", "shout"],
    ],
    ids=" ".join,
)
def test_wrong_usage(url, arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main([url, *arguments])
    assert ended.value.code == 2
    assert f"argument {arguments[0]}: " in capsys.readouterr().err


def test_arguments_become_options(url):
    given = command._parser().parse_args(
        [
            *(url, "--connections", "500", "--header", "Origin: https://a.example:1"),
            *("--subprotocol", "a", "--subprotocol", "b", "--reconnect", "--seed", "7"),
        ]
    )
    options = command._options(given)
    assert options.headers == [("Origin", "https://a.example:1")]
    assert options.subprotocols == ["a", "b"]
    assert (options.ramp, options.seed) == (2.5, 7)
    assert options.backoff.first == 3  # as partysocket has it
    assert command._options(command._parser().parse_args([url])).backoff is None


def test_an_interruption_ends_with_what_was_until_then(url):
    with subprocess.Popen(
        [sys.executable, "-m", "partyserver.load", url, "--duration", "600", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if "sent 0 " not in line:
                    break
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    data = json.loads(out)
    assert data["is_interrupted"]
    assert data["lost"] == 0
    assert data["sent"] > 0


def limited(soft, hard):
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_few_open_files_are_more_or_are_told(url):
    arguments = [url, *USUAL, "--connections", "100", "--ramp", "0", "--json"]
    done = run(*arguments, preexec_fn=partial(limited, 40, 200))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["opened"] == 100
    done = run(*arguments, preexec_fn=partial(limited, 40, 100))
    assert (done.returncode, done.stdout) == (2, "")
    assert "100 connections need 164 open files, and this process may have 100" in done.stderr


def test_without_websockets_it_says_what_to_install():
    script = (
        "import sys; sys.modules['websockets'] = None\n"
        "from partyserver.load.command import main; sys.exit(main(sys.argv[1:]))"
    )
    done = run("ws://localhost/", python=("-c", script))
    assert done.returncode == 2
    assert done.stderr.endswith('run `pip install "partyserver[load]"`\n')
    assert run("--help", python=("-c", script)).returncode == 0


def test_on_a_terminal_the_line_of_a_second_is_written_anew(capsys):
    progress = Progress(1, 2, 2, 0, 0, 3, 4, 5, None)
    for is_terminal in (False, True):
        tell = command._telling(is_terminal)
        tell(progress)
        tell(progress)
    line = progress.line()
    assert capsys.readouterr().err == f"{line}\n{line}\n\r\x1b[K{line}\r\x1b[K{line}"
