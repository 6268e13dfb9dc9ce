"""`Predictor` opens exported models in a new process, and answers, without Keras and what Keras imports."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import keras_bert as kb
from tests.helpers import randomize, tiny_config
from tests.processes import LIMIT

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"a the film fine dull was not is it ?".split()]
TEXTS = ["a fine film", "it was not"]
PAIRS = [("is it a film ?", "it is a fine film"), ("was it ?", "not a fine film")]
MODELS = {
    "classifier": (lambda encoder: kb.BertClassifier(encoder, 3), {"labels": ["bad", "fine", "good"]}, TEXTS),
    "pairs": (lambda encoder: kb.BertClassifier(encoder, 2), {"pairs": True}, PAIRS),
    "binary": (lambda encoder: kb.BertClassifier(encoder, 1), {}, TEXTS),
    "multi_label": (lambda encoder: kb.BertClassifier(encoder, 2, problem_type="multi_label"), {}, TEXTS),
    "regression": (lambda encoder: kb.BertClassifier(encoder, 1, problem_type="regression"), {}, PAIRS),
    "token_classifier": (lambda encoder: kb.BertTokenClassifier(encoder, 3), {"labels": ["B-X", "I-X", "O"]}, TEXTS),
    "span_labeler": (kb.BertSpanLabeler, {}, PAIRS),
    "encoder": (lambda encoder: encoder, {"pool": "mean"}, TEXTS),
}
PROGRAM = """
import json, sys
import keras_bert as kb
for folder, texts in json.load(sys.stdin):
    texts = [text if isinstance(text, str) else tuple(text) for text in texts]
    predictor = kb.Predictor(folder, runtime=sys.argv[1])
    print(json.dumps([predictor.task, *predictor(texts), *predictor(iter(texts))]))
loaded = {name.split(".")[0] for name in sys.modules}
assert not loaded & {"keras", "tensorflow", "jax", "torch", "sklearn"}, sorted(loaded)
import keras
keras.saving.get_registered_object("keras_bert>BertClassifier").kind
"""


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, str]:
    """An ONNX folder of each of `MODELS`."""
    root = tmp_path_factory.mktemp("onnx")
    encoder = kb.BertEncoder(tiny_config(vocab_size=len(VOCABULARY)))
    vectorizer = kb.BertTextVectorization(VOCABULARY, sequence_length=16)
    return {
        name: str(kb.export_onnx(randomize(make(encoder), 5), root / name, vectorizer, **options))
        for name, (make, options, _) in MODELS.items()
    }


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_onnx_without_keras(runtime, folders, monkeypatch):
    monkeypatch.setenv("CI", "true")  # OpenVINO sends no message to Intel
    pytest.importorskip(runtime, reason=f"the extra `{runtime.removesuffix('runtime')}` installs it")
    given = [(folders[name], texts) for name, (_, _, texts) in MODELS.items()]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, runtime],
        cwd=ROOT,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert len(lines) == len(MODELS)
    for (folder, texts), line in zip(given, lines, strict=True):
        task, *found = json.loads(line)
        predictor = kb.Predictor(folder, runtime=runtime)
        expected = json.loads(json.dumps(predictor(texts)))
        assert task == predictor.task and found == [*expected, *expected], folder
