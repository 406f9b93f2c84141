"""Pages of the reference, one for each public name, from the modules' ``__all__``."""

from importlib import import_module
from pathlib import Path

MODULES = (
    "stackingnet_sk",
    "stackingnet_sk.inspection",
    "stackingnet_sk.constraints",
    "stackingnet_sk.model_selection",
    "stackingnet_sk.datasets",
    "stackingnet_sk.report",
    "stackingnet_sk.theory",
)
# What a fitted attribute is, in a module that is not for users otherwise.
RETURNED = {"stackingnet_sk.weights": ["Solution"]}
# What all estimators have is explained by scikit-learn.
SKIPPED = {"get_metadata_routing", "get_params"}


def setup(app):
    # At once: autosummary looks for names in the pages when the build begins.
    folder = Path(app.srcdir, "api")
    folder.mkdir(exist_ok=True)
    write(folder / "index.rst", index())
    for module in MODULES:
        write(folder / f"{module}.rst", page(module, public_names(module)))
    for module, names in RETURNED.items():
        write(folder / f"{module}.rst", page(module, names))
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-skip-member", skip)
    return {"parallel_read_safe": True}


def public_names(module):
    return [name for name in import_module(module).__all__ if not name.startswith("_")]


def index():
    # Without what all names begin with, or the sidebar breaks them.
    entries = [
        f"   {m.removeprefix('stackingnet_sk.')} <{m}>" for m in (*MODULES, *RETURNED)
    ]
    toctree = [".. toctree::", "   :maxdepth: 2", "", *entries]
    return "\n".join(["API reference", "=============", "", *toctree, ""])


def page(module, names):
    entries = [f"   {name}" for name in names]
    summary = [".. autosummary::", "   :toctree: generated", "", *entries]
    docstring = [f".. automodule:: {module}", "", f".. currentmodule:: {module}"]
    return "\n".join([module, "=" * len(module), "", *docstring, "", *summary, ""])


def write(path, text):
    """Write a page; an old one that is the same stays as it is."""
    if not path.exists() or path.read_text("utf-8") != text:
        path.write_text(text, "utf-8")


def skip(app, what, name, member, skipped, options):
    return skipped or name in SKIPPED or name.startswith("set_")
