"""Every rule has a test module, which alone runs all of its lines and branches."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.coverage import rules

RULE = """
def sign(number):
    if number < 0:
        return "-"
    return "+"


def size(number):
    if number < 0:
        number = -number
    return number
"""


class Checkout:
    """A folder with the rule above and a test of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("src/partyserver/rules/__init__.py", '"""The rules."""')
        self.write("src/partyserver/rules/numbers_of.py", RULE)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def test(self, *lines: str) -> None:
        start = "import sys\nsys.path.insert(0, 'src/partyserver/rules')\n\ndef test_it():\n"
        self.write(
            "tests/rules/test_numbers_of.py",
            start + "".join(f"    {line}\n" for line in ("import numbers_of", *lines)),
        )

    def check(self) -> list[str]:
        return rules.check(self.folder, processes=1)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


HERE = "src/partyserver/rules/numbers_of.py"
TEST = "tests/rules/test_numbers_of.py"

ALL = (
    "assert (numbers_of.sign(-1), numbers_of.sign(1)) == ('-', '+')",
    "assert numbers_of.size(-1) == numbers_of.size(1) == 1",
)


def test_a_rule_that_is_run_as_a_whole_passes(checkout):
    checkout.test(*ALL)
    assert checkout.check() == []


def test_a_line_that_is_not_run_is_named(checkout):
    checkout.test("assert numbers_of.sign(1) == '+'", ALL[1])
    assert checkout.check() == [f"{HERE}:4: {TEST} does not run it"]


def test_a_branch_that_is_not_taken_is_named_although_all_lines_are_run(checkout):
    checkout.test(ALL[0], "assert numbers_of.size(-1) == 1")
    assert checkout.check() == [f"{HERE}:9: {TEST} does not go from here to line 11"]


def test_what_another_module_tests_does_not_count(checkout):
    checkout.test(ALL[0])
    checkout.write("src/partyserver/rules/others.py", "")
    checkout.write(
        "tests/rules/test_others.py",
        (checkout.folder / TEST).read_text() + f"    {ALL[1]}\n    import others\n",
    )
    assert f"{HERE}:9: {TEST} does not run it" in checkout.check()


def test_a_rule_without_a_test_module_is_named(checkout):
    assert checkout.check() == [f"{HERE} has no test module {TEST}"]


def test_a_rule_that_its_test_module_does_not_import_is_named(checkout):
    checkout.write(TEST, "def test_it():\n    assert 1\n")
    assert checkout.check() == [f"{HERE}: {TEST} does not run it at all"]


def test_a_failing_test_is_shown(checkout):
    checkout.test("assert numbers_of.sign(0) == '0'")
    first, *output = checkout.check()
    assert first == "tests of the rules fail:"
    assert f"FAILED {TEST}::test_it - AssertionError" in "\n".join(output)


def test_the_end_of_a_function_is_a_branchs_target_too():
    report = {"missing_lines": [], "missing_branches": [[68, -60]]}
    assert rules.gaps("a.py", "test_a.py", {"a.py": report}) == [
        "a.py:68: test_a.py does not go from here to the end of the function"
    ]


def test_every_module_of_the_folder_is_a_rule(checkout):
    [rule] = rules.find(checkout.folder / "src" / "partyserver")
    assert rule.name == "numbers_of.py"


def test_other_modules_of_plain_python_are_held_to_the_same(checkout):
    checkout.test(*ALL)
    checkout.write("src/partyserver/testing/matching.py", "")
    wrong = "src/partyserver/testing/matching.py has no test module tests/testing/test_matching.py"
    assert checkout.check() == [wrong]


def test_what_the_import_of_another_test_module_runs_does_not_count(checkout):
    checkout.test(ALL[0])
    checkout.write("src/partyserver/rules/others.py", "")
    start = "import sys\nsys.path.insert(0, 'src/partyserver/rules')\nimport numbers_of, others\n"
    called = "numbers_of.size(-1)\nnumbers_of.size(1)\n\ndef test_it():\n    pass\n"
    checkout.write("tests/rules/test_others.py", start + called)
    assert f"{HERE}:9: {TEST} does not run it" in checkout.check()
