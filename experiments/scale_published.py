"""Published numbers of pretraining BERT. They are never mixed with computed ones."""

import dataclasses

from experiments.scale_costs import Phase

NVIDIA = (
    "https://github.com/NVIDIA/DeepLearningExamples/blob/002bcd8c45a0ae4bdf2f01918ab22e0752ffa3e6/"
    "TensorFlow/LanguageModeling/BERT/README.md"
)
MLPERF = "https://github.com/mlcommons/training_results_v3.1/blob/f33f9444205023cf49bf19ec960992b39663f6fd/NVIDIA"
MLPERF_8 = f"{MLPERF}/results/eos_ngc23.04_pytorch/bert/result_0.txt"
MLPERF_64 = f"{MLPERF}/results/eos_n8_ngc23.04_pytorch/bert/result_0.txt"
MLPERF_RULES = (
    "https://github.com/mlcommons/training/blob/021e315fc56bfd04004c4cdac6f26f258261c531/"
    "language_model/tensorflow/bert/README.md"
)
PACKING = f"{MLPERF}/benchmarks/bert/implementations/pytorch/input_preprocessing/packed_data/README.md"
A100_MACHINE = (
    "https://github.com/mlcommons/training_results_v2.1/blob/9b4d2df631498a2569fcfa85dfd5c830addac15a/"
    "NVIDIA/systems/dgxa100_n8_ngc22.09_pytorch.json"
)
MOSAIC = (
    "https://github.com/mosaicml/examples/blob/54b826848e326400f03463e6de28912cbee51ce8/"
    "examples/benchmarks/bert/README.md"
)
MOSAIC_SETTINGS = (
    "https://github.com/mosaicml/examples/blob/017518550cb64a7f2c4c0a604d1a69605ecf2f22/"
    "examples/bert/yamls/main/hf-bert-base-uncased.yaml"
)
MOSAIC_PAPER, BERT_PAPER = "https://arxiv.org/abs/2312.17482", "https://arxiv.org/abs/1810.04805"
NCCL_TESTS = "https://github.com/NVIDIA/nccl-tests/blob/03a204a1f38aaea17f1a777885bb2d9600ba7eff/doc/PERFORMANCE.md"
# Operations per second of dense products in float16 or bfloat16, and where they are from.
PEAKS = {
    "V100": (125e12, "https://developer.nvidia.com/programming-tensor-cores-cuda-9-0"),
    "A100": (312e12, "https://glennklockwood.com/garden/processors/A100"),
    "H100": (989.4e12, "https://glennklockwood.com/garden/processors/h100"),
}
NVLINK_MEASURED = "https://github.com/li-plus/playground/blob/b85070fb449ea55858fed14cf69cefe10592261b/cuda/nccl.md"

# Of 128 tokens 20 are masked, of 512 tokens 76 (the maximum in MLPerf's data).
RECIPES = {
    "original": (Phase(128, 20, 256, 900_000), Phase(512, 76, 256, 100_000)),
    "MosaicBERT's budget": (Phase(128, 20, 4096, 70_000),),
    "NVIDIA's with LAMB": (Phase(128, 20, 65_536, 7_038), Phase(512, 76, 32_768, 1_564)),
}
RECIPE_SOURCES = {"original": BERT_PAPER, "MosaicBERT's budget": MOSAIC_SETTINGS, "NVIDIA's with LAMB": NVIDIA}


@dataclasses.dataclass(frozen=True)
class Published:
    """A published number: what it is of, its value with its unit, and the address of the source."""

    what: str
    value: float
    unit: str
    source: str


@dataclasses.dataclass(frozen=True)
class Throughput(Published):
    """Published rows per second, with what is needed to compute the utilization: the value is that of all devices."""

    model: str
    accelerator: str
    devices: int
    tokens: int  # per row that are computed, on average
    positions: int
    why: str


@dataclasses.dataclass(frozen=True)
class Duration(Published):
    """Published hours of a whole recipe."""

    model: str
    accelerator: str
    devices: int
    recipe: str
    why: str


def _nvidia(accelerator: str, machine: str, devices: int, tokens: int, value: float, why: str) -> Throughput:
    what = f"BERT-large, {tokens} tokens, {devices} {accelerator} ({machine}), FP16"
    positions = {128: 20, 512: 76}[tokens]
    return Throughput(what, value, "rows/s", NVIDIA, "BERT-large", accelerator, devices, tokens, positions, why)


def _mlperf(devices: int, value: float, source: str, why: str) -> Throughput:
    what = f"MLPerf 3.1, BERT-large, up to 512 tokens, {devices} H100, one run"
    return Throughput(what, value, "rows/s", source, "BERT-large", "H100", devices, 256, 38, why)


OLD = "TensorFlow 1 with XLA, 2020"
UNPADDED = "Transformer Engine, fused kernels; rows are packed or their padding is left out: 256 tokens are counted"
THROUGHPUTS = (
    _nvidia("V100", "DGX-2", 1, 128, 188.04, OLD),
    _nvidia("V100", "DGX-2", 8, 128, 1556.89, OLD),
    _nvidia(
        "V100",
        "4 DGX-2H",
        64,
        128,
        13192.0,
        "TensorFlow 1 with XLA, 2019; the V100 of a DGX-2H run at a higher frequency",
    ),
    _nvidia("A100", "DGX A100", 1, 128, 356.845, OLD),
    _nvidia("A100", "DGX A100", 8, 128, 2871.89, OLD),
    _nvidia("A100", "DGX A100", 8, 512, 572.112, OLD),
    _nvidia("A100", "32 DGX A100", 256, 128, 77479.87, f"{OLD}; 32 machines"),
    _mlperf(8, 7759.98, MLPERF_8, UNPADDED),
    _mlperf(64, 53540.83, MLPERF_64, UNPADDED),
)
# Rows per second by number of A100, 64 rows of 128 tokens per batch, and batches per step.
SCALING = {1: (356.845, 1024), 8: (2871.89, 128), 32: (11159, 32), 128: (41144, 8), 256: (77479.87, 4)}
SCALING_ROWS = 64
DURATIONS = (
    Duration(
        "BERT-base of Hugging Face, GLUE 83.3, 8 A100 80 GB",
        11.5,
        "hours",
        MOSAIC,
        "BERT-base",
        "A100",
        8,
        "MosaicBERT's budget",
        "layers of Hugging Face in PyTorch 1.13, without the attention and the unpadding of MosaicBERT",
    ),
    Duration(
        "BERT-large with LAMB, 256 A100 40 GB, FP16",
        3.24,
        "hours",
        NVIDIA,
        "BERT-large",
        "A100",
        256,
        "NVIDIA's with LAMB",
        "with up to 16 minutes for each start, of which there are at least two; all-reduce between 32 machines",
    ),
)
# Numbers of runs that are not computed: other models, other targets, or hardware whose peak the source does not name.
MOSAIC_HOURS, MOSAIC_DEVICES, MOSAIC_DOLLARS = 1.13, 8, 20
CHECKPOINT = Published("BERT-large, TensorFlow 1, with two moments", 4_034_713_312, "bytes", MLPERF_RULES)
MLPERF_RUNS = {  # devices: global batch, rows until accuracy 0.72, seconds from run_start to run_stop
    8: (768, 2_698_169, 347.703),
    64: (4608, 3_004_416, 56.115),
}
DEEPSPEED = Published("DeepSpeed, per V100", 66, "TFLOP/s", "https://www.deepspeed.ai/2020/05/18/bert-record.html")
OTHERS = (
    Published("BERT-base, original recipe, 16 TPU chips", 4, "days", BERT_PAPER),
    Published("BERT-large, original recipe, 64 TPU chips", 4, "days", BERT_PAPER),
    Published("MosaicBERT-base, GLUE 79.6, 8 A100 80 GB", MOSAIC_HOURS, "hours", MOSAIC_PAPER),
    Published("the same, cost", MOSAIC_DOLLARS, "dollars", MOSAIC_PAPER),
    Published(
        "DeepSpeed, BERT-large, 1,024 V100", 44, "minutes", "https://www.deepspeed.ai/2020/05/18/bert-record.html"
    ),
    DEEPSPEED,
    Published(
        "MLPerf 3.0, result 3.0-2055, BERT-large to accuracy 0.72, 8 H100",
        5.349,
        "minutes",
        "https://github.com/mlcommons/training_results_v3.0",
    ),
    *(
        Published(f"MLPerf 3.1, one run to accuracy 0.72, {devices} H100, batch {batch:,}", seconds, "seconds", source)
        for (devices, (batch, _, seconds)), source in zip(MLPERF_RUNS.items(), (MLPERF_8, MLPERF_64), strict=True)
    ),
    CHECKPOINT,
)
PUBLISHED = (*OTHERS, *DURATIONS, *THROUGHPUTS)
