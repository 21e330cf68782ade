"""What the documentation takes from elsewhere: a reference page per public name, and the README."""

import ast
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "reference": "partyserver",
    "reference/events": "partyserver.events",
    "reference/presence": "partyserver.presence",
    "reference/history": "partyserver.history",
    "reference/schedule": "partyserver.schedule",
    "reference/agents": "partyserver.agents",
    "reference/yjs": "partyserver.yjs",
    "reference/yjs/store": "partyserver.yjs.store",
    "reference/logs": "partyserver.logs",
    "reference/testing": "partyserver.testing",
    "reference/partykit": "partyserver.partykit",
    "reference/partyflare": "partyserver.partyflare",
    "reference/asgi": "partyserver.asgi",
    "reference/http": "partyserver.http",
}


def public_names(package):
    """The names of the package's `__all__` that are its own, and not another one's.

    Read and not imported: the modules behind it need the runtime.
    """
    path = ROOT.joinpath("src", *package.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    tree = ast.parse(source.read_text())
    names, others = [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = ast.literal_eval(node.value)
        elif isinstance(node, ast.ImportFrom) and node.level != 1:
            others |= {alias.asname or alias.name for alias in node.names}
    return [name for name in names if name not in others]


def on_files(files, config):
    for folder, package in PACKAGES.items():
        for name in public_names(package):
            page = f"---\ntitle: {name}\n---\n\n::: {package}.{name}\n"
            files.append(File.generated(config, f"{folder}/{name}.md", content=page))
    return files


def on_page_markdown(markdown, **_):
    """`<!-- README: A heading -->` stands for what the README says below that heading.

    So does the line after it, which is for those who read the page without the site.
    """
    readme = (ROOT / "README.md").read_text()
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL))
    return re.sub(r"<!-- README: (.+) -->\n.+", lambda mark: sections[mark[1]].strip(), markdown)
