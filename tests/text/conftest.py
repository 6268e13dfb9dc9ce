"""A small vocabulary that every text test can read at a glance."""

import pytest

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s", "##ly", "!", "un", "##a"]


@pytest.fixture(scope="module")
def tokens():
    return list(TOKENS)


@pytest.fixture(scope="session", params=["bert_en_uncased", "bert_en_cased", "bert_zh", "bert_multi_cased"])
def published(request, shared_data):
    """A vectorizer on each published vocabulary, and whether it lower-cases."""
    from keras_bert.text import BertTextVectorization

    path = shared_data / "vocab" / f"{request.param}.txt"
    if not path.is_file():
        pytest.skip(f"no {path.name} among the real data")
    return BertTextVectorization(path, lowercase="cased" not in request.param.replace("uncased", ""))
