"""The documentation: blocks run, public names have examples, no page is an orphan."""

import doctest
import inspect
import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from test_architecture import FLOORS

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.glob("*.md"))
MODULES = (
    "stackingnet_sk",
    "stackingnet_sk.constraints",
    "stackingnet_sk.datasets",
    "stackingnet_sk.inspection",
    "stackingnet_sk.model_selection",
    "stackingnet_sk.report",
    "stackingnet_sk.theory",
)
NAMES = [
    (module, name)
    for module in MODULES
    for name in import_module(module).__all__
    if not name.startswith("_")
]


def sections(page):
    """Split a page at its headings; what is under one is a session of its own."""
    return re.split(r"^(?=## )", page.read_text("utf-8"), flags=re.M)


def sessions(section):
    return re.findall(r"^```pycon\n(.*?)^```", section, re.M | re.S)


SESSIONS = [
    pytest.param("".join(found), id=f"{page.stem}: {section.splitlines()[0]}")
    for page in PAGES
    for section in sections(page)
    if (found := sessions(section))
]


@pytest.mark.parametrize("session", SESSIONS)
def test_session_shows_what_happens(session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(session, {}, "session", None, 0)
    report = []
    doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert not report, "".join(report)


@pytest.mark.skipif(
    os.name == "nt", reason="the page pipes and redirects as a POSIX shell does"
)
def test_console_shows_what_happens(tmp_path):
    page = (DOCS / "command.md").read_text("utf-8")
    (python,) = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    # The command of this environment, wherever the tests are started from.
    folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    own = {"cwd": tmp_path, "env": environment, "text": True}
    subprocess.run([sys.executable, "-c", python], check=True, **own)
    consoles = re.findall(r"^```console\n(.*?)^```", page, re.M | re.S)
    steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(consoles), re.M)
    assert len(steps) >= 5
    for command, wanted in steps:
        done = subprocess.run(
            command,
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,  # its output says more than the status
            **own,
        )
        same = doctest.OutputChecker().check_output(
            wanted, done.stdout, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        )
        assert done.returncode == 0, command
        assert same, f"{command}\n{done.stdout}\nis not\n{wanted}"


def test_fifteen_pains_are_answered():
    pains = [part for part in sections(DOCS / "pains.md") if part.startswith("## ")]
    assert len(pains) == 15
    for pain in pains:
        (session,) = sessions(pain)
        wanted = [e.want for e in doctest.DocTestParser().get_examples(session)]
        assert any(wanted), pain.splitlines()[0]


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_public_name_has_an_example_that_runs(module, name):
    documented = inspect.getdoc(getattr(import_module(module), name))
    assert "\nExamples\n--------\n" in documented
    session = documented.split("\nExamples\n--------\n")[1]
    examples = doctest.DocTestParser().get_examples(session)
    assert any(doctest.SKIP not in example.options for example in examples)


def test_reference_has_the_same_modules():
    source = (DOCS / "_ext" / "public_names.py").read_text("utf-8")
    listed = re.search(r"MODULES = \((.*?)\)", source, re.S)[1]
    assert sorted(re.findall(r'"([\w.]+)"', listed)) == list(MODULES)


def test_every_page_is_reached_from_the_first():
    reached, new = set(), {"index"}
    while new:
        page = new.pop()
        reached.add(page)
        text = (DOCS / f"{page}.md").read_text("utf-8")
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.M | re.S):
            # What the build makes is in folders of its own.
            entries = re.findall(r"^[\w-]+$", tree, re.M)
            new |= set(entries) - reached
    assert reached == {page.stem for page in PAGES}


def test_architecture_page_has_the_floors_of_the_tests():
    page = (DOCS / "architecture.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\d.]+) \| `(\w+)` \|", page, re.M)
    assert {room: float(floor) for floor, room in rows} == FLOORS
    floors = [float(floor) for floor, _ in rows]
    assert floors == sorted(floors)


@pytest.mark.parametrize(
    "run", sorted((DOCS / "benchmarks").glob("*.json")), ids=lambda run: run.stem
)
def test_benchmark_figures_say_where_they_come_from(run):
    found = json.loads(run.read_text("utf-8"))
    assert found["command"].startswith("python -m benchmarks.")
    assert {"python", "stackingnet_sk", "numpy"} <= set(found["versions"])
    for table in found["tables"].values():
        for values in table["rows"].values():
            assert len(values) == len(table["columns"]) == len(table["better"])
    assert f"tables/{run.stem}.md" in (DOCS / "benchmarks.md").read_text("utf-8")


def test_ci_builds_the_documentation_as_the_page_says():
    command = 'python -m pip install ".[docs]" && python -m sphinx -W -b html docs'
    for name in ("docs/architecture.md", ".ci/run"):
        assert command in (DOCS.parent / name).read_text("utf-8")
