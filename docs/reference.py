"""Writes the pages of the reference, `docs/pages/reference`, from the docstrings of the library.

    make reference

They are for those who read a checkout, or the repository on GitHub. The site has the same pages by
mkdocstrings, with links between names: see hooks.py. Nothing is imported, since much of the library
needs the runtime.
"""

import ast
import builtins
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import griffe

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "pages" / "reference"

#: What a page of the reference stands for: its folder, its package, and the heading of both.
PACKAGES = {
    "": ("partyserver", "Rooms"),
    "events": ("partyserver.events", "Typed messages"),
    "presence": ("partyserver.presence", "Presence"),
    "history": ("partyserver.history", "History"),
    "schedule": ("partyserver.schedule", "Timers"),
    "agents": ("partyserver.agents", "Agents"),
    "yjs": ("partyserver.yjs", "Shared documents"),
    "yjs/store": ("partyserver.yjs.store", "The store of a document"),
    "logs": ("partyserver.logs", "Logging"),
    "testing": ("partyserver.testing", "The testing kit"),
    "partykit": ("partyserver.partykit", "PartyKit's API"),
    "partyflare": ("partyserver.partyflare", "partyflare"),
    "asgi": ("partyserver.asgi", "ASGI"),
    "http": ("partyserver.http", "HTTP"),
}

INDEX = """\
# Reference

Every public name, with what it takes, gives and raises, and its limits. The pages are made of the
docstrings.
"""

#: The longest line of a signature that stays one.
WIDTH = 88


def load():
    extensions = griffe.load_extensions("unpack_typeddict")
    loader = griffe.GriffeLoader(
        search_paths=[ROOT / "src"], docstring_parser="google", extensions=extensions
    )
    loaded = loader.load("partyserver")
    loader.resolve_aliases(implicit=True, external=False)
    return loaded


def public_names(module):
    """The names of a module's `__all__` that are its own, and not another one's."""
    names, others = [], set()
    for node in ast.walk(ast.parse(module.filepath.read_text())):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names = ast.literal_eval(node.value)
        elif isinstance(node, ast.ImportFrom) and node.level != 1:
            others |= {alias.asname or alias.name for alias in node.names}
    return [name for name in names if name not in others]


def pages():
    """The Markdown of each page, by its path below the folder of the reference."""
    library = load()
    found, index, files = {}, [INDEX], public(library)
    for folder, (package, title) in PACKAGES.items():
        index.append(f"## {title}\n\n`{package}`\n\n| Name | What it is |\n|---|---|\n")
        for file, member in files.items():
            if file.rpartition("/")[0] == folder:
                found[file] = page(file, package, member, files)
                first = first_sentence(member)
                index.append(f"| [`{Path(file).stem}`]({file}) | {first} |\n")
        index.append("\n")
    found["index.md"] = "".join(index[:1]) + "\n" + "".join(index[1:]).strip() + "\n"
    return formatted(found)


def public(library):
    """What each page of the reference is about, by the page's path."""
    found = {}
    for folder, (package, _) in PACKAGES.items():
        path = package.removeprefix("partyserver").strip(".")
        module = library[path] if path else library
        for name in public_names(module):
            member = module[name]
            member = member.final_target if member.is_alias else member
            if member.is_module:  # has the name of what the package takes from it
                member = member[name]
            found[f"{folder}/{name}.md".lstrip("/")] = member
    return found


def first_sentence(member):
    text = (
        member.docstring.value.partition("\n\n")[0].replace("\n", " ") if member.docstring else ""
    )
    return re.split(r"(?<=[.:]) (?=[A-Z])|:$", text)[0].replace("|", "\\|").strip()


def page(file, package, member, files):
    name = Path(file).stem
    paths = {one.canonical_path: path for path, one in files.items()}
    parts = [f"---\ntitle: '{name}'\n---\n", f"# {name}\n", signature(name, package, member, paths)]
    parts += docstring(member)
    if member.is_class:
        bases = [base for base in member.mro() if base.canonical_path in paths]
        if bases:
            links = [f"[`{base.name}`]({up(file, paths[base.canonical_path])})" for base in bases]
            parts.append(
                f"It has all that {' and '.join(links)} {'have' if links[1:] else 'has'}, too."
            )
        for one in members(member, bases):
            parts.append(f"## {one.name}\n")
            parts.append(signature(one.name, "", one, paths))
            parts += docstring(one)
    text = "\n".join(part.strip("\n") + "\n" for part in parts if part.strip())
    return re.sub(r"\n{3,}", "\n\n", text)


def up(file, other):
    """The way from a page to another one."""
    return "../" * file.count("/") + other


def members(of, bases):
    """What the reference shows of a class: public members that are told of.

    Inherited ones, too, but for those of bases that have pages of their own.
    """
    elsewhere = {name for base in bases for name in base.all_members}
    own = {n: one for n, one in of.inherited_members.items() if n not in elsewhere} | of.members
    for name, member in own.items():
        if name.startswith("_"):
            continue
        target = member.final_target if member.is_alias else member
        if target.docstring and not (target.is_class or target.is_module):
            yield target


def signature(name, package, member, paths):
    lines = [f"from {package} import {name}", "", ""] if package else []
    if member.is_class:
        shown = {*map(str, dir(builtins)), "DurableObject", "Mapping", "Struct", "TypedDict"}
        shown |= {Path(path).stem for path in paths.values()}
        bases = [b for b in map(str, member.bases) if re.split(r"\W", b)[0] in shown]
        head = f"class {name}({', '.join(bases)})" if bases else f"class {name}"
        init = member.all_members.get("__init__")
        if init is not None and init.is_function and "workers" not in init.canonical_path:
            given = list(init.parameters)
            if not given or given[0].name != "self":  # made of the options of a TypedDict
                given.insert(0, griffe.Parameter("self", kind=griffe.ParameterKind.positional_only))
            inner = called("def __init__", given, " -> None: ...", WIDTH - 4)
            lines += [f"{head}:", *(f"    {line}" for line in inner)]
        else:
            lines.append(f"{head}: ...")
    elif member.is_function:
        for label in ("staticmethod", "classmethod"):
            lines += [f"@{label}"] if label in member.labels else []
        start = "async def " if "async" in member.labels else "def "
        lines += called(f"{start}{name}", list(member.parameters), f" -> {member.returns}: ...")
    elif "property" in member.labels:
        lines += ["@property", f"def {name}(self) -> {member.annotation}: ..."]
    else:
        value = f" = {member.value}" if member.value is not None else ""
        value = value if len(value) < WIDTH else " = ..."
        lines.append(
            f"{name}: {member.annotation}{value}" if member.annotation else f"{name}{value}"
        )
    return "```python\n" + "\n".join(lines) + "\n```\n"


def called(start, parameters, end, width=WIDTH):
    """A call or a definition, in one line or in one for each parameter."""
    given, star, kind = [], False, griffe.ParameterKind
    positional = [p for p in parameters if p.kind is kind.positional_only and p.name != "self"]
    for parameter in parameters:
        text = parameter.name
        if parameter.kind is kind.var_positional:
            text, star = f"*{text}", True
        elif parameter.kind is kind.var_keyword:
            text = f"**{text}"
        elif parameter.kind is kind.keyword_only and not star:
            given.append("*")
            star = True
        if parameter.annotation is not None:
            text += f": {parameter.annotation}"
        if parameter.default is not None and not text.startswith("*"):
            text += f" = {parameter.default}" if parameter.annotation else f"={parameter.default}"
        given.append(text)
        if positional and parameter is positional[-1]:
            given.append("/")
    line = f"{start}({', '.join(given)}){end}"
    if len(line) <= width:
        return [line]
    return [f"{start}(", *(f"    {one}," for one in given if one != "/"), f"){end}"]


def docstring(member):
    if not member.docstring:
        return
    for section in member.docstring.parsed:
        kind = section.kind.value
        if kind == "text":
            yield section.value
        elif kind == "examples":
            for what, text in section.value:
                yield text if what.value == "text" else f"```python\n{text}\n```"
        elif kind == "admonition":
            yield f"**{section.title or section.value.kind}**\n\n{section.value.description}"
        else:
            title = section.title or kind.capitalize()
            yield f"**{title}:**\n\n" + "\n".join(item(kind, one) for one in section.value)


def item(kind, one):
    name = getattr(one, "name", "")
    annotation = f"`{one.annotation}`" if one.annotation is not None else ""
    if kind == "raises":
        head = annotation
    else:
        head = " ".join(
            [f"`{name}`" if name else "", f"({annotation})" if annotation and name else annotation]
        )
    text = " ".join(one.description.split())
    return f"- {head.strip()}: {text}" if head.strip() else f"- {text}"


def formatted(found):
    """The same pages with their Python as `make format` leaves it, which formats Markdown, too."""
    with tempfile.TemporaryDirectory() as folder:
        save(found, Path(folder))
        ruff = [sys.executable, "-m", "ruff", "format", "--quiet", "--no-cache"]
        config = ("--config", str(ROOT / "pyproject.toml"))
        subprocess.run([*ruff, *config, folder], check=True)
        return {file: Path(folder, file).read_text() for file in found}


def save(found, folder):
    for file, text in found.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write():
    found = pages()
    shutil.rmtree(FOLDER, ignore_errors=True)
    save(found, FOLDER)


if __name__ == "__main__":
    write()
