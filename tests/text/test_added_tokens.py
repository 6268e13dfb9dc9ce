"""Added tokens stay whole: in the graph, in offsets, in configs; the other tokens are those of the plain tokenizer."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_bert import InputError
from keras_bert.text import BertTextVectorization
from tests.text.plain_tokenizer import tokenize

MARKERS = ["[E1]", "[/E1]", "<e>", "é!", "[E1]x"]
TEXTS = [
    "A [E1]Film[/E1]s, [e1] fine!",
    "[E1][E1]fine[E1]",
    "<E> <e>film<e>s é! É! [E1]xfilm",
    "",
    "[E1",
    "film\x0b[E1]\x0cfine\0[/E1]",
    "中[E1]中 ΟΔΟΣ[E1]Σ",
]


@pytest.fixture(scope="module")
def vocabulary(tokens):
    return [*tokens, "[", "]", "e", "##1", "/", "<", ">", ",", "中", "e1", "##σ", "ο"]


def expected_tokens(text, vocabulary, lowercase):
    """Tokenize the parts between the markers with the plain tokenizer."""
    pattern = "|".join(re.escape(token) for token in sorted(MARKERS, key=len, reverse=True))
    parts = re.split(f"({pattern})", text)
    return [
        token
        for number, part in enumerate(parts)
        for token in ([part] if number % 2 else tokenize(part, set(vocabulary), lowercase))
    ]


@pytest.mark.parametrize("lowercase", [True, False])
def test_kept_whole(vocabulary, lowercase):
    vectorizer = BertTextVectorization(vocabulary, lowercase, added_tokens=MARKERS)
    assert vectorizer.get_vocabulary() == vocabulary + MARKERS and len(vectorizer) == len(vocabulary) + 5
    ids = vectorizer.tokenize(TEXTS).to_list()
    for text, row in zip(TEXTS, ids, strict=True):
        assert vectorizer.id_to_token(row) == expected_tokens(text, vocabulary, lowercase), text
    assert vectorizer.tokenize_with_offsets(TEXTS)[0].to_list() == ids


def test_token_of_the_vocabulary_keeps_its_id(tokens):
    tokens = [*tokens[:5], "[unused0]", *tokens[5:]]
    vectorizer = BertTextVectorization(tokens, added_tokens=["[unused0]"])
    assert vectorizer.get_vocabulary() == tokens
    assert vectorizer.tokenize("a [unused0]film").numpy().tolist() == [6, 5, 8]
    assert BertTextVectorization(tokens).token_to_id("[unused0]") not in BertTextVectorization(tokens).tokenize(
        "a [unused0]film"
    )


def test_with_special_tokens(tokens):
    vectorizer = BertTextVectorization(tokens, special_tokens=True, added_tokens=["[E1]"])
    assert vectorizer.tokenize("[E1]film[MASK]a [SEP]").numpy().tolist() == [len(tokens), 7, 4, 5, 3]
    assert vectorizer.tokenize_with_offsets("[E1]film[MASK]a [SEP]")[0].numpy().tolist() == [len(tokens), 7, 4, 5, 3]


def test_config_and_saved_model(tokens, tmp_path):
    vectorizer = BertTextVectorization(tokens, sequence_length=6, added_tokens=["[E1]", "[/E1]"])
    expected = np.array([[2, 5, 13, 7, 14, 3]])
    loaded = BertTextVectorization.from_config(vectorizer.get_config())
    assert loaded.get_config() == vectorizer.get_config() and loaded.get_vocabulary() == vectorizer.get_vocabulary()
    np.testing.assert_array_equal(loaded(["a [E1]Film[/E1]"])["input_word_ids"], expected)

    text = keras.Input((), dtype="string")
    keras.Model(text, vectorizer(text)).save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model(tf.constant(["a [E1]Film[/E1]"]))["input_word_ids"], expected)


def test_thousand_tokens(tokens):
    added = [f"<{number}>" for number in range(1000)]
    vectorizer = BertTextVectorization(tokens, added_tokens=added)
    assert vectorizer.tokenize("film<7>s <999><77>").numpy().tolist() == [7, 20, 1, 1012, 90]


@pytest.mark.parametrize(
    ("added", "message"),
    [
        ("[E1]", r"be a list.*Received: '\[E1\]'"),
        (3, "be a list.*Received: 3"),
        ([3], "strings.*Received: 3"),
        ([""], "white space.*Received: ''"),
        (["new york"], "white space.*Received: 'new york'"),
        (["a\0b"], "NUL.*Received: "),
        (["##s"], "##.*Received: '##s'"),
        (["[MASK]"], r"special.*Received: '\[MASK\]'"),
        (["\ud800"], "Unicode.*Received: "),
        (["[E1]", "[E2]", "[E1]"], r"once.*Received: '\[E1\]'"),
    ],
)
def test_rejects_invalid_tokens(tokens, added, message):
    with pytest.raises(InputError, match=f"^`added_tokens` must .*{message}"):
        BertTextVectorization(tokens, added_tokens=added)


@pytest.mark.peers
@pytest.mark.parametrize("lowercase", [True, False])
def test_equals_hugging_face(vocabulary, lowercase, tmp_path):
    transformers = pytest.importorskip("transformers")
    ids = {token: number for number, token in enumerate(vocabulary)}
    peer = transformers.BertTokenizer(vocab=ids, do_lower_case=lowercase)
    # Not with "é!": Hugging Face also normalizes the token's text.
    markers = [marker for marker in MARKERS if marker.isascii()]
    peer.add_tokens([transformers.AddedToken(marker, normalized=False) for marker in markers])
    vectorizer = BertTextVectorization(vocabulary, lowercase, sequence_length=None, added_tokens=markers)
    assert len(peer) == len(vectorizer)
    for text in TEXTS[:6]:
        encoded = peer(text, return_offsets_mapping=True)
        assert vectorizer(text)["input_word_ids"].numpy().tolist() == encoded.input_ids
        assert list(map(tuple, vectorizer.offset_mapping(text))) == encoded.offset_mapping
