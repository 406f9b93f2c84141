"""The floors of the house: who may import whom, checked from the source."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import stackingnet_sk

ROOT = Path(stackingnet_sk.__file__).parent
MODULES = {
    ".".join(("stackingnet_sk", *path.relative_to(ROOT).with_suffix("").parts)): path
    for path in ROOT.rglob("*.py")
}
# A room may use the rooms of lower floors, and those of its own.
FLOORS = {
    "evidence": 0,
    "weights": 0.2,
    "_compat": 0,
    "_files": 0,
    "_state": 0,
    "_missing": 0,
    "_tables": 0,
    "_task": 0,
    "_text": 0,
    "_version": 0,
    "_warnings": 0,
    "cache": 0.5,
    "predictions": 1,
    "theory": 1,
    "datasets": 1.5,
    "constraints": 1,
    "ensemble": 2,
    "model_selection": 2,
    "inspection": 3,
    "__init__": 4,
    "report": 4.5,
    "demo": 5,
    "cli": 6,
}


def imports(path):
    """Every module named by an import statement, wherever it stands in the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def ours(path):
    return {
        name if name in MODULES else f"{name}.__init__"
        for name in imports(path)
        if name in MODULES or f"{name}.__init__" in MODULES
    }


def test_every_room_is_on_a_floor():
    assert {room(module) for module in MODULES} == set(FLOORS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_come_from_below(module):
    own = room(module)
    for imported in ours(MODULES[module]):
        other = room(imported)
        assert other == own or FLOORS[other] < FLOORS[own], f"{module} <- {imported}"


def test_no_cycles():
    # prepare() raises CycleError and names the modules.
    TopologicalSorter(
        {
            module: {name for name in ours(path) if not name.endswith("__init__")}
            for module, path in MODULES.items()
        }
    ).prepare()


@pytest.mark.parametrize(
    "module",
    [module for module in MODULES if room(module) in ("evidence", "weights", "theory")],
)
def test_mathematics_touches_arrays_only(module):
    allowed = {"numpy", "scipy", "stackingnet_sk"} | set(sys.stdlib_module_names)
    if module.endswith("cvxpy_solver"):
        allowed.add("cvxpy")
    outside = {name.split(".")[0] for name in imports(MODULES[module])} - allowed
    assert not outside
    forbidden = {"warnings", "random", "pathlib", "os"}
    if module.endswith("cvxpy_solver"):
        # Not to warn, but to silence what cvxpy itself says.
        forbidden.remove("warnings")
    assert not forbidden & set(imports(MODULES[module]))


@pytest.mark.parametrize("module", MODULES)
def test_private_sklearn_names_live_in_one_module(module):
    if room(module) == "_compat":
        return
    private = [
        name
        for name in imports(MODULES[module])
        if name.startswith("sklearn")
        and any(p.startswith("_") for p in name.split("."))
    ]
    assert not private


@pytest.mark.parametrize("module", MODULES)
def test_functions_can_be_read_at_once(module):
    """A body of over 60 lines, docstring left out, does more than one thing."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[ast.get_docstring(node) is not None :]
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 60, f"{module}.{node.name}"


def acts(node):
    """Tell whether a class has a public method, constructors left out."""
    if "Protocol" in {getattr(base, "id", "") for base in node.bases}:
        return False
    methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
    return any(
        not method.name.startswith("_")
        and not {getattr(each, "id", "") for each in method.decorator_list}
        & {"classmethod", "property", "cached_property"}
        for method in methods
    )


@pytest.mark.parametrize("module", MODULES)
def test_files_hold_one_public_idea(module):
    """Public classes of a file belong together: one names another, or all a third.

    A file of the public interface may hold several, as in scikit-learn. Records, which
    have no methods, belong to whatever they are beside.
    """
    if room(module) in ("model_selection", "_compat"):
        return
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    family = {node.name: {node.name} for node in tree.body if hasattr(node, "name")}
    for node in tree.body:
        # Annotations may be strings.
        words = [
            getattr(word, "id", getattr(word, "value", None)) for word in ast.walk(node)
        ]
        together = {word for word in words if isinstance(word, str) and word in family}
        together |= {node.name} & set(family) if hasattr(node, "name") else set()
        merged = set().union(*(family[name] for name in together))
        family |= dict.fromkeys(merged, merged)
    public = [node.name for node in classes if acts(node) and node.name[0] != "_"]
    assert not public or set(public) <= family[public[0]], public


def test_import_is_light():
    """Loads none of the heavy packages, unless scikit-learn does so by itself."""
    code = """
import sys
import sklearn.ensemble
before = set(sys.modules)
import stackingnet_sk
print([m for m in ("cvxpy", "pandas", "matplotlib") if m in set(sys.modules) - before])
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "kind", [stackingnet_sk.StackingNetRegressor, stackingnet_sk.StackingNetClassifier]
)
def test_estimators_are_no_tower(kind):
    """One base class of ours among those that scikit-learn's contract takes."""
    assert len(kind.__mro__) <= 12
    bases = [base for base in kind.__mro__[1:] if base.__module__.startswith("stack")]
    assert [base.__name__ for base in bases] == ["CombinerMixin"]
