"""Pretraining on one NVIDIA GPU: keras_bert on JAX beside Hugging Face on PyTorch. See README.md."""
