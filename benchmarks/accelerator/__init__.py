"""Pretraining on one NVIDIA GPU: ours on JAX beside Hugging Face on torch; README.md says how to run it."""
