"""Write models as ONNX files, from token ids to probabilities or features."""

from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.export.extra_outputs import check_extra_outputs
from keras_bert.export.id_folder import check_model, write_tokenizer
from keras_bert.export.onnx_models import onnx_model
from keras_bert.extras import require
from keras_bert.files import atomic_write
from keras_bert.models.two_classes import as_two_classes

DTYPES = ("float32", "int8")


def export_onnx(
    model,
    path,
    vectorizer=None,
    labels=None,
    dtype: str = "float32",
    pairs=None,
    no_answer=None,
    pool: str | None = None,
    normalize: bool = False,
    outputs=(),
) -> Path:
    """Write a folder with `model.onnx` and, with a vectorizer, the `vocab.txt` and `config.json` of its tokenizer.

    The graph takes `input_word_ids`, `input_mask` and `input_type_ids`, int32 `[B, T]`, for any B and for any T up to
    the encoder's positions. It contains only standard operations (opset 20), so every ONNX runtime can run it.

    - A `BertClassifier` returns `logits` and `probabilities` `[B, C]`; a regression model returns only `logits`. The
      last block computes only the first position.
    - A `BertEncoder` returns `sequence_output` `[B, T, H]` and `pooled_output` `[B, H]`, or with `pool` only
      `embedding` `[B, D]`, one vector per text.
    - A `BertPretrainer` also takes `masked_lm_positions`, int32 `[B, P]`. It returns `mlm_logits` `[B, P, V]` and, with
      a sentence head, `nsp_logits` or `sop_logits` `[B, 2]`.
    - A `BertSpanLabeler` returns `start_logits` and `end_logits` `[B, T]`.
    - A `BertTokenClassifier` returns `logits` `[B, T, C]`.

    With `outputs`, each of these models also returns one tensor per layer, in the order and with the names of Hugging
    Face's `output_attentions` and `output_hidden_states` in Optimum's exports:

    - `"attentions"`: `attentions.0` … `attentions.{L-1}` `[B, A, T, T]`, the attention probabilities; the last axis,
      the keys, sums to 1.
    - `"hidden_states"`: `hidden_states.0` `[B, T, H]`, the embeddings, and `hidden_states.1` … `hidden_states.L`, the
      output of each block.

    The last block then computes all positions. Rows and queries of padding are undefined.

    The graph is written from the weights of the layers, with LoRA weights merged into the kernels. A model with custom
    blocks, modified or quantized layers is rejected.

    Args:
        model: one of the models above, on any Keras backend.
        path: the folder to write. An existing folder is replaced when the new one is complete.
        vectorizer: a `BertTextVectorization` of the encoder's vocabulary. `config.json` then holds its `lowercase`, the
            `sequence_length` to truncate texts to, the `labels` and the `dtype`.
        labels: list of C class names, in the order of the logits. The default is `model.labels`, else, for a
            `BertClassifier`, `"0"`, `"1"` and so on.
        dtype: `"float32"`, or `"int8"`: weights in 8 bits, a quarter of the size, and the inputs of dense layers
            rounded to 8 bits at run time. This is ONNX Runtime's dynamic quantization, and needs ONNX Runtime.
        pairs: of a classifier, whether it was trained on pairs of texts, stored for `Predictor`. None if unknown.
        no_answer: of a span labeler, whether it may predict that there is no answer, also stored for `Predictor`.
        pool: of an encoder, how the vectors of the tokens become one vector, see `kb.embed`.
        normalize: with `pool`, scale each vector to length 1, so that a dot product of two vectors is their cosine.
        outputs: list of further outputs, `"attentions"` and `"hidden_states"`.

    Returns:
        The folder's path.

    Raises:
        InputError: an argument is invalid for the model, the model has layers that are not standard, or the package
            onnx (for int8 also onnxruntime) is not installed.
        OSError: the disk is full or not writable. Nothing is left behind.

    Example:

    >>> import tempfile, numpy as np, onnxruntime, keras_bert as kb
    >>> from keras_bert.export import export_onnx
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> folder = export_onnx(kb.BertClassifier(kb.BertEncoder(config)), tempfile.mkdtemp() + "/classifier")
    >>> session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    >>> ids = np.array([[2, 7, 4, 3, 0]], "int32")
    >>> inputs = {"input_word_ids": ids, "input_mask": np.int32(ids > 0), "input_type_ids": 0 * ids}
    >>> session.run(["probabilities"], inputs)[0].shape
    (1, 2)

    Source: the specification of the operators, https://onnx.ai/onnx/operators.
    """
    model = as_two_classes(model)
    settings = check_model(model, path, vectorizer, labels, pairs, no_answer, pool, normalize)
    outputs = check_extra_outputs(outputs)
    if dtype not in DTYPES:
        raise InputError(f'`dtype` must be "float32" or "int8". Received: dtype={dtype!r}')
    onnx = require("onnx", "`export_onnx`")
    if dtype == "int8":
        require("onnxruntime", "`export_onnx` with dtype='int8'")

    with atomic_write(path) as draft:
        draft.mkdir()
        proto = onnx_model(model, pool, normalize, outputs)
        if dtype == "int8":
            _save_quantized(proto, draft / "model.onnx", tied_table=settings["kind"] == "pretrainer")
        else:
            onnx.save(proto, draft / "model.onnx")
        if vectorizer is not None:
            write_tokenizer(draft, vectorizer, getattr(model, "encoder", model), {**settings, "dtype": dtype})
    return Path(path)


def _save_quantized(proto, file: Path, tied_table: bool) -> None:
    """Quantize dense layers (one scale per column) and embedding tables to int8, and write the model to `file`.

    The scales leave 7 bits for the weights: CPUs without VNNI add two products in 16 bits, and 8 bits would sometimes
    overflow. Inputs of layers are scaled at run time, so no calibration data is needed. A tied table stays in float32,
    because the masked-LM head multiplies with it too.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.quant_utils import add_pre_process_metadata

    add_pre_process_metadata(proto)  # this graph needs none of the pre-processing that ONNX Runtime recommends
    quantize_dynamic(
        proto,
        file,
        op_types_to_quantize=["MatMul", "Gather"],
        nodes_to_exclude=["embeddings/words"] if tied_table else [],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
    )
