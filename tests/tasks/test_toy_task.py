"""A new task with its own head: training, evaluation, saving, `Predictor` and the command line work without changes."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.data.files import read_lines
from keras_bert.models.task_model import TaskModel
from keras_bert.tasks import TASKS, Task, TaskData, TaskDefaults, register_task, task_for
from keras_bert.tasks.objectives import label_objective
from keras_bert.tasks.task_data import LabeledTexts, check_files
from tests.training.toys import CONFIG, VOCABULARY, labeled


@keras.saving.register_keras_serializable(package="toy")
class ToyHead(TaskModel):
    """One logit per text: is it a question?"""

    kind = "toy"

    def __init__(self, encoder, name=None, trainable=True):
        head = keras.layers.Dense(1, name="logit")
        logits = head(encoder(encoder.input)["pooled_output"])  # [B, 1]
        super().__init__(encoder, logits, name=name, trainable=trainable)
        self.head = head


@dataclasses.dataclass(frozen=True)
class ToyTask(Task):
    """A yes-no question about each text, in a file of lines `text<TAB>yes|no`."""

    columns: tuple[str, ...] = ("yes", "text")

    def load(self, dataset, label_names=None):
        train, dev = (self.read(path, None) for path in check_files(dataset, self.data_files))
        return TaskData(str(dataset), train, dev, list(train.texts))

    def read(self, path, labels):
        texts, answers = zip(*(line.split("\t") for _, line in read_lines(path)), strict=True)
        return LabeledTexts(list(texts), np.array([[answer == "yes"] for answer in answers], np.float32))

    def build_model(self, encoder, data, **options):
        return ToyHead(encoder)

    def train_validation_rows(self, data, preprocessor, seed, fraction):
        count = max(1, round(fraction * len(data.train)))
        parts = slice(count, None), slice(count)
        return tuple((preprocessor(data.train.texts[part]), data.train.labels[part]) for part in parts)

    def targets(self, model, ids, labels):
        return np.asarray(labels, np.float32), None

    def compute_metrics(self, outputs, targets, weights):
        likelihoods = 1 / (1 + np.exp(-outputs * (2 * targets - 1)))
        return {"accuracy": float(((outputs > 0) == targets).mean()), "loss": float(-np.log(likelihoods).mean())}

    def evaluate(self, trained, examples):
        outputs = trained.outputs(trained.preprocessor(examples.texts))
        return {**self.compute_metrics(outputs, examples.labels, None), "examples": len(examples)}

    def predict(self, trained, texts, top_k=None):
        outputs = trained.outputs(trained.preprocessor(list(texts)))  # [N, 1]
        return [{"text": text, "yes": bool(logit > 0)} for text, (logit,) in zip(texts, outputs, strict=True)]

    def cells(self, prediction):
        return "yes" if prediction["yes"] else "no", prediction["text"]


@pytest.fixture
def toy(monkeypatch):
    """The registered task; it is removed after the test."""
    task = ToyTask(
        name="toy",
        kind="toy",
        objective=label_objective,
        defaults=TaskDefaults(epochs=2, sequence_length=16),
        data_files=("train.toy", "dev.toy"),
    )
    yield register_task(task)
    TASKS.pop("toy")


def make():
    keras.utils.set_random_seed(2)
    return ToyHead(kb.BertEncoder(CONFIG))


def test_library(toy, tmp_path):
    model, (ids, labels) = make(), labeled(96)
    labels = labels[:, None]
    assert task_for(model) is toy
    settings = {"epochs": 6, "batch_size": 16, "learning_rate": 3e-3, "verbose": 0}
    history = kb.finetune(model, ids, labels, ids, labels, **settings).history
    metrics = kb.evaluate(model, ids, labels)
    assert metrics["accuracy"] == pytest.approx(max(history["val_accuracy"])) and metrics["accuracy"] > 0.8
    vectorizer = kb.BertTextVectorization(VOCABULARY, sequence_length=16)
    predictor = kb.Predictor(kb.save_pretrained(model, tmp_path / "toy", vectorizer))
    assert predictor.task == "toy" and isinstance(predictor.model, ToyHead)
    texts = ["w0 w20 w21", "w1 w20 w21"]
    expected = model.predict_on_batch({k: np.asarray(v) for k, v in vectorizer(texts).items()})[:, 0] > 0
    assert predictor(texts) == [{"text": t, "yes": bool(yes)} for t, yes in zip(texts, expected, strict=True)]


@pytest.mark.slow
def test_command_line(toy, tmp_path, capfd):
    lines = [f"{'who' if i % 2 else 'he'} is it {i}\t{'yes' if i % 2 else 'no'}" for i in range(24)]
    for name in toy.data_files:
        (tmp_path / name).write_text("\n".join(lines) + "\n")
    out = str(tmp_path / "out")

    def call(*arguments):
        assert main([*arguments, "--json"]) == 0
        return json.loads(capfd.readouterr().out.splitlines()[-1])

    common = ["--size", "tiny", "--vocab-size", "60", "--out", out]
    trained = call("finetune", "--task", "toy", "--dataset", str(tmp_path), *common)
    assert len(trained["history"]["loss"]) == 2 and trained["examples"] == 24
    assert kb.load_pretrained(out).sequence_length == 16
    evaluated = call("evaluate", "--model", out, "--data", str(tmp_path / "dev.toy"))
    assert evaluated["accuracy"] == pytest.approx(trained["accuracy"])
    predictions = call("predict", "--model", out, "who is it 1", "he is it 2")["predictions"]
    assert [each["text"] for each in predictions] == ["who is it 1", "he is it 2"]
    assert all(isinstance(each["yes"], bool) for each in predictions)
    assert main(["predict", "--model", out, "who is it 1"]) == 0 and "who is it 1" in capfd.readouterr().out


def test_rejects_second_task_of_a_name(toy):
    with pytest.raises(kb.InputError, match="`task.name`"):
        register_task(toy)


def test_rejects_incomplete_task(toy):
    class Incomplete(ToyTask):
        cells = Task.cells

    settings = {field.name: getattr(toy, field.name) for field in dataclasses.fields(toy)}
    with pytest.raises(TypeError, match="cells"):
        Incomplete(**settings)
