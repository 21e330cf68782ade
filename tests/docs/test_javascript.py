"""The JavaScript and TypeScript of every page is right, as far as its types tell.

Each block is a module. What a page leaves to its reader, such as `show(text)`, is declared in
examples.d.ts. A fragment has what is around it in a comment before it, as in
tools/check_examples.py, with a line `// EXAMPLE` for the fragment. What begins with a comment that
names a file, as `// client/events.ts`, is imported by it.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from .pages import Block, those
from .typescript import compiled

DECLARED = Path(__file__).with_name("examples.d.ts")
NAME = re.compile(r"// (?:[\w-]+/)*([\w-]+)\.(?:ts|tsx|js)\n")
#: Checked with what stands around it there.
ELSEWHERE = ("agents-sdk.md", "y-partyserver.md", "command.md")

IMPORT = 'import PartySocket from "partysocket";\n'
#: What a page shows of a file that runs is that file's to check.
SCRIPTS = [one for one in those("js") if not one.origin]
TYPED = [one for one in those("ts", "tsx") if one.page.name not in ELSEWHERE and not one.origin]


def write(folder: Path, blocks: list[Block]) -> dict[str, Block]:
    """Write each block to a module, in a folder for its page; which block a module has."""
    modules = {}
    for block in blocks:
        code = block.code
        if block.around:
            before, mark, after = re.split(r"^( *// EXAMPLE)\n", block.around + "\n", flags=re.M)
            assert mark
            code = before + code + after
        if not re.search(r"^(import|export) ", code, re.MULTILINE):
            code += "export {};\n"
        # Where a page has it from nowhere, it would be the window's, which is no text for tsc.
        if block.language == "js" and not re.search(r"(?:const|let)\b[^=]*\bname\b", code):
            code += "declare const name: string;\n"
        page = "-".join(block.page.with_suffix("").parts[-2:])
        named = NAME.match(block.around) or NAME.match(block.code)
        kind = "tsx" if block.language == "tsx" else "ts"
        file = f"{page}/{named[1] if named else f'line-{block.line}'}.{kind}"
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
        modules[file] = block
    shutil.copy(DECLARED, folder)
    return modules


def errors(done, modules):
    return [
        f"{modules[found[1]].place}: {found[2]}" if found[1] in modules else line
        for line in done.stdout.splitlines()
        if (found := re.match(r"([^(]+)\(\d+,\d+\): error (.*)", line))
    ]


#: A class's methods have no types of their parameters where a page shows nothing else of it.
OPTIONS = ("--noImplicitAny", "false", "--jsx", "react-jsx", "--types")
WORKERS = (*OPTIONS, "react,react-dom,@cloudflare/workers-types")
PAGES = (*OPTIONS, "react,react-dom", "--lib", "es2024,dom,dom.iterable")


def test_the_typescript_of_the_pages_compiles(tmp_path):
    modules = write(tmp_path, TYPED)
    assert len(modules) > 10
    done = compiled(tmp_path, *WORKERS, DECLARED.name, *modules)
    assert done.returncode == 0, "\n".join(errors(done, modules)) or done.stdout


def test_the_javascript_of_the_pages_has_no_wrong_types(tmp_path):
    modules = write(tmp_path, SCRIPTS)
    assert len(modules) > 10
    done = compiled(tmp_path, *PAGES, "--strict", "false", DECLARED.name, *modules)
    assert done.returncode == 0, "\n".join(errors(done, modules)) or done.stdout


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("socket.sendd(1);\n", "sendd"),
        ("nonesuch();\n", "nonesuch"),
        (f"{IMPORT}new PartySocket({{ host, room: 'lobby', prty: 'x' }});\n", "prty"),
        ("for (const a of b {\n", "expected"),
    ],
)
def test_a_wrong_block_is_found_with_its_place(tmp_path, code, complaint):
    block = SCRIPTS[0]._replace(code=code, around="")
    done = compiled(tmp_path, *PAGES, DECLARED.name, *(modules := write(tmp_path, [block])))
    found = errors(done, modules)
    assert found
    assert found[0].startswith(block.place)
    assert complaint in "\n".join(found)
