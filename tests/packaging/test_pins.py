"""What `make setup` installs has an exact version, also what comes along, on every machine."""

import re
import tomllib
from importlib.metadata import requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@pytest.fixture
def groups(root):
    groups = tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]
    return {name: [Requirement(line) for line in group] for name, group in groups.items()}


def test_a_groups_packages_have_exact_versions(groups):
    for requirement in (one for group in groups.values() for one in group):
        assert re.fullmatch(r"==[\d.]+", str(requirement.specifier)), requirement


def test_what_they_bring_along_is_pinned(groups, root):
    lines = (root / "tools/constraints.txt").read_text().splitlines()
    pinned = {canonicalize_name(line.partition("==")[0]) for line in lines if "==" in line}
    pinned |= {canonicalize_name(one.name) for group in groups.values() for one in group}
    todo, seen = [*groups["dev"], *groups["docs"], Requirement("partyserver[testing]")], set()
    while todo:
        requirement = todo.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        for line in requires(requirement.name) or []:
            needed = Requirement(line)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
                todo.append(needed)
    needed_names = {canonicalize_name(Requirement(line).name) for line in seen}
    assert len(needed_names) > 40
    assert needed_names - pinned == {"partyserver"}
