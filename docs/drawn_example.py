# SPDX-License-Identifier: Apache-2.0
"""The picture in the tutorial."""

from pathlib import Path

from nvfuser import FusionDefinition, draw, ops


def write(folder: Path) -> None:
    """Writes softmax.svg into a folder."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[True, True])
        e = ops.exp(x - ops.max(x, 1, keepdim=True))
        fd.add_output(e / ops.sum(e, 1, keepdim=True))
    path, text = folder / "softmax.svg", draw(fd)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
