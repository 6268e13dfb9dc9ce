"""This package's training as its command line runs it: the cores split, steps in two halves of the batch."""

from benchmarks.workers.ours import Finetuning, Pretraining
from benchmarks.workers.protocol import serve
from keras_bert import fused

if __name__ == "__main__":
    fused.split_cores()
    serve({"pretraining": Pretraining, "finetuning": Finetuning})
