"""Imports point downwards, and each heavy library has one door."""

from __future__ import annotations

from house.walk import PACKAGE, Module, imports, package, top_imports
from qf.op import FAMILIES

ROWS = (
    ("errors", "schema", "schema_records", "schema_tables", "clock"),
    ("op", "signature", "kernel", "machine", "program"),  # and every other single file
    FAMILIES,
    ("language", "lower"),
    ("project", "feeds", "tape", "store", "sinks"),
    (
        *("engines", "live", "research", "models", "exchange", "testing", "proof", "simulator"),
        "gallery",
    ),
    ("cli", "serve", "integrations", "demo"),
)
ROW = {name: number for number, names in enumerate(ROWS) for name in names}

# Within a row only these pairs may import one another; rows 0 and 1 are single files in order.
SIBLINGS = {
    ("lower", "language"),
    ("tape", "feeds"),  # the tape is what the mappers' records become
    ("proof", "engines"),  # a proof runs what a run does
    ("engines", "testing"),  # the seeded market is the provider that works offline
    ("live", "engines"),  # the same plan, routes and tables as in a batch run
    ("sinks", "store"),  # rows become Arrow and Parquet in one place
    ("exchange", "testing"),  # its truth is the seeded market
    ("simulator", "live"),  # what is simulated
    ("simulator", "exchange"),
    ("simulator", "engines"),  # the batch that the live numbers are held against
    ("simulator", "testing"),
    ("gallery", "engines"),  # every type, computed as a run computes it
    ("cli", "demo"),  # a command, like the others
}
FEEDS_KNOW = ("errors", "schema", "clock")

DOORS = {
    "numba": ("kernel_compiler",),
    "llvmlite": ("kernel", "kernel_compiler", "machine_code"),
    "polars": ("lower.to_polars", "store", "tape", "engines", "research", "testing"),
    "pyarrow": ("store", "tape", "engines", "research"),
    "duckdb": ("store",),
    "distributed": ("engines.executors",),
    "yaml": ("project",),
    "pydantic": ("project", "serve"),
    "click": ("cli",),
    "rich": ("cli",),
    "fastapi": ("serve",),
    "torch": ("models",),
    "onnxruntime": ("models",),
    "aiohttp": ("feeds", "live", "exchange"),
    "picows": ("feeds", "live", "exchange"),
}


def folder(dotted: str) -> str:
    return dotted.split(".", maxsplit=1)[0]


def within(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(place + ".") for place in places)


def is_legal(source: str, target: str) -> bool:
    if source == target or (row(source) <= 1 and row(target) <= row(source)):
        return True
    if source == "feeds":
        return target in FEEDS_KNOW
    if row(source) == 2:
        return row(target) <= 1
    return row(target) < row(source) or (source, target) in SIBLINGS


def row(name: str) -> int:
    """Return the row of a folder or single file; a file the table does not name is of row 1."""
    if name not in ROW and (PACKAGE / f"{name}.py").is_file():
        return 1
    return ROW[name]


def wrong_imports(modules: tuple[Module, ...]) -> list[str]:
    """Return `place:line source -> target` for every import that does not point downwards."""
    found = []
    for module in modules:
        source = folder(module.name)
        for line, name in imports(module.tree):
            if name.startswith("."):
                found.append(f"{module.place}:{line} a relative import hides its row")
            if not name.startswith("qf.") or source == "__init__":
                continue
            target = folder(name.removeprefix("qf."))
            if not is_legal(source, target):
                found.append(f"{module.place}:{line} {source} -> {target}")
    return found


def test_every_folder_has_a_row():
    folders = {folder(m.name) for m in package() if m.path.parent != PACKAGE}
    assert folders - {*ROW} == set()


def test_imports_point_downwards():
    assert wrong_imports(package()) == []


def test_each_heavy_library_has_one_door():
    found = []
    for module in package():
        for line, name in imports(module.tree):
            library = folder(name)
            if library not in DOORS or within(module.name, DOORS[library]):
                continue
            in_rule = library == "polars" and row(folder(module.name)) in (1, 2)
            if in_rule and (line, name) not in list(top_imports(module.tree)):
                continue  # a Polars rule imports polars inside itself
            found.append(f"{module.place}:{line} imports {library}")
    assert found == []
