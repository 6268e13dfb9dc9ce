"""Methods of the encoder besides its outputs: LoRA, attention scores as outputs, and the layout on several devices."""

import inspect

import keras

from keras_bert.errors import InputError
from keras_bert.layers.lora import has_lora, merge_lora
from keras_bert.layers.scored_block import ScoredBlock
from keras_bert.models.layout import layout_map
from keras_bert.models.lora import enable_lora, train_all
from keras_bert.models.pretrained_model import PretrainedModel


class EncoderTools(PretrainedModel):
    """Base class of `BertEncoder` with the methods that need only its layers."""

    def enable_lora(self, rank: int, targets=("query", "value"), alpha: float | None = None) -> None:
        """Add low-rank weights to projections of all blocks, and freeze all other weights of the encoder.

        A target computes x (W + alpha / rank * A B) + b with new matrices A and B, by `enable_lora` of Keras. At first
        B is 0, so the outputs do not change. Saved files and copies contain A and B; `merge_lora` adds them to W.
        `kb.finetune` then trains A, B and the head.

        Args:
            rank: number of columns of A and rows of B.
            targets: some of `"query"`, `"key"`, `"value"`, `"attention_output"`, `"intermediate"` and `"output"`. The
                default is that of the paper.
            alpha: scale of the product; `rank` by default.

        Raises:
            InputError: `rank` or `targets` is invalid, LoRA is already enabled, or a block has no such projection.

        Example:

        >>> import keras_bert as kb
        >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
        >>> encoder = kb.BertEncoder(config)
        >>> encoder.enable_lora(rank=2)
        >>> sorted({variable.path for variable in encoder.trainable_variables})[:2]
        ['block_0/attention/query/lora_kernel_a', 'block_0/attention/query/lora_kernel_b']

        Source: Hu et al. 2021 (arXiv:2106.09685), sections 4.1, 4.2 and 7.1.
        """
        enable_lora(self, rank, targets, alpha)

    def merge_lora(self) -> None:
        """Add the LoRA weights to the kernels and remove them: the same outputs, from plain layers. All are trainable.

        Raises:
            InputError: LoRA is not enabled, or a layer with LoRA is quantized.
        """
        if not has_lora(self):
            raise InputError("`enable_lora` must be called before `merge_lora`. Received: an encoder without LoRA")
        merge_lora(self)
        train_all(self)

    def with_attention_scores(self) -> keras.Model:
        """Return a functional model with the outputs of this encoder and its attention probabilities.

        It consists of the layers of this encoder, so it has the same weights and trains them.

        Returns:
            A `keras.Model` of the same inputs. Its outputs are those of the encoder and `attention_scores_0` …
            `attention_scores_{L-1}`, float `[B, A, T, T]`, before dropout. The last axis, the keys, sums to 1.

        Raises:
            InputError: a custom block does not return attention scores.

        Example:

        >>> import keras_bert as kb
        >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
        >>> kb.BertEncoder(config).with_attention_scores().output["attention_scores_1"].shape
        (None, 2, None, None)

        Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.
        """
        inputs = self.input
        x = self.embeddings(inputs["input_word_ids"], inputs["input_type_ids"])  # [B, T, H]
        outputs, scored = {}, {}
        for i, block in enumerate(self.blocks):
            check_returns_scores(block)
            if block not in scored:  # ALBERT repeats one block
                scored[block] = ScoredBlock(block, name=f"scored_{block.name}")
            x, scores = scored[block](x, inputs["input_mask"])  # [B, T, H], [B, A, T, T]
            outputs |= {f"encoder_outputs_{i}": x, f"attention_scores_{i}": scores}
        outputs["sequence_output"] = x  # [B, T, H]
        if self.pooler is not None:
            outputs["pooled_output"] = self.pooler(x)  # [B, H]
        return keras.Model(inputs, outputs, name=f"{self.name}_with_attention_scores")

    @staticmethod
    def get_layout_map(device_mesh, model_dim: str = "model"):
        """Return how to divide the weights of an encoder between devices, for `keras.distribution.ModelParallel`.

        The attention heads, the inner axis of the feed-forward networks and the embedding axis of the tables are
        divided. `num_heads`, `intermediate_size` and `hidden_size` must be multiples of the number of devices. All
        other weights are on every device. It serves task models too. Keras supports model parallelism on JAX.

        Args:
            device_mesh: a `keras.distribution.DeviceMesh`.
            model_dim: name of the axis of the mesh to divide the weights along.

        Returns:
            A `keras.distribution.LayoutMap`.

        Raises:
            InputError: the mesh has no axis of this name.

        Example:

        >>> import keras_bert as kb
        >>> mesh = keras.distribution.DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"])
        >>> layout_map = kb.BertEncoder.get_layout_map(mesh)
        >>> layout_map["block_0/intermediate/kernel"].axes
        (None, 'model')

        Source: Shoeybi et al. 2019 (arXiv:1909.08053), section 3; `get_layout_map` of KerasHub's backbones.
        """
        return layout_map(device_mesh, model_dim)


def check_returns_scores(block) -> None:
    """Raise InputError if a block cannot return its attention probabilities."""
    if "return_attention_scores" not in inspect.signature(block.call).parameters:
        raise InputError(
            "`block` must make layers with the call argument `return_attention_scores`. "
            f"Received: a {type(block).__name__} without it"
        )
