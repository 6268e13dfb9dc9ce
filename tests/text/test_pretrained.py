"""Vectorizers of pretrained models, of Hugging Face's tokenizers, and added tokens in every folder that is written."""

import json

import numpy as np
import pytest

import keras_bert as kb
from keras_bert import InputError
from keras_bert.text import BertTextVectorization
from keras_bert.weights.formats.huggingface import save_huggingface

TEXT = "a [E1]Film[/E1]s [e1]"
MARKERS = ["[E1]", "[/E1]"]


@pytest.fixture(scope="module")
def vectorizer(tokens):
    return BertTextVectorization([*tokens, "[", "]", "e", "##1"], sequence_length=12, added_tokens=MARKERS)


@pytest.fixture(scope="module")
def encoder(vectorizer):
    config = kb.BertConfig(vocab_size=len(vectorizer), hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    return kb.BertEncoder(config)


def write(name, encoder, vectorizer, path):
    """Write an encoder in a format and return the folder."""
    if name == "keras":
        return kb.save_pretrained(encoder, path, vectorizer)
    if name == "huggingface":
        return save_huggingface(encoder, path, vectorizer)
    return kb.export_saved_model(encoder, path, vectorizer, interface="tfhub")


@pytest.mark.parametrize("name", ["keras", "huggingface", pytest.param("tfhub", marks=pytest.mark.slow)])
def test_added_tokens_in_folders(name, encoder, vectorizer, tmp_path):
    folder = write(name, encoder, vectorizer, tmp_path / "folder")
    expected = vectorizer.tokenize(TEXT).numpy().tolist()
    loaded = kb.load_pretrained(folder)
    assert loaded.added_tokens == MARKERS
    found = BertTextVectorization.from_pretrained(folder)
    for each in (loaded.vectorizer, found):
        assert each.get_vocabulary() == vectorizer.get_vocabulary()
        assert each.tokenize(TEXT).numpy().tolist() == expected
    assert found.sequence_length == (12 if name == "keras" else None)
    assert found.get_config().items() >= {**loaded.vectorizer.get_config(), "name": found.name}.items()


def test_convert_keeps_added_tokens(encoder, vectorizer, tmp_path):
    folder = kb.save_pretrained(encoder, tmp_path / "keras", vectorizer)
    kb.convert(folder, "huggingface", tmp_path / "hf")
    kb.convert(tmp_path / "hf", "keras", tmp_path / "back")
    assert kb.load_pretrained(tmp_path / "back").added_tokens == MARKERS
    with pytest.raises(InputError, match=r"^`to` must be .*added_tokens=\[E1\]"):
        kb.convert(folder, "google_research", tmp_path / "google")
    assert not (tmp_path / "google").exists()


def test_predictor_and_fill_mask_use_added_tokens(encoder, vectorizer, tmp_path):
    classifier = kb.BertClassifier(encoder, num_classes=2)
    predictor = kb.Predictor(kb.save_pretrained(classifier, tmp_path / "classifier", vectorizer))
    first, second = (predictor([text])[0]["probabilities"] for text in (TEXT, "a [e1] film [/e1] s [e1]"))
    logits = classifier(vectorizer([TEXT]))
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(list(first.values()), expected[0], atol=1e-6)
    assert list(first.values()) != list(second.values())
    pretrained = kb.load_pretrained(kb.save_pretrained(kb.BertPretrainer(encoder), tmp_path / "mlm", vectorizer))
    assert kb.fill_mask(pretrained, ["[E1]film[/E1] [MASK]"])[0]["masks"][0]["position"] == 4


@pytest.mark.slow
def test_saved_model_of_text_keeps_added_tokens(encoder, vectorizer, tmp_path):
    import tensorflow as tf

    folder = kb.export_saved_model(kb.BertClassifier(encoder), tmp_path / "model", vectorizer)
    ids = tf.saved_model.load(str(folder)).signatures["tokenize"](text=tf.constant([TEXT]))["input_word_ids"]
    assert ids.numpy()[0].tolist() == [2, *vectorizer.tokenize(TEXT).numpy().tolist(), 3]
    preprocessing = tf.saved_model.load(str(kb.export_saved_model(vectorizer, tmp_path / "preprocessing")))
    np.testing.assert_array_equal(
        preprocessing(tf.constant([TEXT]))["input_word_ids"], vectorizer([TEXT])["input_word_ids"]
    )


def test_bundled_name():
    found = BertTextVectorization.from_pretrained("bert_en_uncased_mini", sequence_length=8, added_tokens=["[E1]"])
    assert found.sequence_length == 8 and found.lowercase and found.added_tokens == ("[E1]",)
    assert found.detokenize(found.tokenize("An [E1]unforgettable film")) == "an [E1] unforgettable film"


@pytest.mark.parametrize("source", ["bert_en_uncased_minl", "no/such/folder"])
def test_rejects_unknown_source(source):
    with pytest.raises(InputError, match=f"^`source` must be .*Received: source={source}"):
        BertTextVectorization.from_pretrained(source)


def test_rejects_vocabulary_file(tokens, tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(tokens))
    with pytest.raises(InputError, match=r"^`source` must be .*Received: source=.*vocab.txt.*BertTextVectorization\("):
        BertTextVectorization.from_pretrained(tmp_path / "vocab.txt")
    encoder = kb.BertEncoder(
        kb.BertConfig(vocab_size=9, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    )
    encoder.save(tmp_path / "encoder.keras")
    with pytest.raises(InputError, match="^`source` must contain a vocabulary.*Received: source=.*encoder.keras"):
        BertTextVectorization.from_pretrained(tmp_path / "encoder.keras")


def tokenizer_json(vocabulary, **normalizer):
    """Return the content of a `tokenizer.json` of BERT."""
    return {
        "added_tokens": [{"id": len(vocabulary), "content": "[E1]", "normalized": False}],
        "normalizer": {"type": "BertNormalizer", "lowercase": True, "handle_chinese_chars": True, **normalizer},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "vocab": {token: i for i, token in enumerate(vocabulary)}},
    }


def test_tokenizer_json_alone(tokens, tmp_path):
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer_json(tokens)))
    found = BertTextVectorization.from_pretrained(tmp_path, sequence_length=6)
    assert found.get_vocabulary() == [*tokens, "[E1]"] and found.added_tokens == ("[E1]",)
    assert found("A [E1]film")["input_word_ids"].numpy().tolist() == [2, 5, 13, 7, 3, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["normalizer"].update(clean_text=False), "clean_text=True"),
        (lambda d: d["model"].update(unk_token="<unk>"), r"unk_token='\[UNK\]'.*<unk>"),
        (lambda d: d.update(post_processor={"type": "RobertaProcessing"}), r"adds \[CLS\].*RobertaProcessing"),
        (lambda d: d["pre_tokenizer"].update(type="Whitespace"), "BERT tokenizer.*Whitespace"),
        (lambda d: d["model"].update(type="Unigram"), "BERT tokenizer.*Unigram"),
        (lambda d: d["model"]["vocab"].update(film=99), "number its tokens"),
        (lambda d: d["added_tokens"][0].update(single_word=True), r"inside words.*'\[E1\]' with single_word=True"),
        (lambda d: d["added_tokens"][0].update(content="a b"), "added tokens.*without white space.*'a b'"),
        (
            lambda d: d["added_tokens"][0].update(content="a中", normalized=True),
            "added tokens.*'a中' with the form 'a 中'",
        ),
        (lambda d: d["added_tokens"][0].update(id=99), r"after the vocabulary.*'\[E1\]' with id 99, 13 tokens"),
    ],
)
def test_rejects_other_tokenizers(tokens, tmp_path, change, message):
    details = tokenizer_json(tokens)
    change(details)
    (tmp_path / "tokenizer.json").write_text(json.dumps(details))
    with pytest.raises(InputError, match=f"^`source` must .*{message}") as caught:
        BertTextVectorization.from_pretrained(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_weights_load_beside_another_tokenizer(encoder, tmp_path):
    folder = save_huggingface(encoder, tmp_path / "hf")
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"type": "Unigram"}}))
    kb.load_weights(encoder, folder)
    with pytest.raises(InputError, match="^`source` must contain a BERT tokenizer.*Unigram.*load_weights"):
        kb.load_pretrained(folder)


@pytest.mark.peers
@pytest.mark.parametrize("lowercase", [True, False])
def test_folders_of_transformers(tokens, tmp_path, lowercase):
    transformers = pytest.importorskip("transformers")
    legacy = pytest.importorskip("transformers.models.bert.tokenization_bert_legacy", reason="needs transformers 5")
    (tmp_path / "vocab.txt").write_text("\n".join([*tokens, "[", "]", "e", "##1"]) + "\n")
    vocabulary = {token: i for i, token in enumerate([*tokens, "[", "]", "e", "##1"])}
    peers = {
        "current": transformers.BertTokenizer(vocab=vocabulary, do_lower_case=lowercase),
        "legacy": legacy.BertTokenizerLegacy(str(tmp_path / "vocab.txt"), do_lower_case=lowercase),
    }
    for name, peer in peers.items():
        peer.add_tokens([transformers.AddedToken(marker, normalized=False) for marker in MARKERS])
        peer.save_pretrained(tmp_path / name)
        found = BertTextVectorization.from_pretrained(tmp_path / name, sequence_length=None)
        assert found.lowercase == lowercase and len(found) == len(peer)
        assert found(TEXT)["input_word_ids"].numpy().tolist() == peer(TEXT).input_ids


@pytest.mark.peers
def test_transformers_reads_added_tokens(encoder, vectorizer, tmp_path):
    transformers = pytest.importorskip("transformers")
    folder = save_huggingface(encoder, tmp_path / "hf", vectorizer)
    peer = transformers.BertTokenizer.from_pretrained(folder)
    assert len(peer) == len(vectorizer)
    config = {**vectorizer.get_config(), "special_tokens": True, "sequence_length": None}
    marked = BertTextVectorization.from_config(config)
    for text in (TEXT, "[E1][MASK]a", "FILM"):
        assert peer(text).input_ids == marked(text)["input_word_ids"].numpy().tolist()


def test_all_preprocessing_uses_added_tokens(encoder, vectorizer, tmp_path):
    """Texts, words of token classification, and windows of question answering."""
    from keras_bert.tasks import Preprocessor
    from keras_bert.tasks.word_rows import word_rows
    from keras_bert.text.windows import make_windows

    preprocessor = Preprocessor.from_pretrained(
        kb.load_pretrained(kb.save_pretrained(encoder, tmp_path / "encoder", vectorizer))
    )
    first, last = vectorizer.token_to_id(MARKERS)
    assert preprocessor(["[E1]film[/E1]"])["input_word_ids"][0, :5].tolist() == [2, first, 7, last, 3]
    rows, positions = word_rows([["[E1]", "film[/E1]"]], preprocessor)
    assert rows["input_word_ids"].tolist() == [[2, first, 7, last, 3]] and positions == [[(0, 1), (0, 2)]]
    settings = preprocessor.lowercase, 8, 2, preprocessor.added_tokens
    windows = make_windows(["a"], ["[E1]film[/E1]"], list(preprocessor.vocabulary), *settings)
    assert windows.ids["input_word_ids"].tolist() == [[2, 5, 3, first, 7, last, 3, 0]]
    assert windows.token_to_char[0, 3:6].tolist() == [[0, 4], [4, 8], [8, 13]]


@pytest.mark.slow
def test_onnx_keeps_added_tokens(encoder, vectorizer, tmp_path):
    pytest.importorskip("onnxruntime")
    classifier = kb.BertClassifier(encoder)
    folder = kb.export_onnx(classifier, tmp_path / "onnx", vectorizer)
    logits = np.asarray(classifier(vectorizer([TEXT])))[0]
    found = list(kb.Predictor(folder)([TEXT])[0]["probabilities"].values())
    np.testing.assert_allclose(found, np.exp(logits) / np.exp(logits).sum(), atol=1e-5)
