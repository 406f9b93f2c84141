"""What the README and the documentation show is run, in the order it is read."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page):
    return re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_blocks_run(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for number, block in enumerate(blocks(page)):
        exec(compile(block, f"{page.name}, block {number}", "exec"), namespace)


def test_readme_has_code():
    """A renamed fence would make the test above pass on nothing."""
    assert len(blocks(ROOT / "README.md")) >= 3


def test_ci_calls_the_readmes_test_command():
    readme = (ROOT / "README.md").read_text("utf-8")
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert 'python -m pip install ".[test]" && python -m pytest' in readme
    assert 'python -m pip install ".[test]" && python -m pytest' in script
