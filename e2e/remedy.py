"""Loads the code of `remedies/` as it stands there, for the applications beside this file."""

import importlib.util
from pathlib import Path

REMEDIES = Path(__file__).parents[1] / "remedies"


def remedy(name, framework):
    """Returns the module `remedies/{name}/{framework}.py`."""
    path = REMEDIES / name / f"{framework}.py"
    spec = importlib.util.spec_from_file_location(f"{name}_{framework}".replace("-", "_"), path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
