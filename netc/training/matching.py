"""A recipe and its data brought together: loaded, checked against the net, and prepared."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from netc.check.augment import augmentations, refused
from netc.check.recipe import feeding_field
from netc.check.rows import data_entry
from netc.ir.network import Applied, Arithmetic, DataField, Output, Program, Recipe, Term
from netc.layers.base import Refusal
from netc.problems import RunError
from netc.recipes.prepare import PREPARATIONS, is_prepared
from netc.recipes.problems import DataMismatch
from netc.training.balance import balanced
from netc.training.data import load
from netc.training.data.examples import Arrays, Data, mismatch
from netc.training.data.place import placed
from netc.training.data.python import from_python
from netc.training.data.stored import extremes
from netc.training.data.values import check_values, check_whole
from netc.training.labels import check_transcriptions, is_transcribed, row_of
from netc.training.prepare import Field, fit_preparation
from netc.training.validation import split_off
from netc.types import F32, Element, Type

PREPARATION_ROWS = {row.kind: row for row in PREPARATIONS}


@dataclass(frozen=True)
class Matched:
    """A recipe that knows which field feeds which input, its data as the net takes them, and what they were before."""

    recipe: Recipe
    data: Data
    fields: dict[str, Field]
    views: tuple[Arrays, ...] = ()


def match(
    recipe: Recipe,
    program: Program,
    given: Any,
    base: Path,
    fields: Mapping[str, Field] | None = None,
    split: bool = True,
    views: Sequence[Mapping[str, Field]] = (),
    workers: int = 0,
) -> Matched:
    """Loads, checks and prepares the data of a recipe; raises `RunError` for whatever does not fit.

    `given` is None, a folder, or the data themselves; `base` is the folder of the .net file. `fields` are those of
    a run, whose preparation is then used instead of a new one; nothing is then trained, or split off for validation.
    `views` prepare the test set in other ways. So many `workers` read a set that stays on disk.
    """
    if is_folder(given):
        loaded = load(data_entry(recipe.data), None if given is None else Path(given), base)
    else:
        loaded = from_python(given, fields_of(recipe), split)
    loaded = placed(loaded, workers)
    check_values(loaded)
    recipe = replace(recipe, feeds=find_feeds(recipe, program, loaded.types))
    lacking = [field for field in fields_of(recipe) if field not in loaded.types]
    if lacking:
        listed = ", ".join(f"`{name}`" for name in loaded.types)
        way_out = "rename one of the two: the array of the data, or the name in the loss or metric"
        raise mismatch(f"the recipe uses the field `{lacking[0]}`, and the data have {listed}", way_out)
    loaded = as_used(recipe, program, loaded)
    if fields is None:
        loaded = split_off(recipe, loaded)
        recipe = balanced(recipe, program, loaded.train)
    own = fields if fields is not None else fit_fields(recipe, loaded)
    refuse_raw_shapes(own, loaded)
    train, test = (prepared(part, own) for part in (loaded.train, loaded.test))
    refuse_shapes(recipe, program, train)
    types = {name: Type(train[name].shape[1:], t.element) for name, t in loaded.types.items()}
    refuse_types(recipe, program, types)
    refuse_augmentation(recipe, types)
    check_transcriptions(program, measured_terms(recipe), loaded)
    validation = None if loaded.validation is None else prepared(loaded.validation, own)
    seen = tuple(prepared(loaded.test, view) for view in views)
    return Matched(recipe, replace(loaded, train=train, test=test, validation=validation), dict(own), seen)


def prepared(arrays: Arrays, fields: Mapping[str, Field]) -> Arrays:
    return {name: fields[name].prepare(array) if name in fields else array for name, array in arrays.items()}


def is_folder(given: Any) -> bool:
    """Whether data are to be read from files, and not given as they are."""
    return given is None or isinstance(given, str | os.PathLike)


def find_feeds(recipe: Recipe, program: Program, types: Mapping[str, Type]) -> tuple[tuple[str, str], ...]:
    """The field of the data that goes into each input."""
    inputs = program.root.inputs
    feeds: list[tuple[str, str]] = []
    for name in inputs:
        field = feeding_field(name, inputs, types) or (next(iter(types)) if len(types) == len(inputs) == 1 else None)
        if field is None:
            listed = ", ".join(f"`{f}` {t}" for f, t in types.items())
            text = f"no field of the data goes into the input `{name}`; the data have {listed}"
            raise mismatch(text, "name the field as the input")
        feeds.append((name, field))
    return tuple(feeds)


def as_used(recipe: Recipe, program: Program, loaded: Data) -> Data:
    """Fields of whole numbers as what they are used for: int32 where they feed an input of tokens, classes or i32, or
    are the label at each position of an output; float32 elsewhere. Raises `RunError` for a number that does not fit.
    """
    wanted = position_labels(recipe, program, loaded)
    root = program.root
    wanted |= {field: root.types[name].element for name, field in recipe.feeds if root.types[name].element != F32}
    types, parts = dict(loaded.types), (dict(loaded.train), dict(loaded.test))
    for field, element in wanted.items():
        if types[field].element == element:
            continue
        types[field] = Type(types[field].shape, element)
        for part, arrays in zip(("training", "test"), parts, strict=True):
            check_whole(arrays[field], types[field], f"the field `{field}` of the {part} set")
            arrays[field] = arrays[field].astype(np.int32)
    for arrays in parts:
        floats = (name for name, type_ in types.items() if type_.element == F32)
        arrays |= {name: arrays[name].astype(np.float32, copy=False) for name in floats}
    return replace(loaded, train=parts[0], test=parts[1], types=types)


def position_labels(recipe: Recipe, program: Program, loaded: Data) -> dict[str, Element]:
    """The fields of whole numbers that stand as labels beside an output with scores at each of their positions, or
    that are transcribed."""
    outputs = {name: program.root.types[value] for name, value in program.root.outputs}
    found: dict[str, Element] = {}
    for term in measured_terms(recipe):
        named = dict(zip(row_of(term).operands, term.positional, strict=False))
        scores, label = term.positional[0], named.get("label")
        if isinstance(scores, Output) and isinstance(label, DataField):
            array, made = loaded.train[label.name], outputs[scores.name]
            whole = array.dtype.kind in "iu" and loaded.types[label.name].element == F32
            if whole and array.ndim > 1 and (array.shape[1:] == made.shape[:-1] or is_transcribed(term)):
                found[label.name] = Element("class", made.channels)
    return found


def fit_fields(recipe: Recipe, loaded: Data) -> dict[str, Field]:
    """What is to be kept of each field; those that feed inputs are prepared, each by numbers of its own.

    Fields that a data set calls alike, as the two images of a pair, are prepared by those of the first.
    """
    alike = data_entry(recipe.data).alike
    fed = {field for _, field in recipe.feeds}
    found: dict[str, Field] = {}
    for name, type_ in loaded.types.items():
        array = loaded.train[name]
        field = Field(type_.shape, str(type_.element), *extremes(array))
        if name in fed and is_prepared(type_):
            refuse_preparation(recipe.prepare, type_)
            first = next((n for n in alike if n in found and name in alike), None)
            field = replace(field, steps=found[first].steps if first else fit_preparation(recipe.prepare, array))
        found[name] = field
    return found


def refuse_preparation(steps: Sequence[Applied], type_: Type) -> None:
    """Checks steps against the type of data that were not known when the recipe was checked."""
    for step in steps:
        made = PREPARATION_ROWS[step.name](**dict(step.named)).output(type_)
        if isinstance(made, Refusal):
            raise RunError([DataMismatch(span=step.span, text=made.message, way_out=made.help)])
        type_ = made


def refuse_augmentation(recipe: Recipe, types: Mapping[str, Type]) -> None:
    """Checks what `augment` does against prepared data, and that it moves no pixel away from its label."""
    fed = {field: types[field] for _, field in recipe.feeds}
    labels = {field: types[field] for field in fields_of(recipe) if field not in fed}
    for step, made in augmentations(recipe):
        if refusal := refused(made, fed, labels):
            raise RunError([DataMismatch(span=step.span, text=refusal.message, way_out=refusal.help)])


def refuse_raw_shapes(fields: Mapping[str, Field], loaded: Data) -> None:
    """A run's fields are prepared as they were when it was trained, so they must be of the same shape."""
    for name, field in fields.items():
        found = loaded.types.get(name)
        if found is not None and found.shape != field.shape:
            raise mismatch(f"the run was trained on a `{name}` of {Type(field.shape)}, and the data's is {found}")


def refuse_shapes(recipe: Recipe, program: Program, arrays: Arrays) -> None:
    for name, field in recipe.feeds:
        wanted, found = program.root.types[name], Type(arrays[field].shape[1:])
        if found.shape != wanted.shape:
            text = f"the input `{name}` of `{program.root.name}` is {wanted}, and the data's `{field}` is {found}"
            raise mismatch(text, "`prepare = pad(n)` or `crop(n)` changes the data, `input` the net")


def refuse_types(recipe: Recipe, program: Program, types: Mapping[str, Type]) -> None:
    """Checks losses and metrics against prepared data, whose types may not have been known when the recipe was
    checked."""
    outputs = {name: program.root.types[value] for name, value in program.root.outputs}
    for term in measured_terms(recipe):
        operands = [operand for operand in term.positional if isinstance(operand, Output | DataField)]
        found = [outputs[o.name] if isinstance(o, Output) else types[o.name] for o in operands]
        refusal = row_of(term).refuse(tuple(all_classes(found)))
        if refusal:
            raise RunError([DataMismatch(span=term.span, text=refusal.message, way_out=refusal.help)])


def all_classes(types: list[Type]) -> list[Type]:
    """Labels that happen not to reach the last class are labels of all the classes that the net tells apart."""
    classes = types[0].channels if types[0].shape else 0
    return [
        Type(t.shape, Element("class", max(classes, t.element.size)))
        if t.element.name == "class" and t.element.size
        else t
        for t in types
    ]


def measured_terms(recipe: Recipe) -> list[Applied]:
    """The losses and metrics of a recipe."""
    return applied_terms((recipe.loss, *(metric for _, metric in recipe.metrics)))


def applied_terms(terms: Sequence[Term]) -> list[Applied]:
    """The losses and metrics inside terms."""
    found: list[Applied] = []
    for term in terms:
        match term:
            case Applied():
                found.append(term)
            case Arithmetic(left=left, right=right):
                found += applied_terms((left, right))
            case _:
                pass
    return found


def fields_of(recipe: Recipe) -> tuple[str, ...]:
    """The fields of the data that a recipe uses: those that feed inputs, then those of its loss and metrics."""
    found: dict[str, None] = {field: None for _, field in recipe.feeds}
    for term in measured_terms(recipe):
        found |= {operand.name: None for operand in term.positional if isinstance(operand, DataField)}
    return tuple(found)
