"""The page in headless Chromium: requests, keyboard, widths, color schemes, user texts and accessibility."""

import re
import signal
import subprocess
import sys

import pytest

from keras_bert.playground.panels import PANELS
from tests.cli.command_line import environment
from tests.processes import LIMIT
from tools.browser import CHROMIUM

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (the extra `dev`)")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed (the extra `dev`)"
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)"),
]
WAIT = 120_000  # milliseconds, for machines that do other work
EVIL = '<img src=x onerror="document.title=1"><script>document.title=2</script><b>bold</b>'


@pytest.fixture(scope="module")
def server(folders):
    """Run the command in a process of its own; return the address of the page."""
    arguments = ["--model", folders[0], "--classifier", folders[1], "--spans", folders[2], "--port", "0"]
    command = [sys.executable, "-u", "-m", "keras_bert", "playground", *map(str, arguments)]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("playground: "):
            break
    assert lines and lines[-1].startswith("playground: http://127.0.0.1:"), (lines, process.stderr.read())
    yield lines[-1].split()[1]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT)
    assert process.returncode == 0


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture
def visit(server, browser):
    """Return a function that opens a panel and returns the page with `requests` and `errors`."""
    contexts = []

    def open_page(panel="tokens", **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.requests, page.errors = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{server}#{panel}")
        answered(page, panel)
        return page

    yield open_page
    for context in contexts:
        context.close()


def answered(page, panel) -> None:
    """Wait for the answer in a panel."""
    page.wait_for_function(
        "name => /Answered/.test(document.querySelector(`#panel-${name} .status`)?.textContent)", arg=panel
    )


@pytest.mark.parametrize("panel", PANELS)
def test_panel(visit, server, panel):
    """Every panel answers, asks no other host, and has no violation of axe in light and in dark mode."""
    for scheme in ("light", "dark"):
        page = visit(panel, color_scheme=scheme)
        assert page.locator(f"#panel-{panel} .output").inner_text().strip()
        assert page.requests and all(url.startswith((server, "data:,")) for url in page.requests), page.requests
        assert page.errors == []
        found = axe.Axe().run(page).response
        assert [(each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
        assert len(found["passes"]) > 15
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness = sum(map(int, re.findall(r"\d+", ground)[:3])) / 3
        assert (brightness < 60) == (scheme == "dark")


@pytest.mark.parametrize("panel", PANELS)
def test_width_of_a_small_phone(visit, panel):
    page = visit(panel, viewport={"width": 320, "height": 640})
    root = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert root[0] <= root[1] == 320
    outside = page.evaluate(
        """[...document.querySelectorAll('main *')].filter(each => !each.closest('.scroll') && each.offsetParent
        && each.getBoundingClientRect().right > 321).map(each => each.outerHTML.slice(0, 80))"""
    )
    assert outside == []


def focused(page) -> str:
    return page.evaluate("document.activeElement.id || document.activeElement.textContent")


def test_keyboard_alone(visit):
    """Choose a tab with the arrow keys, type a text, send it with Enter, and reach the controls of the answer."""
    page = visit()
    page.keyboard.press("Tab")
    assert focused(page) == "tab-tokens"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("End")
    assert focused(page) == "tab-question"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert focused(page) == "tab-sentiment" and page.locator("#panel-sentiment").is_visible()
    answered(page, "sentiment")
    page.keyboard.press("Tab")
    assert focused(page) == "sentiment-text"
    page.keyboard.press("Control+A")
    page.keyboard.type("dull film")
    page.keyboard.press("Enter")
    page.wait_for_function("() => /dull/.test(document.querySelector('#panel-sentiment .words')?.textContent)")
    for _ in range(4):
        page.keyboard.press("ArrowLeft") if focused(page).startswith("tab-") else page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "tab"
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert focused(page) == "tab-lens"
    answered(page, "lens")
    while focused(page) != "lens-layer":
        page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert "Layer 0:" in page.locator("#panel-lens .output").inner_text()
    page.keyboard.press("ArrowRight")
    assert "Layer 1:" in page.locator("#panel-lens .output").inner_text()


@pytest.mark.parametrize("panel", [name for name in PANELS if name != "fill-mask"])
def test_texts_never_become_html(visit, panel):
    page = visit(panel)
    for field in page.locator(f"#panel-{panel} textarea").all():
        field.fill(EVIL)
    page.locator(f"#panel-{panel} .output").evaluate("each => each.replaceChildren()")
    page.locator(f"#panel-{panel} button[type=submit]").click()
    page.wait_for_function("name => document.querySelector(`#panel-${name} .output`).childElementCount", arg=panel)
    answered(page, panel)
    assert page.locator("main img, main script, main b").count() == 0
    assert page.title() == "keras_bert playground" and page.errors == []


def test_attention_of_a_chosen_head_and_token(visit):
    page = visit("attention")
    page.get_by_role("button", name="Layer 1, head 2").click()
    page.locator("#panel-attention .chips button").nth(2).click()
    assert page.locator("#panel-attention h2").inner_text().startswith("Layer 1, head 2: from ")
    numbers = page.locator("#panel-attention tbody tr td:nth-child(2)").all_inner_texts()
    assert sum(map(float, numbers)) == pytest.approx(1, abs=0.01)
    assert page.locator("#panel-attention canvas.matrix").get_attribute("aria-label").startswith("Attention of layer 1")


def test_errors_are_shown(visit):
    page = visit("fill-mask")
    page.locator("#fill-mask-text").fill("no mask here")
    page.wait_for_function("() => document.querySelector('#panel-fill-mask .status').classList.contains('error')")
    assert "[MASK]" in page.locator("#panel-fill-mask .status").inner_text()
    page.get_by_role("button", name="Insert [MASK]").click()
    answered(page, "fill-mask")
    assert page.locator("#panel-fill-mask .bars li").count() == 8


def test_reduced_motion(visit):
    durations = []
    for setting in ("no-preference", "reduce"):
        page = visit("sentiment", reduced_motion=setting)
        durations.append(page.evaluate("getComputedStyle(document.querySelector('.fill')).transitionDuration"))
    assert durations[0] != "0s" and durations[1] == "0s"


def test_cross_site_scripts_are_blocked(visit):
    """The policy holds in the browser: no markup and no script from a string, no request to another host."""
    page = visit()
    for statement in ("document.body.innerHTML = '<b>x</b>'", "document.createElement('script').text = 'alert(1)'"):
        attempt = f"(() => {{ try {{ {statement}; }} catch (error) {{ return error.name; }} }})()"
        assert page.evaluate(attempt) == "TypeError"
    assert page.evaluate("fetch('http://127.0.0.2:1/').then(() => 'sent', error => error.name)") == "TypeError"
    assert any("Content Security Policy" in error for error in page.errors)
