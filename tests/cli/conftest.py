"""Tiny models on disk, and a function that runs a command in this process."""

from types import SimpleNamespace

import pytest

from keras_bert.cli.main import main
from tests.cli.command_line import write_tsv


@pytest.fixture
def call(capfd):
    """Return a function `call(*arguments)` that runs a command and returns `status`, `out` and `err`."""

    def run(*arguments):
        capfd.readouterr()
        status = main([str(argument) for argument in arguments])
        return SimpleNamespace(status=status, **capfd.readouterr()._asdict())

    return run


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> SimpleNamespace:
    """Write random models: folders of an encoder and a classifier, an export, a vocabulary, labeled data."""
    import keras

    import keras_bert as kb

    folder = tmp_path_factory.mktemp("models")
    keras.utils.set_random_seed(7)
    sample = kb.load_labeled("sample")
    vocabulary = kb.learn_vocabulary(sample.train_texts, 300)
    vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=16)
    config = kb.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_layers=2,
        num_heads=2,
        intermediate_size=64,
        max_position_embeddings=32,
        initializer_range=0.2,
    )
    encoder = kb.BertEncoder(config)
    classifier = kb.BertClassifier(encoder)
    made = SimpleNamespace(
        folder=folder,
        vocab=folder / "vocab.txt",
        encoder=folder / "encoder",
        classifier=folder / "classifier",
        served=folder / "served",
        data=folder / "dev.tsv",
        dataset=folder / "dataset",
        vectorizer=vectorizer,
        model=classifier,
    )
    kb.save_vocabulary(vocabulary, made.vocab)
    kb.save_pretrained(kb.BertPretrainer(encoder), made.encoder, vectorizer)
    kb.save_pretrained(classifier, made.classifier, vectorizer, labels=["negative", "positive"])
    kb.export_saved_model(classifier, made.served, vectorizer=vectorizer, labels=["negative", "positive"])
    write_tsv(made.data, sample.dev_texts[:30], sample.dev_labels[:30])
    made.dataset.mkdir()
    for part, count, texts, labels in (
        ("train", 40, sample.train_texts, sample.train_labels),
        ("dev", 20, sample.dev_texts, sample.dev_labels),
    ):
        # Texts that are all truncated to the same length, so that TensorFlow traces each training step once.
        rows = [i for i, text in enumerate(texts) if len(text) > 120][:count]
        write_tsv(made.dataset / f"{part}.tsv", [texts[i] for i in rows], labels[rows])
    return made
