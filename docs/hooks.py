"""What the documentation takes from elsewhere: a reference page per public name, and the README."""

import ast
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent
PACKAGES = {"reference": "partyserver", "reference/testing": "partyserver.testing"}


def public_names(package):
    """The package's `__all__`, read and not imported: the modules behind it need the runtime."""
    source = ROOT.joinpath("src", *package.split("."), "__init__.py").read_text()
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    raise LookupError(f"{package} has no __all__")


def on_files(files, config):
    for folder, package in PACKAGES.items():
        for name in public_names(package):
            page = f"---\ntitle: {name}\n---\n\n::: {package}.{name}\n"
            files.append(File.generated(config, f"{folder}/{name}.md", content=page))
    return files


def on_page_markdown(markdown, **_):
    """`<!-- README: A heading -->` stands for what the README says below that heading."""
    readme = (ROOT / "README.md").read_text()
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL))
    return re.sub(r"<!-- README: (.+) -->", lambda mark: sections[mark[1]].strip(), markdown)
