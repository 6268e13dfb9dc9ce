"""Fixtures of the text tests: a small vocabulary, and vectorizers with the published vocabularies."""

import pytest

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s", "##ly", "!", "un", "##a"]


@pytest.fixture(scope="module")
def tokens():
    return list(TOKENS)


@pytest.fixture(scope="session", params=["bert_en_uncased", "bert_en_cased", "bert_zh", "bert_multi_cased"])
def published(request, shared_data):
    """A vectorizer for each published vocabulary."""
    from keras_bert.text import BertTextVectorization

    path = shared_data / "vocab" / f"{request.param}.txt"
    if not path.is_file():
        pytest.skip(f"the real data have no {path.name}")
    return BertTextVectorization(path, lowercase="cased" not in request.param.replace("uncased", ""))
