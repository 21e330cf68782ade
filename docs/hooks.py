"""What pages are on the site that they cannot be in a checkout, and the reverse.

The reference in the checkout (reference.py) is whole, but without links between names: the site has
the same pages by mkdocstrings. And links to files beside the documentation, such as the changelog,
lead to the repository.
"""

import posixpath
import re
import sys
from pathlib import PurePosixPath

sys.path.insert(0, __file__.rpartition("/")[0])
from reference import PACKAGES  # type: ignore[import-not-found]  # beside this file

FOLDER = "docs/pages"


def on_page_markdown(markdown, page, config, **_):
    path = PurePosixPath(page.file.src_uri)
    if path.parts[0] != "reference" or path.name == "index.md":
        return to_the_repository(markdown, path, config.repo_url)
    folder = path.parent.relative_to("reference").as_posix()
    package, _ = PACKAGES["" if folder == "." else folder]
    return f"::: {package}.{path.stem}\n"


def to_the_repository(markdown, path, address):
    def absolute(link):
        target = posixpath.normpath(f"{FOLDER}/{path.parent}/{link[1]}")
        inside = target.startswith(f"{FOLDER}/")
        return link[0] if inside else f"]({address}/blob/main/{target}{link[2] or ''})"

    return re.sub(r"\]\((\.\./[^)#\s]+)(#[^)]+)?\)", absolute, markdown)
