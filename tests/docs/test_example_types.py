"""`make check` types every example of the documentation, and says where one is wrong."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

spec = importlib.util.spec_from_file_location("check_examples", ROOT / "tools/check_examples.py")
examples = importlib.util.module_from_spec(spec)
spec.loader.exec_module(examples)


@pytest.fixture
def errors_in(tmp_path, capsys):
    """What is printed about a page of examples."""

    def errors_in(text):
        page = tmp_path / "page.md"
        page.write_text(text)
        examples.check([page], [], tmp_path / "modules")
        *lines, _ = capsys.readouterr().out.splitlines()
        return [line.removeprefix(f"{page}:") for line in lines if not line[0].isspace()]

    return errors_in


def chat(*lines):
    body = "".join(f"        {line}\n" for line in lines)
    return f"""
```python
from partyserver import Connection, Server

class Chat(Server):
    def on_message(self, connection: Connection, message: str | bytes) -> None:
{body}```
"""


@pytest.mark.parametrize("page", examples.pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_checked_or_says_why_not(page):
    text = page.read_text()
    fences = [line for line in text.splitlines() if line.lstrip().startswith("```py")]
    unchecked = text.count("<!-- unchecked example: ")
    unchecked += len(re.findall(r"^<!-- \w+: docs/tutorial/\S+ -->\n```py", text, re.MULTILINE))
    found = sum(1 for block in examples.BLOCK.finditer(text))
    assert len(fences) == found
    lines = {line.number for lines in examples.modules(page).values() for line in lines}
    starts = [number for number, line in enumerate(text.splitlines(), 2) if "```py" in line]
    assert sum(start in lines for start in starts) == found - unchecked


def test_a_right_block_passes(errors_in):
    assert errors_in(chat("connection.send(message)")) == []


def test_a_wrong_block_is_found_at_its_line(errors_in):
    [error] = errors_in("# A page\n" + chat("self.broadcast(message)", "connection.send(1)"))
    assert error.startswith('9: Argument of type "Literal[1]"'), error


def test_blocks_of_one_file_are_one_module_that_others_import(errors_in):
    page = """
```python
# rates.py
RATES = {"EUR": 1.0}
```

```python
# rates.py
def rate(currency: str) -> float:
    return RATES[currency]
```

```python
from rates import rate

wrong: str = rate("EUR")
```
"""
    [error] = errors_in(page)
    assert error.startswith('16: Type "float" is not assignable'), error


FRAGMENT = """
```python
await self.ctx.storage.put("key", 1)
self.brodcast("stored")
```
"""

AROUND = """
<!-- around the example:
from partyserver import Server

class Chat(Server):
    async def on_alarm(self) -> None:
        # EXAMPLE
-->
"""


def test_a_fragment_is_checked_in_what_is_around_it(errors_in):
    assert any('"self" is not defined' in error for error in errors_in(FRAGMENT))
    errors = errors_in(AROUND + FRAGMENT)
    assert [error for error in errors if 'Cannot access attribute "brodcast"' in error]
    assert all(error.startswith("12: ") for error in errors), errors


def test_a_block_is_left_out_for_a_reason_only(errors_in):
    out = "<!-- unchecked example: {} -->\n" + FRAGMENT
    with pytest.raises(SystemExit, match="there are no examples"):
        errors_in(out.format("it is about what goes wrong"))
    with pytest.raises(SystemExit, match="block 1 is unchecked without a reason"):
        errors_in(out.format(""))


def test_a_hook_without_annotations_is_an_error_for_both(errors_in, tmp_path, capsys):
    bare = "```python\nfrom partyserver import Server\n\nclass Chat(Server):\n{}\n```\n"
    connection = "    def on_rate_limited(self, connection): ..."
    [error] = errors_in(bare.format(connection))
    assert error.startswith('5: Type annotation is missing for parameter "connection"'), error

    page = tmp_path / "page.md"
    page.write_text(bare.format("    def on_alarm(self): ..."))  # all that is missing is `-> None`
    assert examples.check_with_mypy([page], tmp_path / "modules") == 1
    printed = capsys.readouterr().out
    assert f"{page}:5: Function is missing a return type annotation" in printed


def test_mypy_reads_hooks_and_other_blocks_of_the_page(tmp_path, capsys):
    page = tmp_path / "a-page.md"
    rates = """
```python
# rates.py
RATES = {"EUR": 1.0}
```

```python
from rates import RATES

wrong: str = RATES["EUR"]
```
"""
    page.write_text(chat("connection.send(message)", "self.brodcast(message)") + rates)
    assert examples.check_with_mypy([page], tmp_path / "modules") == 2
    printed = capsys.readouterr().out
    assert f'{page}:8: "Chat" has no attribute "brodcast"' in printed
    assert f"{page}:19: Incompatible types in assignment" in printed


def test_an_editor_has_the_sdks_own_types(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("```python\nfrom workers import Response\n\nResponse.json({})\n```\n")
    assert examples.check([page], [], tmp_path / "modules", examples.EDITOR) == 1
    assert f"{page}:4: Argument of type" in capsys.readouterr().out
    assert examples.check([page], [], tmp_path / "modules") == 0


def test_a_file_of_the_tutorial_is_read_and_its_blocks_are_not(capsys, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"<!-- from: docs/tutorial/x.py -->{FRAGMENT}")
    (tmp_path / "src").mkdir()
    worker, login = (tmp_path / "src" / name for name in ("worker.py", "login.py"))
    worker.write_text("from login import CODE\n\nwrong: int = CODE\n")
    login.write_text('CODE = "tea"\n')
    files = [page, worker, login]
    assert examples.check(files, [], tmp_path / "modules") == 1
    assert f"{worker}:3: Type" in capsys.readouterr().out
    assert examples.check_with_mypy(files, tmp_path / "mypy") == 1
    assert f"{worker}:3: Incompatible types" in capsys.readouterr().out
