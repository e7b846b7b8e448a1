"""run.yaml: every setting of a run, defaults written out. A `Config` as plain YAML, and strictly back.

netc, versions         what made the run
status, step, problem  running, finished, interrupted or failed; the steps that the weights have had; why
files                  the kept copies of the .net file (net.net) and of what it uses, and what each was
folder, data           where paths in the recipe start; the folder of the data (`--data`)
from_python            whether the data were given as Python arrays, so that the command line cannot repeat it
net, parameters        the net, and its parameters as .net text
net_hash               of the net's IR, so that a run that goes on knows whether its net is the same
recipe, train          the recipe, and its fields as .net text; metrics by name, lists of `constrain` and `adjust`
fingerprint            the data's fields as the net gets them: count and checksum; of a set on disk also its files
fields                 the data's fields before preparation, and the numbers that `prepare` took from them
classes                the names of the classes of a field, in order, where the data have any
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from netc.api import spell
from netc.problems import RunError, did_you_mean
from netc.recipes.fields import FIELDS, STATEMENTS
from netc.recipes.problems import BadConfig
from netc.training.prepare import PREPARERS, Field
from netc.training.run import CONFIG, SOURCE

LARGEST_FILE = 2**20
MOST_NAMES = 2**18
"""Characters; names of classes that have more are not kept."""
STATUSES = ("running", "finished", "interrupted", "failed")


@dataclass(frozen=True)
class Config:
    """What run.yaml says; texts are in the language of .net files."""

    files: Mapping[str, str]
    folder: str
    net: str
    recipe: str
    train: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    data: str | None = None
    from_python: bool = False
    net_hash: str = ""
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Field] = field(default_factory=dict)
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    status: str = "running"
    step: int = 0
    problem: str | None = None
    netc: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """The net's parameters and the recipe's fields as settings for the check."""
        metrics = "[" + ", ".join(self.train.get("metric", {}).values()) + "]"
        train = {**self.train, **({"metric": metrics} if "metric" in self.train else {})}
        for word in train.keys() & set(STATEMENTS):
            train[word] = f" {word} ".join(train[word])
        return {
            **{f"net.{name}": text for name, text in self.parameters.items()},
            **{f"train.{name}": text for name, text in train.items()},
        }


ORDER = (
    *("netc", "versions", "status", "step", "problem", "files", "folder", "data", "from_python"),
    *("net", "parameters", "net_hash", "recipe", "train", "fingerprint", "fields", "classes"),
)


def dump(config: Config) -> bytes:
    """A configuration as YAML."""
    plain = asdict(config)
    plain["fields"] = {name: dump_field(kept) for name, kept in config.fields.items()}
    ordered = {key: plain[key] for key in ORDER}
    return yaml.safe_dump(ordered, sort_keys=False, width=math.inf, allow_unicode=True).encode()


def dump_field(kept: Field) -> dict[str, Any]:
    return {**asdict(kept), "shape": list(kept.shape), "steps": list(kept.steps)}


def read_config(path: Path) -> Config:
    """The configuration in a run.yaml, or `RunError` with what is wrong in it."""
    given = read_yaml(path)
    reader = Reader(path)
    if not isinstance(given, dict):
        raise reader.bad("", f"it holds {named_kind(given)}, and keys with values are needed")
    required = {f.name for f in fields(Config)} & {"files", "folder", "net", "recipe", "train"}
    for key in given:
        if key not in READERS:
            raise reader.bad(str(key), "there is no such key", did_you_mean(str(key), READERS))
    for key in READERS:
        if key in required and key not in given:
            raise reader.bad(key, "it is missing")
    return Config(**{key: READERS[key](reader, key, value) for key, value in given.items()})


def read_yaml(path: Path) -> Any:
    reader = Reader(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise reader.bad("", "it is larger than 1 MB")
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as failure:
        raise reader.bad("", failure.strerror or str(failure)) from failure
    except UnicodeDecodeError as failure:
        raise reader.bad("", "it is not UTF-8 text") from failure
    except yaml.MarkedYAMLError as failure:
        line = f" in line {failure.problem_mark.line + 1}" if failure.problem_mark else ""
        raise reader.bad("", f"it is not plain YAML: {failure.problem}{line}") from failure
    except (yaml.YAMLError, RecursionError, ValueError) as failure:
        raise reader.bad("", f"it is not plain YAML: {' '.join(str(failure).split())}") from failure


@dataclass(frozen=True)
class Reader:
    """Reads the values of a run.yaml, each of the type that its key asks for."""

    path: Path

    def bad(self, key: str, reason: str, way_out: str = "") -> RunError:
        return RunError([BadConfig(path=str(self.path), key=key, reason=reason, way_out=way_out)])

    def wrong(self, key: str, wanted: str, value: object) -> RunError:
        return self.bad(key, f"{wanted} is needed, and {named_kind(value)} is given")

    def text(self, key: str, value: object) -> str:
        if not isinstance(value, str):
            raise self.wrong(key, "a text", value)
        return value

    def text_or_none(self, key: str, value: object) -> str | None:
        return None if value is None else self.text(key, value)

    def truth(self, key: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false", value)
        return value

    def count(self, key: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.wrong(key, "a whole number", value)
        return value

    def number(self, key: str, value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            raise self.wrong(key, "a number", value)
        return float(value)

    def status(self, key: str, value: object) -> str:
        if value not in STATUSES:
            raise self.bad(key, f"`{value}` is none of {', '.join(STATUSES)}")
        return str(value)

    def mapping(self, key: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
            raise self.wrong(key, "keys with values", value)
        return value

    def texts(self, key: str, value: object) -> dict[str, str]:
        return {name: self.text(f"{key}.{name}", item) for name, item in self.mapping(key, value).items()}

    def files(self, key: str, value: object) -> dict[str, str]:
        found = self.texts(key, value)
        if SOURCE not in found:
            raise self.bad(key, f"`{SOURCE}` is missing")
        for name in found:
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise self.bad(f"{key}.{name}", "kept files stand in the run's folder")
        return found

    def lists(self, key: str, value: object) -> dict[str, list[str]]:
        return {name: self.statements(f"{key}.{name}", item) for name, item in self.mapping(key, value).items()}

    def expressions(self, key: str, value: object) -> dict[str, str]:
        return {name: self.expression(f"{key}.{name}", item) for name, item in self.mapping(key, value).items()}

    def statements(self, key: str, value: object) -> list[str]:
        if not isinstance(value, list):
            raise self.wrong(key, "a list of texts", value)
        return [self.text(key, item) for item in value]

    def expression(self, key: str, value: object) -> str:
        """A text in the language; YAML may read it as a number or truth."""
        if not isinstance(value, str | int | float):
            raise self.wrong(key, "a text", value)
        return spell(value)

    def train(self, key: str, value: object) -> dict[str, Any]:
        known = [*STATEMENTS, *(f.name for f in FIELDS if not f.planned)]
        readers = {"metric": self.expressions, **dict.fromkeys(STATEMENTS, self.statements)}
        found: dict[str, Any] = {}
        for name, item in self.mapping(key, value).items():
            if name not in known:
                raise self.bad(f"{key}.{name}", "a recipe has no such field", did_you_mean(name, known))
            found[name] = readers.get(name, self.expression)(f"{key}.{name}", item)
        return found

    def fields(self, key: str, value: object) -> dict[str, Field]:
        return {name: self.field(f"{key}.{name}", item) for name, item in self.mapping(key, value).items()}

    def field(self, key: str, value: object) -> Field:
        found = self.mapping(key, value)
        if found.keys() != {f.name for f in fields(Field)}:
            raise self.bad(key, f"it has {', '.join(found)}, and {', '.join(f.name for f in fields(Field))} are needed")
        shape, steps = found["shape"], found["steps"]
        if not isinstance(shape, list):
            raise self.wrong(f"{key}.shape", "a list of whole numbers", shape)
        if not isinstance(steps, list):
            raise self.wrong(f"{key}.steps", "a list", steps)
        return Field(
            tuple(self.count(f"{key}.shape", extent) for extent in shape),
            self.text(f"{key}.element", found["element"]),
            self.number(f"{key}.smallest", found["smallest"]),
            self.number(f"{key}.largest", found["largest"]),
            tuple(self.step(f"{key}.steps", step) for step in steps),
        )

    def step(self, key: str, value: object) -> dict[str, Any]:
        """A fitted step of a preparation: its kind, and numbers or lists of numbers."""
        found = self.mapping(key, value)
        preparer = PREPARERS.get(str(found.get("kind")))
        if preparer is None or not preparer.needs <= found.keys():
            raise self.bad(key, f"{found} is no step of a preparation")
        for name, item in found.items():
            if name == "kind" or isinstance(item, bool):
                continue
            for number in item if isinstance(item, list) else [item]:
                self.number(f"{key}.{name}", number)
        return found


READERS: dict[str, Callable[[Reader, str, Any], Any]] = {
    "netc": Reader.text,
    "versions": Reader.texts,
    "status": Reader.status,
    "step": Reader.count,
    "problem": Reader.text_or_none,
    "files": Reader.files,
    "folder": Reader.text,
    "data": Reader.text_or_none,
    "from_python": Reader.truth,
    "net": Reader.text,
    "net_hash": Reader.text,
    "fingerprint": Reader.texts,
    "parameters": Reader.expressions,
    "recipe": Reader.text,
    "train": Reader.train,
    "fields": Reader.fields,
    "classes": Reader.lists,
}


def named_kind(value: object) -> str:
    """What a value of YAML is, for people."""
    kinds = {type(None): "nothing", str: "a text", bool: "a truth", int: "a number", float: "a number"}
    return kinds.get(type(value)) or {list: "a list", dict: "keys with values"}.get(type(value), type(value).__name__)


def config_path(path: Path) -> Path:
    """A run.yaml, also by the folder that it stands in."""
    return path / CONFIG if path.is_dir() else path
