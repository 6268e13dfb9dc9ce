"""One cold start: read a task from standard input, import, load, predict one sentence, print the seconds of each."""

import importlib
import json
import sys
import time

MODULES = {
    "SavedModel": "saved_model",
    "kb.Predictor": "predictor",
    "kb.Predictor, OpenVINO": "predictor",
    "TF-Hub interface": "tfhub",
    "ONNX Runtime": "onnx_runtime",
    "OpenVINO": "openvino",
}


def main() -> None:
    """Measure once and print a JSON object."""
    task = json.load(sys.stdin)
    files = task["files"]
    task["precision"], task["texts"] = "float32", {}
    start = time.perf_counter()
    if task["peer"] == "Hugging Face":
        import torch
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        def load():
            tokenizer = AutoTokenizer.from_pretrained(files["huggingface"])
            model = AutoModelForSequenceClassification.from_pretrained(files["huggingface"]).eval()

            def predict(texts):
                with torch.inference_mode():
                    return model(**tokenizer(texts, return_tensors="pt")).logits.softmax(-1).numpy()

            return predict

    else:
        module = importlib.import_module(f"benchmarks.contestants.{MODULES[task['form'] or task['peer']]}")
        contestant = module.TwoModels if task["peer"] == "TF-Hub interface" else module.Server

        def load():
            return contestant(task).probabilities

    imported = time.perf_counter()
    predict = load()
    loaded = time.perf_counter()
    probabilities = predict([task["text"]])
    predicted = time.perf_counter()
    from benchmarks.contestants.protocol import peak_mib

    seconds = {"import": imported - start, "load": loaded - imported, "predict": predicted - loaded}
    print(json.dumps({**seconds, "probabilities": probabilities.tolist(), "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main()
