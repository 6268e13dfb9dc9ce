"""The page of a training run: what it shows is what the run logged, and it loads nothing."""

import json
import shutil
from html.parser import HTMLParser

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.run_view import view_run
from keras_bert.errors import InputError
from keras_bert.explain.figures.calibration_plot import calibration_curve
from keras_bert.explain.pages.event_log import read_scalars
from keras_bert.metrics.calibration import calibration_error
from keras_bert.training import FillMaskLog, PredictionLog
from tests.explain.readable import assert_readable
from tests.training import toys

pytest.importorskip("tensorboardX", reason="the extra `tensorboard` writes and reads logs")
TEXTS = ["<i>fine</i> film", "dull film", "fine", "dull", "film fine", "film dull"] * 3
LABELS = ["good", "bad"] * 9


def pretrained_model():
    keras.utils.set_random_seed(0)
    config = kb.BertConfig(len(toys.VOCABULARY), 8, 1, 2, 16, max_position_embeddings=32)
    return kb.BertPretrainer(kb.BertEncoder(config))


def pretrain(model, **settings) -> dict:
    """Pretrain for 20 steps with an evaluation every 10; return the history."""
    parts = toys.examples(), toys.masking()
    settings |= {"steps": 20, "batch_size": 4, "validate_every": 10, "verbose": 0}
    return kb.pretrain(model, *parts, validation=toys.examples(), **settings).history


@pytest.fixture(scope="module")
def pretraining(tmp_path_factory):
    """The log of a pretraining with masked texts, and its history."""
    folder = tmp_path_factory.mktemp("pretrain")
    log = FillMaskLog(folder, [f"{toys.VOCABULARY[5]} [MASK]"], kb.BertTextVectorization(toys.VOCABULARY), top_k=4)
    model = pretrained_model()
    history = pretrain(model, log_dir=folder, callbacks=[log])
    return folder, history, model


@pytest.fixture(scope="module")
def finetuning(tmp_path_factory):
    """The log of a fine-tuning with predictions, and its model."""
    folder = tmp_path_factory.mktemp("finetune")
    vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "dull", "film"])
    model = kb.BertClassifier(kb.BertEncoder(kb.BertConfig(8, 8, 1, 2, 16)), num_classes=2)
    history = kb.finetune(
        model,
        TEXTS,
        LABELS,
        vectorizer=vectorizer,
        epochs=2,
        batch_size=4,
        log_dir=folder,
        callbacks=[PredictionLog(folder, TEXTS, LABELS)],
        verbose=0,
    )
    return folder, history.model


class Links(HTMLParser):
    """Collect everything in a page that a browser would load."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        names = ("src", "srcset", "href", "xlink:href", "data", "poster", "action")
        self.found += [value for name, value in attributes if name in names and not value.startswith(("data:,", "#"))]


def loaded_by(page: str) -> list[str]:
    links = Links()
    links.feed(page)
    return links.found + [part for part in ("@import", "url(http", "fetch(", "<script") if part in page]


def test_scalars_equal_the_history(pretraining):
    folder, history, _ = pretraining
    train, validation = read_scalars(folder / "train"), read_scalars(folder / "validation")
    assert list(train["mlm_loss"]) == history["step"] == [10, 20]
    np.testing.assert_allclose(list(train["mlm_loss"].values()), history["mlm_loss"], rtol=1e-6)
    np.testing.assert_allclose(list(validation["loss"].values()), history["val_loss"], rtol=1e-6)
    assert list(train["running/learning_rate"]) == [10, 20]
    np.testing.assert_allclose(list(train["running/learning_rate"].values()), history["learning_rate"], rtol=1e-6)


def test_page_of_a_pretraining(pretraining, tmp_path):
    folder, history, model = pretraining
    found = kb.explain.run_page(folder, tmp_path / "run.html")
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert found == json.loads(json.dumps(found)) and found["steps"] == 20
    assert found["metrics"]["val_mlm_loss"] == pytest.approx(history["val_mlm_loss"][-1])
    assert found["figures"]["mlm_loss"]["series"]["validation"]["x"] == [10, 20]
    assert list(found["figures"]) == ["loss", "mlm_loss", "nsp_loss", "mlm_accuracy", "nsp_accuracy", "learning_rate"]
    assert not loaded_by(page) and page.count("<svg") == 6
    last = json.loads((folder / "fill_mask.jsonl").read_text().splitlines()[-1])
    best = last["texts"][0]["masks"][0]["predictions"][0]
    assert last["step"] == 20 and f"{best['token']} {best['probability']:.2f}" in page


def test_logged_masks_are_those_of_fill_mask(pretraining, tmp_path):
    """The last evaluation is the best one or not; the logged predictions are of the weights at step 20."""
    folder, _, _ = pretraining
    model = pretrained_model()
    kb.pretrain(model, toys.examples(), toys.masking(), steps=20, batch_size=4, validate_every=10, verbose=0)
    saved = kb.save_pretrained(model, tmp_path / "model", kb.BertTextVectorization(toys.VOCABULARY))
    text = json.loads((folder / "fill_mask.jsonl").read_text().splitlines()[-1])["texts"][0]
    expected = kb.fill_mask(kb.load_pretrained(saved), [text["text"]], top_k=4)[0]
    for mine, theirs in zip(text["masks"][0]["predictions"], expected["masks"][0]["predictions"], strict=True):
        assert mine["token"] == theirs["token"] and mine["probability"] == pytest.approx(
            theirs["probability"], abs=1e-6
        )


def test_page_of_a_finetuning(finetuning, tmp_path):
    folder, model = finetuning
    found = kb.explain.run_page(folder, tmp_path / "run.html")
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    predictions = kb.Predictor(model)(TEXTS)
    correct = [row["label"] == label for row, label in zip(predictions, LABELS, strict=True)]
    expected = calibration_error([row["probability"] for row in predictions], correct)
    assert found["figures"]["calibration"]["calibration_error"] == pytest.approx(expected, abs=1e-6)
    counts = np.array(found["figures"]["confusion"]["counts"])
    assert counts.sum() == len(TEXTS) and counts.trace() == sum(correct)
    assert not loaded_by(page)
    wrong = [row for row, good in zip(predictions, correct, strict=True) if not good]
    table = page.split("Wrong predictions with")[1]
    assert table.count("<tr>") - 1 == min(len(wrong), 10)
    most_confident = max(row["probability"] for row in wrong)
    assert f"{most_confident:.3f}" in table.split("</tr>")[1]
    assert "<i>fine" not in page


def test_interrupted_run(pretraining, tmp_path):
    """What was written after the last checkpoint of an interrupted run is not shown, nor half a record."""
    import tensorboardX

    for first, purge in ((0, None), (30, 30)):
        suffix = f".{first}"  # otherwise two files of the same second have the same name
        with tensorboardX.SummaryWriter(str(tmp_path / "train"), purge_step=purge, filename_suffix=suffix) as writer:
            for step in range(first, first + 50, 10):
                writer.add_scalar("loss", first + step, step)
    steps = read_scalars(tmp_path / "train")["loss"]
    assert list(steps) == [0, 10, 20, 30, 40, 50, 60, 70] and steps[30] == 60 and steps[20] == 20
    shutil.copytree(pretraining[0] / "train", tmp_path / "cut")
    (file,) = (tmp_path / "cut").iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    assert read_scalars(tmp_path / "cut")


def test_callback_keeps_the_weights_and_continues_its_file(pretraining, tmp_path):
    folder, _, model = pretraining
    other = pretrained_model()
    pretrain(other)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    log = FillMaskLog(tmp_path, ["[MASK]"], kb.BertTextVectorization(toys.VOCABULARY))
    log.path.write_text('{"step": 2, "texts": []}\n{"step": 7, "texts": []}\n')
    kb.pretrain(pretrained_model(), toys.examples(), toys.masking(), steps=1, batch_size=4, callbacks=[log], verbose=0)
    assert [json.loads(line)["step"] for line in log.path.read_text().splitlines()] == [
        1
    ]  # a new run begins a new file


def test_calibration_curve():
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.5, 1, 400)
    correct = rng.uniform(size=400) < 0.8
    plot = calibration_curve(confidences, correct)
    assert_readable(plot.figure)
    assert sum(row["examples"] for row in plot.data["bins"]) == 400
    for row in plot.data["bins"]:
        within = np.ceil(confidences * 15) == np.ceil(row["confidence"] * 15)
        assert row["accuracy"] == pytest.approx(correct[within].mean())
    with pytest.raises(InputError, match="`correct`"):
        calibration_curve([0.5], [])


def test_errors(pretraining, tmp_path):
    folder = pretraining[0]
    cases = ((tmp_path, "a.html", "run_dir"), (tmp_path / "none", "a.html", "run_dir"), (folder, "a.pdf", "out"))
    for run_dir, out, argument in cases:
        with pytest.raises(InputError, match=f"`{argument}` must .*Received: ") as error:
            kb.explain.run_page(run_dir, tmp_path / out)
        assert "\n" not in str(error.value)
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    (damaged / "predictions.json").write_text('{"label_names": ["a"], "examples": [{"text": "x", "label": 3}]}')
    with pytest.raises(InputError, match="`run_dir`.*predictions.json"):
        kb.explain.run_page(damaged, tmp_path / "a.html")
    assert not list(tmp_path.glob("*.html"))
    with pytest.raises(InputError, match="`texts`"):
        FillMaskLog(tmp_path, ["no mask"], None)


def test_view_on_the_command_line(pretraining, tmp_path, capsys):
    from rich.console import Console

    found = view_run(Console(), pretraining[0], tmp_path / "run.html")
    assert found["steps"] == 20 and "20 steps" in capsys.readouterr().out
