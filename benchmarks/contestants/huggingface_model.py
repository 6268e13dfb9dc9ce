"""Models, tokenizer and optimizer of Hugging Face transformers with the weights of the benchmark."""

import contextlib

import numpy as np
import torch
import transformers

from benchmarks import weights

NAMES = {"input_ids": "input_word_ids", "attention_mask": "input_mask", "token_type_ids": "input_type_ids"}
EPSILON = 1e-6


def load_model(cls, task: dict):
    """Create a transformers model and load every weight of the benchmark."""
    config, dropout = task["config"], task.get("dropout", 0.0)
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
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        layer_norm_eps=1e-12,
        num_labels=2,
    )
    model = cls._from_config(settings, attn_implementation=task.get("attention", "sdpa"))
    tensors = weights.to_hugging_face(dict(np.load(task["weights"])))
    if cls is transformers.BertModel:
        tensors = {name.removeprefix("bert."): value for name, value in tensors.items()}
    known = {name: torch.from_numpy(value) for name, value in tensors.items() if name in model.state_dict()}
    missing = set(model.load_state_dict(known, strict=False).missing_keys)
    missing -= {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}  # tied to loaded weights
    if missing:
        raise ValueError(f"weights without a value: {sorted(missing)}")
    return model


def to_tensors(rows: dict) -> dict:
    """Rename the three inputs and convert them to int64 tensors."""
    return {name: torch.from_numpy(rows[key].astype(np.int64)) for name, key in NAMES.items()}


class Trainer:
    """AdamW, gradient clipping at 1 and autocast, for pretraining and fine-tuning.

    Args:
        model: a transformers model.
        task: holds `learning_rate` and `precision`.
    """

    def __init__(self, model, task: dict):
        self.model = model.train()
        decayed = [p for name, p in model.named_parameters() if not name.endswith("bias") and "LayerNorm" not in name]
        others = [p for name, p in model.named_parameters() if name.endswith("bias") or "LayerNorm" in name]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(
            groups, lr=task["learning_rate"], betas=(0.9, 0.999), eps=EPSILON, fused=True
        )
        self.cast = autocast(task)

    def step(self, loss_fn) -> float:
        """Train on the loss that `loss_fn` computes, and return it."""
        self.optimizer.zero_grad(set_to_none=True)
        with self.cast():
            loss = loss_fn()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()


def autocast(task: dict):
    """Return a function that creates the context of the task's precision."""
    if task["precision"] == "bfloat16":
        return lambda: torch.autocast("cpu", torch.bfloat16)
    return contextlib.nullcontext


def load_tokenizer(task: dict):
    """Create the fast tokenizer of a vocabulary."""
    return transformers.BertTokenizerFast(vocab_file=task["vocabulary"], vocab=task["vocabulary"], do_lower_case=True)
