"""What a class's own lines say of its attributes, whatever is kept of it at run time."""

from __future__ import annotations

import ast
import gc
import inspect


def annotations_of(written: type) -> dict[str, str]:
    """By the attribute's name, its type as it is written."""
    # Python 3.11 breaks a parse off where other tests' garbage is told of meanwhile.
    gc.collect()
    [definition] = ast.parse(inspect.getsource(written)).body
    assert isinstance(definition, ast.ClassDef)
    return {
        ast.unparse(line.target): ast.unparse(line.annotation)
        for line in definition.body
        if isinstance(line, ast.AnnAssign)
    }
