"""A user's type checker sees all that is public: nothing is without a type."""

import inspect
import re
from importlib import import_module
from importlib.resources import files
from typing import get_type_hints

import pytest

MODULES = [
    import_module(name)
    for name in (
        "stackingnet_sk",
        "stackingnet_sk.inspection",
        "stackingnet_sk.model_selection",
        "stackingnet_sk.constraints",
        "stackingnet_sk.datasets",
        "stackingnet_sk.theory",
    )
]
PUBLIC = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in MODULES
    for name in module.__all__
    if name != "__version__"
}
ESTIMATORS = [
    name
    for name, thing in PUBLIC.items()
    if inspect.isclass(thing) and hasattr(thing, "fit")
]


def lineage(cls):
    """Return the classes of ours that it is made of; scikit-learn has no types."""
    return [
        base for base in cls.__mro__ if base.__module__.startswith("stackingnet_sk")
    ]


def functions(name):
    """Each function, public method and property of a public name."""
    thing = PUBLIC[name]
    if not inspect.isclass(thing):
        yield name, thing
        return
    for owner in lineage(thing):
        for own in vars(owner):
            if own == "__init__" or not own.startswith("_"):
                member = getattr(owner, own)
                member = getattr(member, "fget", member)
                if callable(member) and not inspect.isclass(member):
                    yield f"{name}.{own}", member


def untyped(function):
    """Names of parameters without an annotation, and "return"."""
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        if parameter.name != "self" and parameter.annotation is parameter.empty:
            yield parameter.name
    if signature.return_annotation is signature.empty:
        yield "return"


@pytest.mark.parametrize("name", PUBLIC)
def test_parameters_and_returns_have_types(name):
    assert not {own: list(untyped(f)) for own, f in functions(name) if any(untyped(f))}


@pytest.mark.parametrize("name", PUBLIC)
def test_types_can_be_read_at_run_time(name):
    """Names that only a type checker imports would fail tools that read signatures."""
    for _, function in functions(name):
        get_type_hints(inspect.unwrap(function))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_attributes_that_are_described_have_types(name):
    """Beside base classes without types, what `fit` sets would be anything."""
    doc = inspect.getdoc(PUBLIC[name])
    section = re.search(r"^Attributes\n-+\n(.*?)\n\n", doc, re.M | re.S)
    described = re.findall(r"^(\w.*?) : ", section[1], re.M)
    typed = set()
    for owner in lineage(PUBLIC[name]):
        typed |= set(inspect.get_annotations(owner)) | set(vars(owner))
    assert {each for line in described for each in line.split(", ")} <= typed


def test_type_checkers_are_told():
    """Without the marker of PEP 561 they ignore all types of an installed package."""
    assert files("stackingnet_sk").joinpath("py.typed").is_file()
