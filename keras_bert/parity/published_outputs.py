"""Outputs of the published L-12 model, printed in a public notebook, for an independent comparison."""

import json
import os
import re
from pathlib import Path

import numpy as np

from keras_bert.constants import INPUT_KEYS
from keras_bert.weights.parity_inputs import fit_length

MODEL = "bert_en_uncased_L-12_H-768_A-12"
TOLERANCE = 1e-4  # printed on other hardware; an exact GELU would cause 2e-3
LENGTH = 128
EDGES = [0, 1, 2, -3, -2, -1]  # the indices of a long axis that numpy prints
NOTEBOOK = "tfhub_bert_en_uncased_L12_v4_codebasics_outputs.json"


def is_published_handle(source) -> bool:
    """Return whether a source is the handle (not a folder) of the published model."""
    if not isinstance(source, str) or "://" not in source:
        return False
    handle = source.lower().replace("-", "_")  # Kaggle, the current host of TF-Hub's models, uses hyphens
    return re.search(MODEL.lower().replace("-", "_") + r"(/\d+)?/?(\?.*)?$", handle) is not None


def find_published_outputs() -> Path | None:
    """Return the folder of published values below `$KERAS_BERT_DATA`, or None if there is none."""
    folder = Path(os.environ.get("KERAS_BERT_DATA") or ".") / "data" / "published"
    return folder if os.environ.get("KERAS_BERT_DATA") and (folder / NOTEBOOK).is_file() else None


def parse_printed_array(text: str) -> np.ndarray:
    """Parse a printed numpy array, without the places where numpy printed `...`.

    Example:

    >>> from keras_bert.parity.published_outputs import parse_printed_array
    >>> parse_printed_array("array([[1., 2., ..., 3.], ..., [4., 5., ..., 6.]], dtype=float32)").tolist()
    [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    """
    body = text[text.index("[") : text.rindex("]") + 1]
    body = re.sub(r"\.\.\.,?", "", body)
    body = re.sub(r"(\d)\.(?!\d)", r"\1.0", body)  # JSON does not allow "1."
    body = re.sub(r"(?<![\w.])\.(\d)", r"0.\1", body)  # nor ".1"
    return np.array(json.loads(re.sub(r",\s*\]", "]", body)), "float64")


def read_published_outputs(folder: Path) -> dict:
    """Read the texts, their ids and the printed edges of the outputs.

    Args:
        folder: the folder that holds the notebook's printed outputs.

    Returns:
        A dict of `texts` (2), `input_word_ids`, `input_mask`, `input_type_ids` `[2, 128]`, `pooled_output` `[2, 6]`,
        `sequence_output` `[2, 6, 6]`, and `encoder_outputs`, a list of 12 arrays `[2, 6, 6]`.
    """
    outputs = {}
    for cell in json.loads((folder / NOTEBOOK).read_text(encoding="utf-8")):
        last_line = cell["cell_source"].strip().splitlines()[-1]
        if "text_test = [" in cell["cell_source"]:
            outputs["texts"] = re.findall(r"'([^']*)'", cell["cell_source"].splitlines()[0])
        match = re.fullmatch(r"(text_preprocessed|bert_results)\['(\w+)'\]", last_line)
        if match is None:
            continue
        printed = re.findall(r"array\((\[.*?)\s*(?:, dtype=\w+)?\)>", cell["output"], re.S)
        arrays = [parse_printed_array(part) for part in printed]
        outputs[match[2]] = arrays if match[2] == "encoder_outputs" else arrays[0]
    return outputs


def compare_with_published(encoder, vectorizer, expected: dict) -> dict:
    """Compare an encoder's outputs and a vectorizer's ids with the published values.

    Args:
        encoder: a `BertEncoder` with the published weights.
        vectorizer: a `BertTextVectorization` of its vocabulary, or None to leave the ids unchecked.
        expected: the values that `read_published_outputs` returns.

    Returns:
        A dict of `max_abs_difference` (a dict of output to number), `ids_equal` (None if unchecked), `tolerance` and
        `passed`.
    """
    import keras

    inputs = {key: expected[key].astype("int32") for key in INPUT_KEYS}  # [2, 128] each
    ids_equal = None
    if vectorizer is not None:
        found = vectorizer(expected["texts"])
        ids_equal = all(np.array_equal(fit_length(found[key], LENGTH), inputs[key]) for key in INPUT_KEYS)
    outputs = {key: keras.ops.convert_to_numpy(value) for key, value in encoder(inputs, training=False).items()}
    printed = {"pooled_output": expected["pooled_output"], "sequence_output": expected["sequence_output"]}
    printed |= {f"encoder_outputs_{i}": layer for i, layer in enumerate(expected["encoder_outputs"])}
    differences = {}
    for key, values in printed.items():
        edges = outputs[key][..., EDGES]  # [2, 6] or [2, 128, 6]
        edges = edges[:, EDGES] if edges.ndim == 3 else edges  # [2, 6] or [2, 6, 6]
        differences[key] = float(np.abs(edges - values).max())
    passed = ids_equal is not False and all(value <= TOLERANCE for value in differences.values())
    return {"max_abs_difference": differences, "ids_equal": ids_equal, "tolerance": TOLERANCE, "passed": passed}
