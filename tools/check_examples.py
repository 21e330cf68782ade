"""pyright and mypy, strict, over the Python examples of the README and the documentation.

pyright reads the fixtures, too; mypy has them from tools/check_workers.py. And pyright reads the
examples once more, as it shows them to somebody who has installed the library and no more.

    .venv/bin/python tools/check_examples.py

Each block becomes a module. One that begins with a comment that names a file, as `# worker.py`, or
that shows a whole file by the mark of tests/docs/test_code.py, gets that name, so that other blocks
of its page can import it, and blocks of the same name are one module. What stands in a comment
right before a block, the reader does not see:

    <!-- around the example:          <!-- unchecked example: REASON -->
    class Chat(Server):
        # EXAMPLE
    -->

The first is for a fragment, and has what is around it, with the fragment where `# EXAMPLE` stands.
The second leaves a block out. Blocks of the tutorial's code, which tests/docs/test_code.py compares
with its files, are left out, too: the files themselves are read, those of a folder as one package.

Every function has annotations, of what it returns, too: what a reader copies passes as it stands.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".cache" / "examples"
MYPY_FOLDER = ROOT / ".cache" / "examples-mypy"

BLOCK = re.compile(
    r"(?:^<!-- (?P<marker>around the example|unchecked example):(?P<content>(?:(?!-->).)*)-->\n+)?"
    r"^(?P<indent> *)```(?:python|py)\b[^\n]*\n(?P<code>.*?)^(?P=indent)```",
    re.MULTILINE | re.DOTALL,
)
PLACE = re.compile(r"^( *)# EXAMPLE\n", re.MULTILINE)
FILE = re.compile(r"# (\w+\.py)\n")
WHOLE = re.compile(r"<!-- whole: \S+/(\w+\.py) -->\n$")
#: Right before a block that stands in a file of the tutorial.
OF_TUTORIAL = re.compile(r"<!-- (?:from|whole): docs/tutorial/\S+ -->\n$")
TUTORIAL = sorted(
    path for name in ("src", "tests") for path in ROOT.glob(f"docs/tutorial/*/{name}/*.py")
)

CONFIG = {
    "typeCheckingMode": "strict",
    "reportUnusedVariable": False,  # a fragment may end with one
}

#: With the SDK's own types, and nothing for `js` and `pyodide`: so the page on types tells to have
#: no reports of unknown members.
EDITOR = {
    **CONFIG,
    "stubPath": "none",
    "reportMissingModuleSource": False,
    "reportUnknownMemberType": False,
}


class Line(NamedTuple):
    text: str
    page: Path
    #: In the page; that of the block for a line that is around it.
    number: int


def modules(page: Path) -> dict[str, list[Line]]:
    """The modules of a page's examples by file name, and where in the page their lines are."""
    found: dict[str, list[Line]] = {}
    text = page.read_text()
    if page.suffix == ".py":
        numbered = enumerate(text.splitlines(keepends=True), 1)
        return {page.name: [Line(line, page, number) for number, line in numbered]}
    for count, block in enumerate(BLOCK.finditer(text), 1):
        if block["marker"] == "unchecked example":
            if not block["content"].strip():
                raise SystemExit(f"{page}: block {count} is unchecked without a reason")
            continue
        if OF_TUTORIAL.search(text, 0, block.start()):
            continue
        start = text.count("\n", 0, block.start("code")) + 1
        code = block["code"].splitlines(keepends=True)
        lines = [
            Line(line.removeprefix(block["indent"]), page, number)
            for number, line in enumerate(code, start)
        ]
        if block["marker"]:
            parts = PLACE.split(block["content"].strip() + "\n")
            if len(parts) != 3:
                raise SystemExit(f"{page}: block {count} has no one line # EXAMPLE around it")
            before, indent, after = parts
            lines = [
                *(Line(line, page, start) for line in before.splitlines(keepends=True)),
                *(Line(indent + line.text, page, line.number) for line in lines),
                *(Line(line, page, start) for line in after.splitlines(keepends=True)),
            ]
        name = FILE.match(block["code"]) or WHOLE.search(text, 0, block.start())
        found.setdefault(name[1] if name else f"example_{count}.py", []).extend(lines)
    return found


def pages() -> list[Path]:
    """The README and the documentation, without the reference, which is made of docstrings."""
    folder = ROOT / "docs" / "pages"
    written = (page for page in folder.rglob("*.md") if folder / "reference" not in page.parents)
    return [ROOT / "README.md", *sorted(written)]


def write(pages: list[Path], folder: Path) -> dict[Path, list[Line]]:
    """Make the modules of the pages in a folder. Each page has a package of its own.

    What is a file already is in the package of its folder.
    """
    shutil.rmtree(folder, ignore_errors=True)
    sources: dict[Path, list[Line]] = {}
    for page in pages:
        base = ROOT if page.is_relative_to(ROOT) else page.parents[1]
        name = page.relative_to(base)
        place = name.parent if page.suffix == ".py" else name.with_suffix("")
        package = [re.sub(r"^(?=\d)", "_", part.replace("-", "_")) for part in place.parts]
        for file, lines in modules(page).items():
            sources[folder.joinpath(*package, file)] = lines
    if not sources:
        raise SystemExit("there are no examples in these pages")
    for path, lines in sources.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line.text for line in lines))
    return sources


def check(
    pages: list[Path],
    others: list[Path],
    folder: Path = FOLDER,
    settings: Mapping[str, Any] = CONFIG,
) -> int:
    """How many errors pyright finds in pages and other modules, printed with their places."""
    sources = write(pages, folder)
    config = folder / "pyrightconfig.json"
    include = [os.path.relpath(path, folder) for path in (folder, *others)]
    # The modules of a fixture import each other by their bare names.
    roots = sorted({os.path.relpath(path.parent, folder) for path in others})
    paths = {
        "extends": os.path.relpath(ROOT / "tools" / "pyright.json", folder),
        "include": include,
        "executionEnvironments": [{"root": root} for root in roots],
    }
    config.write_text(json.dumps({**paths, **settings}))
    done = subprocess.run(
        [ROOT / "node_modules" / ".bin" / "pyright", "--project", config, "--outputjson"],
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"pyright ended with {done.returncode}: {done.stdout}")
    report = json.loads(done.stdout)
    count = len(sources) + len(others)
    if report["summary"]["filesAnalyzed"] != count:
        raise SystemExit(f"pyright has not read all of the {count} modules: {report}")
    for found in report["generalDiagnostics"]:
        path, number = Path(found["file"]), found["range"]["start"]["line"]
        line = sources[path][number] if path in sources else Line("", path, number + 1)
        print(f"{line.page}:{line.number}: {found['message']} ({found.get('rule', 'syntax')})")
    errors = len(report["generalDiagnostics"])
    print(f"{errors} errors ({settings['typeCheckingMode']}) in {count} modules of examples")
    return errors


FOUND = re.compile(r"(?P<path>[^:]+):(?P<line>\d+): error: (?P<message>.*)")


def check_with_mypy(pages: list[Path], folder: Path = MYPY_FOLDER) -> int:
    """The same for mypy, without other modules."""
    sources = write(pages, folder)
    for path in sources:
        # pyright looks beside a module for what it imports, and mypy in packages.
        beside = "|".join(other.stem for other in path.parent.glob("*.py"))
        text = re.sub(rf"^from ({beside}) import", r"from .\1 import", path.read_text(), flags=re.M)
        path.write_text(re.sub(rf"^import ({beside})$", r"from . import \1", text, flags=re.M))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--no-error-summary"),
            *("--config-file", ROOT / "tools" / "mypy-examples.ini"),
            *("--cache-dir", folder.with_name(f"{folder.name}-cache")),
            *sources,
        ],
        env=os.environ | {"MYPYPATH": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"mypy ended with {done.returncode}: {done.stdout}")
    errors = 0
    for printed in done.stdout.splitlines():
        found = FOUND.fullmatch(printed)
        if found is None:
            print(printed)  # a note
            continue
        errors += 1
        line = sources[Path(found["path"])][int(found["line"]) - 1]
        print(f"{line.page}:{line.number}: {found['message']}")
    print(f"{errors} errors for mypy in {len(sources)} modules of examples")
    return errors


if __name__ == "__main__":
    all_pages = pages()
    fixtures = sorted((ROOT / "fixtures").glob("*/*.py"))
    read = [*all_pages, *TUTORIAL]
    errors = check(read, fixtures) + check(read, [], settings=EDITOR) + check_with_mypy(read)
    sys.exit(1 if errors else 0)
