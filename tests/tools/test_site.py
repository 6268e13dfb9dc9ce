"""The documentation site: links, navigation, the API reference; in headless Chromium each page, and the search."""

import doctest
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

for package in ("nbformat", "jupytext", "sphinx", "myst_nb", "furo"):
    pytest.importorskip(package, reason=f"the site extra installs {package}")

import nbformat  # noqa: E402

from tests.processes import LIMIT  # noqa: E402
from tools import chapters  # noqa: E402
from tools.browser import CHROMIUM  # noqa: E402
from tools.chapters import NOTEBOOKS, ROOT  # noqa: E402
from tools.site import api_pages, build, source_tree  # noqa: E402

SAMPLE = Path(__file__).resolve().parents[1] / "tutorials" / "book" / "00_is_a_bar_longer.py"
WAIT = 120_000  # milliseconds, for machines that do other work
PAGES = {"docs/a.md": "a.md", "docs/guides/b.md": "guides/b.md", "tutorials/notebooks/01_c.ipynb": "book/01_c.ipynb"}


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("docs/a.md", "[b](guides/b.md#part)", "[b](guides/b.md#part)"),
        ("docs/guides/b.md", "[a](../a.md), [top](#top)", "[a](../a.md), [top](#top)"),
        ("docs/a.md", "[c](../tutorials/notebooks/01_c.ipynb)", "[c](book/01_c.ipynb)"),
        ("docs/guides/b.md", "[c](../../tutorials/01_c.py)", "[c](../book/01_c.ipynb)"),
        ("tutorials/notebooks/01_c.ipynb", "[a](../../docs/a.md#x)", "[a](../a.md#x)"),
        ("docs/guides/b.md", "![alt](../images/x.png)", "![alt](/images/x.png)"),
        (
            "docs/a.md",
            "[`setup.py`](../setup.py) and [Keras](https://keras.io)",
            "`setup.py` and [Keras](https://keras.io)",
        ),
        (
            "docs/a.md",
            "`[x](y.md)`\n```\n[x](y.md)\n```\n[b](guides/b.md)",
            "`[x](y.md)`\n```\n[x](y.md)\n```\n[b](guides/b.md)",
        ),
    ],
)
def test_links_of_pages(name, text, expected, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    assert source_tree.rewrite_links(text, name, PAGES) == expected


def test_broken_links_are_errors():
    with pytest.raises(ValueError, match=r"docs/a.md: there is no file docs/missing.md"):
        source_tree.rewrite_links("[x](missing.md)", "docs/a.md", PAGES)


def test_links_to_the_code_host(monkeypatch):
    monkeypatch.setenv("GITHUB_REPOSITORY", "owner/name")
    text = source_tree.rewrite_links("[s](../setup.py)", "docs/a.md", PAGES)
    assert text == "[s](https://github.com/owner/name/blob/main/setup.py)"


def test_captions_and_text_alternatives(tmp_path):
    image = nbformat.v4.new_output("display_data", {"image/png": "AA=="}, metadata={"image/png": {"alt": "A line"}})
    printed = nbformat.v4.new_output("stream", text="Loss < 1.\nanother line\n")
    cell = nbformat.v4.new_code_cell("show", outputs=[image, printed])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "01_c.ipynb")
    changed = source_tree._notebook(tmp_path / "01_c.ipynb", "tutorials/notebooks/01_c.ipynb", PAGES).cells[0]
    assert changed.metadata["mystnb"] == {"image": {"alt": "A line"}}
    assert changed.outputs[1].data["text/html"] == '<p class="figure-caption">Loss &lt; 1.</p>'
    assert changed.outputs[2].text == "another line\n"


@pytest.mark.parametrize("module", [build, chapters, source_tree])
def test_examples_in_docstrings(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_names_used_in_a_chapter():
    used = api_pages.names_used(SAMPLE)
    assert {"keras_bert.explain.bar_chart", "keras_bert.explain.line_chart", "keras_bert.book.Chapter"} <= used


def test_every_public_name_has_one_place():
    import keras_bert as kb

    places = [
        f"{module}.{name}" for page, (_, module, _) in api_pages.PAGES.items() for name in api_pages.names_of(page)
    ]
    expected = {f"keras_bert.{name}" for name in kb.__all__ if name not in api_pages.NAMESPACES}
    for namespace in api_pages.NAMESPACES:
        expected |= {f"keras_bert.{namespace}.{name}" for name in getattr(kb, namespace).__all__}
    assert len(places) == len(set(places))
    assert {place for place in places if not place.startswith("keras_bert.book")} == expected


def test_undocumented_names_are_found():
    assert build.undocumented("Title\n=====\n\n| keras_bert | 100 % |\n") == []
    assert build.undocumented("Functions:\n * load_corpus\n") == ["load_corpus"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site, with warnings as errors; return the folder of its pages."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "tools.site", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr[-4000:]
    return out / "html"


@pytest.mark.slow
def test_pages_of_the_site(site):
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    notebooks = {path.relative_to(NOTEBOOKS).with_suffix(".html").as_posix() for path in NOTEBOOKS.rglob("*.ipynb")}
    assert {f"book/{name}" for name in notebooks} <= pages and len(notebooks) == 32
    assert {"index.html", "search.html", "glossary.html", "architecture.html", "results.html"} <= pages
    assert {f"api/{page}.html" for page in api_pages.PAGES} <= pages
    assert {f"models/{card.parent.name}.html" for card in (ROOT / "saved_models").glob("*/README.md")} <= pages
    assert "Used in" in (site / "api" / "figures.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_pages_name_no_other_host(site):
    """Links to other hosts are for readers; scripts, styles and images are on the site."""
    loads = re.compile(r"<(?:script|img|iframe|source)[^>]* src=\"([^\"]+)|<link[^>]* href=\"([^\"]+)")
    for path in site.rglob("*.html"):
        found = [first or second for first, second in loads.findall(path.read_text(encoding="utf-8"))]
        assert found and not [each for each in found if "//" in each], path
    styles = [path.read_text(encoding="utf-8") for path in (site / "_static").rglob("*.css")]
    assert not [style for style in styles if re.search(r"url\(['\"]?(https?:)?//", style)]


@pytest.fixture(scope="module")
def open_page(site):
    """Return a function that opens a page of the site from the disk, and returns it with `requests` and `errors`."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the extra `dev`)")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.set_default_timeout(WAIT)
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)

        def visit(name, scheme="light"):
            page.requests, page.errors = [], []
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": 1280, "height": 900})
            page.goto(f"{site.as_uri()}/{name}")
            return page

        yield visit
        browser.close()


@pytest.mark.slow
def test_every_page_in_a_browser(site, open_page):
    """No error, no request to a host, no violation of axe, nothing wider than a small phone."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the dev extra installs it")
    wrong = []
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    for i, name in enumerate(name for name in names if not name.startswith("_modules")):
        page = open_page(name, scheme="dark" if i % 2 else "light")
        assert page.locator("h1").first.inner_text().strip()
        found = axe.Axe().run(page, options={"preload": False}).response["violations"]  # preload reads styles again
        wrong += [(name, each["id"], each["nodes"][0]["html"][:200]) for each in found]
        page.set_viewport_size({"width": 320, "height": 900})
        width = page.evaluate("document.documentElement.scrollWidth")
        wrong += [(name, "width", width)] if width > 320 else []
        wrong += [(name, "request", url) for url in page.requests if not url.startswith(("file:", "data:"))]
        wrong += [(name, "error", text) for text in page.errors]
        wrong += [(name, "no text alternative", "") for _ in range(page.locator("img:not([alt])").count())]
    assert wrong == [], json.dumps(wrong, indent=1)


@pytest.mark.slow
def test_formulas_are_drawn(site, open_page):
    name = next(path for path in sorted(site.glob("book/*.html")) if 'class="math' in path.read_text(encoding="utf-8"))
    page = open_page(name.relative_to(site).as_posix())
    page.wait_for_selector("mjx-container svg", state="attached")
    assert page.errors == []


@pytest.mark.slow
@pytest.mark.parametrize("query, target", [("integrated_gradients", "api/attributions.html"), ("conductance", "api/")])
def test_search_from_the_disk(open_page, query, target):
    page = open_page(f"search.html?q={query}")
    page.wait_for_selector("#search-results li a")
    targets = [link.get_attribute("href") for link in page.locator("#search-results li a").all()]
    assert [each for each in targets if target in each], targets
    assert page.errors == [] and all(url.startswith(("file:", "data:")) for url in page.requests)
