# %% [markdown]
# # 14 · How do I serve it?
#
# A model in a Python session can be used by one person. How can programs on other machines use it, and how do you know
# that they get the same answers?
#
# **At the end** you have exported one classifier in three formats (SavedModel, ONNX, LiteRT), shown that all give the
# same outputs, measured their sizes and times, and answered requests with a small HTTP server. You also know what a
# serving engine adds to it.
#
# **Time**: under one minute on 2 cores. **Sources**: the formats
# [SavedModel](https://www.tensorflow.org/guide/saved_model), [ONNX](https://onnx.ai/onnx/operators) and
# [LiteRT](https://ai.google.dev/edge/litert).
#
# Run it as a script (`python tutorials/14_serving.py`; the figures go to `tutorials/out/`) or as a notebook.
#
#     texts ──> vectorizer ──> ids [B, T] ──> encoder, head ──> logits [B, 2] ──> softmax ──> {"label", "probability"}
#     └────────────────────── SavedModel ───────────────────────────────────────────────┘
#                              └───────────────── ONNX, LiteRT ─────────────────────────┘

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(14)

import concurrent.futures
import http.server
import json
import tempfile
import threading
import time
import urllib.error
import urllib.request
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import tensorflow as tf
from tokenizers import BertWordPieceTokenizer

import keras_bert as kb

# %% [markdown]
# The files of this chapter go to a new temporary folder.

# %%
folder = Path(tempfile.mkdtemp(prefix="keras_bert_14_"))

# %% [markdown]
# ## 1 · What must be in an export?
#
# A classifier needs three things besides its weights: the vocabulary, the way of cutting texts into tokens, and the
# names of the classes. If one of them is stored elsewhere, it can be exchanged for another one, and no error is raised.
# The model is `sst2_sentiment`; its reference outputs are computed step by step: ids, logits, softmax. Here a text is
# cut after 32 tokens (`sequence_length`), and a SavedModel cuts in the same way.

# %%
pretrained = kb.load_pretrained("sst2_sentiment")
model, labels = pretrained.model, list(pretrained.labels)
vectorizer = kb.BertTextVectorization(pretrained.vocabulary, lowercase=pretrained.lowercase, sequence_length=32)
texts = [
    "a fine film , if a bit long .",
    "two hours that i want back .",
    "Dull.",
    "the actors are better than the script , and the script is better than the film deserves .",
]


# %%
def softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


ids = {key: np.asarray(value) for key, value in vectorizer(texts).items()}  # three [B, T]
reference = softmax(np.asarray(model(ids, training=False), "float64"))  # [B, 2]
print(labels, reference.round(3).tolist())

# %% [markdown]
# ## 2 · Three formats
#
# | format | takes | runs with | vocabulary |
# |---|---|---|---|
# | SavedModel | texts | TensorFlow, TensorFlow Serving | in the graph |
# | ONNX | ids | ONNX Runtime, and others, without TensorFlow | `vocab.txt` beside it |
# | LiteRT | ids, a fixed length | phones, small devices | `vocab.txt` beside it |
#
# The Keras model itself runs with TensorFlow, JAX or PyTorch, which the environment variable `KERAS_BACKEND` selects
# before Python starts. SavedModel and LiteRT files are written with TensorFlow, ONNX files with any of the three.
#
# We write all three formats, and the ONNX file also in 8 bits (chapter 12).

# %%
kb.export_saved_model(model, folder / "saved_model", vectorizer, labels=labels)
kb.export_onnx(model, folder / "onnx", vectorizer, labels=labels)
kb.export_onnx(model, folder / "onnx_int8", vectorizer, labels=labels, dtype="int8")
kb.export_litert(model, folder / "litert", vectorizer, labels=labels, sequence_length=32)
for path in sorted((folder / "onnx").iterdir()):
    print(path.name)

# %% [markdown]
# A SavedModel takes the texts themselves. It is one *graph* of TensorFlow's own operations, which means a list of
# operations that is stored as data and runs without Python: the program that loads it needs neither this package nor
# Keras. Its named functions are called signatures; `serving_default` is the usual one.

# %%
served = tf.saved_model.load(str(folder / "saved_model"))
serve = served.signatures["serving_default"]
outputs = serve(text=tf.constant(texts))
np.testing.assert_allclose(outputs["probabilities"], reference, atol=1e-5)
print([label.decode() for label in outputs["label"].numpy()])

# %% [markdown]
# ONNX and LiteRT take ids. Another program makes them from `vocab.txt` with a WordPiece tokenizer of its own, for
# example the one of Hugging Face's package `tokenizers`, which exists for several languages. First we check that its
# ids are ours.

# %%
other = BertWordPieceTokenizer(str(folder / "onnx" / "vocab.txt"), lowercase=True)
for text, row_ids, row_mask in zip(texts, ids["input_word_ids"], ids["input_mask"], strict=True):
    assert other.encode(text).ids == row_ids[row_mask == 1].tolist()
print(other.encode(texts[0]).tokens)

# %% [markdown]
# Now the two runtimes, with these ids.

# %%
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1  # so that the times below depend less on other programs
settings = {"sess_options": options, "providers": ["CPUExecutionProvider"]}
session = onnxruntime.InferenceSession(folder / "onnx" / "model.onnx", **settings)
int8 = onnxruntime.InferenceSession(folder / "onnx_int8" / "model.onnx", **settings)
warnings.filterwarnings("ignore", ".*tf.lite.Interpreter is deprecated")  # TensorFlow 2.21 still has it
litert = tf.lite.Interpreter(str(folder / "litert" / "model.tflite")).get_signature_runner("serving_default")


def run_litert(ids):
    missing = 32 - ids["input_word_ids"].shape[1]  # LiteRT's length is fixed
    padded = {key: np.pad(value, ((0, 0), (0, missing))) for key, value in ids.items()}
    return litert(**padded)["probabilities"]


# %% [markdown]
# Four answers to the same four texts, and their largest difference from the reference:

# %%
answers = {
    "SavedModel": outputs["probabilities"].numpy(),
    "ONNX": session.run(["probabilities"], ids)[0],
    "ONNX, int8": int8.run(["probabilities"], ids)[0],
    "LiteRT": run_litert(ids),
}
differences = {name: float(np.abs(values - reference).max()) for name, values in answers.items()}
print({name: f"{value:.1e}" for name, value in differences.items()})
assert all(value < 1e-4 for name, value in differences.items() if name != "ONNX, int8")
assert 1e-4 < differences["ONNX, int8"] < 0.2

# %% [markdown]
# Three of them agree with the reference up to rounding. The int8 file is another model: its probabilities differ, and
# so its accuracy must be measured again (on more than these four texts).
#
# The control: would the check notice a wrong export? A mistake that raises no error is another vocabulary. We give the
# ONNX file ids from a vocabulary in which two tokens are exchanged.

# %%
wrong = list(pretrained.vocabulary)
first, second = wrong.index("fine"), wrong.index("dull")
wrong[first], wrong[second] = wrong[second], wrong[first]
wrong_vectorizer = kb.BertTextVectorization(wrong, lowercase=pretrained.lowercase, sequence_length=32)
wrong_ids = {key: np.asarray(value) for key, value in wrong_vectorizer(texts).items()}
wrong_difference = float(np.abs(session.run(["probabilities"], wrong_ids)[0] - reference).max())
print(f"with two exchanged tokens: {wrong_difference:.2f}")
assert wrong_difference > 0.05

# %% [markdown]
# ## 3 · Size and time
#
# The size matters for the download and for the memory of a server or a phone. We add up the files of each folder.


# %%
def megabytes(path):
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6


FOLDERS = {"SavedModel": "saved_model", "ONNX": "onnx", "ONNX, int8": "onnx_int8", "LiteRT": "litert"}
sizes = {name: megabytes(folder / each) for name, each in FOLDERS.items()}
assert sizes["ONNX, int8"] < 0.4 * sizes["ONNX"]
plot = kb.explain.bar_chart(sizes, "Size of each export, with vocabulary and configuration.", "MB")
chapter.show(plot, "sizes")

# %% [markdown]
# *Look at* the third bar: the int8 file has about a quarter of the size of the others, which store 32 bits per weight.
#
# Now the time of one text, from the string to the probabilities. ONNX and LiteRT need the vectorizer first. It consists
# of TensorFlow operations here; `tf.function` compiles them into one graph, as in the SavedModel. The formats run in
# turn, and the shortest of many runs counts. Only ratios within one process are meaningful.


# %%
text_spec = tf.TensorSpec([None], tf.string)
vectorize = tf.function(lambda texts: vectorizer(texts), input_signature=[text_spec], autograph=False)


def ids_of(texts):
    return {key: value.numpy() for key, value in vectorize(tf.constant(texts)).items()}  # three [B, T]


# %% [markdown]
# The control is "Keras, tf.function": the Keras model itself, compiled into a graph and not exported.

# %%
compiled = tf.function(lambda ids: model(ids, training=False), autograph=False)
RUNNERS = {
    "Keras model": lambda texts: softmax(np.asarray(model(vectorizer(texts), training=False))),
    "Keras, tf.function": lambda texts: softmax(compiled(vectorize(tf.constant(texts))).numpy()),
    "SavedModel": lambda texts: serve(text=tf.constant(texts))["probabilities"].numpy(),
    "ONNX": lambda texts: session.run(["probabilities"], ids_of(texts))[0],
    "ONNX, int8": lambda texts: int8.run(["probabilities"], ids_of(texts))[0],
    "LiteRT": lambda texts: run_litert(ids_of(texts)),
}


# %% [markdown]
# `shortest` calls the functions in turn, so that all meet the same load of the machine.


# %%
def shortest(functions, repeats, clock=time.perf_counter):
    times = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            start = clock()
            function()
            times[name].append(clock() - start)
    return {name: min(values) for name, values in times.items()}


# %%
times = shortest({name: lambda run=run: run(texts[:1]) for name, run in RUNNERS.items()}, repeats=30)
ratios = {name: value / times["ONNX"] for name, value in times.items()}
assert ratios["Keras model"] > 2 and ratios["Keras, tf.function"] < ratios["Keras model"] / 2
plot = kb.explain.bar_chart(
    ratios, "Time of one text with vectorization, divided by that of ONNX.", "time ratio", number_format="{:.2f}"
)
chapter.show(plot, "formats")

# %% [markdown]
# *Look at* the first bar. The Keras model is by far the slowest: it is called without a compiled graph, and Python
# starts each operation separately. Then look at the second bar, the control: most of this time is saved by
# `tf.function` alone. So it is the graph that saves time, not the file format (`model.predict` also compiles one). The
# others are much closer to each other. Their order depends on the machine and the number of threads: ONNX Runtime has
# one thread here, and TensorFlow takes as many as it finds cores.
#
# ## 4 · What makes a request slow?
#
# Two numbers matter most: how many texts are in a call (B), and how long its rows are (T). We measure both with the
# ONNX session. For the length, all rows have T tokens; for the batch, 16 tokens. `time.thread_time` counts the
# processor time of this thread only: the time in which other programs run is not counted.


# %%
def row(B, T):
    return {
        "input_word_ids": np.full((B, T), 7, "int32"),
        "input_mask": np.ones((B, T), "int32"),
        "input_type_ids": np.zeros((B, T), "int32"),
    }


# %%
BATCHES, LENGTHS = (1, 2, 4, 8, 16), (8, 16, 32, 64, 128)
calls = {("B", B): row(B, 16) for B in BATCHES} | {("T", T): row(1, T) for T in LENGTHS}
functions = {key: lambda rows=rows: session.run(None, rows) for key, rows in calls.items()}
measured = shortest(functions, repeats=20, clock=time.thread_time)
per_text = [measured["B", B] / B for B in BATCHES]
per_length = [measured["T", T] / measured["T", 8] for T in LENGTHS]
print("time of one text in a batch, compared with one alone:", [round(value / per_text[0], 2) for value in per_text])

# %%
plot = kb.explain.line_chart(
    LENGTHS,
    {"one row": per_length},
    "Time of one row by its length, divided by the time of 8 tokens.",
    "tokens",
    "time ratio",
    log_x=True,
)
chapter.show(plot, "lengths")
assert 2 < per_length[-1] < 16

# %% [markdown]
# *Look at* the right end: 128 tokens need several times the time of 8 tokens. It is less than 16 times as much,
# although the row is 16 times as long, because a part of each call does not depend on T. Padding is computed like text.
# So a server should pad each batch to its longest text, not to the longest text that is allowed. The printed list shows
# the effect of the batch: how much of the time of a single text is still needed by a text in a batch of 2, 4, 8 and 16.
# On a GPU it is usually far less than on a CPU (not measured here).
#
# ## 5 · A small HTTP server
#
# The protocol: `POST /predict` with `{"texts": [...]}` returns a list of answers, and `GET /health` says whether the
# server is ready. Every text comes from outside, so the server limits the number and the size of the texts, and answers
# bad requests with status 400 (413 if they are too large) and one line. It listens on 127.0.0.1: no other machine can
# reach it.
#
# Python's standard library is enough for a first server. Each request runs in its own thread.

# %%
MAX_TEXTS, MAX_BYTES, VERSION = 32, 100_000, "1"
predictor = kb.Predictor(folder / "onnx")


def read_texts(body):
    texts = json.loads(body)["texts"]
    if not isinstance(texts, list) or not 1 <= len(texts) <= MAX_TEXTS:
        raise ValueError(f"`texts` must be a list of 1 to {MAX_TEXTS} texts")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError("`texts` must have no empty text")
    return texts


# %% [markdown]
# `reply` writes a status and a JSON body. `do_GET` answers the health check.


# %%
class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        ready = self.path == "/health"
        self.reply(200 if ready else 404, {"status": "ready" if ready else "not found", "version": VERSION})

    def log_message(self, *args):
        """Print nothing. A real server writes a line for each request."""


# %% [markdown]
# `do_POST` reads the texts and calls the predictor. It reads no more than a limited number of bytes, and each mistake
# in the content gives status 400. (A length that is not a number ends the connection without an answer. A real server
# answers this, too.)


# %%
class PredictHandler(Handler):
    predict = staticmethod(predictor)

    def do_POST(self):
        size = max(0, int(self.headers.get("Content-Length", 0)))
        if size > MAX_BYTES:
            self.rfile.read(min(size, 2 * MAX_BYTES))  # a client reads the answer after it has sent its text
            return self.reply(413, {"error": f"the body must have at most {MAX_BYTES} bytes"})
        try:
            texts = read_texts(self.rfile.read(size))
        except (ValueError, KeyError, TypeError) as error:  # JSON errors are ValueErrors
            return self.reply(400, {"error": str(error)})
        self.reply(200, [{key: each[key] for key in ("label", "probability")} for each in self.predict(texts)])


# %% [markdown]
# The server runs in a thread of this process, on a free port.


# %%
def start(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)  # port 0: any free one
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


# %% [markdown]
# A client. It sends a request and returns the status and the answer.


# %%
def ask(url, value=None):
    data = None if value is None else json.dumps(value).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


server, url = start(PredictHandler)
print(ask(f"{url}/health"))
status, answers = ask(f"{url}/predict", {"texts": texts})
print(status, answers)

# %% [markdown]
# Now the checks: the same labels and probabilities as in section 1, status 400, 413 or 404 for seven bad requests, and
# a server that stops.

# %%
expected = reference.max(-1)
np.testing.assert_allclose([each["probability"] for each in answers], expected, atol=1e-4)
assert [each["label"] for each in answers] == [labels[i] for i in reference.argmax(-1)]
for bad in ({"texts": []}, {"texts": ["a"] * 33}, {"texts": [""]}, {"text": "a"}, ["a"]):
    status, answer = ask(f"{url}/predict", bad)
    assert status == 400 and "error" in answer, (bad, status)
assert ask(f"{url}/predict", {"texts": ["a" * MAX_BYTES]})[0] == 413
assert ask(f"{url}/nothing")[0] == 404
server.shutdown()
server.server_close()
print("the same answers over HTTP; bad requests get 400, 413 and 404; the server is stopped")

# %% [markdown]
# To reach it from other machines, a server listens on their network's address in place of 127.0.0.1. Then it also needs
# encryption and a check of who asks; usually a separate program in front of it, a reverse proxy, does both.
#
# ## 6 · Dynamic batching, by hand
#
# Sixteen clients ask at the same time, one text per request. Without batching the model is called for each request.
# *Dynamic batching* waits a few milliseconds, collects the texts that have arrived, and calls the model once. Here it
# is: a list of waiting texts, a lock, and a thread. The threads of the requests and this thread all change the list;
# the lock lets only one of them do so at a time. A `Future` is an object for a result that comes later: the thread of a
# request waits for it.


# %%
class Batcher:
    def __init__(self, predict, wait=0.005):
        self.predict, self.wait, self.sizes, self.waiting = predict, wait, [], []
        self.lock = threading.Condition()
        threading.Thread(target=work, args=(self,), daemon=True).start()

    def __call__(self, texts):  # in the thread of a request
        future = concurrent.futures.Future()
        with self.lock:
            self.waiting.append((texts, future))
            self.lock.notify()
        return future.result()  # waits until `work` has set it


# %% [markdown]
# `work` runs in one thread of its own. It calls the model once for all waiting texts, and gives each request its own
# answers.


# %%
def work(batcher):
    while True:
        with batcher.lock:
            batcher.lock.wait_for(lambda: batcher.waiting)
        time.sleep(batcher.wait)  # more requests may arrive
        with batcher.lock:
            batch, batcher.waiting = batcher.waiting, []
        answers = iter(batcher.predict([text for texts, _ in batch for text in texts]))
        batcher.sizes.append(len(batch))
        for texts, future in batch:
            future.set_result([next(answers) for _ in texts])


# %% [markdown]
# (A real one also handles errors of the model and limits the size of a batch.) The experiment: the same 48 requests,
# with and without the batcher. The control is that each client gets the answer to *its* text.

# %%
requests = [f"{text} {i}" for i, text in enumerate(texts * 12)]  # 48 of them
alone = [each["probability"] for each in predictor(requests)]


def measure(predict):
    server, url = start(type("Served", (PredictHandler,), {"predict": staticmethod(predict)}))
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        begin = time.perf_counter()
        replies = list(pool.map(lambda text: ask(f"{url}/predict", {"texts": [text]}), requests))
        seconds = time.perf_counter() - begin
    server.shutdown()
    server.server_close()
    np.testing.assert_allclose([answer[0]["probability"] for _, answer in replies], alone, atol=1e-3)
    return seconds


# %%
batcher = Batcher(predictor)
seconds = {"without": measure(predictor), "with": measure(batcher)}
assert sum(batcher.sizes) == len(requests) and len(batcher.sizes) < len(requests)
print(f"requests per call: {batcher.sizes}; time ratio {seconds['with'] / seconds['without']:.2f}")
plot = kb.explain.bar_chart(
    {"one call per request": len(requests), "dynamic batching": len(batcher.sizes)},
    "Calls of the model for 48 requests of sixteen clients.",
    "calls",
    number_format="{:.0f}",
)
chapter.show(plot, "batching")

# %% [markdown]
# *Look at* the second bar: the same requests need fewer calls, and every client gets its own answer. Is it faster? The
# printed time ratio says it for this machine and one run; below 1 is faster. A call has fixed costs, and section 4
# printed how much less a text in a batch needs. But each request also waits for the others, so with few clients, or on
# a machine that is busy with other programs, batching can cost time. On a GPU the gain is usually larger (not measured
# here).
#
# ## 7 · What a serving engine adds
#
# Engines such as TensorFlow Serving, NVIDIA Triton and KServe do what this chapter did, and more. Not each of them does
# all of the following; a part is often done by the platform on which they run, such as Kubernetes:
#
# - **Dynamic batching.** They collect requests as in section 6, with limits for the waiting time and for the batch. On
#   a GPU, many rows often need little more time than one (not measured here).
# - **Replicas.** Several processes or machines hold the same model, and a load balancer distributes the requests. When
#   one fails, the others answer.
# - **Health checks.** Each replica is asked regularly whether it works and whether the model is loaded. A
#   replica that does not answer gets no requests and is started again.
# - **Versions.** The folder of a SavedModel has its number as its name for TensorFlow Serving, such as `reviews/1`. A
#   new model is loaded while the old one still answers, can get a small part of the requests first, and replaces the
#   old one without a pause. If its answers are worse, one goes back to the old one.
#
# ## What could mislead you
#
# - **"It runs" is not "it gives the same answers".** The control of section 2 exchanged two tokens: no error, other
#   probabilities. Compare outputs on real texts after every export.
# - **Times of one process on one machine.** They say which format is faster *here*. Measure on the machine that serves.
# - **A mean or a shortest time hides the slow requests.** This chapter compares shortest times, because they vary
#   least. For users the slowest requests matter: measure percentiles under the expected load. The 99th percentile is
#   the time that 99 of 100 requests do not exceed (exercise 1).
# - **The model is not all of the time.** A request also needs time for vectorization, JSON and HTTP. Measure whole
#   requests.
# - **A SavedModel is a program.** Load only those that you trust (`SECURITY.md`).
#
# ## Summary
#
# - An export contains weights, vocabulary, tokenization and labels. A SavedModel takes texts; ONNX and LiteRT take ids.
# - Equal outputs are asserted, not assumed. int8 is another model.
# - The time depends on T and B: pad to the longest text of the batch. Batch requests that arrive together if a
#   measurement shows that it saves time.
# - A server limits what it reads and answers bad requests with one line.
# - More outputs and settings of the three formats, also from the command line: [exports](../docs/guides/export.md). The
#   folders of TensorFlow Serving, Triton and OpenVINO: [serving engines](../docs/guides/serving.md).
#
# ## Exercises
#
# 1. Measure the time of 200 requests to the server of section 5, one after another. What are the median and the 99th
#    percentile?
# 2. Add a cache: a request with a text that was asked before must not call the model. Show that it is not called.
# 3. Two texts of 4 and 100 tokens are in one batch, padded to 100. How much more time does the padded batch need than
#    two calls? When is one batch better in spite of it?
#
# Solutions: [solutions/14_serving.py](solutions/14_serving.py).
#
# ## Next
#
# [Chapter 15](15_your_own_data.py) starts with a table of your own and ends with a folder that the server of this
# chapter can use.
