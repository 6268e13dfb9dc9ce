"""kb.explain.attention: the probabilities that predictions use, without padding, with words and places in the text."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.explain.texts.text_model import open_model
from keras_bert.explain.texts.tokenized_text import padded_inputs
from tests.explain.readable import assert_readable
from tests.helpers import randomize, tiny_config

TOKENS = ["a", "fine", "film", "un", "##believ", "##able", "##s", "cafe", "!", ".", "the", "was"]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *TOKENS]
TEXTS = ["A film!", "The CAFE\u0301s was unbelievable, a fine film.", ("a film", "the films was fine."), "film " * 36]


@pytest.fixture(scope="module")
def pretrained():
    config = tiny_config(vocab_size=len(VOCABULARY), num_layers=3, attention_dropout=0.1, hidden_dropout=0.1)
    vectorizer = kb.BertTextVectorization(VOCABULARY, sequence_length=16)
    return randomize(kb.BertEncoder(config)), vectorizer


def test_words_and_places_of_tokens(pretrained):
    found = kb.explain.attention(pretrained, TEXTS[1])
    tokens = "[CLS] the cafe ##s was un ##believ ##able [UNK] a fine film . [SEP]".split()
    assert found.tokens == tokens and found.maps.shape == (3, 2, 14, 14) and found.maps.dtype == np.float32
    assert found.words == ["[CLS]", "The", "CAFE\u0301s", "was", "unbelievable", ",", "a", "fine", "film", ".", "[SEP]"]
    assert found.word_ids == [0, 1, 2, 2, 3, 4, 4, 4, 5, 6, 7, 8, 9, 10]
    places = [TEXTS[1][start:end] for start, end in filter(None, found.spans)]
    assert places[:4] == ["The", "CAFE\u0301", "s", "was"]
    pair = kb.explain.attention(pretrained, TEXTS[2])
    assert pair.tokens == "[CLS] a film [SEP] the film ##s was fine . [SEP]".split()
    assert pair.segments == [0] * 4 + [1] * 7
    assert [TEXTS[2][1][slice(*place)] for place in pair.spans[4:-1]] == ["the", "film", "s", "was", "fine", "."]


def test_ids_equal_those_of_the_vectorizer(pretrained):
    tokenizer = open_model(pretrained).tokenizer
    for text in TEXTS:
        for length in (40, 9, 8):
            row = tokenizer(text, max_length=length, truncate=True)
            arguments = tuple([part] for part in text) if isinstance(text, tuple) else [text]
            expected = {key: value.numpy() for key, value in pretrained[1](arguments, sequence_length=length).items()}
            count = expected["input_mask"].sum()
            assert row.ids.tolist() == expected["input_word_ids"][0, :count].tolist()
            assert row.types.tolist() == expected["input_type_ids"][0, :count].tolist()
            assert len(row.tokens) == len(row.spans) == len(row.word_numbers) == count
            assert row.word_numbers[-1] == len(row.words) - 1


def test_rows_of_a_list_equal_those_alone(pretrained):
    together = kb.explain.attention(pretrained, TEXTS)
    for text, found in zip(TEXTS, together, strict=True):
        alone = kb.explain.attention(pretrained, text)
        assert alone.tokens == found.tokens
        np.testing.assert_allclose(found.maps, alone.maps, atol=1e-6)
        np.testing.assert_allclose(found.maps.sum(-1), 1, atol=1e-5)


def test_probabilities_are_those_of_predictions(pretrained):
    """The outputs of the compiled forward pass, with kernels, follow from the maps."""
    encoder, _ = pretrained
    rows = open_model(pretrained).tokenize(TEXTS, max_length=40)
    inputs, found = padded_inputs(rows, 0), kb.explain.attention(pretrained, TEXTS)
    outputs = encoder.predict(inputs, verbose=0)
    scored = encoder.with_attention_scores()(inputs)
    for row, attention in enumerate(found):
        length = len(attention.tokens)
        x = keras.ops.convert_to_numpy(encoder.embeddings(inputs["input_word_ids"], inputs["input_type_ids"]))
        x = x[row : row + 1, :length]
        for layer, block in enumerate(encoder.blocks):
            values = keras.ops.convert_to_numpy(block.attention.value_dense(x))  # [1, T, A, H / A]
            context = np.einsum("ats,bsad->btad", attention.maps[layer], values)
            y = block.attention_layer_norm(x + block.attention.output_dense(context))
            inner = keras.activations.gelu(block.intermediate(y), approximate=True)
            x = keras.ops.convert_to_numpy(block.output_layer_norm(y + block.output_dense(inner)))
            np.testing.assert_allclose(x[0], outputs[f"encoder_outputs_{layer}"][row, :length], atol=1e-5)
            path = scored[f"attention_scores_{layer}"][row, :, :length, :length]
            np.testing.assert_allclose(attention.maps[layer], path, atol=1e-5)


def test_attention_between_words(pretrained):
    found = kb.explain.attention(pretrained, TEXTS[1])
    words = found.by_words()
    assert words.tokens == found.words and words.maps.shape == (3, 2, 11, 11)
    for layer, head in np.ndindex(3, 2):
        tokens = found.maps[layer, head]
        expected = np.zeros((11, 11))
        for query in range(11):
            own = [token for token in range(14) if found.word_ids[token] == query]
            for token in own:
                for key in range(14):
                    expected[query, found.word_ids[key]] += tokens[token, key] / len(own)
        np.testing.assert_allclose(words.head(layer + 1, head + 1), expected, atol=1e-6)
    assert words.spans[4] == (TEXTS[1].index("unb"), TEXTS[1].index(","))


def test_mask_stays_whole_for_a_pretrainer(pretrained, tmp_path):
    encoder, vectorizer = pretrained
    model = kb.BertPretrainer(encoder)
    folder = kb.save_pretrained(model, tmp_path / "bert", vectorizer)
    loaded = kb.load_pretrained(folder)
    assert kb.explain.attention(loaded, "a [MASK] film").tokens == ["[CLS]", "a", "[MASK]", "film", "[SEP]"]
    assert "[MASK]" in kb.explain.attention((loaded.model, vectorizer), "a [MASK] film").tokens
    assert "[MASK]" not in kb.explain.attention(pretrained, "a [MASK] film").tokens


def test_rejects(pretrained):
    encoder, vectorizer = pretrained

    class Block(keras.layers.Layer):
        def __init__(self, name=None, **settings):
            super().__init__(name=name)

        def call(self, hidden_states, input_mask, positions=None):
            return hidden_states

    custom = kb.BertEncoder(encoder.config, block=Block)
    cases = [
        (pretrained, "", r"^`text` must have at least one token\. Received: ''$"),
        (pretrained, ["a film", " \n"], r"^`text` .*This is text 2 of 2\.$"),
        (pretrained, ("a film", ""), "^`text` must have at least one token"),
        (pretrained, "film " * 39, "^`text` must have at most 40 tokens.*Received: 41 tokens in 'film"),
        (pretrained, [3], "^`text` must be a string.*Received: text=3"),
        (pretrained, 3, "^`texts` must be.*Received: int"),
        (pretrained, [], "^`texts` must have at least one text"),
        (encoder, "a film", "^`pretrained` must have a vectorizer.*Received: a BertEncoder"),
        ((kb.BertEncoder(tiny_config()), vectorizer), "a film", "^`vectorizer` must have as many tokens"),
        ((custom, vectorizer), "a film", "^`block` must make layers.*Received: a Block without it"),
    ]
    for source, text, message in cases:
        with pytest.raises(kb.InputError, match=message) as caught:
            kb.explain.attention(source, text)
        assert "\n" not in str(caught.value)
    found = kb.explain.attention(pretrained, "a film")
    for layer, head, message in [(0, 1, "`layer`.*from 1 to 3.*layer=0"), (1, 3, "`head`.*1 to 2.*head=3")]:
        for view in (found.head, found.matrix, found.lines, lambda a, b: found.html("matrix", a, b)):
            with pytest.raises(kb.InputError, match=message):
                view(layer, head)
    with pytest.raises(kb.InputError, match="^`layer`.*layer=4"):
        found.heads(4)


def test_figures_are_readable_and_have_data(pretrained):
    found = kb.explain.attention(pretrained, TEXTS[1])
    figures = [found.matrix(1, 2), found.lines(3, 1), found.heads(2), found.all_heads(), found.by_words().matrix(1, 1)]
    for figure in figures:
        assert_readable(figure.figure)
        assert figure.data["tokens"] in (found.tokens, found.words) and "://" not in figure.svg()
    lines = figures[1]
    drawn = np.zeros((14, 14))
    drawn[lines.data["queries"], lines.data["keys"]] = lines.data["weights"]
    expected = found.head(3, 1)
    np.testing.assert_allclose(drawn, np.where(expected >= 0.02 * expected.max(), expected, 0))
    images = [axes.images[0].get_array() for axes in figures[3].figure.axes]
    assert len(images) == 6
    for layer, head in np.ndindex(3, 2):
        cells = found.maps[layer, head]
        np.testing.assert_array_equal(images[2 * layer + head][..., 3], np.round(255 * cells / cells.max()))
    assert len(figures[2].figure.axes) == 2 and "layer 2" in figures[2].figure.get_suptitle()
