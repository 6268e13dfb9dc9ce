"""Tokenizers of Hugging Face: the ids equal those of transformers for the same folder, or the folder is rejected."""

import json

import pytest

import keras_bert as kb
from keras_bert.text import BertTextVectorization
from keras_bert.text.splitting import Splitting
from keras_bert.weights.formats.huggingface_tokenizer import read_tokenizer

LETTERS = "abcdeéàüß中文東[]/1!.'"
VOCABULARY = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    *LETTERS,
    *("##" + c for c in LETTERS),
    "café",
    "ab",
    "##bc",
]
TEXTS = [
    "Café CAFÉ cafe\u0301 naïve ÀÜ",
    "中文字 a中b 東a",
    "a [e1]abc[/e1] [E1]ABC[/E1] x[e\u03011]y [e2] [E2] [e\u200b1]b",
    "abcabc ABC ab\u200bc a!b c\u00a0d",
    f"{'a' * 100} {'a' * 101} {'b' * 9} {'c' * 10} {'d' * 11}",
    "",
]
IDS = {token: number for number, token in enumerate(VOCABULARY)}


def assert_equal_ids(folder):
    transformers = pytest.importorskip("transformers")
    peer = transformers.AutoTokenizer.from_pretrained(folder)
    found = BertTextVectorization.from_pretrained(folder, sequence_length=None)
    assert len(found) == len(peer)
    for text in TEXTS:
        assert found(text)["input_word_ids"].numpy().tolist() == peer(text).input_ids, ascii(text)
    expected = peer(TEXTS[0], TEXTS[1], return_token_type_ids=True)
    pair = found((TEXTS[0], TEXTS[1]))
    assert pair["input_word_ids"].numpy().tolist() == expected.input_ids
    assert pair["input_type_ids"].numpy().tolist() == expected.token_type_ids
    return found


def save(folder, added=(), special=(), **settings):
    transformers = pytest.importorskip("transformers")
    peer = transformers.BertTokenizer(vocab=IDS, **settings)
    peer.add_tokens(list(added))
    peer.add_tokens(list(special), special_tokens=True)
    peer.save_pretrained(folder)
    assert not (folder / "vocab.txt").exists()  # as transformers 5 saves it
    return folder


def change(folder, **changes):
    """Change `tokenizer.json` and use a class that reads all of it."""
    details = json.loads((folder / "tokenizer.json").read_text())
    for path, value in changes.items():
        part, _, name = path.partition("__")
        if name:
            details[part][name] = value
        else:
            details[part] = value
    (folder / "tokenizer.json").write_text(json.dumps(details))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(
        json.dumps({**settings, "tokenizer_class": "PreTrainedTokenizerFast"})
    )
    return folder


@pytest.mark.peers
@pytest.mark.parametrize("split_on_cjk", [True, False])
@pytest.mark.parametrize("strip_accents", [None, True, False])
@pytest.mark.parametrize("lowercase", [True, False])
def test_settings(lowercase, strip_accents, split_on_cjk, tmp_path):
    settings = {"do_lower_case": lowercase, "strip_accents": strip_accents, "tokenize_chinese_chars": split_on_cjk}
    found = assert_equal_ids(save(tmp_path, ["[e1]", "[/e1]"], ["[E2]"], **settings))
    assert found.added_tokens == ("[e1]", "[/e1]", "[E2]")
    assert found.splitting.normalized_tokens == ("[e1]", "[/e1]")


@pytest.mark.peers
def test_word_length(tmp_path):
    found = assert_equal_ids(change(save(tmp_path, ["[e1]"]), model__max_input_chars_per_word=10))
    assert found.splitting.max_word_length == 10


@pytest.mark.peers
def test_normalizer_of_generic_class(tmp_path):
    """With such a class, `tokenizer_config.json` has no influence on the normalizer."""
    folder = change(save(tmp_path), normalizer__strip_accents=False, normalizer__handle_chinese_chars=False)
    assert assert_equal_ids(folder).splitting == Splitting(False, False, 100)


@pytest.mark.peers
@pytest.mark.parametrize("lowercase", [True, False])
def test_old_folder_with_added_tokens(lowercase, tmp_path):
    """`vocab.txt` and `added_tokens.json`, as transformers 3 saved them."""
    (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    size = len(VOCABULARY)
    (tmp_path / "added_tokens.json").write_text(json.dumps({"[e1]": size, "[E2]": size + 1}))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lowercase}))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    assert assert_equal_ids(tmp_path).splitting.normalized_tokens == ("[e1]", "[E2]")
    # transformers 3 and 4 match special tokens exactly.
    (tmp_path / "special_tokens_map.json").write_text(json.dumps({"additional_special_tokens": ["[E2]"]}))
    assert read_tokenizer(tmp_path).splitting.normalized_tokens == ("[e1]",)


@pytest.mark.peers
def test_stripping_of_spaces_changes_no_id(tmp_path):
    transformers = pytest.importorskip("transformers")
    assert_equal_ids(save(tmp_path, [transformers.AddedToken("[e1]", lstrip=True, rstrip=True)]))


@pytest.mark.peers
def test_reads_what_is_written(tmp_path):
    vectorizer = BertTextVectorization(
        VOCABULARY, added_tokens=["[e1]", "[E2]"], normalized_tokens=["[e1]"], strip_accents=False, max_word_length=100
    )
    config = kb.BertConfig(vocab_size=len(vectorizer), hidden_size=4, num_layers=1, num_heads=1, intermediate_size=4)
    folder = kb.save_pretrained(kb.BertEncoder(config), tmp_path / "keras", vectorizer)
    kb.convert(folder, "huggingface", tmp_path / "hf")
    assert assert_equal_ids(tmp_path / "hf").get_vocabulary() == vectorizer.get_vocabulary()


def write(folder, settings=None, **details):
    """Write the two files of a tokenizer without transformers."""
    content = {
        "normalizer": {"type": "BertNormalizer"},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "vocab": IDS},
        **details,
    }
    (folder / "tokenizer.json").write_text(json.dumps(content))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings or {}))
    return folder


def test_white_space_token_of_the_chinese_vocabulary(tmp_path):
    vocabulary = {**IDS, "\u2028": len(IDS), "film": len(IDS) + 1, "##\u2028": len(IDS) + 2}
    found = read_tokenizer(write(tmp_path, model={"type": "WordPiece", "vocab": vocabulary}))
    assert found.vocabulary == [*VOCABULARY, "", "film", "##"]  # "" as in the original code, which strips each line


def test_configs_decide_between_files(tmp_path):
    """As transformers: the config of a BERT class comes before the normalizer, unless it does not state a setting."""
    normalizer = {"type": "BertNormalizer", "lowercase": False, "strip_accents": None}
    assert not read_tokenizer(write(tmp_path, normalizer=normalizer)).lowercase
    assert read_tokenizer(write(tmp_path, {"do_lower_case": True}, normalizer=normalizer)).lowercase
    (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY[::-1]))
    assert read_tokenizer(tmp_path).vocabulary == VOCABULARY


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"tokenizer_class": "BertJapaneseTokenizer"}, "tokenizer_class='BertJapaneseTokenizer'"),
        ({"tokenizer_class": ["BertTokenizer"]}, r"tokenizer_class=\['BertTokenizer'\]"),
        ({"cls_token": "<s>"}, r"cls_token='\[CLS\]'.*cls_token='<s>'"),
        ({"mask_token": {"content": "<mask>"}}, r"mask_token='\[MASK\]'.*mask_token='<mask>'"),
        ({"truncation_side": "left"}, "truncation_side='right'.*truncation_side='left'"),
        ({"padding_side": "left"}, "padding_side='right'.*padding_side='left'"),
        ({"tokenizer_class": "PreTrainedTokenizerFast"}, r"adds \[CLS\] and \[SEP\].*post_processor None"),
        ({"added_tokens_decoder": [1]}, "added tokens"),
        ({"added_tokens_decoder": {"x": {"content": "a"}}}, "added tokens"),
        ({"added_tokens_decoder": {"5": {"content": ["a"]}}}, "added tokens"),
    ],
)
def test_rejects_other_settings(settings, match, tmp_path):
    with pytest.raises(kb.InputError, match=f"^`source` must .*{match}") as caught:
        read_tokenizer(write(tmp_path, settings))
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(("name", "value"), [("do_lower_case", "yes"), ("tokenize_chinese_chars", None)])
def test_rejects_settings_of_other_types(name, value, tmp_path):
    with pytest.raises(kb.InputError, match=f"^`{name}` must be true or false. Received: {name}="):
        read_tokenizer(write(tmp_path, {name: value}))


@pytest.mark.peers
@pytest.mark.slow
@pytest.mark.parametrize("name", ["bert_en_uncased", "bert_en_cased", "bert_zh", "bert_multi_cased"])
def test_published_vocabularies_without_vocab_txt(shared_data, name, tmp_path):
    transformers = pytest.importorskip("transformers")
    tokens = (shared_data / "vocab" / f"{name}.txt").read_text("utf-8").rstrip("\n").split("\n")
    lowercase = "_cased" not in name
    ids = {token: number for number, token in enumerate(tokens)}
    transformers.BertTokenizer(vocab=ids, do_lower_case=lowercase).save_pretrained(tmp_path)
    found = assert_equal_ids(tmp_path)
    assert found.get_vocabulary() == BertTextVectorization(shared_data / "vocab" / f"{name}.txt").get_vocabulary()
