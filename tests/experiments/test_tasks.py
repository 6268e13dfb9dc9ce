"""Studies of tasks and settings: disjoint parts, baselines that learn, and pages with bold best values."""

import json

from experiments import answers, settings, tasks

WORDS = ("Paris", "Rome", "Oslo", "Cairo", "Lima", "Bern")


def squad(articles) -> str:
    """A SQuAD file whose contexts name a city and a year; the question asks for the year."""
    data = []
    for article in range(articles):
        paragraphs = []
        for i, word in enumerate(WORDS):
            year = str(1800 + 10 * article + i)
            context = f"The bridge of {word} is old. It was built in {year} by the town of {word}."
            question = {"id": f"{article}-{i}", "question": f"When was the bridge of {word} built?"}
            question["answers"] = [{"text": year, "answer_start": context.index(year)}]
            paragraphs.append({"context": context, "qas": [question]})
        data.append({"title": str(article), "paragraphs": paragraphs})
    return json.dumps({"version": "1.1", "data": data})


def test_prepare_without_dev_part(tmp_path):
    (tmp_path / "TREC").mkdir()
    rows = [f"who is number {i} ?\tHUM" if i % 2 else f"where is number {i} ?\tLOC" for i in range(100)]
    (tmp_path / "TREC" / "train.tsv").write_text("\n".join(["sentence\tlabel", *rows]) + "\n", encoding="utf-8")
    tasks.prepare("TREC", tmp_path, tmp_path / "out")
    parts = [(tmp_path / "out" / f"{part}.tsv").read_text("utf-8").splitlines() for part in ("train", "dev")]
    assert [len(part) for part in parts] == [91, 11] and not set(parts[0][1:]) & set(parts[1][1:])
    found = tasks.text_baselines(tmp_path / "out")
    assert found["examples"] == 10 and found["tfidf"] == 1.0 and found["commonest"] < 0.9


def test_baseline_of_pairs_uses_shared_words(tmp_path):
    for part, size in (("train", 60), ("dev", 20)):
        rows = [f"the {WORDS[i % 6]} number {i}\tthe {WORDS[(i + i % 2) % 6]}\t{1 - i % 2}" for i in range(size)]
        text = "\n".join(["sentence1\tsentence2\tlabel", *rows]) + "\n"
        (tmp_path / f"{part}.tsv").write_text(text, encoding="utf-8")
    assert tasks.text_baselines(tmp_path)["tfidf"] == 1.0


def test_squad_baselines(tmp_path):
    (tmp_path / "SQuAD").mkdir()
    (tmp_path / "SQuAD" / "train-v1.1-some.json").write_text(squad(5), encoding="utf-8")
    tasks.prepare("SQuAD-1.1", tmp_path, tmp_path / "out")
    parts = [json.loads((tmp_path / "out" / f"{part}.json").read_text("utf-8")) for part in ("train", "dev")]
    assert [len(part["data"]) for part in parts] == [4, 1]
    found = answers.squad_baselines(tmp_path / "out")
    assert found["examples"] == 6 and found["tfidf"] == 1.0 and found["commonest"] < 0.2


def write_tasks_page(tmp_path, monkeypatch, entry, freezing=None) -> str:
    monkeypatch.setattr(tasks, "PAGE", tmp_path / "tasks.md")
    tasks.write_page({"sets": {"TREC": entry}, "freezing": freezing or {}})
    return (tmp_path / "tasks.md").read_text(encoding="utf-8")


def test_page_of_tasks(tmp_path, monkeypatch):
    scores = {tasks.MINI: {"1": 0.9, "2": 0.92}, tasks.SMALL: {"1": 0.97}}
    entry = {"examples": 545, "commonest": 0.25, "tfidf": 0.855, "bert": scores}
    freezing = {"the head only": {"TREC": {"1": 0.5}}}
    page = write_tasks_page(tmp_path, monkeypatch, entry, freezing)
    row = "| TREC | six classes of questions | 545 | 25.0 | 85.5 | 91.0 ± 1.4 (2 seeds) | **97.0** (1 seed) |"
    assert row in page and "--encoder bert_en_uncased_small --dataset build/tasks/TREC" in page
    assert "| the head only | **50.0** (1 seed) | - | `--freeze all` |" in page
    assert tasks.command(tasks.MINI, "TREC", 3, "--freeze all").count("--freeze all --dropout") == 1
    assert "always predicts the commonest" not in page


def test_best_value_of_a_row_is_bold(tmp_path, monkeypatch):
    entry = {"examples": 545, "commonest": 0.25, "tfidf": 0.95, "bert": {tasks.MINI: {"1": 0.9, "2": 0.92}}}
    page = write_tasks_page(tmp_path, monkeypatch, entry)
    assert "| 545 | 25.0 | **95.0** | 91.0 ± 1.4 (2 seeds) | - |" in page
    entry = {**entry, "commonest": 0.99}
    assert "| 545 | **99.0** | 95.0 | 91.0 ± 1.4 (2 seeds) | - |" in write_tasks_page(tmp_path, monkeypatch, entry)
    entry = {**entry, "commonest": 0.91, "tfidf": 0.91}  # equal values are all bold
    assert "| 545 | **91.0** | **91.0** | **91.0** ± 1.4" in write_tasks_page(tmp_path, monkeypatch, entry)


def test_page_names_tasks_without_learning(tmp_path, monkeypatch):
    entry = {"examples": 545, "commonest": 0.25, "tfidf": 0.855, "bert": {tasks.MINI: {"1": 0.25, "2": 0.25}}}
    page = write_tasks_page(tmp_path, monkeypatch, entry)
    assert "On TREC, every seed of bert_en_uncased_mini always predicts the commonest answer." in page


def test_settings_are_compared_on_held_out_rows(tmp_path, monkeypatch):
    asked = []

    def run(words, name, held_out=False):
        asked.append((words, held_out))
        return 0.7 + 0.1 * len(asked)

    monkeypatch.setattr(tasks, "run", run)
    monkeypatch.setattr(tasks, "FOUND", tmp_path / "tasks.json")
    monkeypatch.setattr(tasks, "PAGE", tmp_path / "tasks.md")
    first, second = "--epochs 1", "--epochs 2"
    monkeypatch.setattr(tasks, "COMPARED", {"TREC": (first, second)})
    found = {"sets": {}, "freezing": {}}
    tasks.compare(found, ["TREC", "SQuAD-1.1"])
    assert all(held_out and "--seed 1 " in words for words, held_out in asked)
    assert first in asked[0][0] and second in asked[1][0]
    tasks.compare(found, ["TREC"])  # both are stored
    assert len(asked) == 2
    tasks.write_page(found)
    page = (tmp_path / "tasks.md").read_text(encoding="utf-8")
    assert "| TREC | `--epochs 1` | 80.0 |" in page and "| TREC | `--epochs 2` | **90.0** |" in page


def test_compared_settings_include_the_chosen_ones():
    for name, compared in tasks.COMPARED.items():
        assert tasks.SETTINGS[tasks.SMALL][name] in compared


def test_settings_hold_out_part_of_train(tmp_path):
    (tmp_path / "SQuAD").mkdir()
    (tmp_path / "SQuAD" / "train-v1.1-some.json").write_text(squad(5), encoding="utf-8")
    settings.prepare_inside("SQuAD-1.1", tmp_path, tmp_path / "out")
    parts = [json.loads((tmp_path / "out" / f"{part}.json").read_text("utf-8"))["data"] for part in ("train", "dev")]
    assert [[article["title"] for article in part] for part in parts] == [["0", "1", "2"], ["3"]]  # 4 is dev itself


def test_page_of_settings(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "PAGE", tmp_path / "settings.md")
    first, second = settings.SETS["SQuAD-1.1"][2][:2]
    runs = {
        first: {"score": 12.34, "epoch": 3, "examples": 541},
        second: {"score": 11.0, "epoch": 2, "examples": 541},
    }
    settings.write_page({"SQuAD-1.1": runs})
    page = (tmp_path / "settings.md").read_text(encoding="utf-8")
    assert f"| `{first}` | **12.3** | 3 |" in page and f"| `{second}` | 11.0 | 2 |" in page
    assert "f1 on 541 questions of whole articles" in page
