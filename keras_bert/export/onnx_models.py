"""Our models as ONNX graphs, block by block, from their layers' weights."""

import numpy as np

from keras_bert.errors import InputError
from keras_bert.export.onnx_nodes import Graph, array
from keras_bert.models import BertClassifier, BertPretrainer, BertSpanLabeler, BertTokenClassifier

NO_TOKEN = -10_000.0  # what is added to the scores of padding, as in google-research/bert; float16 can hold it too


def onnx_model(model):
    """The `onnx.ModelProto` of an encoder or a model on one; `export_onnx` says what goes in and comes out."""
    encoder = getattr(model, "encoder", model)
    if encoder.has_custom_blocks:
        raise InputError("ONNX is written of TransformerBlocks as published. Received: an encoder with its own blocks")
    graph, inputs = Graph(), dict.fromkeys(("input_word_ids", "input_mask", "input_type_ids"), ("B", "T"))
    if isinstance(model, BertClassifier):
        outputs = _classifier(graph, model)
    elif isinstance(model, BertPretrainer):
        inputs["masked_lm_positions"] = ("B", "P")
        outputs = _pretrainer(graph, model)
    elif isinstance(model, BertTokenClassifier):
        graph.dense(_hidden_states(graph, encoder), model.head, "logits")  # [B, T, C]
        outputs = {"logits": ("B", "T", model.num_classes)}
    elif isinstance(model, BertSpanLabeler):
        outputs = _span_labeler(graph, model)
    else:
        outputs = _encoder(graph, model)
    return graph.model(inputs, outputs)


def _encoder(graph: Graph, encoder) -> dict:
    size = encoder.config.hidden_size
    graph.op("Identity", _hidden_states(graph, encoder), name="sequence_output")
    outputs = {"sequence_output": ("B", "T", size)}
    if encoder.pooler is not None:
        graph.op("Identity", _pooled(graph, encoder.pooler, "sequence_output"), name="pooled_output")
        outputs["pooled_output"] = ("B", size)
    return outputs


def _classifier(graph: Graph, model) -> dict:
    rows = _hidden_states(graph, model.encoder, _first_row)  # [B, 1, H]: all that is read of the last block
    graph.dense(_pooled(graph, model.pooler, rows), model.head, "logits")  # [B, C]
    if model.problem_type == "regression":
        return {"logits": ("B", model.num_classes)}
    if model.problem_type == "multi_label":
        graph.op("Sigmoid", "logits", name="probabilities")  # [B, C]
    else:
        graph.op("Softmax", "logits", name="probabilities", axis=-1)  # [B, C]
    return dict.fromkeys(("logits", "probabilities"), ("B", model.num_classes))


def _span_labeler(graph: Graph, model) -> dict:
    scores = graph.dense(_hidden_states(graph, model.encoder), model.head, "spans")  # [B, T, 2]
    last = graph.numbers("spans/last", -1)
    names = ("start_logits", "end_logits")
    for part, name in zip(graph.split(scores, 2, "spans/each"), names, strict=True):
        graph.op("Squeeze", part, last, name=name)  # [B, T]
    return dict.fromkeys(names, ("B", "T"))


def _pretrainer(graph: Graph, model) -> dict:
    encoder, head = model.encoder, model.mlm_head
    outputs = {"mlm_logits": ("B", "P", encoder.config.vocab_size)}
    rows = _hidden_states(graph, encoder, _first_and_masked_rows)  # [B, 1 + P, H]
    for sentence_head in filter(None, (model.nsp_head, model.sop_head)):  # one of them at most
        graph.dense(_pooled(graph, encoder.pooler, rows), sentence_head, sentence_head.name)  # [B, 2]
        outputs[sentence_head.name] = ("B", 2)
    begin, end = graph.numbers("masked/begin", 1), graph.numbers("masked/end", 2**31 - 1)
    x = graph.op("Slice", rows, begin, end, begin, name="masked/rows")  # [B, P, H]; the axis is 1 too
    x = graph.activate(graph.dense(x, head.dense, "masked/dense"), head.activation, "masked/activation")
    x = graph.layer_norm(x, head.layer_norm, "masked/layer_norm")
    table = graph.op("Transpose", "word_embeddings", name="masked/table", perm=[1, 0])  # [H, V]: stored once
    x = graph.op("MatMul", x, table, name="masked/scores")  # [B, P, V]
    graph.op("Add", x, graph.weight("masked/bias", array(head.output_bias)), name="mlm_logits")
    return outputs


def _first_row(graph: Graph, x: str) -> str:
    begin, end = graph.numbers("first/begin", 0), graph.numbers("first/end", 1)
    return graph.op("Slice", x, begin, end, end, name="first/row")  # [B, 1, H]; the axis is 1 too


def _first_and_masked_rows(graph: Graph, x: str) -> str:
    places = graph.op("Cast", "masked_lm_positions", name="masked/int64", to=7)  # 7 is int64, GatherND's only kind
    places = graph.op("Unsqueeze", places, graph.numbers("masked/axis", -1), name="masked/places")  # [B, P, 1]
    masked = graph.op("GatherND", x, places, name="masked/states", batch_dims=1)  # [B, P, H]
    return graph.op("Concat", _first_row(graph, x), masked, name="read_rows", axis=1)  # [B, 1 + P, H]


def _pooled(graph: Graph, pooler, x: str) -> str:
    first = graph.first(x, "pooler/first")  # [B, H]
    kind = {"tanh": "Tanh", "relu": "Relu"}[pooler.activation]
    return graph.op(kind, graph.dense(first, pooler.dense, "pooler/dense"), name="pooler")  # [B, H]


def _hidden_states(graph: Graph, encoder, rows=None) -> str:
    """What the last block gives: `[B, T, H]`, or of the rows alone that `rows(graph, x)` takes from its input x."""
    embeddings = encoder.embeddings

    def rows_of(table: str, ids: str, name: str) -> str:
        return graph.op("Gather", graph.weight(table, array(getattr(embeddings, table).embeddings)), ids, name=name)

    x = rows_of("word_embeddings", "input_word_ids", "embeddings/words")  # [B, T, E], where E = H but in ALBERT
    if embeddings.type_embeddings is not None:
        types = rows_of("type_embeddings", "input_type_ids", "embeddings/types")  # [B, T, E]
        x = graph.op("Add", x, types, name="embeddings/both")
    length = graph.op("Shape", "input_word_ids", name="embeddings/length", start=1, end=2)
    begin = graph.numbers("embeddings/begin", 0)
    table = graph.weight("position_embeddings", array(embeddings.position_embeddings.embeddings))
    places = graph.op("Slice", table, begin, length, name="embeddings/places")  # [T, E]
    x = graph.op("Add", x, places, name="embeddings/sum")
    x = graph.layer_norm(x, embeddings.layer_norm, "embeddings/layer_norm")  # [B, T, E]
    if embeddings.projection is not None:
        x = graph.dense(x, embeddings.projection, "embeddings/projection")  # [B, T, H]

    mask = graph.op("Cast", "input_mask", name="mask/float", to=1)  # 1 at tokens, 0 at padding; 1 is float32's number
    padding = graph.op("Sub", graph.weight("mask/one", 1.0), mask, name="mask/padding")
    mask = graph.op("Mul", padding, graph.weight("mask/no_token", NO_TOKEN), name="mask/added")
    mask = graph.op("Unsqueeze", mask, graph.numbers("mask/axes", 1, 2), name="mask")  # [B, 1, 1, T]
    for i, block in enumerate(encoder.blocks):
        last = i == len(encoder.blocks) - 1
        x = _block(graph, block, x, mask, f"block_{i}", rows(graph, x) if last and rows else None)
    return x


def _block(graph: Graph, block, x: str, mask: str, name: str, rows: str | None) -> str:
    """A `TransformerBlock`: x `[B, T, H]`, of which `rows` `[B, P, H]` ask and go on; None for all of x, P = T."""
    q, k, v = _queries_keys_values(graph, block.attention, x, rows, name)
    rows = rows or x
    scores = graph.op("MatMul", q, k, name=f"{name}/scores")  # [B, A, P, T]
    shares = graph.op("Softmax", graph.op("Add", scores, mask, name=f"{name}/masked"), name=f"{name}/shares", axis=-1)
    attended = graph.op("MatMul", shares, v, name=f"{name}/attended")  # [B, A, P, H / A]
    attended = graph.op("Transpose", attended, name=f"{name}/by_row", perm=[0, 2, 1, 3])  # [B, P, A, H / A]
    attended = graph.op("Reshape", attended, graph.numbers(f"{name}/shape", 0, 0, -1), name=f"{name}/joined")
    attended = graph.dense(attended, block.attention.output_dense, f"{name}/attention")  # [B, P, H]
    x = graph.op("Add", attended, rows, name=f"{name}/attention_sum")
    x = graph.layer_norm(x, block.attention_layer_norm, f"{name}/attention_layer_norm")  # [B, P, H]

    inner = graph.dense(x, block.intermediate, f"{name}/intermediate")  # [B, P, F]
    inner = graph.activate(inner, block.activation, f"{name}/activation")
    inner = graph.dense(inner, block.output_dense, f"{name}/output")  # [B, P, H]
    x = graph.op("Add", inner, x, name=f"{name}/output_sum")
    return graph.layer_norm(x, block.output_layer_norm, f"{name}/output_layer_norm")  # [B, P, H]


def _queries_keys_values(graph: Graph, attention, x: str, rows: str | None, name: str) -> tuple[str, str, str]:
    """q `[B, A, P, H / A]`, k `[B, A, H / A, T]`, v `[B, A, T, H / A]`: one product for all that read the same rows."""
    heads, width = attention.num_heads, attention.key_dim
    layers = (attention.query_dense, attention.key_dense, attention.value_dense)
    kernels = [array(layer.kernel).reshape(-1, heads * width) for layer in layers]  # [H, H] each
    biases = [array(layer.bias).reshape(-1) for layer in layers]  # [H] each
    # 1 / sqrt(H / A) is in the weights: for heads of 64 an eighth, which is exact.
    kernels[0], biases[0] = kernels[0] * width**-0.5, biases[0] * width**-0.5
    if rows is None:
        x = graph.linear(x, np.concatenate(kernels, 1), np.concatenate(biases), f"{name}/query_key_value")
        q, k, v = graph.split(x, 3, f"{name}/each")
    else:
        q = graph.linear(rows, kernels[0], biases[0], f"{name}/query")
        x = graph.linear(x, np.concatenate(kernels[1:], 1), np.concatenate(biases[1:]), f"{name}/key_value")
        k, v = graph.split(x, 2, f"{name}/each")
    k = graph.heads(k, heads, f"{name}/k", transposed=True)
    return graph.heads(q, heads, f"{name}/q"), k, graph.heads(v, heads, f"{name}/v")
