"""The division of an encoder's weights between devices."""

import keras

from keras_bert.errors import InputError


def layout_map(device_mesh, model_dim: str):
    """Return the `keras.distribution.LayoutMap` of an encoder, see `BertEncoder.get_layout_map`."""
    axes = tuple(device_mesh.axis_names)
    if model_dim not in axes:
        raise InputError(f"`model_dim` must be an axis of the mesh, one of {axes}. Received: model_dim={model_dim!r}")
    layouts = keras.distribution.LayoutMap(device_mesh)
    layouts[r".*embeddings/.*_embeddings/embeddings"] = (None, model_dim)  # [V, E]
    layouts[r".*attention/(query|key|value)/kernel"] = (None, model_dim, None)  # [H, A, D]
    layouts[r".*attention/(query|key|value)/bias"] = (model_dim, None)  # [A, D]
    layouts[r".*attention/attention_output/kernel"] = (model_dim, None, None)  # [A, D, H]
    layouts[r".*intermediate/kernel"] = (None, model_dim)  # [H, F]
    layouts[r".*intermediate/bias"] = (model_dim,)  # [F]
    layouts[r".*output_dense/kernel"] = (model_dim, None)  # [F, H]
    return layouts
