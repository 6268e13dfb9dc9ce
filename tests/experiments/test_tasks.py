"""Real tasks beside simple baselines: parts that share nothing, baselines that learn, a page of what was measured."""

import json

from experiments import answers, settings, tasks

WORDS = ("Paris", "Rome", "Oslo", "Cairo", "Lima", "Bern")


def squad(articles) -> str:
    """Each article a few contexts that name a city and a year, and ask for the year."""
    data = []
    for article in range(articles):
        paragraphs = []
        for i, word in enumerate(WORDS):
            context = f"The bridge of {word} is old. It was built in {1800 + 10 * article + i} by the town of {word}."
            year = str(1800 + 10 * article + i)
            asked = {"id": f"{article}-{i}", "question": f"When was the bridge of {word} built?"}
            asked["answers"] = [{"text": year, "answer_start": context.index(year)}]
            paragraphs.append({"context": context, "qas": [asked]})
        data.append({"title": str(article), "paragraphs": paragraphs})
    return json.dumps({"version": "1.1", "data": data})


def test_sets_without_a_dev_part_give_a_tenth_and_pairs_are_read(tmp_path):
    (tmp_path / "TREC").mkdir()
    rows = [f"who is number {i} ?\tHUM" if i % 2 else f"where is number {i} ?\tLOC" for i in range(100)]
    (tmp_path / "TREC" / "train.tsv").write_text("\n".join(["sentence\tlabel", *rows]) + "\n", encoding="utf-8")
    tasks.prepare("TREC", tmp_path, tmp_path / "out")
    parts = [(tmp_path / "out" / f"{part}.tsv").read_text("utf-8").splitlines() for part in ("train", "dev")]
    assert [len(part) for part in parts] == [91, 11] and not set(parts[0][1:]) & set(parts[1][1:])
    found = tasks.of_texts(tmp_path / "out")
    assert found["examples"] == 10 and found["tfidf"] == 1.0 and found["commonest"] < 0.9


def test_pairs_are_told_by_what_they_share(tmp_path):
    for part, size in (("train", 60), ("dev", 20)):
        rows = [f"the {WORDS[i % 6]} number {i}\tthe {WORDS[(i + i % 2) % 6]}\t{1 - i % 2}" for i in range(size)]
        text = "\n".join(["sentence1\tsentence2\tlabel", *rows]) + "\n"
        (tmp_path / f"{part}.tsv").write_text(text, encoding="utf-8")
    assert tasks.of_texts(tmp_path)["tfidf"] == 1.0


def test_answers_are_found_by_the_shape_of_words(tmp_path):
    (tmp_path / "SQuAD").mkdir()
    (tmp_path / "SQuAD" / "train-v1.1-some.json").write_text(squad(5), encoding="utf-8")
    tasks.prepare("SQuAD-1.1", tmp_path, tmp_path / "out")
    sizes = [
        len(json.loads((tmp_path / "out" / f"{part}.json").read_text("utf-8"))["data"]) for part in ("train", "dev")
    ]
    assert sizes == [4, 1]
    found = answers.of_spans(tmp_path / "out")
    assert found["examples"] == 6 and found["tfidf"] == 1.0 and found["commonest"] < 0.2


def test_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(tasks, "PAGE", tmp_path / "tasks.md")
    entry = {"examples": 545, "commonest": 0.25, "tfidf": 0.855, "ours": {"1": 0.9, "2": 0.92}}
    tasks.write_page({"sets": {"TREC": entry}, "freezing": {"all of the encoder rests": {"TREC": {"1": 0.5}}}})
    page = (tmp_path / "tasks.md").read_text(encoding="utf-8")
    assert "| TREC | six kinds of questions | 545 | 25.0 | 85.5 | **91.0** ± 1.4 (2 seeds) |" in page
    assert "| all of the encoder rests | **50.0** (1 seed) | - | `--freeze all` |" in page
    assert tasks.command("TREC", 3, "--freeze all").count("--freeze all --dropout") == 1
    assert "no seed learned" not in page
    tasks.write_page({"sets": {"TREC": {**entry, "ours": {"1": 0.25, "2": 0.25}}}, "freezing": {}})
    assert "Of TREC no seed learned more" in (tmp_path / "tasks.md").read_text(encoding="utf-8")


def test_settings_are_chosen_inside_the_training_part(tmp_path, monkeypatch):
    (tmp_path / "SQuAD").mkdir()
    (tmp_path / "SQuAD" / "train-v1.1-some.json").write_text(squad(5), encoding="utf-8")
    settings.prepare_inside("SQuAD-1.1", tmp_path, tmp_path / "out")
    parts = [json.loads((tmp_path / "out" / f"{part}.json").read_text("utf-8"))["data"] for part in ("train", "dev")]
    assert [[article["title"] for article in part] for part in parts] == [["0", "1", "2"], ["3"]]  # 4 is dev itself

    monkeypatch.setattr(settings, "PAGE", tmp_path / "settings.md")
    tried = settings.SETS["SQuAD-1.1"][2][0]
    settings.write_page({"SQuAD-1.1": {tried: {"score": 12.34, "epoch": 3, "examples": 541}}})
    page = (tmp_path / "settings.md").read_text(encoding="utf-8")
    assert f"| `{tried}` | 12.3 | 3 |" in page and "f1 on 541 questions of whole articles" in page
