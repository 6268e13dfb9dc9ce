"""Hugging Face transformers on PyTorch.

Forms: `eager`; `compile` is `torch.compile`, with dynamic shapes where lengths vary. Precision bfloat16 is autocast in
training and bfloat16 weights otherwise.
"""

import contextlib

import numpy as np
import torch
import transformers
from torch.nn.functional import cross_entropy

from benchmarks import weights
from benchmarks.batching import Epochs
from benchmarks.contestants.protocol import serve
from benchmarks.contestants.serving import TextServer, Tokeniser

NAMES = {"input_ids": "input_word_ids", "attention_mask": "input_mask", "token_type_ids": "input_type_ids"}
EPSILON = 1e-6


def model_of(cls, task: dict):
    """A transformers model that holds the race's weights, every one of them."""
    config, rate = task["config"], task.get("dropout", 0.0)
    torch.manual_seed(0)
    torch._dynamo.reset()
    settings = transformers.BertConfig(
        vocab_size=config["vocab_size"],
        hidden_size=config["hidden_size"],
        num_hidden_layers=config["num_layers"],
        num_attention_heads=config["num_heads"],
        intermediate_size=config["intermediate_size"],
        max_position_embeddings=config["max_position_embeddings"],
        type_vocab_size=config["type_vocab_size"],
        hidden_act="gelu_pytorch_tanh",
        hidden_dropout_prob=rate,
        attention_probs_dropout_prob=rate,
        layer_norm_eps=1e-12,
        num_labels=2,
    )
    model = cls._from_config(settings, attn_implementation=task.get("attention", "sdpa"))
    tensors = weights.for_hugging_face(dict(np.load(task["weights"])))
    if cls is transformers.BertModel:
        tensors = {name.removeprefix("bert."): value for name, value in tensors.items()}
    known = {name: torch.from_numpy(value) for name, value in tensors.items() if name in model.state_dict()}
    missing = set(model.load_state_dict(known, strict=False).missing_keys)
    missing -= {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}  # tied to what is there
    if missing:
        raise ValueError(f"weights without a value: {sorted(missing)}")
    return model


def tensors_of(rows: dict) -> dict:
    """Our names to theirs, as int64 tensors."""
    return {theirs: torch.from_numpy(rows[ours].astype(np.int64)) for theirs, ours in NAMES.items()}


class Trainer:
    """AdamW, clipping at 1 and autocast, the same for both trainings."""

    def __init__(self, model, task: dict):
        self.model = model.train()
        decayed = [p for name, p in model.named_parameters() if not name.endswith("bias") and "LayerNorm" not in name]
        rest = [p for name, p in model.named_parameters() if name.endswith("bias") or "LayerNorm" in name]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(
            groups, lr=task["learning_rate"], betas=(0.9, 0.999), eps=EPSILON, fused=True
        )
        self.cast = precision(task)

    def step(self, loss_of) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        with self.cast():
            loss = loss_of()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()


def precision(task: dict):
    if task["precision"] == "bfloat16":
        return lambda: torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext


class Pretraining:
    """`BertForMaskedLM`; a thin wrapper gathers the masked positions before the head, which by itself reads all."""

    def __init__(self, task: dict):
        model = model_of(transformers.BertForMaskedLM, task)
        self.trainer = Trainer(model, task)
        rows = dict(np.load(task["batch"]))
        self.inputs = tensors_of(rows)
        batch, length = rows["input_word_ids"].shape
        positions = rows["masked_lm_positions"].astype(np.int64)  # [B, P]
        self.flat = torch.from_numpy((positions + length * np.arange(batch)[:, None]).reshape(-1))  # [B P]
        self.targets = torch.from_numpy(rows["masked_lm_ids"].astype(np.int64).reshape(-1))  # [B P]
        self.positions, self.steps = positions.shape[1], task["check_steps"]

        def gathered(inputs, flat):
            hidden = model.bert(**inputs)[0]
            return model.cls(hidden.reshape(-1, hidden.shape[-1])[flat])  # [B P, V]

        def loss() -> torch.Tensor:
            return cross_entropy(gathered(self.inputs, self.flat).float(), self.targets)

        self.eager = gathered
        self.loss = {"eager": loss, "compile": torch.compile(loss)}[task["form"]]

    def answers(self) -> dict:
        self.trainer.model.eval()
        with torch.inference_mode(), self.trainer.cast():
            first = {name: value[:1] for name, value in self.inputs.items()}
            logits = self.eager(first, self.flat[: self.positions]).float()[None].numpy().copy()  # [1, P, V]
        self.trainer.model.train()
        losses = [self._checked_step(number) for number in range(1, self.steps + 1)]
        return {"logits": logits, "losses": np.array(losses, np.float64)}

    def run(self, case: str, number: int) -> None:
        self.trainer.step(self.loss)

    def _checked_step(self, number: int) -> float:
        # PyTorch adds epsilon after the bias correction of the variance, Keras before it: for the comparison, as Keras.
        for group in self.trainer.optimizer.param_groups:
            group["eps"] = EPSILON / (1 - 0.999**number) ** 0.5
        loss = self.trainer.step(self.loss)
        for group in self.trainer.optimizer.param_groups:
            group["eps"] = EPSILON
        return loss


class Finetuning:
    """`BertForSequenceClassification` on batches of like length, padded to their longest (`group_by_length`)."""

    def __init__(self, task: dict):
        model = model_of(transformers.BertForSequenceClassification, task)
        self.trainer = Trainer(model, task)
        rows = dict(np.load(task["rows"]))
        self.first = tensors_of({name: value[:32] for name, value in rows.items()})
        self.batches, self.count = Epochs(rows, task["batch_size"]), task["count"]

        def logits(inputs):
            return model(**inputs).logits

        self.eager = logits
        self.logits = torch.compile(logits, dynamic=True) if task["form"] == "compile" else logits

    def answers(self) -> dict:
        self.trainer.model.eval()
        with torch.inference_mode(), self.trainer.cast():
            logits = self.eager(self.first).float().numpy()
        self.trainer.model.train()
        return {"logits": logits}

    def run(self, case: str, number: int) -> None:
        for _ in range(self.count[case]):
            rows = next(self.batches)
            inputs, labels = tensors_of(rows), torch.from_numpy(rows["labels"].astype(np.int64))
            self.trainer.step(lambda inputs=inputs, labels=labels: cross_entropy(self.logits(inputs).float(), labels))


class Inference:
    """A model in evaluation mode, cast and compiled as the task says."""

    def __init__(self, cls, task: dict, dynamic: bool):
        model = model_of(cls, task).eval()
        model = model.to(torch.bfloat16) if task["precision"] == "bfloat16" else model
        self.call = torch.compile(model, dynamic=dynamic) if task["form"] == "compile" else model

    def __call__(self, inputs: dict):
        with torch.inference_mode():
            return self.call(**inputs)


class Forward:
    """`BertModel` without its pooler's output."""

    def __init__(self, task: dict):
        self.model = Inference(transformers.BertModel, task, dynamic=False)
        rows = dict(np.load(task["batch"]))
        self.inputs = {case: tensors_of({k: v[: int(case)] for k, v in rows.items()}) for case in task["cases"]}

    def answers(self) -> dict:
        return {case: self.model(inputs)[0].float().numpy().copy() for case, inputs in self.inputs.items()}

    def run(self, case: str, number: int) -> None:
        self.model(self.inputs[case])


def tokenizer_of(task: dict):
    return transformers.BertTokenizerFast(vocab_file=task["vocabulary"], vocab=task["vocabulary"], do_lower_case=True)


def tokenising(task: dict) -> Tokeniser:
    """`BertTokenizerFast`, arrays out."""
    tokenizer, length = tokenizer_of(task), task["length"]

    def call(texts):
        return tokenizer(texts, padding="max_length", truncation=True, max_length=length, return_tensors="np")

    return Tokeniser(task, call, lambda found: found["input_ids"])


class TextToProbabilities(TextServer):
    """`BertTokenizerFast` padding to the batch's longest, then the classifier."""

    def __init__(self, task: dict):
        super().__init__(task)
        self.model = Inference(transformers.BertForSequenceClassification, task, dynamic=True)
        self.tokenizer = tokenizer_of(task)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        inputs = self.tokenizer(texts, padding=True, truncation=True, max_length=self.length, return_tensors="pt")
        return self.model(dict(inputs)).logits.float().softmax(-1).numpy().copy()


class Pipeline:
    """`DataCollatorForLanguageModeling` on packed rows, called a batch at a time."""

    def __init__(self, task: dict):
        rows = dict(np.load(task["rows"]))
        self.collate = transformers.DataCollatorForLanguageModeling(
            tokenizer_of(task), mlm_probability=0.15, return_tensors="np"
        )
        ids = [row[:n].tolist() for row, n in zip(rows["input_word_ids"], rows["lengths"], strict=True)]
        size = task["batch_size"]
        self.batches = [[{"input_ids": row} for row in ids[i : i + size]] for i in range(0, 20 * size, size)]

    def answers(self) -> dict:
        counts = [(self.collate(batch)["labels"] != -100).sum(axis=1) for batch in self.batches]
        return {"predictions a row": np.array(float(np.concatenate(counts).mean()))}

    def run(self, case: str, number: int) -> None:
        for batch in self.batches:
            self.collate(batch)


if __name__ == "__main__":
    works = {
        "pretraining": Pretraining,
        "finetuning": Finetuning,
        "forward": Forward,
        "tokenising": tokenising,
        "text_to_probabilities": TextToProbabilities,
        "pipeline": Pipeline,
    }
    serve(works)
