"""HTML pages that contain their figures and styles and load no other file."""

from keras_bert.extras import require


def render(template: str, **values) -> str:
    """Fill a page template of this folder.

    Texts are escaped; a figure is written by `{{ figure.svg()|safe }}`.

    Args:
        template: name of the file, such as `"summary.html"`. It extends `base.html`.
        **values: the variables of the template.

    Returns:
        The page.

    Raises:
        InputError: jinja2 is not installed.
    """
    jinja2 = require("jinja2", "HTML pages")
    loader = jinja2.PackageLoader("keras_bert.explain.pages", ".")
    settings = {"autoescape": True, "undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    return jinja2.Environment(loader=loader, **settings).get_template(template).render(**values)
