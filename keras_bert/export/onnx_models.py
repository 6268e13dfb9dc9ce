"""Encoders and task models as ONNX graphs, written from the weights of their layers."""

import numpy as np

from keras_bert.constants import INPUT_KEYS
from keras_bert.export.extra_outputs import EMBEDDINGS, onnx_layer_outputs
from keras_bert.export.onnx_graph import Graph, array
from keras_bert.models import BertClassifier, BertPretrainer, BertSpanLabeler, BertTokenClassifier
from keras_bert.models.pooling import LAST_BLOCKS, SMALLEST_SQUARE
from keras_bert.models.standard_sublayers import check_standard_sublayers

MASKED_SCORE = -10_000.0  # added to the scores of padding, as in google-research/bert; float16 can represent it


def onnx_model(model, pool: str | None = None, normalize: bool = False, extra_outputs=()):
    """Build the `onnx.ModelProto` of an encoder or a task model; `export_onnx` documents its inputs and outputs.

    Args:
        model: the encoder or task model.
        pool, normalize: of an encoder, see `export_onnx`.
        extra_outputs: the `outputs` of `export_onnx`.

    Raises:
        InputError: a layer of the model is not standard, see `check_standard_sublayers`.
    """
    check_standard_sublayers(model, by_config=False)  # the graph has the activation and epsilon of each layer
    encoder = getattr(model, "encoder", model)
    graph, inputs = Graph(all_positions=bool(extra_outputs)), dict.fromkeys(INPUT_KEYS, ("B", "T"))
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
    elif pool:
        vectors = _pooled_vectors(graph, model, pool, normalize)
        graph.op("Identity", vectors, name="embedding")  # [B, D]
        outputs = {"embedding": ("B", model.config.hidden_size * (4 if pool == "last4" else 1))}
    else:
        outputs = _encoder(graph, model)
    return graph.to_model(inputs, outputs | onnx_layer_outputs(graph, encoder.config, extra_outputs))


def _encoder(graph: Graph, encoder) -> dict:
    size = encoder.config.hidden_size
    graph.op("Identity", _hidden_states(graph, encoder), name="sequence_output")  # [B, T, H]
    outputs = {"sequence_output": ("B", "T", size)}
    if encoder.pooler is not None:
        graph.op("Identity", _pooled(graph, encoder.pooler, "sequence_output"), name="pooled_output")  # [B, H]
        outputs["pooled_output"] = ("B", size)
    return outputs


def _classifier(graph: Graph, model) -> dict:
    x = _hidden_states(graph, model.encoder, _first_position)  # [B, 1, H]: the pooler reads no other position
    graph.dense(_pooled(graph, model.pooler, x), model.head, "logits")  # [B, C]
    if model.problem_type == "regression":
        return {"logits": ("B", model.num_classes)}
    if model.problem_type == "multi_label":
        graph.op("Sigmoid", "logits", name="probabilities")  # [B, C]
    else:
        graph.op("Softmax", "logits", name="probabilities", axis=-1)  # [B, C]
    return dict.fromkeys(("logits", "probabilities"), ("B", model.num_classes))


def _span_labeler(graph: Graph, model) -> dict:
    logits = graph.dense(_hidden_states(graph, model.encoder), model.head, "spans")  # [B, T, 2]
    last_axis = graph.integers("spans/last_axis", -1)
    names = ("start_logits", "end_logits")
    for part, name in zip(graph.split(logits, 2, "spans/split"), names, strict=True):
        graph.op("Squeeze", part, last_axis, name=name)  # [B, T]
    return dict.fromkeys(names, ("B", "T"))


def _pretrainer(graph: Graph, model) -> dict:
    encoder, head = model.encoder, model.mlm_head
    outputs = {"mlm_logits": ("B", "P", encoder.config.vocab_size)}
    states = _hidden_states(graph, encoder, _first_and_masked_positions)  # [B, 1 + P, H]
    for sentence_head in filter(None, (model.nsp_head, model.sop_head)):  # at most one of them
        graph.dense(_pooled(graph, encoder.pooler, states), sentence_head, sentence_head.name)  # [B, 2]
        outputs[sentence_head.name] = ("B", 2)
    begin, end = graph.integers("masked/begin", 1), graph.integers("masked/end", 2**31 - 1)
    x = graph.op("Slice", states, begin, end, begin, name="masked/states")  # [B, P, H]; the axis is 1, as `begin`
    x = graph.activate(graph.dense(x, head.dense, "masked/dense"), head.activation, "masked/activation")  # [B, P, E]
    x = graph.layer_norm(x, head.layer_norm, "masked/layer_norm")  # [B, P, E]
    table = graph.op("Transpose", "word_embeddings", name="masked/table", perm=[1, 0])  # [E, V]; stored once
    x = graph.op("MatMul", x, table, name="masked/scores")  # [B, P, V]
    graph.op("Add", x, graph.weight("masked/bias", array(head.output_bias)), name="mlm_logits")  # [B, P, V]
    return outputs


def _pooled_vectors(graph: Graph, encoder, pool: str, normalize: bool) -> str:
    """Compute one vector per text `[B, D]`, as `models.pooling.pool_outputs` does."""
    if pool in ("cls", "pooled"):
        x = _hidden_states(graph, encoder, _first_position)  # [B, 1, H]
        vectors = graph.first_token(x, "pool/first") if pool == "cls" else _pooled(graph, encoder.pooler, x)  # [B, H]
    else:
        vectors = _pooled_tokens(graph, encoder, pool)  # [B, D]
    if not normalize:
        return vectors
    last = graph.integers("pool/last_axis", -1)
    squares = graph.op("Mul", vectors, vectors, name="pool/squares")  # [B, D]
    squares = graph.op("ReduceSum", squares, last, name="pool/square")  # [B, 1]
    smallest = graph.weight("pool/smallest", SMALLEST_SQUARE)
    length = graph.op("Sqrt", graph.op("Max", squares, smallest, name="pool/positive"), name="pool/length")  # [B, 1]
    return graph.op("Div", vectors, length, name="pool/normalized")  # [B, D]


def _pooled_tokens(graph: Graph, encoder, pool: str) -> str:
    """Compute the maximum or a mean over the tokens, `[B, D]`."""
    blocks = _block_outputs(graph, encoder)  # [B, T, H] each
    mask = graph.op("Cast", "input_mask", name="pool/mask", to=1)  # [B, T]
    mask = graph.op("Unsqueeze", mask, graph.integers("pool/mask_axis", -1), name="pool/mask_column")  # [B, T, 1]
    tokens = graph.integers("pool/token_axis", 1)
    if pool == "max":
        is_token = graph.op("Cast", mask, name="pool/is_token", to=9)  # 9 is bool
        lowest = graph.weight("pool/lowest", float("-inf"))
        x = graph.op("Where", is_token, blocks[-1], lowest, name="pool/visible")  # [B, T, H]
        return graph.op("ReduceMax", x, tokens, name="pool/max", keepdims=0)  # [B, H]
    count = graph.op("ReduceSum", mask, tokens, name="pool/count", keepdims=0)  # [B, 1]
    means = []
    for number, x in enumerate(blocks[-LAST_BLOCKS[pool] :]):
        x = graph.op("Mul", x, mask, name=f"pool/visible_{number}")  # [B, T, H]
        total = graph.op("ReduceSum", x, tokens, name=f"pool/total_{number}", keepdims=0)  # [B, H]
        means.append(graph.op("Div", total, count, name=f"pool/mean_{number}"))  # [B, H]
    if pool == "last4":
        return graph.op("Concat", *means, name="pool/means", axis=-1)  # [B, 4 H]
    return graph.op("Sum", *means, name="pool/means") if pool == "sum4" else means[0]  # [B, H]


def _first_position(graph: Graph, x: str) -> str:
    begin, end = graph.integers("first/begin", 0), graph.integers("first/end", 1)
    return graph.op("Slice", x, begin, end, end, name="first/state")  # [B, 1, H]; the axis is 1, as `end`


def _first_and_masked_positions(graph: Graph, x: str) -> str:
    positions = graph.op("Cast", "masked_lm_positions", name="masked/int64", to=7)  # 7 is int64: GatherND needs it
    positions = graph.op(
        "Unsqueeze", positions, graph.integers("masked/axis", -1), name="masked/positions"
    )  # [B, P, 1]
    masked = graph.op("GatherND", x, positions, name="masked/inputs", batch_dims=1)  # [B, P, H]
    return graph.op("Concat", _first_position(graph, x), masked, name="selected", axis=1)  # [B, 1 + P, H]


def _pooled(graph: Graph, pooler, x: str) -> str:
    first = graph.first_token(x, "pooler/first")  # [B, H]
    kind = {"tanh": "Tanh", "relu": "Relu"}[pooler.activation]
    return graph.op(kind, graph.dense(first, pooler.dense, "pooler/dense"), name="pooler")  # [B, H]


def _hidden_states(graph: Graph, encoder, select=None) -> str:
    """Compute the last block's output `[B, T, H]`, or only the positions `[B, P, H]` that `select(graph, x)` selects.

    `select` gets the input x `[B, T, H]` of the last block, or its output if it must compute all positions.
    """
    if select is None or not graph.all_positions:
        return _block_outputs(graph, encoder, select)[-1]
    return select(graph, _block_outputs(graph, encoder)[-1])  # [B, P, H]


def _block_outputs(graph: Graph, encoder, select=None) -> list[str]:
    """Compute the output of each block, `[B, T, H]` each; `select` as in `_hidden_states`."""
    embeddings = encoder.embeddings

    def look_up(table: str, ids: str, name: str) -> str:
        return graph.op("Gather", graph.weight(table, array(getattr(embeddings, table).embeddings)), ids, name=name)

    x = look_up("word_embeddings", "input_word_ids", "embeddings/words")  # [B, T, E], where E is not H in ALBERT
    if embeddings.type_embeddings is not None:
        types = look_up("type_embeddings", "input_type_ids", "embeddings/types")  # [B, T, E]
        x = graph.op("Add", x, types, name="embeddings/words_and_types")  # [B, T, E]
    length = graph.op("Shape", "input_word_ids", name="embeddings/length", start=1, end=2)  # [1]
    begin = graph.integers("embeddings/begin", 0)
    table = graph.weight("position_embeddings", array(embeddings.position_embeddings.embeddings))
    positions = graph.op("Slice", table, begin, length, name="embeddings/positions")  # [T, E]
    x = graph.op("Add", x, positions, name="embeddings/sum")  # [B, T, E]
    x = graph.layer_norm(x, embeddings.layer_norm, "embeddings/layer_norm")  # [B, T, E]
    if embeddings.projection is not None:
        x = graph.dense(x, embeddings.projection, "embeddings/projection")  # [B, T, H]
    x = graph.op("Identity", x, name=EMBEDDINGS)  # [B, T, H]

    mask = graph.op("Cast", "input_mask", name="mask/float", to=1)  # [B, T]; 1 is float32
    padding = graph.op("Sub", graph.weight("mask/one", 1.0), mask, name="mask/padding")  # [B, T]
    mask = graph.op("Mul", padding, graph.weight("mask/masked_score", MASKED_SCORE), name="mask/scores")  # [B, T]
    mask = graph.op("Unsqueeze", mask, graph.integers("mask/axes", 1, 2), name="mask")  # [B, 1, 1, T]
    outputs = []
    for i, block in enumerate(encoder.blocks):
        last = i == len(encoder.blocks) - 1
        x = _block(graph, block, x, mask, f"block_{i}", select(graph, x) if last and select else None)
        outputs.append(x)
    return outputs


def _block(graph: Graph, block, x: str, mask: str, name: str, queries: str | None) -> str:
    """Compute a `TransformerBlock` of x `[B, T, H]`: for the positions `queries` `[B, P, H]`, or for all, P = T."""
    q, k, v = _queries_keys_values(graph, block.attention, x, queries, name)
    queries = queries or x
    scores = graph.op("MatMul", q, k, name=f"{name}/scores")  # [B, A, P, T]
    scores = graph.op("Add", scores, mask, name=f"{name}/masked_scores")  # [B, A, P, T]
    probabilities = graph.op("Softmax", scores, name=f"{name}/probabilities", axis=-1)  # [B, A, P, T]
    context = graph.op("MatMul", probabilities, v, name=f"{name}/context")  # [B, A, P, H / A]
    context = graph.op("Transpose", context, name=f"{name}/transposed", perm=[0, 2, 1, 3])  # [B, P, A, H / A]
    width = block.attention.num_heads * block.attention.key_dim  # H
    context = graph.op(
        "Reshape", context, graph.integers(f"{name}/shape", 0, 0, width), name=f"{name}/joined"
    )  # [B, P, H]
    attended = graph.dense(context, block.attention.output_dense, f"{name}/attention")  # [B, P, H]
    x = graph.op("Add", attended, queries, name=f"{name}/attention_residual")  # [B, P, H]
    x = graph.layer_norm(x, block.attention_layer_norm, f"{name}/attention_layer_norm")  # [B, P, H]

    inner = graph.dense(x, block.intermediate, f"{name}/intermediate")  # [B, P, F]
    inner = graph.activate(inner, block.activation, f"{name}/activation")  # [B, P, F]
    inner = graph.dense(inner, block.output_dense, f"{name}/output")  # [B, P, H]
    x = graph.op("Add", inner, x, name=f"{name}/output_residual")  # [B, P, H]
    return graph.layer_norm(x, block.output_layer_norm, f"{name}/output_layer_norm")  # [B, P, H]


def _queries_keys_values(graph: Graph, attention, x: str, queries: str | None, name: str) -> tuple[str, str, str]:
    """Compute q `[B, A, P, H / A]`, k `[B, A, H / A, T]` and v `[B, A, T, H / A]`, in one product where possible."""
    heads, width = attention.num_heads, attention.key_dim
    layers = (attention.query_dense, attention.key_dense, attention.value_dense)
    kernels = [array(layer.kernel).reshape(-1, heads * width) for layer in layers]  # [H, H] each
    biases = [array(layer.bias).reshape(-1) for layer in layers]  # [H] each
    # The factor 1 / sqrt(H / A) is part of the weights. For heads of size 64 it is 1/8, which is exact.
    kernels[0], biases[0] = kernels[0] * width**-0.5, biases[0] * width**-0.5
    if queries is None:
        x = graph.linear(
            x, np.concatenate(kernels, 1), np.concatenate(biases), f"{name}/query_key_value"
        )  # [B, T, 3 H]
        q, k, v = graph.split(x, 3, f"{name}/split")
    else:
        q = graph.linear(queries, kernels[0], biases[0], f"{name}/query")  # [B, P, H]
        x = graph.linear(
            x, np.concatenate(kernels[1:], 1), np.concatenate(biases[1:]), f"{name}/key_value"
        )  # [B, T, 2 H]
        k, v = graph.split(x, 2, f"{name}/split")
    k = graph.split_heads(k, heads, width, f"{name}/k", transposed=True)  # [B, A, H / A, T]
    return graph.split_heads(q, heads, width, f"{name}/q"), k, graph.split_heads(v, heads, width, f"{name}/v")
