"""The second stage: training on unlabeled text, so that the encoder with fewer pieces is as useful as its teacher.

It can be repeated on its own result, for example with longer rows.
"""

import json
import time

import keras
import numpy as np

import keras_bert as kb
from keras_bert.text.masking import Masking
from keras_bert.training import align_documents, distill_encoder
from tools.small_model.texts import read_corpus, read_vocabulary, save, tokenize_corpus

HELD_OUT = 0.01  # of the documents, the last ones


def heal(arguments) -> dict:
    """Train an encoder to have its teacher's hidden states, word by word, with masked LM beside it."""
    keras.utils.set_random_seed(arguments.seed)
    vocabularies = read_vocabulary(arguments.model), read_vocabulary(arguments.teacher)
    documents = read_corpus(arguments.corpus)
    both = [tokenize_corpus(documents, folder) for folder in (arguments.model, arguments.teacher)]
    first_held_out = len(documents) - int(HELD_OUT * len(documents))
    training = [each.take(np.arange(first_held_out)) for each in both]
    held_out = [each.take(np.arange(first_held_out, len(documents))) for each in both]
    losses = {"hidden": arguments.hidden_weight, "pooled": arguments.pooled_weight, "masked": 1.0}
    losses = {name: weight for name, weight in losses.items() if weight}
    rows = align_documents(
        *training,
        *vocabularies,
        length=arguments.length,
        batch_size=arguments.batch_size,
        losses=[name for name in losses if name != "masked"],
        seed=arguments.seed,
        masking=Masking.from_vocabulary(
            vocabularies[0], rate=arguments.masking_rate, max_predictions=arguments.length // 4
        ),
    )
    teacher = kb.BertEncoder.from_pretrained(arguments.teacher, dtype=arguments.dtype)
    source = kb.load_pretrained(arguments.model)
    student = source.new_pretrainer(None, dropout=0.0, dtype=arguments.dtype)
    start = time.perf_counter()
    history = distill_encoder(
        teacher,
        student,
        rows,
        losses=losses,
        steps=arguments.steps,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        validate_every=max(1, arguments.steps // 10),
        checkpoint_dir=f"{arguments.out}.work",
        seed=arguments.seed,
    ).history
    healed = source.new_pretrainer(None)  # with the dropout of the source
    healed.set_weights(student.get_weights())
    save(healed, vocabularies[0], arguments.out)
    found = {
        **{name: [round(float(value), 4) for value in values] for name, values in history.items()},
        **masked_accuracy(student, held_out, vocabularies),
        "words": len(rows.teacher.word_starts) - 1,
        "rows": len(rows.spans),
        "seconds": round(time.perf_counter() - start),
        "backend": keras.backend.backend(),
    }
    (arguments.out / "healing.json").write_text(json.dumps(found) + "\n", encoding="utf-8")
    return found


def masked_accuracy(student, documents, vocabularies, batches: int = 40) -> dict:
    """Compute the masked-LM accuracy on documents that were not trained on, with 15 % of the tokens masked."""
    masking = Masking.from_vocabulary(vocabularies[0], rate=0.15, max_predictions=20)
    rows = align_documents(*documents, *vocabularies, length=128, batch_size=128, masking=masking)
    names = ("input_word_ids", "input_mask", "input_type_ids", "masked_lm_positions")
    correct = total = 0
    for i in range(min(len(rows), batches)):
        inputs, _, weights = rows.batch(0, i)
        outputs = student.predict_on_batch({name: inputs[name] for name in names})
        right = keras.ops.convert_to_numpy(outputs["mlm_logits"]).argmax(-1) == inputs["masked_lm_ids"]  # [B, P]
        correct, total = correct + (right * weights["masked"]).sum(), total + weights["masked"].sum()
    return {"held_out_mlm_accuracy": float(correct / total), "held_out_mlm_tokens": int(total)}
