"""How `make docs` makes a site of these pages."""

from __future__ import annotations

import pulumi_hybrid

project = "pulumi_hybrid"
author = "the authors of pulumi_hybrid"
copyright = author
version = release = pulumi_hybrid.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
# The page by which a package registry begins is part of index.md.
exclude_patterns = ["_index.md"]
nitpicky = True
# Pulumi, gRPC and Python are documented elsewhere, and no network is asked for it.
nitpick_ignore_regex = [("py:.*", r"(?!pulumi_hybrid\.).*")]
nitpick_ignore = [
    ("py:class", "pulumi_hybrid.emulator.api.Session"),  # not for users
    ("py:class", "pulumi_hybrid.testing._T"),  # stands for a class that is given
]

myst_heading_anchors = 3
# The title of a page that begins as a package registry wants it.
myst_title_to_header = True

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = f"pulumi_hybrid {version}"

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_maximum_signature_line_length = 88
# The docstrings write code as Markdown does, too.
default_role = "code"
napoleon_custom_sections = [("Outputs", "params_style"), "Source"]
