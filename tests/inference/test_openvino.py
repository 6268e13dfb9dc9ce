"""`Predictor(runtime="openvino")`: the answers of ONNX Runtime, from several threads, and errors of one line."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.inference.onnx_model import OnnxRuntimeSession, choose_runtime
from keras_bert.inference.openvino_session import OpenVinoSession
from tests.helpers import randomize, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"a the film fine dull was not is it ?".split()]
TEXTS = ["a fine film", "it was not", "the dull film is not fine", "film", "is it a film ? it is not a film"]
PAIRS = [("is it a film ?", "it is a fine film"), ("a film", "it was dull"), ("was it ?", "not a fine film")]
MODELS = {
    "classifier": (lambda encoder: kb.BertClassifier(encoder, 3), ["bad", "fine", "good"], TEXTS),
    "pairs": (lambda encoder: kb.BertClassifier(encoder, 2), ["no", "yes"], PAIRS),
    "token_classifier": (lambda encoder: kb.BertTokenClassifier(encoder, 3), ["B-PER", "I-PER", "O"], TEXTS),
    "span_labeler": (kb.BertSpanLabeler, None, PAIRS),
    "pretrainer": (kb.BertPretrainer, None, ["a [MASK] film", "[MASK] was not [MASK]"]),
    "encoder": (lambda encoder: encoder, None, TEXTS),
}


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """Return a function from a name of `MODELS` to the ONNX folder of such a model."""
    pytest.importorskip("onnxruntime", reason="the extra `onnx` installs it")
    folders, root = {}, tmp_path_factory.mktemp("onnx")

    def folder(name: str, **options):
        key = name + options.get("dtype", "")
        if key not in folders:
            make, labels, texts = MODELS[name]
            config = tiny_config(vocab_size=len(VOCABULARY))
            model = randomize(make(kb.BertEncoder(config)), 5)
            vectorizer = kb.BertTextVectorization(VOCABULARY, sequence_length=16)
            if name in ("classifier", "pairs"):
                options["pairs"] = name == "pairs"
            if name == "encoder":
                options["pool"] = "mean"
            folders[key] = kb.export_onnx(model, root / key, vectorizer, labels, **options)
        return folders[key]

    return folder


@pytest.fixture
def openvino(monkeypatch):
    monkeypatch.setenv("CI", "true")  # no message to Intel when it is imported
    return pytest.importorskip("openvino", reason="the extra `openvino` installs it")


def numbers_and_words(value) -> tuple[list[float], list]:
    """Divide the values of nested predictions into floats and everything else."""
    if isinstance(value, float):
        return [value], []
    if isinstance(value, (list, tuple, dict)):
        items = value.values() if isinstance(value, dict) else value
        found = [numbers_and_words(item) for item in items]
        return [x for floats, _ in found for x in floats], [x for _, others in found for x in others]
    return [], [value]


@pytest.mark.parametrize("name", MODELS)
def test_equals_onnx_runtime(openvino, folder_of, name):
    folder, texts = folder_of(name), MODELS[name][2]
    runs = [kb.Predictor(folder, runtime=runtime)(texts, batch_size=2) for runtime in ("openvino", "onnxruntime")]
    (found, words), (expected, expected_words) = map(numbers_and_words, runs)
    assert words == expected_words and (found or name == "token_classifier")  # tags have no probabilities
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_outputs_equal_those_of_onnx_runtime(openvino, folder_of, name):
    import onnxruntime

    path = folder_of(name) / "model.onnx"
    sessions = [OpenVinoSession(openvino, path, "float32"), OnnxRuntimeSession(onnxruntime, path)]
    shapes = [
        {key: [size if isinstance(size, int) else None for size in s.shapes[key]] for key in s.shapes} for s in sessions
    ]
    assert shapes[0] == shapes[1]
    for count, length in ((4, 7), (1, 16), (0, 5)):  # dynamic axes, also without rows
        ids = np.random.default_rng(length).integers(5, len(VOCABULARY), (count, length), np.int32)
        mask = np.int32(np.arange(length) < length - np.arange(count)[:, None])  # [N, T], the last row is the shortest
        batch = {
            "input_word_ids": ids * mask,
            "input_mask": mask,
            "input_type_ids": mask * np.int32(np.arange(length) > 2),
        }
        if name == "pretrainer":
            batch["masked_lm_positions"] = np.zeros((count, 3), np.int32)
        found, expected = (session.run(batch, list(shapes[0])) for session in sessions)
        for key in expected:
            np.testing.assert_allclose(found[key], expected[key], atol=1e-5, err_msg=f"{key} {count} {length}")


def test_the_default_is_onnx_runtime(openvino, folder_of):
    folder = folder_of("classifier")
    assert choose_runtime(folder) == "onnxruntime" and choose_runtime(folder, dtype="bfloat16") == "openvino"
    assert kb.Predictor(folder)(TEXTS) == kb.Predictor(folder, runtime="onnxruntime", dtype="float32")(TEXTS)


def test_openvino_alone_is_enough(openvino, folder_of, monkeypatch):
    folder = folder_of("classifier")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert choose_runtime(folder) == "openvino"
    assert kb.Predictor(folder)(TEXTS) == kb.Predictor(folder, runtime="openvino", dtype="float32")(TEXTS)


def test_bfloat16(openvino, folder_of):
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("the processor has no instructions for bfloat16")
    folder = folder_of("encoder")
    exact, rounded = (
        np.array([row["embedding"] for row in kb.Predictor(folder, runtime="openvino", dtype=dtype)(TEXTS)])
        for dtype in ("float32", "bfloat16")
    )
    difference = np.abs(rounded - exact).max() / np.abs(exact).max()
    assert 1e-6 < difference < 0.05, difference


def test_rejects_bfloat16_without_instructions(openvino, folder_of, monkeypatch):
    class Core:
        def get_property(self, device, name):
            return ["FP32", "INT8"]

    monkeypatch.setattr(openvino, "Core", Core)
    with pytest.raises(kb.InputError, match="^`dtype` must .*processor.* Received: dtype='bfloat16'$"):
        kb.Predictor(folder_of("classifier"), dtype="bfloat16")


def test_several_threads(openvino, folder_of):
    predictor = kb.Predictor(folder_of("classifier"), runtime="openvino")
    batches = [TEXTS[i % 5 :] + TEXTS[: i % 3] for i in range(64)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(predictor, batches))
    for rows, expected in zip(found, map(predictor, batches), strict=True):
        (numbers, words), (expected_numbers, expected_words) = map(numbers_and_words, (rows, expected))
        assert words == expected_words
        np.testing.assert_allclose(numbers, expected_numbers, atol=1e-6)


def test_arrays_are_kept_after_the_next_call(openvino, folder_of):
    """A request writes each output to the same tensor, so the session must return copies."""
    session = OpenVinoSession(openvino, folder_of("classifier") / "model.onnx", "float32")
    rows = np.int32([[2, 5, 7, 3]])
    first = session.run({"input_word_ids": rows, "input_mask": rows // rows, "input_type_ids": 0 * rows}, ["logits"])
    before = first["logits"].copy()
    session.run({"input_word_ids": rows + 3, "input_mask": rows // rows, "input_type_ids": 0 * rows}, ["logits"])
    np.testing.assert_array_equal(first["logits"], before)
    assert session.shapes == {"logits": (None, 3), "probabilities": (None, 3)} and session.requests.qsize() == 1


def test_int8_files_run_in_onnx_runtime(folder_of):
    folder = folder_of("classifier", dtype="int8")
    assert choose_runtime(folder) == choose_runtime(folder, "onnxruntime") == "onnxruntime"
    assert kb.Predictor(folder)(TEXTS) == kb.Predictor(folder, runtime="onnxruntime")(TEXTS)
    for options in ({"runtime": "openvino"}, {"dtype": "float32"}, {"runtime": "onnxruntime", "dtype": "float32"}):
        argument = "dtype" if "dtype" in options else "runtime"
        received = f"Received: {argument}='{options[argument]}'"
        with pytest.raises(kb.InputError, match=f"^`{argument}` must be None .*int8.* {received}$"):
            kb.Predictor(folder, **options)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"runtime": "tvm"}, "^`runtime` must .*openvino.* Received: runtime='tvm'$"),
        ({"dtype": "float16"}, "^`dtype` must .*bfloat16.* Received: dtype='float16'$"),
        ({"runtime": "onnxruntime", "dtype": "bfloat16"}, "^`dtype` must .*ONNX Runtime. Received: dtype='bfloat16'$"),
    ],
)
def test_rejects_options(folder_of, options, message):
    with pytest.raises(kb.InputError, match=message):
        kb.Predictor(folder_of("classifier"), **options)


@pytest.mark.parametrize("options", [{"runtime": "openvino"}, {"dtype": "float32"}])
def test_rejects_options_of_other_models(options, tmp_path):
    ((name, value),) = options.items()
    (tmp_path / "model.tflite").write_bytes(b"")
    for source in (kb.BertClassifier(kb.BertEncoder(tiny_config())), tmp_path, "sst2_sentiment"):
        with pytest.raises(kb.InputError, match=f"^`{name}` must be None .*ONNX folder. Received: {name}='{value}'"):
            kb.Predictor(source, **options)


@pytest.mark.parametrize(
    "missing, options, extra",
    [
        (["openvino", "onnxruntime"], {}, "onnx"),
        (["openvino"], {"runtime": "openvino"}, "openvino"),
        (["openvino"], {"dtype": "bfloat16"}, "openvino"),
        (["onnxruntime"], {"runtime": "onnxruntime"}, "onnx"),
    ],
)
def test_a_missing_runtime_is_named(folder_of, monkeypatch, missing, options, extra):
    folder = folder_of("classifier")
    for name in missing:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(kb.InputError, match=rf"^`{missing[-1]}` must be installed for .*\[{extra}\]'$"):
        kb.Predictor(folder, **options)
