"""The views of geometry: data for JSON, a table, a page and a figure; options that a view does not use are errors."""

import json
import re

import pytest

import keras_bert as kb
from keras_bert.cli.geometry_views import GEOMETRY_OPTIONS, GEOMETRY_VIEWS
from tests.explain.small_models import TEXTS, small_pretrainer

ARGUMENTS = {
    "embeddings": ([("the bank", "a film")], {}),
    "layers": (TEXTS, {"special_tokens": True}),
    "context": (TEXTS[:2], {"word": "bank", "groups": ["river", "money"]}),
    "lens": (["she sat on the [MASK] <b>"], {"top_k": 2}),
    "similarity": (TEXTS, {"groups": list("aabbcc"), "pool": "cls"}),
    "cka": (TEXTS, {}),
}


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    model = small_pretrainer()
    return kb.load_pretrained(kb.save_pretrained(model, tmp_path_factory.mktemp("views") / "small", model.vectorizer))


@pytest.mark.parametrize("name", GEOMETRY_VIEWS)
def test_views(name, pretrained):
    texts, options = ARGUMENTS[name]
    result = GEOMETRY_VIEWS[name](pretrained, texts, options)
    assert json.loads(json.dumps(result.data, allow_nan=False)) == result.figure.data
    assert result.figure.caption in str(result.text)
    assert "<svg" in result.html and "<b>" not in result.html and "://" not in result.html
    assert not re.search(r"<(script|link|img)\b", result.html)


def test_data_are_those_of_the_functions(pretrained):
    found = kb.explain.layer_distances(pretrained, TEXTS)
    assert GEOMETRY_VIEWS["layers"](pretrained, TEXTS, {}).data["l2"] == found.l2.tolist()
    lens = GEOMETRY_VIEWS["lens"](pretrained, ["she sat on the [MASK]"], {"top_k": 2})
    assert len(lens.data["top_tokens"][0][0]) == 2 and len(str(lens.text).split("\n\n")[0].splitlines()) == 1 + 3
    other = GEOMETRY_VIEWS["cka"](pretrained, TEXTS, {"other": str(pretrained.path)})
    assert other.data["names"] == ["small", "small"] and [
        round(row[i], 9) for i, row in enumerate(other.data["matrix"])
    ] == [1, 1, 1]


def test_rejects(pretrained):
    assert set(GEOMETRY_OPTIONS) == set(GEOMETRY_VIEWS) == set("embeddings layers context lens similarity cka".split())
    for name, texts, options, match in (
        ("lens", TEXTS, {}, "`texts`.*one text.*6"),
        ("layers", TEXTS, {"top_k": 3}, "`top_k`.*layers"),
        ("context", TEXTS, {}, "`word`"),
        ("similarity", [("a", "film")] * 2, {}, "`sentences`.*list of strings"),
    ):
        with pytest.raises(kb.InputError, match=f"^{match}"):
            GEOMETRY_VIEWS[name](pretrained, texts, options)
