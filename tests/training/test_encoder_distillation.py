"""Distillation of an encoder into another one: alignment of words, losses, training."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data import tokenize_documents
from keras_bert.text.masking import Masking
from keras_bert.training import align_documents, distill_encoder
from keras_bert.training.encoder_distillation_loss import encoder_distillation_model
from tests.helpers import randomize

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WHOLE = [*SPECIAL, "good", "films", "unkind", "a", "film"]
PARTS = [*SPECIAL, "a", "film", "##s", "good", "un", "##k", "##ind", "f"]
TEXTS = [["a good film", "films unkind"], ["unkind films a good films"], ["good film a"]]
LENGTH = 12


def encoder(vocabulary, hidden_size=8, num_layers=2, seed=1):
    config = kb.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=hidden_size,
        num_layers=num_layers,
        num_heads=2,
        intermediate_size=16,
        max_position_embeddings=LENGTH,
        hidden_dropout=0.0,
        attention_dropout=0.0,
    )
    model = kb.BertEncoder(config)
    randomize(model, seed=seed)
    return model


def batches(**settings):
    documents = [tokenize_documents(TEXTS, kb.BertTextVectorization(each)) for each in (PARTS, WHOLE)]
    return align_documents(*documents, PARTS, WHOLE, length=LENGTH, **{"batch_size": 3, **settings})


def words_of(ids, index, vocabulary):
    """Join the pieces of each word, from ids and word indices of one row."""
    words = {}
    for token_id, word in zip(ids, index, strict=True):
        if word >= 0:
            words[word] = words.get(word, "") + vocabulary[token_id].removeprefix("##")
    return [words[i] for i in range(len(words))]


def test_rows_have_the_same_words_in_both_vocabularies():
    inputs, _, weights = batches()[0]
    found = []
    for i in range(3):
        student = words_of(inputs["input_word_ids"][i], inputs["student_words"][i], PARTS)
        teacher = words_of(inputs["teacher_word_ids"][i], inputs["teacher_words"][i], WHOLE)
        assert student == teacher and student[0] == "[CLS]" and student[-1] == "[SEP]"
        assert weights["hidden"][i].sum() == len(student)
        found.append(" ".join(student[1:-1]))
    assert sorted(found) == sorted(" ".join(text) for text in TEXTS)


def test_no_word_is_split_over_rows_or_lost():
    every = batches(batch_size=1)
    short = align_documents(
        *[tokenize_documents(TEXTS, kb.BertTextVectorization(each)) for each in (PARTS, WHOLE)],
        *(PARTS, WHOLE),
        length=6,
        batch_size=1,
    )

    def words(rows):
        inputs = [rows[i][0] for i in range(len(rows))]
        found = [words_of(each["input_word_ids"][0], each["student_words"][0], PARTS)[1:-1] for each in inputs]
        return sorted(sum(found, []))

    assert len(short) > len(every) and words(short) == words(every)


def test_rejects_vocabularies_that_split_into_other_words():
    lower, cased = (tokenize_documents([["A film"]], kb.BertTextVectorization(PARTS)) for _ in range(2))
    longer = tokenize_documents([["A film a"]], kb.BertTextVectorization(WHOLE))
    with pytest.raises(kb.InputError, match="`student` and `teacher`"):
        align_documents(lower, longer, PARTS, WHOLE, length=8)


def test_losses_equal_numpy():
    teacher, student = encoder(WHOLE, seed=1), encoder(PARTS, seed=2)
    inputs, _, weights = batches(losses=("hidden", "relations", "pooled"))[0]
    losses = {"hidden": 2.0, "relations": 0.5, "pooled": 3.0}
    model = encoder_distillation_model(teacher, student, losses, relation_heads=4)
    outputs = {name: keras.ops.convert_to_numpy(value) for name, value in model(inputs).items()}

    pooled = []  # of the student, then of the teacher

    def states(model, ids, words):
        """Yield the last states, queries, keys and values, averaged by word, for one row without padding."""
        count = int((words >= 0).sum())
        ids, words = ids[None, :count], words[:count]
        found = model({"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": 0 * ids})
        pooled.append(keras.ops.convert_to_numpy(found["pooled_output"])[0])
        below = found["encoder_outputs_0"]
        attention = model.blocks[1].attention
        projections = (attention.query_dense, attention.key_dense, attention.value_dense)
        for value in (found["sequence_output"], *(dense(below) for dense in projections)):
            value = keras.ops.convert_to_numpy(value)[0].reshape(count, -1)
            yield np.stack([value[words == i].mean(0) for i in range(words.max() + 1)])

    def relations(x, heads=4):
        result = []
        for head in np.split(x, heads, axis=1):
            scores = np.exp(head @ head.T / np.sqrt(head.shape[1]))
            result.append(scores / scores.sum(1, keepdims=True))
        return np.stack(result)

    assert weights["pooled"].shape == outputs["pooled"].shape == (3, 1)
    for i in range(3):
        pooled.clear()
        ours = list(states(student, inputs["input_word_ids"][i], inputs["student_words"][i]))
        theirs = list(states(teacher, inputs["teacher_word_ids"][i], inputs["teacher_words"][i]))
        hidden = 2.0 * ((ours[0] - theirs[0]) ** 2).mean(1)
        divergences = []
        for a, b in zip(ours[1:], theirs[1:], strict=True):
            p, q = relations(b), relations(a)
            divergences.append((p * np.log(p / q)).sum(-1).mean(0))
        count = len(hidden)
        np.testing.assert_allclose(outputs["pooled"][i], 3.0 * ((pooled[0] - pooled[1]) ** 2).mean(), rtol=2e-4)
        np.testing.assert_allclose(outputs["hidden"][i, :count], hidden, rtol=2e-4)
        np.testing.assert_allclose(outputs["relations"][i, :count], 0.5 * np.mean(divergences, 0), rtol=2e-3, atol=1e-6)


def test_equal_models_have_no_loss():
    model = encoder(WHOLE)
    documents = tokenize_documents(TEXTS, kb.BertTextVectorization(WHOLE))
    rows = align_documents(documents, documents, WHOLE, WHOLE, length=LENGTH, losses=("hidden", "relations"))
    losses = encoder_distillation_model(model, model, {"hidden": 1.0, "relations": 1.0}, 2)(rows[0][0])
    for name, value in losses.items():
        assert float(keras.ops.max(keras.ops.abs(value))) < 1e-5, name


@pytest.mark.slow
@pytest.mark.parametrize("width", [8, 4])
def test_training_lowers_the_losses_and_leaves_the_teacher(width):
    teacher, narrow = encoder(WHOLE), encoder(PARTS, hidden_size=width, num_layers=1, seed=3)
    student = kb.BertPretrainer(narrow, sentence_task=None)
    before = [np.array(weight) for weight in teacher.get_weights()]
    masking = Masking.from_vocabulary(PARTS, max_predictions=2)
    rows = batches(losses=("hidden", "relations"), masking=masking)
    losses = {"hidden": 1.0, "relations": 1.0, "masked": 0.1}
    history = distill_encoder(
        teacher, student, rows, losses=losses, relation_heads=4, steps=40, learning_rate=1e-2, verbose=0
    ).history
    for name in ("hidden_loss", "relations_loss"):
        assert history[name][-1] < 0.8 * history[name][0], history[name]
    for ours, theirs in zip(before, teacher.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_padding_is_found_by_words_not_by_its_id():
    """[PAD] may have another id than 0: the same rows with renumbered tokens have the same losses."""
    order = [*range(1, len(WHOLE)), 0]  # the new id i is the old id order[i]; [PAD] becomes the last
    moved_vocabulary = [WHOLE[i] for i in order]
    teacher, moved, student = encoder(WHOLE), encoder(WHOLE), encoder(PARTS, seed=2)
    table = np.array(teacher.embeddings.word_embeddings.get_weights()[0])
    moved.embeddings.word_embeddings.set_weights([table[order]])
    documents = [tokenize_documents(TEXTS, kb.BertTextVectorization(each)) for each in (PARTS, WHOLE, moved_vocabulary)]
    found = []
    for model, vocabulary, tokens in ((teacher, WHOLE, documents[1]), (moved, moved_vocabulary, documents[2])):
        rows = align_documents(documents[0], tokens, PARTS, vocabulary, length=LENGTH, batch_size=3)
        found.append(encoder_distillation_model(model, student, {"hidden": 1.0}, 2)(rows[0][0])["hidden"])
    np.testing.assert_allclose(*map(keras.ops.convert_to_numpy, found), atol=1e-5)


def test_rejects_settings_and_vocabularies_that_do_not_fit():
    teacher, student = encoder(WHOLE), encoder(PARTS)
    for settings in ({"temperature": 3.0}, {"loss_weights": (1.0, 1.0, 1.0)}):
        with pytest.raises(kb.InputError, match=f"`{next(iter(settings))}`"):
            distill_encoder(teacher, student, batches(), steps=1, **settings)
    with pytest.raises(kb.InputError, match="`batches`.*teacher"):
        distill_encoder(student, student, batches(), steps=1)


def test_rejects_losses_that_do_not_fit():
    teacher, student = encoder(WHOLE), encoder(PARTS)
    with pytest.raises(kb.InputError, match="`batches`"):
        distill_encoder(teacher, student, batches(), losses={"relations": 1.0}, steps=1)
    with pytest.raises(kb.InputError, match="`student`"):
        encoder_distillation_model(teacher, student, {"masked": 1.0}, 4)
    with pytest.raises(kb.InputError, match="`relation_heads`"):
        encoder_distillation_model(teacher, student, {"relations": 1.0}, 3)
    with pytest.raises(kb.InputError, match="`loss_weights`"):
        encoder_distillation_model(teacher, student, {"logits": 1.0}, 4)


def test_pooled_loss_needs_poolers_of_one_width():
    wide, narrow = encoder(WHOLE), encoder(PARTS, hidden_size=4)
    with pytest.raises(kb.InputError, match="a pooler and the same hidden size.*Received: 8 and 4"):
        encoder_distillation_model(wide, narrow, {"pooled": 1.0}, 2)
    without = kb.BertEncoder(dataclasses.replace(narrow.config, pooler=False))
    with pytest.raises(kb.InputError, match="Received: 8 and no pooler"):
        encoder_distillation_model(wide, without, {"pooled": 1.0}, 2)
