"""Losses, metrics and evaluation of a `BertPretrainer`."""

import keras

from keras_bert import ops
from keras_bert.tasks.losses import PER_EXAMPLE_FNS, MeanCrossEntropy, TopOneAccuracy
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples
from keras_bert.training.batches import MaskedBatches
from keras_bert.training.common import jit_compile
from keras_bert.training.example_checks import check_pretraining_examples
from keras_bert.training.metric_sums import MetricSums, accumulate_metrics, mean_metrics


def compile_pretrainer(pretrainer: keras.Model, optimizer) -> None:
    """Compile a pretrainer with a cross-entropy and an accuracy for each output.

    Both are means over the predictions of weight 1.

    Args:
        pretrainer: a `BertPretrainer`.
        optimizer: a Keras optimizer or its name.
    """
    losses, accuracies = {}, {}
    for name in pretrainer.output:
        losses[name] = MeanCrossEntropy()
        accuracies[name] = [TopOneAccuracy()]
    pretrainer.compile(optimizer, loss=losses, weighted_metrics=accuracies, jit_compile=jit_compile())


def evaluate_pretrainer(
    pretrainer: keras.Model, examples: PretrainingExamples, masking: Masking, batch_size: int = 32, seed: int = 0
) -> dict[str, float]:
    """Compute losses and accuracies on examples that are masked with a fixed seed.

    Args:
        pretrainer: a `BertPretrainer`.
        examples: packed examples, `[N, T]`.
        masking: `Masking` of the same vocabulary.
        batch_size: examples per batch.
        seed: seed of the masks.

    Returns:
        A dict: `loss`, `mlm_loss`, `mlm_accuracy` and, with a sentence task, `nsp_loss` and `nsp_accuracy` or
        `sop_loss` and `sop_accuracy`. The values are means over all masked positions or over all examples.

    Raises:
        InputError: vocabulary, encoder and examples do not fit each other.

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3.1.
    """
    check_pretraining_examples(pretrainer, examples, masking)
    compile_pretrainer(pretrainer, pretrainer.optimizer if pretrainer.compiled else "sgd")
    return evaluate_batches(pretrainer, MaskedBatches(examples, masking, batch_size, seed, shuffle=False))


def evaluate_batches(
    pretrainer: keras.Model, batches: MaskedBatches, callbacks: keras.callbacks.CallbackList | None = None
) -> dict[str, float]:
    """Compute the metrics of `evaluate_pretrainer` for a compiled pretrainer on batches that are not shuffled.

    Args:
        pretrainer: a compiled `BertPretrainer`.
        batches: the batches.
        callbacks: callbacks whose hooks are called before and after each batch, or None.
    """
    evaluate_on_batch = ops.evaluate_on_batch(pretrainer, PER_EXAMPLE_FNS)
    sums: MetricSums = {}
    for i in range(len(batches)):
        if callbacks is not None:
            callbacks.on_test_batch_begin(i)
        batch = batches.batch(0, i)
        accumulate_metrics(sums, pretraining_sums(evaluate_on_batch(*batch), batch))
        if callbacks is not None:
            callbacks.on_test_batch_end(i, mean_metrics(sums))
    return mean_metrics(sums)


def pretraining_sums(logs: dict, batch: tuple) -> MetricSums:
    """Turn the means that Keras logs for a batch into (sum, weight) pairs."""
    weights = batch[2]
    sums = {}
    for output, weight in weights.items():
        prefix = f"{output}_" if len(weights) > 1 else ""  # Keras omits the name of a single output
        name, total = output.removesuffix("_logits"), float(weight.sum())
        sums[f"{name}_loss"] = (float(logs[f"{prefix}loss"]) * total, total)
        sums[f"{name}_accuracy"] = (float(logs[f"{prefix}accuracy"]) * total, total)
    return sums
