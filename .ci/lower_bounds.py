"""Print the lower bound of each requirement in pyproject.toml, as pip's constraints."""

import re
import tomllib
from itertools import chain
from pathlib import Path

content = tomllib.loads(
    Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8")
)
requirements = chain(
    content["build-system"]["requires"],
    content["project"]["dependencies"],
    *content["project"]["optional-dependencies"].values(),
)
for requirement in sorted(set(requirements)):
    # Constraints have no extras; what has no bound is left to pip.
    if found := re.fullmatch(r"([\w.-]+)(?:\[.*\])?>=([\d.]+)", requirement):
        print(f"{found[1]}=={found[2]}")
