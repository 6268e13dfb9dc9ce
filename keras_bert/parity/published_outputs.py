"""What others printed of the published L-12 model: values that nobody of this project made."""

import json
import os
import re
from pathlib import Path

import numpy as np

from keras_bert.parity.compare import KEYS

MODEL = "bert_en_uncased_L-12_H-768_A-12"
TOLERANCE = 1e-4  # printed by other hardware and kernels than ours; an exact GELU would make 2e-3
LENGTH = 128
ENDS = [0, 1, 2, -3, -2, -1]  # what numpy prints of a long axis
NOTEBOOK = "tfhub_bert_en_uncased_L12_v4_codebasics_outputs.json"


def is_published(source) -> bool:
    """Whether a source is the handle (not a folder) of the published model."""
    if not isinstance(source, str) or "://" not in source:
        return False
    handle = source.lower().replace("-", "_")  # Kaggle, where TF-Hub moved, writes it with hyphens
    return re.search(MODEL.lower().replace("-", "_") + r"(/\d+)?/?(\?.*)?$", handle) is not None


def find_facts() -> Path | None:
    """The folder of published values, or None where `KERAS_BERT_DATA` names none."""
    folder = Path(os.environ.get("KERAS_BERT_DATA") or ".") / "data" / "published"
    return folder if os.environ.get("KERAS_BERT_DATA") and (folder / NOTEBOOK).is_file() else None


def printed_array(text: str) -> np.ndarray:
    """The numbers in a printed numpy array, `...` left out, in the shape that its brackets say.

    Example:

    >>> from keras_bert.parity.published_outputs import printed_array
    >>> printed_array("array([[1., 2., ..., 3.], ..., [4., 5., ..., 6.]], dtype=float32)").tolist()
    [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    """
    body = text[text.index("[") : text.rindex("]") + 1]
    body = re.sub(r"\.\.\.,?", "", body)
    body = re.sub(r"(\d)\.(?!\d)", r"\1.0", body)  # JSON knows no "1."
    body = re.sub(r"(?<![\w.])\.(\d)", r"0.\1", body)
    return np.array(json.loads(re.sub(r",\s*\]", "]", body)), "float64")


def read_facts(folder: Path) -> dict:
    """The texts, their ids, and the printed corners of the outputs.

    Returns:
        dict of `texts` (2), `input_word_ids`, `input_mask`, `input_type_ids` `[2, 128]`, `pooled_output` `[2, 6]`,
        `sequence_output` `[2, 6, 6]`, and `encoder_outputs`, 12 of `[2, 6, 6]`.
    """
    facts = {}
    for cell in json.loads((folder / NOTEBOOK).read_text(encoding="utf-8")):
        last = cell["cell_source"].strip().splitlines()[-1]
        if "text_test = [" in cell["cell_source"]:
            facts["texts"] = re.findall(r"'([^']*)'", cell["cell_source"].splitlines()[0])
        match = re.fullmatch(r"(text_preprocessed|bert_results)\['(\w+)'\]", last)
        if match is None:
            continue
        printed = re.findall(r"array\((\[.*?)\s*(?:, dtype=\w+)?\)>", cell["output"], re.S)
        arrays = [printed_array(part) for part in printed]
        facts[match[2]] = arrays if match[2] == "encoder_outputs" else arrays[0]
    return facts


def check_published(encoder, vectorizer, facts: dict) -> dict:
    """Our encoder and our vectorizer against the printed values.

    Args:
        encoder: a `BertEncoder` that holds the published weights.
        vectorizer: a `BertTextVectorization` of its vocabulary, or None to leave the ids unchecked.
        facts: as `read_facts` gives them.

    Returns:
        dict of `max_abs_difference` per output, `ids_equal` (None where unchecked), `tolerance`, `passed`.
    """
    import keras

    inputs = {key: facts[key].astype("int32") for key in KEYS}  # [2, 128]
    ids_equal = None
    if vectorizer is not None:
        ours = {key: np.asarray(value) for key, value in vectorizer(facts["texts"]).items()}
        ids_equal = all(np.array_equal(_fit(ours[key]), inputs[key]) for key in KEYS)
    outputs = {key: keras.ops.convert_to_numpy(value) for key, value in encoder(inputs, training=False).items()}
    printed = {"pooled_output": facts["pooled_output"], "sequence_output": facts["sequence_output"]}
    printed |= {f"encoder_outputs_{i}": layer for i, layer in enumerate(facts["encoder_outputs"])}
    difference = {}
    for key, values in printed.items():
        corner = outputs[key][..., ENDS]  # [2, 6] or [2, 128, 6]
        corner = corner[:, ENDS] if corner.ndim == 3 else corner
        difference[key] = float(np.abs(corner - values).max())
    passed = ids_equal is not False and all(value <= TOLERANCE for value in difference.values())
    return {"max_abs_difference": difference, "ids_equal": ids_equal, "tolerance": TOLERANCE, "passed": passed}


def _fit(rows):
    return np.pad(rows[:, :LENGTH], ((0, 0), (0, LENGTH - rows[:, :LENGTH].shape[1])))
