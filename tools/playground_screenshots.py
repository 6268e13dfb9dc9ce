"""Take the screenshots of the playground in docs/images, one per panel, with the bundled models.

    python -m tools.playground_screenshots

It needs the extra `dev`, and Chromium.
"""

import signal
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.playground import start
from keras_bert.playground.panels import PANELS
from tools.browser import CHROMIUM

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
WIDTH, WAIT = 900, 120_000  # pixels, milliseconds


def main() -> None:
    """Start a playground, and take a picture of each panel when it shows its answer."""
    process, address = start()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            for name in PANELS:
                page = browser.new_page(viewport={"width": WIDTH, "height": WIDTH}, color_scheme="light")
                page.goto(f"{address}#{name}")
                page.wait_for_selector(f"#panel-{name}")
                if page.locator(f"#panel-{name} button").count():  # no form: the model of the panel is missing
                    status = "name => /Answered/.test(document.querySelector(`#panel-${name} .status`)?.textContent)"
                    page.wait_for_function(status, arg=name, timeout=WAIT)
                # The time of an answer depends on the machine.
                page.evaluate("document.querySelectorAll('.status').forEach(each => { each.textContent = '' })")
                page.screenshot(path=IMAGES / f"playground-{name}.png", full_page=True)
                print(IMAGES / f"playground-{name}.png")
                page.close()
            browser.close()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


if __name__ == "__main__":
    main()
