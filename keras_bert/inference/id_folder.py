"""Opening of folders that `kb.export_onnx` and `kb.export_litert` wrote: models that take token ids."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.inference.backends import EmbeddingBackend, PretrainerBackend, TaskBackend
from keras_bert.inference.fill_mask import mask_vectorizer
from keras_bert.inference.length_sorted import predict_length_sorted
from keras_bert.inference.sentence_pairs import OUTPUTS
from keras_bert.tasks import TASKS, PlainPreprocessor, TrainedModel
from keras_bert.tasks.classification import softmax

FILES = ("vocab.txt", "config.json")
PER_TOKEN = ("span_labeler", "token_classifier")  # kinds whose logits have a token axis


def open_id_folder(folder: Path, file: str, open_file: Callable):
    """Open a folder of a model that takes token ids.

    Args:
        folder: folder with `file`, `vocab.txt` and `config.json`.
        file: name of the model's file.
        open_file: function of the file's path. It returns an object with `shapes`, a dict of the outputs' names to
            shapes, and `run(batch, names)`, which computes the outputs `names`.

    Returns:
        A `TaskBackend`, `PretrainerBackend` or `EmbeddingBackend`.

    Raises:
        InputError: a file is missing or damaged, or the model returns the vectors of tokens.
    """
    from keras_bert.text.splitting import Splitting
    from keras_bert.text.vocabulary import load_vocabulary

    for name in FILES:
        if not (folder / name).is_file():
            raise InputError(
                f"`model` must be a folder with {file}, {' and '.join(FILES)}. Received: {folder} (no {name}). "
                "Export the model with its vectorizer."
            )
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        session = open_file(folder / file)
        kind, lowercase, length = config["kind"], config["lowercase"], config["sequence_length"]
    except Exception as error:  # of the runtime, json and OSError; a message may have several lines
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"`model` must be a folder of an exported model. Received: {folder} ({reason})") from None
    added_tokens = tuple(config.get("added_tokens", ()))
    vocabulary = tuple(load_vocabulary(folder / "vocab.txt"))
    preprocessor = PlainPreprocessor(vocabulary, lowercase, length, added_tokens, Splitting.from_dict(config))
    names = list(session.shapes)
    if kind == "pretrainer":
        task = next((task for task, output in OUTPUTS.items() if output in names), None)
        predict = _runner(session, [name for name in names if name.endswith("logits")])  # not those of the layers
        return PretrainerBackend(predict, preprocessor, mask_vectorizer(preprocessor), task)
    if "embedding" in names:

        def embed(texts, batch_size: int):
            return _embed(session, preprocessor(texts), batch_size)

        return EmbeddingBackend(embed, preprocessor=preprocessor)
    if "logits" not in names and "start_logits" not in names:
        raise InputError(
            f"`model` must have a head, or return one vector per text. Received: {folder} (an encoder). Export it with "
            "`pool`."
        )
    problem_type = config.get("problem_type") or _problem_type(session)
    tasks = (task for task in TASKS.values() if task.kind == kind and task.problem_type in (None, problem_type))
    if (task := next(tasks, None)) is None:
        raise InputError(
            f"`model` must be a folder of an exported model. Received: {folder} (config.json with kind={kind!r}, "
            f"problem_type={problem_type!r})"
        )
    shapes = {name: shape for name, shape in session.shapes.items() if name.endswith("logits")}
    if kind in PER_TOKEN:
        shapes = {name: (None, None, *shape[2:]) for name, shape in shapes.items()}

    def outputs(ids: dict, batch_size: int):
        results = predict_length_sorted(_runner(session, list(shapes)), ids, batch_size, shapes)
        return results["logits"] if "logits" in results else results

    settings = {name: config.get(name) for name in task.setting_names}
    return TaskBackend(task, TrainedModel(outputs, preprocessor, config.get("labels"), settings))


def _runner(session, names: list[str]):
    """Return a function from a batch of inputs to the outputs by name."""

    def run(batch: dict) -> dict[str, np.ndarray]:
        return session.run({name: np.asarray(array, np.int32) for name, array in batch.items()}, names)

    return run


def _embed(session, ids: dict, batch_size: int) -> np.ndarray:
    shapes = {"embedding": session.shapes["embedding"]}
    return predict_length_sorted(_runner(session, list(shapes)), ids, batch_size, shapes)["embedding"]  # [N, D]


def _problem_type(session) -> str:
    """Infer the problem type of a classifier whose config does not contain it, from its outputs for one token."""
    if "probabilities" not in session.shapes:
        return "regression"
    row = np.ones((1, 1), np.int32)
    outputs = _runner(session, ["logits", "probabilities"])(
        {"input_word_ids": row, "input_mask": row, "input_type_ids": 0 * row}
    )
    logits, probabilities = outputs["logits"], outputs["probabilities"]  # [1, C]
    is_softmax = logits.shape[-1] > 1 and np.allclose(softmax(logits), probabilities, atol=1e-4)
    return "single_label" if is_softmax else "multi_label"
