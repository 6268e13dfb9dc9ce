"""The last stage: a classifier that learns the logits of its teachers."""

import json
import time

import keras
import numpy as np

import keras_bert as kb
from keras_bert.data import read_table
from keras_bert.inference import predict_logits
from keras_bert.system import available_cpus
from keras_bert.training import batches
from tools.small_model.logits import find_logits
from tools.small_model.texts import model_inputs, read_texts, read_vocabulary, save


def finetune(arguments) -> dict:
    """Fine-tune a classifier with the logits of teachers, or with labels if no logits are given."""
    keras.utils.set_random_seed(arguments.seed)
    batches.WIDTH_STEP = max(arguments.width_step, batches.WIDTH_STEP)
    table, validation = read_table(arguments.data), read_table(arguments.validation)
    texts, labels, logits, alpha = list(table.texts), class_ids(table), None, {}
    if arguments.logits:
        texts += sample([text for path in arguments.texts for text in read_texts(path)], arguments)
        logits, found = find_logits(arguments.logits, texts)
        texts, logits = [text for text, known in zip(texts, found, strict=True) if known], logits[found]
        labels, alpha = logits.argmax(-1).astype(np.int32), {"alpha": 1.0, "temperature": 1.0}
    model = kb.BertClassifier.from_pretrained(
        arguments.model, num_classes=int(labels.max()) + 1, dropout=arguments.dropout, dtype=arguments.dtype
    )
    start = time.perf_counter()
    history = kb.finetune(
        model,
        model_inputs(arguments.model, texts, arguments.length),
        labels,
        model_inputs(arguments.model, validation.texts, arguments.length),
        class_ids(validation),
        teacher_logits=logits,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        checkpoint_dir=f"{arguments.out}.work",
        seed=arguments.seed,
        **alpha,
    ).history
    save(model, read_vocabulary(arguments.model), arguments.out)
    names = ("seed", "epochs", "batch_size", "learning_rate", "dtype")
    facts = {
        **{name: getattr(arguments, name) for name in names},
        "rows": len(texts),
        "validation": [round(float(value), 4) for value in history["val_accuracy"]],
        "seconds": round(time.perf_counter() - start),
        "core_seconds": round((time.perf_counter() - start) * available_cpus()),
        **{path.stem: accuracy(model, arguments.model, read_table(path)) for path in arguments.test},
    }
    (arguments.out / "finetuning.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
    return facts


def sample(texts: list[str], arguments) -> list[str]:
    """Draw `--max-texts` texts with the seed, or return all of them."""
    rng = np.random.default_rng(arguments.seed)
    chosen = rng.choice(len(texts), min(arguments.max_texts, len(texts)), replace=False)
    return [texts[i] for i in np.sort(chosen)]


def accuracy(model, folder, table) -> float:
    """Return the share of correct predictions."""
    logits = predict_logits(model, model_inputs(folder, table.texts, 128))
    return float((logits.argmax(-1) == class_ids(table)).mean())


def class_ids(table) -> np.ndarray:
    """Return the labels of a table as int32 `[N]`."""
    return np.array(list(map(int, table.labels)), np.int32)
