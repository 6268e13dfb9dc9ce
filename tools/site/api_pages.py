"""Write the pages of the API reference: one per subject, each name with the chapters that use it."""

import ast
import importlib
import inspect
import sys
from pathlib import Path

from tools.chapters import code_cells, read_chapter, title

REST = ""  # the names of the module's `__all__` that are on no other page
# Page to its title, its module, and its names; every public name is on one page.
PAGES = {
    "models": (
        "Models",
        "keras_bert",
        "BertConfig PRESETS BertEncoder BertPretrainer BertClassifier BertSpanLabeler BertTokenClassifier "
        "BertFeatureClassifier FromLogits",
    ),
    "text": ("Text", "keras_bert", "BertTextVectorization learn_vocabulary load_vocabulary save_vocabulary"),
    "data": ("Data", "keras_bert", "load_labeled load_corpus pack_files load_packed"),
    "training": ("Training", "keras_bert", "TrainingConfig pretrain finetune distill fit_features"),
    "inference": ("Inference", "keras_bert", "Predictor evaluate format_metrics embed fill_mask"),
    "weights": (
        "Weights and files",
        "keras_bert",
        "load_pretrained list_pretrained save_pretrained load_weights convert compare export_saved_model export_onnx "
        "export_litert InputError",
    ),
    "layers": ("Layers", "keras_bert.layers", REST),
    "attributions": (
        "Attributions",
        "keras_bert.explain",
        "integrated_gradients gradient_x_input gradient occlusion layer_integrated_gradients layer_conductance "
        "faithfulness randomization_test Attribution LayerAttributions Faithfulness Randomization",
    ),
    "attention": (
        "Attention",
        "keras_bert.explain",
        "attention attention_maps attention_rollout attention_flow attention_statistics attention_correlations "
        "head_ablation Attention AttentionStatistics AttentionCorrelations",
    ),
    "geometry": (
        "Geometry of the layers",
        "keras_bert.explain",
        "word_in_context layer_distances similarity_map embeddings logit_lens contextuality self_similarity "
        "intra_sentence_similarity anisotropy maximum_explainable_variance cka linear_cka connectivity",
    ),
    "figures": ("Figures and pages", "keras_bert.explain", REST),
    "book": ("The chapters' helper", "keras_bert.book", "Chapter minilm_folder"),
}
NAMESPACES = ("explain", "layers")  # public names that are modules, with a page each
DATA = {"PRESETS": "The published sizes: a dict of the name of a model to the fields of its `BertConfig`."}
RESULTS = {"attributions": ("Target", "TokenizedText"), "figures": ("Figure",)}  # other classes that users meet
# Members that a class inherits from these are documented by Keras.
INHERITED = "Model, Layer, Loss, Optimizer, object, tuple, dict, str, ValueError"


def names_of(page: str) -> list[str]:
    """Return the names on a page."""
    _, module, names = PAGES[page]
    if names != REST:
        return names.split()
    others = {name for _, other, listed in PAGES.values() if other == module for name in listed.split()}
    return [name for name in importlib.import_module(module).__all__ if name not in others]


def write(folder: Path, sources: list[Path]) -> list[str]:
    """Write the pages.

    Args:
        folder: of the pages; it is created.
        sources: files of the chapters.

    Returns:
        The names of the pages.
    """
    folder.mkdir(parents=True)
    used = {source: names_used(source) for source in sources}
    for page, (heading, module, _) in PAGES.items():
        lines = [heading, "=" * len(heading), "", *_module(page, module)]
        for name in names_of(page):
            lines += _entry(module, name, [source for source in sources if f"{module}.{name}" in used[source]])
        for name in RESULTS.get(page, ()):
            lines += _entry(_defining_module(module, name), name, [])
        (folder / f"{page}.rst").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return list(PAGES)


def _module(page: str, module: str) -> list[str]:
    """Return the lines that declare the module; only one page declares a module for the index."""
    first = next(other for other, (_, declared, _) in PAGES.items() if declared == module)
    public = module.replace("keras_bert", "kb", 1)
    text = f"After ``import keras_bert as kb``, a name below is ``{public}.name``."
    if page == "book":
        text = f"``from {module} import Chapter``: what the notebooks of the book share."
    return [f".. py:{'module' if first == page else 'currentmodule'}:: {module}", "", text, ""]


def _defining_module(package: str, name: str) -> str:
    """Return the module of a package that defines a class; the package has been imported."""
    modules = {found: vars(module).get(name) for found, module in sys.modules.items() if found.startswith(package)}
    return next(found for found, value in modules.items() if getattr(value, "__module__", "") == found)


def _entry(module: str, name: str, users: list[Path]) -> list[str]:
    """Return the lines of one name."""
    value = getattr(importlib.import_module(module), name)
    if name in DATA:
        lines = [f".. py:data:: {name}", "", f"   {DATA[name]}", ""]
    elif inspect.isclass(value):
        lines = [f".. autoclass:: {module}.{name}", "   :members:", f"   :inherited-members: {INHERITED}", ""]
    else:
        lines = [f".. autofunction:: {module}.{name}", ""]
    if users:
        links = ", ".join(f":doc:`{title(user)} </book/{user.stem}>`" for user in users)
        lines += [f"   *Used in* {links}", ""]
    return lines


def names_used(source: Path) -> set[str]:
    """Return the dotted names of the package that a chapter uses, such as `keras_bert.explain.bar_chart`."""
    aliases, found = {}, set()
    for cell in code_cells(read_chapter(source)):
        for node in ast.walk(ast.parse(cell)):
            if isinstance(node, ast.Import):
                aliases |= {each.asname or each.name.split(".")[0]: each.name for each in node.names if each.asname}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras_bert"):
                found |= {f"{node.module}.{each.name}" for each in node.names}
            elif isinstance(node, ast.Attribute):
                first, _, rest = ast.unparse(node).partition(".")
                if aliases.get(first, first).startswith("keras_bert"):
                    found.add(f"{aliases.get(first, first)}.{rest}")
    return found
