"""A `train` recipe against its net and its data: every name, type and shape, before anything runs."""

from collections.abc import Mapping, Sequence

from netc.arguments import Entry
from netc.check.adjust import check_adjustments, check_decay, refuse_adjustments, refuse_decay
from netc.check.augment import check_augmentation, refuse_augmentation
from netc.check.average import check_average
from netc.check.checkpoint import check_checkpoint
from netc.check.constrain import constrained
from netc.check.constraints import check_constraints
from netc.check.context import Env
from netc.check.ensemble import check_members, check_shared
from netc.check.optimizer import RATE, check_optimizer, takes_rate
from netc.check.problems import BadArgument, DefinedTwice, NotYet, RecipeMismatch, UnknownName
from netc.check.rows import DATA_ROWS, Checking, Fields, Types, applied, data_entry, one_word, row, steps
from netc.check.start import check_start
from netc.check.stop import check_stop
from netc.check.terms import check_loss, check_metrics
from netc.check.things import Poison, show
from netc.check.validation import check_validation
from netc.ir.constraints import all_frozen
from netc.ir.network import Applied, Constrained, Program, Recipe
from netc.layers.base import Refusal
from netc.problems import nearest
from netc.recipes.fields import FIELDS, PRECISIONS, STATEMENTS
from netc.recipes.prepare import PREPARATIONS, Preparation, is_prepared
from netc.source import Span
from netc.syntax import tree
from netc.types import Type

PREPARATION_ROWS: dict[str, type[Entry]] = {entry.kind: entry for entry in PREPARATIONS}
NUMBERS: dict[str, int | None] = {"batch": 128, "accumulate": 1, "epochs": 10, "steps": None, "seed": 0, "ensemble": 1}
"""The fields that are whole numbers, and their defaults."""
ONE_UNFED = "give the input the name of a field of the data"
PREPARE = "`prepare = pad(n)` or `crop(n)` changes the data, `input` the net"
EITHER = {"epochs": "steps", "steps": "epochs", "loss": "likelihood", "likelihood": "loss"}


def check_recipe(
    node: tree.Train, program: Program, settings: Mapping[str, tree.Node], env: Env, used: set[str]
) -> Recipe | None:
    """The checked recipe with its defaults; None if it has errors. `settings` replace fields, and enter `used`."""
    recipe = Checking(node, program, env)
    fields = given_fields(recipe)
    constraining, adjusting = (settings.get(name, node) for name in STATEMENTS)
    assert isinstance(constraining, tree.Train) and isinstance(adjusting, tree.Train)
    used |= settings.keys() & set(STATEMENTS)
    constraints, adjustments = recipe_constraints(constraining, recipe), check_adjustments(adjusting, recipe)
    refuse_constraints(constraints, recipe)
    refuse_adjustments(adjustments, constraints, recipe)
    fields = with_settings(fields, settings, used)
    rate = settings.get(RATE) if takes_rate(fields, recipe) else None
    used |= {RATE} if rate else set()
    data = check_data(fields, recipe)
    preparation = check_preparation(fields, recipe)
    types = prepared(data, preparation, recipe)
    feeds = check_feeds(types, bool(preparation), data.span or node.name.span, recipe) if data is not None else ()
    augmentation = check_augmentation(fields, recipe)
    if types is not None and not recipe.failed:
        refuse_augmentation(augmentation, {field: types[field] for _, field in feeds}, recipe)
    loss, maximise = check_loss(fields, types, recipe)
    metrics = check_metrics(fields, types, recipe)
    optimizer = check_optimizer(fields, rate, recipe)
    decay = check_decay(fields, recipe)
    refuse_decay(fields, decay, adjustments, optimizer, recipe)
    batch, accumulate, epochs, steps, seed, members = (number(name, fields, recipe) for name in NUMBERS)
    precision = check_precision(fields, recipe)
    average, validation = check_average(fields, recipe), check_validation(fields, recipe)
    stop, start = check_stop(fields, recipe, metrics), check_start(fields, recipe)
    shared = check_shared(fields, members, recipe)
    check_members(fields, members, seed, recipe)
    checkpoint = check_checkpoint(fields, metrics, recipe)
    refuse_two_lengths(fields, recipe)
    if (
        recipe.failed
        or data is None
        or loss is None
        or batch is None
        or accumulate is None
        or seed is None
        or members is None
    ):
        return None
    return Recipe(
        name=str(node.name),
        net=program.root.name,
        data=data,
        prepare=tuple(applied(made, step.span) for step, made in preparation),
        augment=tuple(applied(made, step.span) for step, made in augmentation),
        loss=loss,
        maximise=maximise,
        metrics=metrics,
        optimizer=optimizer,
        batch=batch,
        epochs=epochs if steps is None else None,
        steps=steps,
        seed=seed,
        precision=precision,
        feeds=feeds,
        constraints=constraints,
        accumulate=accumulate,
        validation=validation,
        average=average,
        decay=decay,
        adjustments=adjustments,
        stop=stop,
        start=start,
        ensemble=members,
        shared=shared,
        checkpoint=checkpoint,
        span=node.span,
    )


def with_settings(fields: Fields, settings: Mapping[str, tree.Node], used: set[str]) -> Fields:
    """The fields with those that settings replace, which enter `used`."""
    replaced = {field.name: settings[field.name] for field in FIELDS if field.name in settings and not field.planned}
    used.update(replaced)
    return {name: node for name, node in fields.items() if EITHER.get(name) not in replaced} | replaced


def refuse_two_lengths(fields: Fields, recipe: Checking) -> None:
    if "epochs" in fields and "steps" in fields:
        text, way_out = "a recipe has either `epochs` or `steps`", "remove one of them"
        recipe.report(RecipeMismatch(span=fields["steps"].span, text=text, way_out=way_out))


def check_alone(node: tree.Train, env: Env) -> None:
    """Reports what is wrong with a recipe whatever its net is, for one whose net has errors."""
    recipe = Checking(node, Program(()), env)
    fields = given_fields(recipe)
    recipe_constraints(node, recipe)
    check_adjustments(node, recipe)
    check_decay(fields, recipe)
    prepared(check_data(fields, recipe), check_preparation(fields, recipe), recipe)
    check_augmentation(fields, recipe)
    check_optimizer(fields, None, recipe)
    check_precision(fields, recipe)
    check_average(fields, recipe)
    check_validation(fields, recipe)
    check_stop(fields, recipe)
    check_start(fields, recipe)
    numbers = {name: number(name, fields, recipe) for name in NUMBERS}
    check_shared(fields, numbers["ensemble"], recipe)
    check_members(fields, numbers["ensemble"], numbers["seed"], recipe)


def given_fields(recipe: Checking) -> Fields:
    """The recipe's fields by name; unknown, doubled and planned ones are reported."""
    known = tuple(field.name for field in FIELDS)
    planned = {field.name for field in FIELDS if field.planned}
    fields: Fields = {}
    for item in recipe.node.fields:
        if not isinstance(item, tree.Field):
            continue
        if item.name not in known:
            recipe.report(UnknownName(span=item.name.span, what="recipe field", name=item.name, known=known))
            recipe.misspelt |= {nearest(item.name, known)}
        elif item.name in planned:
            recipe.report(NotYet(span=item.span, what=f"the recipe field `{item.name}`"))
        elif item.name in fields:
            recipe.report(DefinedTwice(span=item.name.span, name=item.name, first=fields[item.name].span))
        else:
            fields[str(item.name)] = item.flow
    return fields


def recipe_constraints(node: tree.Train, recipe: Checking) -> tuple[Constrained, ...]:
    """The `constrain` statements of a recipe, or of a setting in place of them, which hold while it trains."""
    made = [constrained(item, recipe.env) for item in node.fields if isinstance(item, tree.Constrain)]
    recipe.failed = recipe.failed or None in made
    return tuple(one for one in made if one)


def refuse_constraints(constraints: tuple[Constrained, ...], recipe: Checking) -> None:
    """Reports constraints that cannot hold of the net, and those that leave nothing to train."""
    program = recipe.program
    well = check_constraints(constraints, program.root, program.by_name, recipe.report, below=False)
    if well and all_frozen(program, constraints):
        text, way_out = "every weight is frozen: nothing is left to train", "freeze fewer of them"
        span = constraints[0].span if constraints else recipe.node.name.span
        recipe.report(RecipeMismatch(span=span, text=text, way_out=way_out))


def check_data(fields: Fields, recipe: Checking) -> Applied | None:
    if "data" not in fields:
        recipe.missing("data", "write `data = mnist`")
        return None
    made = row(fields["data"], DATA_ROWS, "data set", recipe)
    return None if made is None else applied(made, fields["data"].span)


def check_preparation(fields: Fields, recipe: Checking) -> list[tuple[tree.Node, Preparation]]:
    """The steps of `prepare`, each with its row."""
    found: list[tuple[tree.Node, Preparation]] = []
    for step in steps(fields.get("prepare")):
        made = row(step, PREPARATION_ROWS, "preparation", recipe)
        if isinstance(made, Preparation):
            found.append((step, made))
    return found


def prepared(data: Applied | None, preparation: list[tuple[tree.Node, Preparation]], recipe: Checking) -> Types | None:
    """The types of the data's fields after preparation, as far as they are known now.

    What feeds an input is prepared, and nothing else: a target keeps its units, unless it is the input itself.
    """
    types = None if data is None else data_entry(data).fields()
    if types is None:
        return None
    inputs = recipe.program.root.inputs if recipe.program.networks else tuple(types)
    fed = {feeding_field(name, inputs, types) for name in inputs}
    for step, made in preparation:
        for name, type_ in types.items():
            if name not in fed or not is_prepared(type_):
                continue
            output = made.output(type_)
            if isinstance(output, Refusal):
                recipe.report(RecipeMismatch(span=step.span, text=output.message, way_out=output.help))
                return None
            types = {**types, name: output}
    return types


def check_feeds(types: Types | None, changed: bool, span: Span, recipe: Checking) -> tuple[tuple[str, str], ...]:
    """Which field goes into which input: the one of its name, or the one that is no label, if each is alone."""
    root = recipe.program.root
    inputs = {name: root.types[name] for name in root.inputs}
    if types is None:
        return tuple((name, name) for name in inputs)
    fields = {name: feeding_field(name, root.inputs, types) for name in inputs}
    if unfed := [name for name, field in fields.items() if field is None]:
        listed = ", ".join(f"`{f}` {t}" for f, t in types.items())
        which = f"input{'s' * (len(unfed) > 1)} {', '.join(f'`{name}`' for name in unfed)}"
        text = f"no field of the data goes into the {which}; the data have {listed}"
        way_out = "give each input the name of a field of the data" if unfed[1:] else ONE_UNFED
        recipe.report(RecipeMismatch(span=span, text=text, way_out=way_out))
    pairs = tuple((name, field) for name, field in fields.items() if field is not None)
    for name, field in pairs:
        if types[field] != inputs[name]:
            whose = "after `prepare` the data's" if changed else "the data's"
            text = f"the input `{name}` of `{root.name}` is {inputs[name]}, and {whose} `{field}` is {types[field]}"
            way_out = PREPARE if is_prepared(types[field]) else f"`input {name}: {types[field]}` fits these data"
            recipe.report(RecipeMismatch(span=span, text=text, way_out=way_out))
            recipe.unfit |= {other for other, type_ in types.items() if type_.shape == types[field].shape}
    return pairs


def number(name: str, fields: Fields, recipe: Checking) -> int | None:
    """A whole number, or the field's default."""
    default = NUMBERS[name]
    if name not in fields:
        return default
    thing = recipe.evaluate(fields[name])
    low = 0 if name in ("seed", "epochs") else 1
    if isinstance(thing, int) and not isinstance(thing, bool) and low <= thing < 2**31:
        return thing
    if not isinstance(thing, Poison):
        accepts = f"a whole number of at least {low}"
        span = fields[name].span
        recipe.report(BadArgument(span=span, callee="train", name=name, given=show(thing), accepts=accepts))
    return default


def check_precision(fields: Fields, recipe: Checking) -> str:
    """`f32` or `bf16`."""
    return one_word("precision", "precision", PRECISIONS, fields, recipe)


def feeding_field(name: str, inputs: Sequence[str], types: Mapping[str, Type]) -> str | None:
    """The field that goes into an input: the one of its name, or the one that is no label, if each is alone."""
    others = [field for field, t in types.items() if t.shape and t.element.name != "class"]
    if name in types:
        return name
    return others[0] if len(inputs) == len(others) == 1 else None
