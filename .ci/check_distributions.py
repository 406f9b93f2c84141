"""Check what the distributions in a folder hold, and the validity of their metadata."""

import sys
import tarfile
import zipfile
from pathlib import Path

from packaging.metadata import Metadata

ROOT = Path(__file__).parents[1]


def tree(folder: str, pattern: str = "**/*") -> set[str]:
    """Return the files in a folder of the working tree, caches apart."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.joinpath(folder).glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }


(wheel_file,) = Path(sys.argv[1]).glob("*.whl")
(source_file,) = Path(sys.argv[1]).glob("*.tar.gz")

with zipfile.ZipFile(wheel_file) as wheel:
    held = set(wheel.namelist())
    (described,) = (name for name in held if name.endswith(".dist-info/METADATA"))
    Metadata.from_email(wheel.read(described), validate=True)
# The package as it is, no tests, and the marker without which its types count nothing.
own = {name for name in held if ".dist-info/" not in name}
assert own == tree("stackingnet_sk"), own ^ tree("stackingnet_sk")
assert "stackingnet_sk/py.typed" in own

# All that the tests read, for they run where the source distribution was unpacked.
with tarfile.open(source_file) as source:
    held = {name.partition("/")[2] for name in source.getnames()}
needed = {"CITATION.cff", "LICENSE", "README.md", "pyproject.toml"}
needed |= tree("stackingnet_sk") | tree("tests") | tree("benchmarks") | tree(".ci")
needed |= tree("docs", "*.md")
assert needed <= held, needed - held
