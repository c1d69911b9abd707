"""Every public definition of the package says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("degradations", "utils", "medqdeg_tasks")
MODULES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _undocumented(tree: ast.Module) -> Iterator[str]:
    """Yield what lacks a docstring: the module, its public functions and classes, their public methods.

    Exempt are names with an underscore (dunder methods too), what is defined inside a function, the stubs of an
    overload, and what overrides a documented method of a class in the same module.
    """
    if not ast.get_docstring(tree):
        yield "the module"
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in _public(tree.body):
        if not ast.get_docstring(node):
            yield node.name
        if isinstance(node, ast.ClassDef):
            bases = [classes[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in classes]
            inherited = {method.name for base in bases for method in _public(base.body) if ast.get_docstring(method)}
            for method in _public(node.body):
                if not ast.get_docstring(method) and method.name not in inherited:
                    yield f"{node.name}.{method.name}"


def _public(body: list[ast.stmt]) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            if not decorators & {"overload", "typing.overload"}:
                yield node


@pytest.mark.parametrize("folder", FOLDERS)
def test_public_definitions_have_a_docstring(folder: str) -> None:
    modules = [path for path in MODULES if path.is_relative_to(ROOT / folder)]
    assert modules
    lacking = [
        f"{path.relative_to(ROOT)}: {name}" for path in modules for name in _undocumented(ast.parse(path.read_text()))
    ]
    assert lacking == []


def test_what_is_found() -> None:
    source = '''
"""A module."""
from typing import overload

@overload
def many(x: int) -> int: ...
def many(x): pass
def _private(): pass

class Base:
    """A class."""
    def said(self):
        """Say."""
    def unsaid(self): pass
    def __len__(self): return 0

class Derived(Base):
    def said(self): pass
    async def unsaid(self): pass
'''
    assert list(_undocumented(ast.parse(source))) == ["many", "Base.unsaid", "Derived", "Derived.unsaid"]
    assert list(_undocumented(ast.parse("x = 1"))) == ["the module"]
