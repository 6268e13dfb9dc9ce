"""The outputs of exports that take token ids, computed by the model's own call."""

import keras

from keras_bert.models import BertClassifier, BertEncoder
from keras_bert.models.pooling import pool_outputs


def id_outputs(model, pool: str | None = None, normalize: bool = False):
    """Return the function of the token ids that an export contains.

    Args:
        model: an encoder or a task model.
        pool, normalize: of an encoder, see `kb.export_onnx`.

    Returns:
        A function of the dict of inputs; it returns a dict of tensors, see `kb.export_onnx`.
    """

    def run(ids: dict) -> dict:
        outputs = model(ids, training=False)
        if isinstance(model, BertEncoder):
            if pool:
                return {"embedding": pool_outputs(outputs, ids["input_mask"], pool, normalize)}  # [B, D]
            return {name: outputs[name] for name in ("sequence_output", "pooled_output") if name in outputs}
        if isinstance(outputs, dict):
            return outputs
        if not isinstance(model, BertClassifier) or model.problem_type == "regression":
            return {"logits": outputs}
        to_probabilities = keras.ops.sigmoid if model.problem_type == "multi_label" else keras.ops.softmax
        return {"logits": outputs, "probabilities": to_probabilities(outputs)}  # [B, C]

    return run
