"""The report page in a browser: layout at two widths, no overflow, no other file loaded."""

import json
import re
import shutil
import subprocess

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)"),
]
# Measures the page inside a frame of a given width, because headless windows have a minimum width.
PROBE = """<!doctype html><title>none</title><iframe id="frame" style="width:%dpx;height:900px;border:0"></iframe>
<script>
const frame = document.getElementById('frame');
frame.onload = () => {
  const page = frame.contentDocument, root = page.documentElement;
  const figures = [...page.querySelectorAll('svg')].map(svg => svg.getBoundingClientRect());
  const wide = [...page.querySelectorAll('main *')].filter(e => !e.closest('svg, pre, .scroll') && !e.matches('svg')
    && e.getBoundingClientRect().right > root.clientWidth + 1).map(e => e.tagName + '.' + e.className);
  document.title = 'RESULT' + JSON.stringify({
    width: root.clientWidth, scroll: root.scrollWidth, wide, sections: page.querySelectorAll('section').length,
    figures: figures.map(box => [Math.round(box.width), Math.round(box.height)]),
    fetched: frame.contentWindow.performance.getEntriesByType('resource').map(e => e.name)
      .filter(name => !name.startsWith('data:')),
  }) + 'END';
};
frame.src = 'report.html';
</script>"""


def chromium(folder, *arguments) -> str:
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += ["--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize("width", [390, 1280])
def test_layout(tour, tmp_path, width):
    shutil.copy(tour.out / "report.html", tmp_path)
    (tmp_path / "probe.html").write_text(PROBE % width)
    url = (tmp_path / "probe.html").as_uri()
    dom = chromium(tmp_path, "--window-size=1400,1000", "--virtual-time-budget=5000", "--dump-dom", url)
    found = json.loads(re.search(r"RESULT(\{.*?\})END", dom)[1])
    assert width - 20 <= found["width"] <= width and found["scroll"] <= found["width"]  # without the scroll bar
    assert found["wide"] == []
    assert found["sections"] == 8 and len(found["figures"]) == 6
    assert all(200 < w <= width and h > 120 for w, h in found["figures"])
    assert found["fetched"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_color_scheme(tour, tmp_path, scheme):
    import matplotlib.image

    shot = tmp_path / "shot.png"
    dark = (
        ["--force-dark-mode", "--enable-features=WebContentsForceDark:inversion_method/none"]
        if scheme == "dark"
        else []
    )
    chromium(tmp_path, "--window-size=800,600", f"--screenshot={shot}", *dark, (tour.out / "report.html").as_uri())
    corner = matplotlib.image.imread(shot)[5, 5, :3].mean()
    assert corner > 0.9 if scheme == "light" else corner < 0.2
