"""Build: ``python -m sphinx -W -b html docs build/docs``, without a network."""

import sys
from pathlib import Path

import stackingnet_sk

sys.path.insert(0, str(Path(__file__).parent / "_ext"))
from public_names import MODULES, RETURNED

project = "stackingnet_sk"
author = "The stackingnet_sk developers"
project_copyright = author
version = release = stackingnet_sk.__version__

extensions = [
    "mathml",
    "benchmark_tables",
    "public_names",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "myst_parser",
    "sphinx_design",
]
exclude_patterns = ["_ext", "_templates", "examples", "benchmarks", "tables"]
templates_path = ["_templates"]
default_role = "literal"
math_renderer = "mathml"

myst_enable_extensions = ["dollarmath", "colon_fence", "deflist"]
myst_heading_anchors = 3

# Named, as a module that is new would be looked at in the next build only.
autosummary_generate = [f"api/{module}.rst" for module in (*MODULES, *RETURNED)]
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
# Summary, parameters as in the signature, what is returned, and an example.
numpydoc_validation_checks = {"GL08", "SS01", "PR01", "PR02", "PR03", "PR04", "RT01"}
numpydoc_validation_exclude = {r"\.__"}

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "backreferences_dir": "api/backreferences",
    "doc_module": ("stackingnet_sk",),
    "within_subsection_order": "FileNameSortKey",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "capture_repr": (),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 5,
    "write_computation_times": False,
    "nested_sections": False,
}

html_theme = "pydata_sphinx_theme"
html_title = "stackingnet_sk"
html_static_path = ["_static"]
html_css_files = ["style.css"]
html_show_sourcelink = False
html_copy_source = False
html_sidebars = {page: [] for page in ("quickstart", "benchmarks")}
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "navigation_with_keys": False,
    "show_toc_level": 2,
}
