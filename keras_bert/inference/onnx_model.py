"""Opening of models that `kb.export_onnx` wrote. ONNX Runtime runs them on the ids of `BertTextVectorization`."""

import json
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.extras import require
from keras_bert.inference.backends import PretrainerBackend, TaskBackend
from keras_bert.inference.fill_mask import mask_vectorizer
from keras_bert.inference.predict import predict_length_sorted
from keras_bert.inference.sentence_pairs import OUTPUTS
from keras_bert.models.pretrained_model import MODEL_CLASSES
from keras_bert.tasks import TASKS, Preprocessor, TrainedModel
from keras_bert.tasks.classification import softmax

FILES = ("vocab.txt", "config.json")


def open_onnx(folder: Path):
    """Open an ONNX folder.

    Args:
        folder: folder with `model.onnx`, `vocab.txt` and `config.json`.

    Returns:
        A `TaskBackend` or `PretrainerBackend`.

    Raises:
        InputError: ONNX Runtime is not installed, a file is missing or damaged, or the model has no head.
    """
    onnxruntime = require("onnxruntime", f"the ONNX model {folder}")

    from keras_bert.text.splitting import Splitting
    from keras_bert.text.vocabulary import load_vocabulary

    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(
                f"`model` must be a folder with model.onnx, {' and '.join(FILES)}. Received: {folder} (no {name}). "
                "Export the model with its vectorizer."
            )
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
        kind, lowercase, length = config["kind"], config["lowercase"], config["sequence_length"]
    except Exception as error:  # onnxruntime, json and OSError; a message may have several lines
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"`model` must be a folder that `export_onnx` wrote. Received: {folder} ({reason})") from None
    added_tokens = tuple(config.get("added_tokens", ()))
    vocabulary = tuple(load_vocabulary(folder / "vocab.txt"))
    preprocessor = Preprocessor(vocabulary, lowercase, length, added_tokens, Splitting.from_dict(config))
    names = [output.name for output in session.get_outputs()]
    if kind == "pretrainer":
        task = next((task for task, output in OUTPUTS.items() if output in names), None)
        return PretrainerBackend(_runner(session), preprocessor, mask_vectorizer(preprocessor), task)
    if "logits" not in names and "start_logits" not in names:
        raise InputError(f"`model` must have a head. Received: {folder} (an encoder as ONNX)")
    problem_type = config.get("problem_type") or _problem_type(session, names)
    tasks = (
        task
        for task in TASKS.values()
        if MODEL_CLASSES.get(kind) is task.model_class and task.problem_type in (None, problem_type)
    )
    if (task := next(tasks, None)) is None:
        raise InputError(
            f"`model` must be a folder that `export_onnx` wrote. Received: {folder} (config.json with kind={kind!r}, "
            f"problem_type={problem_type!r})"
        )
    shapes = {output.name: tuple(output.shape) for output in session.get_outputs() if output.name.endswith("logits")}

    def outputs(ids: dict, batch_size: int):
        results = predict_length_sorted(_runner(session, list(shapes)), ids, batch_size, shapes)
        return results["logits"] if "logits" in results else results

    settings = {name: config.get(name) for name in task.setting_names}
    return TaskBackend(task, TrainedModel(outputs, preprocessor, config.get("labels"), settings))


def _runner(session, names: list[str] | None = None):
    """Return a function from a batch of inputs to the outputs by name."""
    names = names or [output.name for output in session.get_outputs()]

    def run(batch: dict) -> dict[str, np.ndarray]:
        inputs = {name: np.asarray(array, np.int32) for name, array in batch.items()}
        return dict(zip(names, session.run(names, inputs), strict=True))

    return run


def _problem_type(session, names: list[str]) -> str:
    """Infer the problem type of a classifier whose config does not contain it, from its outputs for one token."""
    if "probabilities" not in names:
        return "regression"
    row = np.ones((1, 1), np.int32)
    outputs = _runner(session, ["logits", "probabilities"])(
        {"input_word_ids": row, "input_mask": row, "input_type_ids": 0 * row}
    )
    logits, probabilities = outputs["logits"], outputs["probabilities"]  # [1, C]
    is_softmax = logits.shape[-1] > 1 and np.allclose(softmax(logits), probabilities, atol=1e-4)
    return "single_label" if is_softmax else "multi_label"
