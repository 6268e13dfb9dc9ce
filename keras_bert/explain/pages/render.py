"""HTML pages that contain their figures and styles and load no other file."""

from keras_bert.extras import require

FOLDER = "keras_bert.explain.pages"


def render(template: str, package: str = FOLDER, **values) -> str:
    """Fill a page template.

    Texts are escaped; a figure is written by the macro `drawing` of `base.html`.

    Args:
        template: name of the file, such as `"summary.html"`. It extends `base.html`, which has the style of all pages.
        package: the package whose folder has the file.
        **values: the variables of the template.

    Returns:
        The page.

    Raises:
        InputError: jinja2 is not installed.
    """
    jinja2 = require("jinja2", "HTML pages")
    loader = jinja2.ChoiceLoader([jinja2.PackageLoader(name, ".") for name in (package, FOLDER)])
    settings = {"autoescape": True, "undefined": jinja2.StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
    return jinja2.Environment(loader=loader, **settings).get_template(template).render(**values)
