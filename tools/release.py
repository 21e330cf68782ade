"""Whether a tag may be released. If so, prints what CHANGELOG.md says of it.

python tools/release.py v0.2.0
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPOSITORY = "https://github.com/partyserver/partyserver-python"


def version() -> str:
    """The package's version. It is read and not imported, so that any Python will do."""
    source = (ROOT / "src/partyserver/__init__.py").read_text()
    [found] = re.findall(r'^__version__ = "(.+)"$', source, re.MULTILINE)
    return str(found)


def notes(of: str) -> str:
    """The section of a version in CHANGELOG.md, without its heading; empty if there is none."""
    changelog = (ROOT / "CHANGELOG.md").read_text()
    heading = rf"^## \[{re.escape(of)}\] - \d{{4}}-\d\d-\d\d\n"
    section = re.search(rf"{heading}(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    # Its links are those of a file of the repository, and the notes are shown elsewhere.
    text = section[1].strip() if section else ""
    return re.sub(r"\]\((?!https?://|#)([^)]+)\)", rf"]({REPOSITORY}/blob/v{of}/\1)", text)


def main(arguments: list[str]) -> str:
    if len(arguments) != 1:
        sys.exit(f"release.py takes one argument, the tag, and not {len(arguments)}")
    [tag] = arguments
    released = version()
    if tag != f"v{released}":
        sys.exit(f"the tag is {tag}, but src/partyserver/__init__.py says {released}")
    if not (text := notes(released)):
        sys.exit(f"CHANGELOG.md has no section `## [{released}] - YYYY-MM-DD` with something in it")
    return text


if __name__ == "__main__":
    print(main(sys.argv[1:]))
