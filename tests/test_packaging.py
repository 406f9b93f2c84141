"""What is said about the package in several places is the same in all of them."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

from stackingnet_sk import __version__

ROOT = Path(__file__).parent.parent


def read(name):
    return (ROOT / name).read_text("utf-8")


CONTENT = tomllib.loads(read("pyproject.toml"))
PROJECT = CONTENT["project"]
REQUIREMENTS = sorted(
    {
        *CONTENT["build-system"]["requires"],
        *PROJECT["dependencies"],
        *chain.from_iterable(
            wanted
            for extra, wanted in PROJECT["optional-dependencies"].items()
            # Rivals, in whichever version there is.
            if extra != "bench"
        ),
    }
)


def citation():
    """Return the values of CITATION.cff that stand on one line, at the first level."""
    return dict(re.findall(r"^([\w-]+): ([^>\s].*)$", read("CITATION.cff"), re.M))


def test_citation_is_of_this_version():
    assert citation()["version"] == __version__


def test_citation_has_what_its_format_requires():
    """Without these a reader of the format refuses the file."""
    cited = citation()
    assert cited["cff-version"] == "1.2.0"
    assert cited["type"] == "software"
    assert cited["title"] == PROJECT["name"]
    assert cited["license"] == PROJECT["license"]
    assert f"authors:\n  - name: {PROJECT['authors'][0]['name']}\n" in read(
        "CITATION.cff"
    )
    assert cited["message"]


def test_citation_names_the_paper_of_the_readme():
    """Who cites the method cites those who found it."""
    (number,) = set(re.findall(r"arxiv\.org/abs/([\d.]+\d)", read("README.md")))
    assert f"value: arXiv:{number}" in read("CITATION.cff")


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_requirements_have_lower_bounds_only(requirement):
    """What was tested is the oldest; an upper bound would keep others from updating."""
    ours = r"stackingnet_sk\[[\w,]+\]"
    assert re.fullmatch(rf"{ours}|[\w.-]+(\[[\w,]+\])?>=[\d.]+", requirement)


def test_the_oldest_python_is_the_same_everywhere():
    oldest = PROJECT["requires-python"].removeprefix(">=")
    tools = CONTENT["tool"]
    assert tools["mypy"]["python_version"] == oldest
    assert tools["ruff"]["target-version"] == f"py{oldest.replace('.', '')}"
    assert f"python{oldest}" in read(".ci/oldest")
    classifiers = [c for c in PROJECT["classifiers"] if re.search(r":: 3\.\d", c)]
    assert min(classifiers, key=lambda c: int(c.split(".")[-1])).endswith(oldest)
