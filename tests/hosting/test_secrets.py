"""Where secrets come from, and what is told of them: never a value."""

import os
import types

import pytest
from partyserver.hosting import secrets
from partyserver.project.errors import CommandError


def test_those_of_the_environment_are_named():
    environ = {"TOKEN": "a", "KEY": "", "OTHER": "c"}
    assert secrets.from_environment(["TOKEN", "KEY"], environ) == {"TOKEN": "a", "KEY": ""}


def test_all_that_are_missing_are_named():
    with pytest.raises(CommandError, match="has no KEY, SALT, which --secrets names"):
        secrets.from_environment(["TOKEN", "KEY", "SALT"], {"TOKEN": "hush"})


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "secrets"
    path.touch(0o600)
    return path


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("TOKEN=abc", "abc"),
        ("export TOKEN = abc # of the staging", "abc"),
        ("TOKEN=a#b=c", "a#b=c"),
        ("TOKEN='a # b\\n'", "a # b\\n"),
        ('TOKEN="a\\n\\"b\\" \\\\" # all', 'a\n"b" \\'),
        ("TOKEN=", ""),
        ("\ufeffTOKEN=ü", "ü"),
    ],
)
def test_a_line_of_a_file(file, line, value):
    file.write_text(f"# secrets\n\n{line}\nKEY=k\n" if line[0] != "\ufeff" else f"{line}\nKEY=k")
    assert secrets.from_file(file) == {"TOKEN": value, "KEY": "k"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_is_refused(file, mode):
    file.chmod(mode)
    with pytest.raises(CommandError, match="run `chmod 600"):
        secrets.from_file(file)


def test_a_file_that_is_mounted_to_be_read_only_is_whose_mount_it_is(file, monkeypatch):
    """As systemd and containers do, with modes that cannot be changed."""
    file.write_text("TOKEN=a")
    file.chmod(0o440)
    mounted = types.SimpleNamespace(f_flag=os.ST_RDONLY)
    monkeypatch.setattr(os, "fstatvfs", lambda _: mounted)
    assert secrets.from_file(file) == {"TOKEN": "a"}


def test_other_ends_of_lines_are_a_part_of_a_value(file):
    file.write_bytes("TOKEN='a\u2028b\x0cc'\r\n".encode())
    assert secrets.from_file(file) == {"TOKEN": "a\u2028b\x0cc"}


@pytest.mark.parametrize("value", ["'hush", '"hush', '"hush\\"'])
def test_a_quote_that_does_not_end_is_told_without_the_value(file, value):
    file.write_text(f"TOKEN={value}\n")
    with pytest.raises(CommandError, match="line 1: a quote does not end") as info:
        secrets.from_file(file)
    assert "hush" not in str(info.value)


def test_a_value_that_is_no_utf8_is_told_without_it():
    with pytest.raises(CommandError, match="the secret TOKEN in the environment is no UTF-8"):
        secrets.from_environment(["TOKEN"], {"TOKEN": b"\xff".decode(errors="surrogateescape")})


def test_a_bad_line_is_told_by_its_number_alone(file):
    file.write_text("TOKEN=a\nhush hush\n")
    with pytest.raises(CommandError, match="line 2 is not NAME=VALUE") as info:
        secrets.from_file(file)
    assert "hush" not in str(info.value)


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_told(file, content):
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(CommandError, match="cannot be read"):
        secrets.from_file(file)
