"""Who may import whom, read from the imports of every module."""

import ast
import graphlib
import importlib
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OTHERS = {"node_modules", "tests"}  # folders that are no part of the product

# {layer: the layers that it may import}
MAY_IMPORT = {
    "server": {"commands", "handlers", "services", "models", "database", "security", "settings"}
    | {"listening"},
    "handlers": {"services", "schemas", "models", "database", "trading", "security", "settings"}
    | {"network"},
    "commands": {"services", "schemas", "models", "database", "trading", "security", "settings"}
    | {"network"},
    "services": {"schemas", "models", "database", "trading", "security"},
    "schemas": {"models", "trading"},
    "models": {"database", "trading", "security"},
    "database": set(),
    "trading": set(),
    "security": set(),
    "network": set(),
    "listening": set(),
    "settings": {"network", "trading"},
    "local": {"handlers", "settings"},
    "demo": set(),
    "deploy": {"settings"},
    "bench": {"database", "listening", "models", "security", "server", "services", "settings"},
}
HTTP_ONLY_IN = {"server", "handlers", "listening", "bench"}
SQL_ONLY_IN = {"database", "models", "services", "schemas", "handlers", "server", "bench"}


def modules():
    """{dotted name: path} of all modules of the product."""
    paths = [*ROOT.glob("*.py")]
    for folder in ROOT.iterdir():
        environment = folder.name.startswith(".") or (folder / "pyvenv.cfg").exists()
        if folder.is_dir() and folder.name not in OTHERS and not environment:
            paths += folder.rglob("*.py")
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}


MODULES = modules()
TESTS = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in (ROOT / "tests").rglob("*.py")
}


@cache
def parsed(path):
    """The syntax tree of a module."""
    return ast.parse(path.read_text("utf-8"))


@cache
def imported(path):
    """The dotted names that a module imports, also inside functions."""
    names = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full here"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def layer(name):
    """The layer that a module belongs to."""
    return name.partition(".")[0]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_the_layers_below_its_own(name):
    mine = layer(name)
    assert mine in MAY_IMPORT, "a new module needs a place in the order of imports"
    ours = {layer(each) for each in imported(MODULES[name])} & set(MAY_IMPORT)
    assert ours - {mine} <= MAY_IMPORT[mine]


@pytest.mark.parametrize("name", [each for each in MODULES if layer(each) != "bench"])
def test_only_benchmarks_borrow_from_the_tests(name):
    assert "tests" not in {layer(each) for each in imported(MODULES[name])}


def test_the_layers_are_in_an_order():
    graphlib.TopologicalSorter(MAY_IMPORT).prepare()


def needed(path, known):
    """The modules that a module needs; for a package its named module, or else its `__init__`."""
    for node in ast.walk(parsed(path)):
        names = []
        if isinstance(node, ast.Import):
            names = [(alias.name, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(f"{node.module}.{alias.name}", node.module) for alias in node.names]
        for name, package in names:
            places = (name, f"{name}.__init__", package, f"{package}.__init__")
            yield from [each for each in places if each in known][:1]


@pytest.mark.slow
def test_no_modules_import_each_other_in_a_circle():
    """Also imports inside functions, and those of the tests, which share code with benchmarks."""
    known = MODULES | TESTS
    graph = {name: set(needed(path, known)) - {name} for name, path in known.items()}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("name", [each for each in MODULES if layer(each) == "trading"])
def test_the_domain_imports_the_standard_library_only_and_its_hours_the_calendars(name):
    zones = {"pytz", "holidays"} if name == "trading.hours" else set()
    others = {layer(each) for each in imported(MODULES[name])} - {"trading"}
    assert others <= sys.stdlib_module_names | zones


# What handlers share, from the bottom up: each imports only what stands before it. A module of a
# subject imports these and no other subject; `app` puts all of them together.
SHARED = (
    *("errors", "contract", "gate", "identity", "base", "bodies", "lists", "static", "page"),
    "markdown",
)


@pytest.mark.parametrize("name", [each for each in MODULES if layer(each) == "handlers"])
def test_handlers_import_what_is_shared_and_never_each_other(name):
    mine = name.rpartition(".")[2]
    if mine == "app":
        return
    siblings = {
        each.split(".")[1] for each in imported(MODULES[name]) if each.startswith("handlers.")
    }
    below = SHARED[: SHARED.index(mine)] if mine in SHARED else SHARED
    assert siblings <= set(below)


@pytest.mark.parametrize("name", MODULES)
def test_tornado_stays_with_the_handlers_and_peewee_out_of_pure_code(name):
    used = {layer(each) for each in imported(MODULES[name])}
    assert "tornado" not in used or layer(name) in HTTP_ONLY_IN
    assert not used & {"peewee", "playhouse", "sqlite3"} or layer(name) in SQL_ONLY_IN


def handler_modules():
    """The modules with handlers: all except the shared ones and `app`."""
    others = {f"handlers.{each}" for each in (*SHARED, "app", "__init__")}
    return [each for each in MODULES if layer(each) == "handlers" and each not in others]


@pytest.mark.parametrize("name", handler_modules())
def test_every_handler_module_ends_in_its_routes(name):
    last = parsed(MODULES[name]).body[-1]
    assert isinstance(last, ast.Assign)
    assert [target.id for target in last.targets] == ["routes"]
    assert isinstance(last.value, ast.List), "one flat list"


def test_every_modules_routes_are_served():
    served = importlib.import_module("handlers.app").ROUTES
    for name in handler_modules():
        for route in importlib.import_module(name).routes:
            assert route in served


@pytest.mark.parametrize("name", [each for each in MODULES if each.endswith("__init__")])
def test_no_package_hands_names_on(name):
    assert len(parsed(MODULES[name]).body) <= 1, "a docstring at most"


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for(name):
    assert ast.get_docstring(parsed(MODULES[name]))


@pytest.mark.parametrize("path", [*(ROOT / "demo").glob("*.py")], ids=lambda path: path.stem)
def test_the_demo_is_a_client_that_knows_nothing_of_the_server(path):
    assert {layer(each) for each in imported(path)} - {"demo"} <= sys.stdlib_module_names
