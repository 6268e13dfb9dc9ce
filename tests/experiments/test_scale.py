"""The page on scale: parameters, communication and checkpoints against independent counts; the committed page."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import keras_bert as kb
from experiments import processes, scale, scale_costs, scale_published, scale_tables
from experiments.scale_costs import Cluster, Phase
from keras_bert.training import bert_adamw
from keras_bert.training.checkpoint import FILE, Progress, save_checkpoint
from tests.helpers import tiny_config

LARGE = scale_tables.MODELS["BERT-large"]


def ring_all_reduce(vectors: list[list[int]], machine: int) -> tuple[list[list[int]], list[int], list[int], int]:
    """Add up vectors in a ring, part by part; count the numbers that each device and each machine sends, and rounds."""
    n, size = len(vectors), len(vectors[0]) // len(vectors)
    parts = [[vector[i * size : (i + 1) * size] for i in range(n)] for vector in vectors]
    sent, left, rounds = [0] * n, [0] * (n // machine or 1), 0
    for start, adds in ((0, True), (1, False)):  # first sums, then copies of the sums
        for step in range(n - 1):
            messages = [(d, (d + start - step) % n, parts[d][(d + start - step) % n]) for d in range(n)]
            for device, index, part in messages:
                target = (device + 1) % n
                parts[target][index] = (
                    [a + b for a, b in zip(parts[target][index], part, strict=True)] if adds else list(part)
                )
                sent[device] += len(part)
                if device // machine != target // machine:
                    left[device // machine] += len(part)
            rounds += 1
    return [sum(each, []) for each in parts], sent, left, rounds


@pytest.mark.parametrize("devices", [2, 3, 8, 16])
def test_bytes_of_a_simulated_ring(devices):
    vectors = np.random.default_rng(devices).integers(100, size=(devices, 5 * devices)).tolist()
    sums, sent, left, rounds = ring_all_reduce(vectors, machine=8)
    assert sums == [np.sum(vectors, axis=0).tolist()] * devices
    size = 5 * devices
    expected = scale_costs.all_reduce_bytes(size, devices)
    assert sent == [expected] * devices
    cluster = Cluster(accelerators=8, link=300.0, network=20.0, link_share=0.5)
    speed = 0.5 * (300 if devices <= 8 else 20)
    seconds = scale_costs.all_reduce_seconds(size, devices, cluster)
    assert seconds == pytest.approx(rounds * (size / devices) / speed)
    if devices > 8:
        assert left == [expected] * (devices // 8)  # through the network of each machine


def test_one_device_communicates_nothing():
    assert scale_costs.all_reduce_bytes(100, 1) == 0


@pytest.mark.parametrize(("name", "encoder"), [("BERT-base", 109_482_240), ("BERT-large", 335_141_888)])
def test_published_parameter_counts(name, encoder):
    count = scale_costs.parameters(scale_tables.MODELS[name])
    assert sum(count.values()) - count["heads"] == encoder


def test_parameters_of_a_model():
    config = tiny_config()
    model = kb.BertPretrainer(kb.BertEncoder(config))
    count = scale_costs.parameters(config)
    assert sum(count.values()) == model.count_params()
    assert count["embeddings"] == model.encoder.embeddings.count_params()
    assert count["pooler"] == model.encoder.pooler.count_params()


@pytest.mark.parametrize(("best", "accumulate"), [(False, 1), (True, 1), (True, 4)])
def test_size_of_a_checkpoint(tmp_path, best, accumulate):
    model = kb.BertPretrainer(kb.BertEncoder(tiny_config()))
    model.compile(bert_adamw(1e-3, accumulate=accumulate))
    model.optimizer.build(model.trainable_variables)
    weights = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    save_checkpoint(tmp_path, model, Progress(best_weights=weights if best else []), {})
    with np.load(tmp_path / FILE) as file:
        size = sum(file[name].nbytes for name in file.files if name != "facts")
    computed = scale_costs.checkpoint_bytes(tiny_config(), best, accumulate > 1)
    assert 0 <= size - computed < 300  # counters, the learning rate and the states of dropout


def test_size_of_the_published_checkpoint():
    assert abs(scale_published.CHECKPOINT.value - scale_costs.checkpoint_bytes(LARGE)) < 100


def test_memory_is_that_of_rows_and_parameters():
    config = tiny_config()
    none, one, five = (scale_costs.memory(config, rows, 12, 3, 2) for rows in (0, 1, 5))
    count = sum(scale_costs.parameters(config).values())
    assert none == {"weights": 4 * count, "gradients": 4 * count, "moments": 8 * count, "activations": 0, "logits": 0}
    assert five["activations"] == 5 * one["activations"] > 0
    assert five["logits"] == 5 * 3 * config.vocab_size * (2 + 4)
    summed = scale_costs.memory(config, 5, 12, 3, 2, accumulate=True)
    assert sum(summed.values()) - sum(five.values()) == 4 * count


def test_largest_batch_fits():
    available = 16e9
    rows = scale_costs.largest_batch(LARGE, available, 512, 76, 2)
    used, more = (sum(scale_costs.memory(LARGE, n, 512, 76, 2, accumulate=True).values()) for n in (rows, rows + 1))
    assert used <= available < more
    assert scale_costs.largest_batch(LARGE, 1e9, 512, 76, 2) == 0


@pytest.mark.parametrize("devices", scale_tables.DEVICES)
@pytest.mark.parametrize("batch", [256, 4096])
def test_steps(devices, batch):
    cluster = Cluster()
    step = scale_costs.step(LARGE, Phase(128, 20, batch, 1), devices, cluster)
    assert step.rows * step.accumulate * devices == batch
    assert sum(scale_costs.memory(LARGE, step.rows, 128, 20, 2, accumulate=True).values()) <= cluster.memory / 2
    done = step.computing * devices * cluster.utilization * cluster.peak
    assert done == pytest.approx(batch * scale_costs.row_operations(LARGE, 128, 20))
    single = scale_costs.all_reduce_seconds(scale_costs.gradient_bytes(LARGE), devices, cluster)
    assert step.communication == pytest.approx(step.accumulate * single)
    assert step.efficiency == pytest.approx(step.computing / step.seconds)


def test_operations_of_a_row():
    """6 operations per parameter of a block and token, 12 T H per block for attention; the last block needs less."""
    length, hidden, layers = 512, LARGE.hidden_size, LARGE.num_layers
    whole = 6 * length * 12 * hidden**2 * layers + 12 * length**2 * hidden * layers
    assert scale_costs.row_operations(LARGE, length, 76) == pytest.approx(whole, rel=0.05)


def test_hours_on_one_accelerator_are_the_operations():
    cluster = dataclasses.replace(Cluster(), utilization=0.5, peak=1e15)
    phases = scale_published.RECIPES["original"]
    expected = scale_costs.operations(LARGE, phases) / 0.5e15 / 3600
    assert scale_costs.hours(LARGE, phases, 1, cluster) == pytest.approx(expected)


def test_original_recipe():
    phases = scale_published.RECIPES["original"]
    assert sum(phase.steps for phase in phases) == 1_000_000
    assert sum(phase.tokens for phase in phases) == 256 * (900_000 * 128 + 100_000 * 512)


def test_published_numbers_have_sources_and_a_table_of_their_own():
    table = scale_tables.sources()
    for each in scale_published.PUBLISHED:
        assert each.source.startswith("https://")
        assert f"| {each.what} | {each.value:,} {each.unit} | [source]({each.source}) |" in table
    for each, computed, reached in scale_tables.compared():
        ratio = each.value / computed if each.unit == "rows/s" else computed / each.value
        assert ratio == pytest.approx(reached / scale_tables.CLUSTER.utilization)
        assert 0.1 < reached < 0.6


def test_losses_on_devices_and_in_processes_are_equal():
    results = json.loads(processes.RESULTS.read_text(encoding="utf-8"))
    assert list(results) == list(processes.SETUPS)
    for found in results.values():
        assert found.keys() == results["1-device"].keys()
        for name, values in found.items():
            assert values == pytest.approx(results["1-device"][name], abs=1e-4), name


def test_committed_page():
    page = scale.PAGE.read_text(encoding="utf-8")
    assert scale.page() == page
    assert f"images/{scale_tables.FIGURE})" in page
    assert (scale.IMAGES / scale_tables.FIGURE).stat().st_size > 10_000


def test_main_writes_page_and_figure(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "PAGE", tmp_path / "scale.md")
    monkeypatch.setattr(scale, "IMAGES", tmp_path)
    scale.main()
    assert (tmp_path / "scale.md").read_text(encoding="utf-8") == scale.page()
    assert (tmp_path / scale_tables.FIGURE).stat().st_size > 10_000
