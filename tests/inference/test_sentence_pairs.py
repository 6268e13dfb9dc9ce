"""Sentence-order and next-sentence prediction, by the library and by the command line."""

import json

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.inference.sentence_pairs import class_names, predict_sentence_pairs
from keras_bert.text.packing import pack_examples
from keras_bert.training import evaluate_pretrainer, pretrain
from tests.training import toys

NO_DROPOUT = {"hidden_dropout": 0.0, "attention_dropout": 0.0}
CONFIG = kb.BertConfig.from_dict({**toys.CONFIG.to_dict(), "num_layers": 1, "initializer_range": 0.2, **NO_DROPOUT})
WORDS = 7  # of each hour


def stories(count, seed):
    """Documents of two sentences. Each of six hours has its own words; the sentence of the earlier hour is first."""
    rng = np.random.default_rng(seed)
    hours = (np.sort(rng.choice(6, 2, replace=False)) for _ in range(count))
    return [[5 + WORDS * hour + rng.integers(0, WORDS, 3) for hour in two] for two in hours]


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """A tiny model trained on 600 documents: its folder, history, metrics on other documents, and their labels."""
    train = pack_examples(stories(600, seed=0), 16, toys.CLS, toys.SEP, "order", dupe_factor=2)
    held_out = pack_examples(stories(100, seed=1), 16, toys.CLS, toys.SEP, "order")
    model = toys.make_pretrainer(config=CONFIG, sentence_task="order")
    settings = {"steps": 200, "learning_rate": 4e-3, "validate_every": 100, "verbose": 0}
    history = pretrain(model, train, toys.masking(), validation=held_out, **settings).history
    metrics = evaluate_pretrainer(model, held_out, toys.masking())
    folder = tmp_path_factory.mktemp("order") / "bert"
    kb.save_pretrained(model, folder, kb.BertTextVectorization(toys.VOCABULARY, sequence_length=16))
    return folder, history, metrics, held_out.sentence_order_labels


def text(sentence) -> str:
    return " ".join(toys.VOCABULARY[i] for i in sentence)


@pytest.mark.slow
def test_sentence_order_is_learned(learned):
    _, history, metrics, labels = learned
    names = {f"{task}_{what}" for task in ("mlm", "sop") for what in ("loss", "accuracy")}
    assert set(history) == {"step", "learning_rate", "loss", "val_loss", *names, *(f"val_{name}" for name in names)}
    assert history["loss"] == pytest.approx(np.add(history["mlm_loss"], history["sop_loss"]))
    assert 0.35 < labels.mean() < 0.65
    assert history["val_sop_accuracy"][-1] > 0.9 and metrics["sop_accuracy"] > 0.9


def test_predict_sentence_pairs(learned):
    pretrained = kb.load_pretrained(learned[0])
    assert class_names(pretrained) == ("in order", "swapped")
    first, second = ([text(sentence) for sentence in part] for part in zip(*stories(100, seed=2), strict=True))
    predicted = predict_sentence_pairs(pretrained, first, second)
    assert predicted.shape == (100, 2) and (predicted.argmax(-1) == 0).mean() > 0.9
    assert (predict_sentence_pairs(pretrained, second, first).argmax(-1) == 1).mean() > 0.9
    # One by one, without padding by longer rows, the logits are the same: those of the head on the pooled output.
    np.testing.assert_allclose(
        predict_sentence_pairs(pretrained, first[:5], second[:5], batch_size=1), predicted[:5], atol=1e-5
    )
    pooled = np.asarray(pretrained.encoder(pretrained.vectorizer((first, second)))["pooled_output"])
    kernel, bias = pretrained.model.sop_head.get_weights()
    np.testing.assert_allclose(predicted, pooled @ kernel + bias, atol=1e-5)


@pytest.mark.slow
def test_sentence_order_on_command_line(learned, tmp_path, capfd):
    pair = "w1 w3 w2", "w40 w36 w41"
    assert main(["predict", "--model", str(learned[0]), "\t".join(pair), "\t".join(pair[::-1]), "--json"]) == 0
    rows = json.loads(capfd.readouterr().out.splitlines()[-1])["predictions"]
    assert [row["label"] for row in rows] == ["in order", "swapped"]
    assert all(sum(row["probabilities"].values()) == pytest.approx(1) and row["probability"] > 0.5 for row in rows)

    (tmp_path / "pairs.tsv").write_text(
        "sentence1\tsentence2\tlabel\n" + "\t".join(pair) + "\tin order\n" + "\t".join(pair[::-1]) + "\tswapped\n"
    )
    assert main(["evaluate", "--model", str(learned[0]), "--data", str(tmp_path / "pairs.tsv"), "--json"]) == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1])["accuracy"] == 1.0


@pytest.mark.slow
def test_next_sentence_on_command_line(tmp_path, capfd):
    """A next-sentence head that separates two pairs: logit 0, the label of a true next sentence, is `follows`."""
    rows = pack_examples([[[5, 6], [7, 8]], [[20, 21], [22, 23]]] * 20, 16, toys.CLS, toys.SEP, "next")
    together = [len({word >= 20 for word in row[row > 4]}) == 1 for row in np.asarray(rows.input_word_ids)]
    labels = np.asarray(rows.next_sentence_labels)
    assert set(labels) == {0, 1} and all(together[i] for i in np.flatnonzero(labels == 0))
    assert not all(together[i] for i in np.flatnonzero(labels == 1))

    model = toys.make_pretrainer(config=CONFIG)
    vectorizer = kb.BertTextVectorization(toys.VOCABULARY, sequence_length=16)
    next_one, other = "w1 w3", "w40 w36"
    pooled = np.asarray(model.encoder(vectorizer((["w2"] * 2, [next_one, other])))["pooled_output"])  # [2, H]
    difference = pooled[0] - pooled[1]
    middle = difference @ pooled.mean(0)
    model.nsp_head.set_weights([np.stack([difference, -difference], 1), np.array([-middle, middle])])
    folder = str(kb.save_pretrained(model, tmp_path / "bert", vectorizer))
    assert main(["predict", "--model", folder, f"w2\t{next_one}", f"w2\t{other}", "--json"]) == 0
    predicted = json.loads(capfd.readouterr().out.splitlines()[-1])["predictions"]
    assert [row["label"] for row in predicted] == ["follows", "random"]
    for row, vector, sign in zip(predicted, pooled, (1, -1), strict=True):
        margin = sign * 2 * (difference @ vector - middle)  # of the two logits
        assert row["probability"] == pytest.approx(1 / (1 + np.exp(-margin)), abs=1e-5) and margin > 0
    assert main(["predict", "--model", folder, f"w2\t{next_one}"]) == 0
    assert "follows" in capfd.readouterr().out


def test_rejects_wrong_models_and_texts(learned, tmp_path, capfd):
    pretrained = kb.load_pretrained(learned[0])
    vectorizer = pretrained.vectorizer
    alone = kb.save_pretrained(pretrained.new_pretrainer(None), tmp_path / "alone", vectorizer)
    encoder = kb.save_pretrained(pretrained.encoder.copy(), tmp_path / "encoder", vectorizer)
    following = kb.save_pretrained(pretrained.new_pretrainer("next"), tmp_path / "following", vectorizer)
    assert class_names(kb.load_pretrained(following)) == ("follows", "random")
    for folder, words in ((alone, "^`pretrained`.*Received: .*alone"), (encoder, "^`pretrained`.*Received: .*encoder")):
        with pytest.raises(kb.InputError, match=words):
            predict_sentence_pairs(kb.load_pretrained(folder), ["w1"], ["w2"])
    for first, second in (([], []), (["w1", "w2"], ["w3"])):
        with pytest.raises(kb.InputError, match=f"^`first` .*`second`.*Received: {len(first)} .*{len(second)}"):
            predict_sentence_pairs(pretrained, first, second)
    for folder, asked, words in (
        (alone, "w1\tw2", "`texts`"),
        (following, "w1", "'w1'"),
        (following, "w1\tw2\tw3", "number 1"),
    ):
        assert main(["predict", "--model", str(folder), asked]) == 2
        error = capfd.readouterr().err
        assert error.startswith("error: ") and words in error and error.count("\n") == 1
