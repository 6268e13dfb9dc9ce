"""The HTML page of attention: its data, its policy, and what a browser shows without any request."""

import base64
import html.parser
import json
import re
import subprocess

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.explain.self_attention.page import VIEWS, content_security_policy
from keras_bert.explain.self_attention.plots import SIDE
from keras_bert.explain.self_attention.text_attention import Attention
from tests.processes import LIMIT
from tools.browser import CHROMIUM

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")
HOSTILE = "</script><img src=x onerror=alert(1)><!-- {{maps}} 'film' \u2028"


def attention_of(tokens: list[str], layers: int = 2, heads: int = 3, seed: int = 0) -> Attention:
    """Return random attention of some tokens."""
    rng = np.random.default_rng(seed)
    maps = rng.dirichlet(np.full(len(tokens), 0.3), (layers, heads, len(tokens))).astype("float32")
    count = range(len(tokens))
    return Attention(maps, tokens, [0] * len(tokens), [None for _ in count], tokens, list(count), HOSTILE)


class Elements(html.parser.HTMLParser):
    """The elements of a page with their attributes, and the content of those with an id."""

    def __init__(self, page: str):
        super().__init__()
        self.found, self.content = [], {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, text):
        if self.found and "id" in self.found[-1][1]:
            self.content.setdefault(self.found[-1][1]["id"], text)


def test_stores_the_maps_and_nothing_else():
    attention = attention_of(["[CLS]", HOSTILE, "film", "[SEP]"])
    page = attention.html("lines", 2, 3)
    elements = Elements(page)
    data = json.loads(elements.content["data"])
    assert (data["text"], data["tokens"]) == (HOSTILE, attention.tokens)
    assert (data["view"], data["layer"], data["head"]) == ("lines", 2, 3)
    for layer, head in np.ndindex(2, 3):
        cells = np.frombuffer(base64.b64decode(elements.content[f"map-{layer}-{head}"]), np.uint8)
        largest = data["largest"][layer][head]
        expected = attention.maps[layer, head]
        assert largest == expected.max()
        np.testing.assert_allclose(cells.reshape(4, 4) / 255 * largest, expected, atol=largest / 509)
    tags = [tag for tag, _ in elements.found]
    assert "img" not in tags and "link" not in tags and tags.count("script") == 2 * 3 + 3
    assert not [attributes for _, attributes in elements.found if {"src", "href", "style"} & set(attributes)]
    (policy,) = (value["content"] for tag, value in elements.found if value.get("http-equiv"))
    assert policy == content_security_policy(page) and policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy and "://" not in page and "innerHTML" not in page


def test_small_maps_keep_the_largest_cells():
    length = 3 * SIDE + 5
    attention = attention_of([f"t{i}" for i in range(length)], 1, 1)
    maps = np.full((1, 1, length, length), 1e-3, "float32")
    maps[0, 0, np.arange(length), np.arange(length)] = 0.9
    attention.maps[:] = maps
    elements = Elements(attention.html())
    small = np.frombuffer(base64.b64decode(elements.content["small"]), np.uint8).reshape(SIDE, SIDE)
    assert (np.diag(small) == 255).all() and np.median(small) == 0
    assert json.loads(elements.content["data"])["side"] == SIDE


def test_rejects_unknown_view():
    with pytest.raises(kb.InputError, match="^`view` must be one of matrix, lines.* Received: view='arcs'"):
        attention_of(["a"]).html("arcs")


PROBE = """<!doctype html><title>none</title><iframe id="frame" style="width:%dpx;height:900px;border:0"></iframe>
<script>
const frame = document.getElementById('frame');
frame.onload = () => {
  const page = frame.contentDocument, root = page.documentElement, byId = (id) => page.getElementById(id);
  const wide = () => [...page.querySelectorAll('main *')].filter(e => !e.closest('#stage, #table')
    && e.getBoundingClientRect().right > root.clientWidth + 1).map(e => e.tagName + e.id);
  const press = (key) => byId('stage').dispatchEvent(
    new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
  const found = {fetched: frame.contentWindow.performance.getEntriesByType('resource').map(e => e.name)};
  found.text = byId('text').textContent;
  found.options = [...byId('query').options].map(option => option.textContent);
  const canvas = byId('canvas');
  try { frame.contentWindow.eval('1'); found.evaluated = true; } catch (error) { found.evaluated = false; }
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  found.alphas = Array.from(pixels.filter((_, i) => i %% 4 === 3));
  found.canvas = [canvas.width, canvas.height];
  found.views = {};
  for (const view of ['matrix', 'lines', 'heads', 'model']) {
    byId('view').value = view;
    byId('view').dispatchEvent(new Event('change'));
    found.views[view] = {wide: wide(), caption: byId('caption').textContent, hint: byId('hint').textContent,
      buttons: [...page.querySelectorAll('#grid button')].map(button => button.getAttribute('aria-label')),
      scroll: root.scrollWidth, width: root.clientWidth};
  }
  press('Enter');
  found.chosen = byId('view').value;
  press('ArrowDown');
  press('ArrowRight');
  press('ArrowRight');
  press('ArrowRight');
  press('PageDown');
  found.moved = [byId('layer').value, byId('head').value, byId('query').value];
  found.reading = byId('reading').textContent;
  byId('details').open = true;
  setTimeout(() => {
    found.table = [...page.querySelectorAll('#table td')].map(cell => cell.textContent);
    document.title = 'RESULT' + btoa(unescape(encodeURIComponent(JSON.stringify(found)))) + 'END';
  }, 50);
};
frame.src = 'page.html';
</script>"""


@in_browser
@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 1280])
def test_browser_shows_the_page(width, tmp_path):
    tokens = ["[CLS]", HOSTILE, "film", "##s", "[SEP]"]
    attention = attention_of(tokens)
    (tmp_path / "page.html").write_text(attention.html(), encoding="utf-8")
    (tmp_path / "probe.html").write_text(PROBE % width, encoding="utf-8")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += ["--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,1000"]
    command += ["--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom"]
    command.append((tmp_path / "probe.html").as_uri())
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    found = json.loads(base64.b64decode(re.search("RESULT(.*?)END", done.stdout)[1]))
    messages = [line for line in done.stderr.splitlines() if "CONSOLE" in line and "unsafe-eval" not in line]
    assert messages == [] and found["fetched"] == [] and not found["evaluated"]
    assert found["text"] == HOSTILE and found["options"][2] == f"2: {HOSTILE}"

    # The opacities of the cells are the probabilities: the cells are the lower right square of the canvas.
    alphas = np.array(found["alphas"]).reshape(found["canvas"][::-1])
    cell = 26
    cells = alphas[-2 - 5 * cell : -2, -2 - 5 * cell : -2][cell // 2 :: cell, cell // 2 :: cell]
    expected = attention.maps[0, 0]
    np.testing.assert_array_equal(cells, np.round(255 * expected / expected.max()))

    query, key = np.unravel_index(expected.argmax(), expected.shape)
    for name, view in found["views"].items():
        assert view["wide"] == [] and view["scroll"] <= view["width"], name
        assert f"to “{tokens[key]}” ({key + 1})" in view["caption"] and view["hint"]
    assert len(found["views"]["heads"]["buttons"]) == 3
    assert found["views"]["model"]["buttons"][-1] == "Layer 2, head 3"
    assert found["chosen"] == "matrix" and found["moved"] == ["1", "2", "0"]  # indices; the last head stays
    row = attention.maps[1, 2, 0]
    best = row.argmax()
    assert found["reading"].startswith(f"From “[CLS]” (1): “{tokens[best]}” ({best + 1}) {row[best]:.2f}")
    assert len(found["table"]) == 4 * 5 and found["table"][4] == f"“{HOSTILE}” (2)"
    assert set(found["views"]) == set(VIEWS)
