"""Configuration of Sphinx. `make site` assembles the sources, which are in build/site/source."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

project = "keras_bert"
author = copyright = "the authors of keras_bert"
root_doc = "index"
language = "en"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "sphinx.ext.coverage",
]

# Markdown and notebooks. Notebooks are committed with their outputs; nothing is executed.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_dmath_allow_space = myst_dmath_allow_digits = False
myst_heading_anchors = 6
suppress_warnings = ["myst.header"]  # model cards begin with metadata

# The API reference.
default_role = "code"  # docstrings have names in single backquotes
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the Args of each docstring name shapes and types
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False  # Keras's docstrings are Markdown
napoleon_google_docstring, napoleon_numpy_docstring = True, False
# "Returns" is plain text here: napoleon reads what stands before a colon as a type.
napoleon_custom_sections = ["Returns", ("Call arguments", "params_style")]
coverage_skip_undoc_in_source = True  # methods such as `call`, which Keras documents
add_module_names = False
nitpick_ignore_regex = [(r"py:.*", r"(?!keras_bert).*")]  # classes of other packages; no page of another host is read

# The pages. Everything is on the site itself: no font, script or style of another host.
html_theme = "furo"
html_title = "keras_bert"
html_static_path = ["_static"]
html_css_files, html_js_files = ["site.css"], ["site.js"]
html_favicon = "_static/favicon.svg"
html_copy_source = html_show_sourcelink = html_show_sphinx = False
html_show_search_summary = False  # summaries are read with fetch, which does not work from a disk
mathjax_path = "mathjax/tex-svg.js"  # copied by tools/site/build.py
mathjax3_config = {"options": {"enableMenu": False}}


def setup(app):
    """Register the functions below."""
    app.connect("builder-inited", own_public_names)
    app.connect("autodoc-skip-member", skip_foreign_members)
    app.connect("html-page-context", add_heading_levels, priority=900)  # after furo's own function
    app.connect("autodoc-process-docstring", end_names)


def skip_foreign_members(app, what, name, obj, skip, options):
    """Skip what a class inherits from a class of another package; its own members keep the default."""
    function = getattr(obj, "fget", None) or getattr(obj, "__func__", obj)
    module = getattr(function, "__module__", None) or "keras_bert"
    return None if module.startswith("keras_bert") else True


def end_names(app, what, name, obj, options, lines):
    """End a name in backquotes before a plural s, as reStructuredText needs it."""
    lines[:] = [re.sub(r"(?<![\w`])(`[^`\s][^`]*`)(?=s\b)", r"\1\\ ", line) for line in lines]


def add_heading_levels(app, pagename, templatename, context, doctree):
    """Complete the headings of the navigation, which furo writes without the level that ARIA requires."""
    navigation = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = navigation.replace('role="heading"', 'role="heading" aria-level="2"')


def own_public_names(app):
    """Make sphinx.ext.coverage count the public names: it skips what a module imports from another one."""
    if app.builder.name != "coverage":
        return
    import importlib

    from tools.site.api_pages import PAGES

    for name in {module for _, module, _ in PAGES.values()}:
        module = importlib.import_module(name)
        for value in (getattr(module, public) for public in getattr(module, "__all__", ())):
            if hasattr(value, "__module__"):
                value.__module__ = name
