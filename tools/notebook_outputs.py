"""Clean the outputs of an executed notebook: the same in every run, small, and without logs of native code."""

import base64
import io
import re

import nbformat
from PIL import Image

# The logs of TensorFlow and of its C++ code, which are written to standard error also where TF_CPP_MIN_LOG_LEVEL is 3.
LOG = re.compile(
    r"WARNING: All log messages before absl::InitializeLog|[IWEF]\d{4} \d\d:\d\d:\d\d"
    r"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: |To enable the following instructions:|\s*$"
    r"|INFO:tensorflow:|INFO: Created TensorFlow Lite"
)
COLORS = 256  # of an image with a palette


def clean(outputs: list, *folders: str) -> list:
    """Return the outputs of one cell for a committed notebook.

    Args:
        outputs: the outputs of an executed cell.
        folders: paths that are removed from texts: those of the folder in which the notebook ran.

    Returns:
        The outputs. Lines of TensorFlow's log are removed, other lines of standard error are kept, and images have a
        palette. Neighboring texts of one stream are joined; a text stays on its side of an image.
    """
    kept = []
    for output in outputs:
        output = nbformat.from_dict(output)
        if output.output_type == "stream":
            output.text = _without_folders(output.text, folders)
            if output.name == "stderr":
                output.text = "".join(line for line in output.text.splitlines(True) if not LOG.match(line))
            if not output.text:
                continue
            if kept and kept[-1].output_type == "stream" and kept[-1].name == output.name:
                kept[-1].text += output.text
                continue
        for kind, content in output.get("data", {}).items():
            if kind == "image/png":
                output.data[kind] = base64.b64encode(small_png(base64.b64decode(content))).decode()
            elif isinstance(content, str):
                output.data[kind] = _without_folders(content, folders)
        kept.append(output)
    return kept


def small_png(content: bytes) -> bytes:
    """Return the image with a palette of at most 256 colors, if this is smaller."""
    image = Image.open(io.BytesIO(content)).convert("RGB")
    exact = image.getcolors(COLORS)
    palette = image.quantize(len(exact) if exact else COLORS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    palette.save(packed, "png", optimize=True)
    return min(packed.getvalue(), content, key=len)


def _without_folders(text: str, folders: tuple[str, ...]) -> str:
    for folder in folders:
        text = text.replace(f"{folder}/", "").replace(folder, ".")
    return text
