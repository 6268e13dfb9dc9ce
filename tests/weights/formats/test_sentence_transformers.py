"""Folders of sentence-transformers, old and new: the encoder, the pooling and the length that they declare."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.text import BertTextVectorization
from keras_bert.weights.formats.huggingface import save_huggingface
from keras_bert.weights.load import open_source
from tests.helpers import randomize

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "café", "cafe", "film"]
TYPE = "sentence_transformers.models."


@pytest.fixture(scope="module")
def encoder():
    return randomize(kb.BertEncoder(kb.BertConfig(8, 8, 1, 2, 16, max_position_embeddings=10)))


@pytest.fixture(scope="module")
def saved(encoder, tmp_path_factory):
    vectorizer = BertTextVectorization(TOKENS, lowercase=False)
    return save_huggingface(encoder, tmp_path_factory.mktemp("encoder") / "hf", vectorizer)


def write(saved, folder, part="0_Transformer", kinds=("Transformer", "Pooling"), length=None, **pooling) -> Path:
    """Write a folder of sentence-transformers."""
    shutil.copytree(saved, folder / part, dirs_exist_ok=True)
    parts = {"Transformer": part, "BERT": part}
    modules = [
        {"idx": i, "name": str(i), "path": parts.get(kind, f"{i}_{kind}"), "type": TYPE + kind}
        for i, kind in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    if length is not None:
        (folder / part / "sentence_bert_config.json").write_text(json.dumps(length))
    for module in modules:
        if module["type"].endswith("Pooling"):
            (folder / module["path"]).mkdir()
            settings = {"word_embedding_dimension": 8, "pooling_mode_cls_token": False, **pooling}
            (folder / module["path"] / "config.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize("part", ["0_Transformer", "0_BERT", ""])
def test_encoder_pooling_and_length(saved, encoder, part, tmp_path):
    kinds = ("BERT" if part == "0_BERT" else "Transformer", "Pooling", "Normalize")
    length = {"max_seq_length": 6, "do_lower_case": False}
    folder = write(saved, tmp_path / "st", part, kinds, length, pooling_mode_mean_tokens=True)
    found = kb.load_pretrained(folder)
    assert (found.kind, found.pool, found.normalize, found.sequence_length) == ("encoder", "mean", True, 6)
    for one, other in zip(found.model.weights, encoder.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    vectorizer = BertTextVectorization.from_pretrained(folder)
    for each in (found.vectorizer, vectorizer):
        assert each("film film film film film film film")["input_word_ids"].numpy().tolist() == [2, 7, 7, 7, 7, 3]
    assert open_source(folder).label == str(folder / part if part else folder)


@pytest.mark.parametrize(
    ("mode", "pool"),
    [("pooling_mode_cls_token", "cls"), ("pooling_mode_max_tokens", "max"), ("pooling_mode_mean_tokens", "mean")],
)
def test_pools(saved, mode, pool, tmp_path):
    found = open_source(write(saved, tmp_path / "st", length={"max_seq_length": None}, **{mode: True}))
    assert (found.pool, found.normalize, found.sequence_length) == (pool, False, None)
    assert (
        open_source(write(saved, tmp_path / "long", length={"max_seq_length": 512}, **{mode: True})).sequence_length
        == 10
    )


def test_lowercase_before_a_cased_tokenizer(saved, tmp_path):
    folder = write(saved, tmp_path / "st", length={"do_lower_case": True}, pooling_mode_mean_tokens=True)
    for vectorizer in (kb.load_pretrained(folder).vectorizer, BertTextVectorization.from_pretrained(folder)):
        assert vectorizer.tokenize("Café FILM").numpy().tolist() == [5, 7]


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        (
            {"kinds": ("Transformer", "Pooling", "Dense")},
            "^`source`.*a module 'Dense'.*give the folder .*0_Transformer",
        ),
        ({"kinds": ("WordEmbeddings", "Pooling")}, "^`source`.*a module 'WordEmbeddings'"),
        ({"kinds": ("Transformer", "Pooling", "Pooling")}, "^`source`.*a module 'Pooling'"),
        ({"kinds": ()}, r"^`source`.*\(no encoder\)"),
        ({"pooling_mode_cls_token": True}, "^`pooling_mode` .*cls_token, pooling_mode_mean_tokens in "),
        ({"pooling_mode_mean_tokens": False}, "^`pooling_mode` .*Received: none in "),
        (
            {"pooling_mode_mean_tokens": False, "pooling_mode_mean_sqrt_len_tokens": True},
            "^`pooling_mode` .*Received: pooling_mode_mean_sqrt_len_tokens in ",
        ),
        ({"length": {"max_seq_length": "128"}}, "^`max_seq_length` .*'128'"),
        ({"length": {"do_lower_case": 1}}, "^`do_lower_case` "),
        ({"length": []}, "^`path` .*sentence_bert_config.json"),
    ],
)
def test_rejects_other_models(saved, settings, match, tmp_path):
    folder = write(saved, tmp_path / "st", **{"pooling_mode_mean_tokens": True, **settings})
    for read in (open_source, BertTextVectorization.from_pretrained):
        with pytest.raises(kb.InputError, match=match) as error:
            read(folder)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "content",
    ["{}", "[1]", "[{}]", '[{"type": "Transformer", "path": "../x"}]', '[{"type": 1, "path": ""}]', "[" * 200_000],
)
def test_rejects_damaged_modules(saved, content, tmp_path):
    folder = write(saved, tmp_path / "st", pooling_mode_mean_tokens=True)
    (folder / "modules.json").write_text(content)
    with pytest.raises(kb.InputError, match=r"^`(source|path)` must .*modules.json") as error:
        open_source(folder)
    assert "\n" not in str(error.value)
