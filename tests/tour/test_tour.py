"""The whole tour with the quick plan, which trains little but writes all files, and its report in a browser."""

import inspect
import json
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest
from keras import ops

from keras_bert.cli.main import main
from keras_bert.tour.plan import QUICK, TourPlan
from keras_bert.tour.run import _clear_if_different, next_commands
from keras_bert.weights import load_pretrained
from tests.processes import LIMIT, interrupt
from tools.browser import CHROMIUM

pytestmark = pytest.mark.slow

in_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (apt-get install chromium)")
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


def test_writes_one_folder(tour):
    assert [path.name for path in tour.parent.iterdir()] == ["out"]
    assert {path.name for path in tour.out.iterdir()} == {
        *("encoder", "classifier", "served", "tfhub_encoder"),
        *("metrics.json", "report.html"),
    }


def test_checks_pass(tour):
    assert tour.facts["passed"] is True, (tour.facts["check"], tour.facts["clean_process"])
    assert tour.facts["check"]["KerasHub"]["passed"]
    assert tour.facts["clean_process"]["passed"] and tour.facts["clean_process"]["same_labels"]


def test_metrics_file(tour):
    metrics = tour.metrics
    assert metrics == json.loads(json.dumps(tour.facts))
    assert metrics["seconds"]["total"] >= sum(value for name, value in metrics["seconds"].items() if name != "total")
    assert set(metrics["seconds"]) - {"total"} == set(re.findall(r"✓ +\d+/10  ([\w -]+?)  [\d.]+ s", tour.screen))
    assert metrics["peak_memory_mib"] > 200  # of this process, in which other tests ran before
    assert metrics["versions"]["tensorflow"] and metrics["machine"]["processors"] >= 1


def test_accuracy_of_saved_classifier(tour):
    from keras_bert.data import load_labeled

    data, trained = load_labeled("sample"), load_pretrained(tour.out / "classifier")
    logits = ops.convert_to_numpy(trained.model(trained.vectorizer(data.dev_texts), training=False))
    assert np.mean(logits.argmax(-1) == data.dev_labels) == pytest.approx(tour.metrics["evaluation"]["accuracy"])
    assert trained.labels == ["negative", "positive"]


def test_baseline_beside_accuracy(tour):
    """TF-IDF is computed on the same sentences that the classifier was trained on."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    from keras_bert.data import load_labeled

    data = load_labeled("sample")
    rows = data.train_validation_split(0)[0][: QUICK.max_finetune]
    tfidf = TfidfVectorizer(ngram_range=(1, 2)).fit([data.train_texts[i] for i in rows])
    train, dev = (tfidf.transform(texts) for texts in ([data.train_texts[i] for i in rows], data.dev_texts))
    expected = LogisticRegression(C=10, max_iter=1000).fit(train, data.train_labels[rows]).score(dev, data.dev_labels)
    assert tour.metrics["evaluation"]["tfidf"] == pytest.approx(expected)
    assert f"{100 * expected:.1f} %" in tour.page


def test_best_accuracy_is_bold(tour):
    table = tour.page.split("<th>accuracy on dev</th>")[1].split("</table>")[0]
    rows = re.findall(r"<tr><td>(<b>)?([^<]+)(?:</b>)?</td><td>.*?([\d.]+) %</em>", table)
    accuracies = [float(value) for _, _, value in rows]
    assert len(rows) == 4 and all(bool(bold) == (float(value) == max(accuracies)) for bold, _, value in rows)


def test_wrong_predictions_are_marked(tour):
    table = tour.page.split('id="served"')[1].split("</section>")[0]
    wrong = [row for row in tour.metrics["clean_process"]["predictions"] if row["label"] != row["expected"]]
    assert table.count(">wrong<") == len(wrong)
    assert tour.screen.count("(wrong)") == len(wrong)


def test_masked_tokens_of_both_models(tour):
    predictions = tour.metrics["masked_tokens"]
    assert list(predictions) == ["this run", "bert_en_uncased_mini"]
    door = [each["token"] for each in predictions["bert_en_uncased_mini"][0]["masks"][0]["predictions"]]
    assert "door" in door  # "she opened the [MASK] and went in ."


def test_clean_process_forbids_the_package():
    from keras_bert.tour import clean_process

    for statement, status in (("import keras_bert", 1), ("pass", 0)):
        script = f"import runpy, sys; runpy.run_path(sys.argv[1])['forbid']('keras_bert'); {statement}"
        command = [sys.executable, "-I", "-c", script, clean_process.__file__]
        assert subprocess.run(command, capture_output=True, text=True).returncode == status
    assert 'forbid("keras_bert", "keras_hub", "tensorflow_text")' in inspect.getsource(clean_process.main)


def test_page_fetches_nothing(tour):
    assert "://" not in tour.page
    assert not re.search(r"\b(src|href)\s*=\s*[\"'](?!data:|#)", tour.page)
    assert tour.page.count("<svg") == 6
    assert "{{" not in tour.page and "{%" not in tour.page


def test_page_shows_metrics(tour):
    metrics = tour.metrics
    assert f"{100 * metrics['evaluation']['accuracy']:.1f} %" in tour.page
    assert f"{metrics['pretraining']['parameters']:,}" in tour.page
    bundled = metrics["bundled"]
    assert bundled["name"] == "bert_en_uncased_mini"
    assert bundled["evaluation"]["examples"] == metrics["evaluation"]["examples"] == 1135
    row = tour.page.split(f"{bundled['name']}, fine-tuned")[1].split("</tr>")[0]
    assert f"{100 * bundled['evaluation']['accuracy']:.1f} %" in row
    for entry in metrics["commands"]:
        assert entry["command"].replace('"', "&#34;").replace("'", "&#39;") in tour.page


def test_printed_commands_run(tour, monkeypatch, capfd):
    monkeypatch.chdir(tour.parent)
    commands = next_commands("keras-bert", tour.out.relative_to(tour.parent), "sample")
    assert [entry["what"] for entry in commands] == [entry["what"] for entry in tour.metrics["commands"]]
    for entry in commands:
        program, *arguments = shlex.split(entry["command"])
        assert program == "keras-bert"
        if arguments[0] == "finetune":
            arguments += ["--epochs", "1", "--batch-size", "512"]  # to save time
        assert main(arguments) == 0, capfd.readouterr().err


def test_interrupted_tour_keeps_checkpoint(tmp_path):
    program = (
        "import sys, dataclasses; from pathlib import Path; from keras_bert.tour.plan import QUICK;"
        "from keras_bert.tour.run import run_tour;"
        "run_tour('out', plan=dataclasses.replace(QUICK, pretrain_steps=100000, evaluations=2000))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    checkpoint = tmp_path / "out.work" / "pretraining" / "checkpoint.npz"
    errors = interrupt(process, checkpoint.exists)
    assert process.returncode != 0 and "out.work" in errors.splitlines()[-1]
    assert checkpoint.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out.work"]  # no half-written folder


def test_other_plan_discards_checkpoint(tmp_path):
    work = tmp_path / "out.work"
    work.mkdir()
    (work / "checkpoint.npz").write_bytes(b"")
    _clear_if_different(work, {"seed": 0})
    assert not (work / "checkpoint.npz").exists()
    (work / "checkpoint.npz").write_bytes(b"")
    _clear_if_different(work, {"seed": 0})
    assert (work / "checkpoint.npz").exists()
    _clear_if_different(work, {"seed": 1})
    assert not (work / "checkpoint.npz").exists()


def test_quick_plan_is_smaller():
    assert QUICK.vocab_size < TourPlan().vocab_size and QUICK.pretrain_steps < TourPlan().pretrain_steps


def chromium(folder, *arguments) -> str:
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += ["--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT).stdout


@in_browser
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


@in_browser
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
