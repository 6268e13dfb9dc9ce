"""One ONNX file of ids in, probabilities or features out: for ONNX Runtime, OpenVINO and whatever else reads it."""

import importlib.util
import json
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.export.graph import longest_row
from keras_bert.export.onnx_models import onnx_model
from keras_bert.files import atomic_write
from keras_bert.models import MODEL_CLASSES, check_vocabulary_size
from keras_bert.weights.formats.keras_folder import check_labels

DTYPES = ("float32", "int8")


def export_onnx(model, path, vectorizer=None, labels=None, dtype: str = "float32") -> Path:
    """Write a folder with `model.onnx` and, for whoever makes its ids, a vectorizer's `vocab.txt` and `config.json`.

    The graph takes `input_word_ids`, `input_mask` and `input_type_ids`, int32 `[B, T]`, any B and any T up to the
    encoder's positions. It has standard operations alone (opset 20), so that every runtime that reads ONNX may run it:

    - A `BertClassifier` gives `logits` and `probabilities` `[B, C]`; of its last block the first row alone is computed.
    - A `BertEncoder` gives `sequence_output` `[B, T, H]` and `pooled_output` `[B, H]`.
    - A `BertPretrainer` takes `masked_lm_positions`, int32 `[B, P]`, too, and gives `mlm_logits` `[B, P, V]` and, where
      it has such a head, `nsp_logits` or `sop_logits` `[B, 2]`.
    - A `BertSpanLabeler` gives `start_logits` and `end_logits` `[B, T]`, a `BertTokenClassifier` `logits` `[B, T, C]`.

    Args:
        model: as above, on any Keras backend.
        path: the folder; one that is there is replaced when the new one is complete.
        vectorizer: a `BertTextVectorization` of the encoder's vocabulary. `config.json` then says its `lowercase`, the
            `sequence_length` that a text is cut to, and the `labels`.
        labels: the classes' names in the order of the logits; `"0"`, `"1"`, … by default.
        dtype: `"float32"`, or `"int8"`: weights in 8 bits, a quarter of the size, and what dense layers read rounded to
            8 bits as it comes: ONNX Runtime's dynamic quantization, and for ONNX Runtime.

    Returns:
        The folder's path.

    Raises:
        InputError: a model that is none of these, sizes or labels that do not fit, an unknown dtype, or the packages
            onnx and onnxruntime not installed.
        OSError: the disk is full or not writable; nothing is left behind.

    Example:

    >>> import tempfile, numpy as np, onnxruntime, keras_bert as kb
    >>> from keras_bert.export import export_onnx
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> folder = export_onnx(kb.BertClassifier(kb.BertEncoder(config)), tempfile.mkdtemp() + "/served")
    >>> session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    >>> ids = np.array([[2, 7, 4, 3, 0]], "int32")
    >>> inputs = {"input_word_ids": ids, "input_mask": np.int32(ids > 0), "input_type_ids": 0 * ids}
    >>> session.run(["probabilities"], inputs)[0].shape
    (1, 2)

    Source: the operators' specification, https://onnx.ai/onnx/operators.
    """
    kind = next((kind for kind, cls in MODEL_CLASSES.items() if isinstance(model, cls)), None)
    if kind in (None, "feature_classifier"):
        raise InputError(f"expected an encoder or a model that is trained with one. Received: {type(model).__name__}")
    if dtype not in DTYPES:
        raise InputError(f'dtype must be "float32" or "int8". Received: {dtype!r}')
    labels = check_labels(model, labels)
    if kind == "classifier" and labels is None:
        labels = [str(index) for index in range(model.num_classes)]
    encoder = model if kind == "encoder" else model.encoder
    if vectorizer is not None:
        check_vocabulary_size(encoder, vectorizer)
    if Path(path).is_file():
        raise InputError(f"an ONNX export is a folder. Received: {path}, which is a file")
    _need("onnx", *(["onnxruntime"] if dtype == "int8" else []))
    import onnx

    with atomic_write(path) as draft:
        draft.mkdir()
        made = onnx_model(model)
        if dtype == "int8":
            _save_quantized(made, draft / "model.onnx", tied=kind == "pretrainer")
        else:
            onnx.save(made, draft / "model.onnx")
        if vectorizer is not None:
            from keras_bert.text.vocabulary import save_vocabulary

            save_vocabulary(vectorizer.get_vocabulary(), draft / "vocab.txt")
            settings = {
                "kind": kind,
                "labels": labels,
                "lowercase": bool(vectorizer.lowercase),
                "sequence_length": longest_row(vectorizer, encoder.config.max_position_embeddings),
            }
            (draft / "config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return Path(path)


def _need(*packages: str) -> None:
    missing = [package for package in packages if importlib.util.find_spec(package) is None]
    if missing:
        raise InputError(
            "an ONNX file is written with onnx, an int8 one with onnxruntime too: pip install "
            f"'keras-bert-from-scratch[onnx]'. Received: a Python without {' and '.join(missing)}"
        )


def _save_quantized(made, file: Path, tied: bool) -> None:
    """Dense layers, one scale a column, and token tables in int8, written to `file`.

    The scales leave weights 7 bits: CPUs without VNNI add two products in 16 bits, which 8 would overflow now and then.
    What a layer reads is scaled as it comes, so no calibration data is asked for. A tied table stays as it is: the
    masked-word head multiplies with it too.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    add_pre_process_metadata(made)  # what that step would fuse or infer is written so already
    quantize_dynamic(
        made,
        file,
        op_types_to_quantize=["MatMul", "Gather"],
        nodes_to_exclude=["embeddings/words"] if tied else [],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )
