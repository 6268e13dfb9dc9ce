"""Assemble the sources of the site: pages of docs/, notebooks, model cards, the pages of the API reference.

A page's links name files of the repository. Here they are rewritten: to the page of the site that a file became, or to
the code host where its address is known (in a workflow of GitHub), or else to plain text.
"""

import html
import os
import re
import shutil
from pathlib import Path, PurePosixPath

import nbformat

from tools.chapters import ROOT, TUTORIALS, chapters, notebook_path, solutions, title
from tools.site import api_pages

# Code is not searched for links.
LINK = re.compile(r"(?P<code>```.*?^```|`[^`\n]+`)|(?P<start>\]\()(?P<target>[^)\s]+)\)", re.DOTALL | re.MULTILINE)
IMAGES = {".png", ".svg", ".jpg"}
PROJECT = ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
RESULTS = (
    "results",
    "tasks",
    "parity",
    "recipe",
    "settings",
    "small-models",
    "sentence-vectors",
    "attention",
    "explanations",
    "scale",
)


def page_map(tutorials: Path = TUTORIALS) -> dict[str, str]:
    """Return the pages of the site: file of the repository to file of the sources."""
    pages = {"README.md": "index.md", "tutorials/README.md": "index.md"}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        name = path.relative_to(ROOT / "docs").as_posix()
        pages[f"docs/{name}"] = f"appendices/{name.removeprefix('book/')}" if name.startswith("book/") else name
    for source in [*chapters(tutorials), *solutions(tutorials)]:
        name = notebook_path(source, tutorials).relative_to(tutorials / "notebooks").as_posix()
        pages[f"tutorials/notebooks/{name}"] = f"book/{name}"
    for card in sorted((ROOT / "saved_models").glob("*/README.md")):
        pages[f"saved_models/{card.parent.name}/README.md"] = f"models/{card.parent.name}.md"
    pages |= {name: f"project/{name.lower()}" for name in PROJECT}
    return pages


def assemble(source: Path, tutorials: Path | None = None, api: bool = True) -> None:
    """Write the sources of the site.

    Args:
        source: a folder that does not exist.
        tutorials: the folder of the book.
        api: whether to write the pages of the API reference.
    """
    tutorials = Path(tutorials or TUTORIALS).resolve()
    pages = page_map(tutorials)
    for name, page in pages.items():
        path = tutorials / name.removeprefix("tutorials/") if name.startswith("tutorials/") else ROOT / name
        target = source / page
        target.parent.mkdir(parents=True, exist_ok=True)
        if page.endswith(".ipynb"):
            nbformat.write(_notebook(path, name, pages), target)
        elif page != "index.md":
            target.write_text(rewrite_links(path.read_text(encoding="utf-8"), name, pages), encoding="utf-8")
    shutil.copytree(ROOT / "docs" / "images", source / "images")
    home = rewrite_links((ROOT / "docs" / "index.md").read_text(encoding="utf-8"), "docs/index.md", pages)
    listed = [f"- [{title(path)}](book/{path.stem}.ipynb)" for path in chapters(tutorials)]
    home = home.replace("<!-- chapters -->", "\n".join(listed))
    names = api_pages.write(source / "api", chapters(tutorials)) if api else []
    (source / "index.md").write_text(home + _contents(source, pages, names), encoding="utf-8")
    _index_of_solutions(source, tutorials)


def rewrite_links(text: str, name: str, pages: dict[str, str]) -> str:
    """Rewrite the links of a page.

    Args:
        text: Markdown.
        name: the page's file in the repository.
        pages: file of the repository to file of the sources.

    Returns:
        The text; a link to a file that is not on the site names the code host, or is only its text.

    Raises:
        ValueError: there is no file to which a link leads.

    >>> pages = {"docs/a.md": "a.md", "docs/b.md": "b.md"}
    >>> rewrite_links("See [a](b.md#c), `[d](e)` and [f](../setup.py).", "docs/a.md", pages)
    'See [a](b.md#c), `[d](e)` and f.'
    """
    here, folder = PurePosixPath(pages[name]).parent, PurePosixPath(name).parent

    def rewrite(match: re.Match) -> str:
        target = match["target"]
        if match["code"] or re.match(r"[a-z+]+:|#", target):
            return match[0]
        path, _, anchor = target.partition("#")
        path = os.path.normpath(folder / path)
        if PurePosixPath(path).suffix in IMAGES and path.startswith("docs/images/"):
            return f"](/{path.removeprefix('docs/')})"
        path = re.sub(r"^tutorials/(?!notebooks/)(.+)\.py$", r"tutorials/notebooks/\1.ipynb", path)  # a chapter's page
        if path in pages:
            return f"]({os.path.relpath(pages[path], here)}{'#' * bool(anchor)}{anchor})"
        if not (ROOT / path).exists():
            raise ValueError(f"{name}: there is no file {path}, to which a link leads")
        if repository := os.environ.get("GITHUB_REPOSITORY"):
            return f"](https://github.com/{repository}/blob/main/{path})"
        return "](#)"

    text = LINK.sub(rewrite, text)
    return re.sub(r"\[((?:[^\[\]]|\[[^\]]*\])*)\]\(#\)", r"\1", text)


def _notebook(path: Path, name: str, pages: dict[str, str]) -> nbformat.NotebookNode:
    """Read a notebook, rewrite its links, and give its images their text alternatives in the way of MyST-NB."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = rewrite_links(cell.source, name, pages)
            continue
        found = [output.get("metadata", {}).get("image/png", {}).get("alt") for output in cell.outputs]
        if alt := "; ".join(filter(None, found)):
            cell.metadata["mystnb"] = {"image": {"alt": alt}}
        cell.outputs = _with_captions(cell.outputs)
    return notebook


def _with_captions(outputs: list) -> list:
    """Make the line that follows an image its caption: `Chapter.show` prints it there."""
    changed = []
    for before, output in zip([{}, *outputs], outputs, strict=False):
        if output.output_type == "stream" and "image/png" in before.get("data", {}):
            caption, _, rest = output.text.partition("\n")
            content = {"text/html": f'<p class="figure-caption">{html.escape(caption)}</p>'}
            changed.append(nbformat.v4.new_output("display_data", content))
            if not rest:
                continue
            output = nbformat.v4.new_output("stream", name=output.name, text=rest)
        changed.append(output)
    return changed


def _contents(source: Path, pages: dict[str, str], names: list[str]) -> str:
    """Return the hidden tables of contents of the first page, which make the navigation."""
    found = sorted(page.rsplit(".", 1)[0] for page in set(pages.values()))
    results = [name for name in RESULTS if name in found]
    groups = {
        "The book": [name for name in found if re.match(r"book/\d", name)] + ["book/solutions/index"],
        "Appendices": ["glossary", *(name for name in found if name.startswith("appendices/"))],
        "API reference": [f"api/{name}" for name in names],
        "Guides": [name for name in found if name.startswith("guides/")],
        "Results": [*results, *(name for name in found if name in ("performance", "features"))],
        "Models": [name for name in found if name.startswith("models/")],
        "Project": ["architecture", "decisions", *(name for name in found if name.startswith("project/"))],
    }
    listed = {name for group in groups.values() for name in group}
    groups["Project"] += [name for name in found if name not in listed | {"index"} and not name.startswith("book/")]
    blocks = [
        "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *group, "```"])
        for caption, group in groups.items()
        if group
    ]
    return "\n\n" + "\n\n".join(blocks) + "\n"


def _index_of_solutions(source: Path, tutorials: Path) -> None:
    """Write the page that lists the solutions."""
    found = solutions(tutorials)
    lines = [
        "# Solutions",
        "",
        "The solutions of the exercises, with their outputs.",
        "",
        "```{toctree}",
        ":maxdepth: 1",
        "",
    ]
    names = {chapter.stem: title(chapter) for chapter in chapters(tutorials)}
    lines += [f"{names.get(path.stem, path.stem)} <{path.stem}>" for path in found]
    folder = source / "book" / "solutions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.md").write_text("\n".join([*lines, "```", ""]), encoding="utf-8")
