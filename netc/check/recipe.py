"""A `train` recipe against its net and its data: every name, type and shape, before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from netc.arguments import Entry, bind
from netc.check.binding import Given, misuse_problem
from netc.check.context import Env
from netc.check.problems import (
    BadArgument,
    DefinedTwice,
    ExtraArgument,
    MissingArgument,
    MissingPart,
    NotYet,
    RecipeMismatch,
    UnknownArgument,
    UnknownName,
    WrongKind,
)
from netc.check.things import POISON, Poison, Thing, describe, show
from netc.ir.network import Applied, Arithmetic, DataField, Network, Output, Program, Recipe, Term
from netc.layers.base import Refusal
from netc.problems import Problem
from netc.recipes.data import DATASETS, DataSet
from netc.recipes.fields import FIELDS
from netc.recipes.losses import LOSSES, Loss
from netc.recipes.metrics import METRICS, Metric
from netc.recipes.optimizers import Wrong, bind_row, schedules, transforms
from netc.recipes.prepare import PREPARATIONS, Preparation
from netc.source import Span, Word
from netc.syntax import tree
from netc.types import Type

Types = dict[str, Type]


def check_recipe(
    node: tree.Train, program: Program, settings: Mapping[str, tree.Node], env: Env, used: set[str]
) -> Recipe | None:
    """The checked recipe with its defaults; None if it has errors. `settings` replace fields."""
    return RecipeChecker(node, program, env).run(settings, used)


def check_alone(node: tree.Train, env: Env) -> None:
    """Reports what is wrong with a recipe whatever its net is, for one whose net has errors."""
    checker = RecipeChecker(node, Program(()), env)
    fields = checker.fields()
    checker.prepared(checker.data(fields), fields)
    checker.optimizer(fields, {}, set())


@dataclass
class RecipeChecker:
    """A recipe being checked against the program of its net."""

    node: tree.Train
    program: Program
    env: Env
    failed: bool = False

    def report(self, problem: Problem) -> Poison:
        self.failed = True
        return self.env.report(problem)

    def run(self, settings: Mapping[str, tree.Node], used: set[str]) -> Recipe | None:
        fields = self.fields()
        for name in settings.keys() & {field.name for field in FIELDS if not field.planned}:
            used.add(name)
            fields[name] = settings[name]
            fields.pop({"epochs": "steps", "steps": "epochs"}.get(name, ""), None)
        data = self.data(fields)
        types = self.prepared(data, fields)
        feeds = self.feeds(types) if data is not None else ()
        loss, maximise = self.loss(fields, types)
        metrics = self.metrics(fields, types)
        optimizer = self.optimizer(fields, settings, used)
        numbers = {name: self.number(name, fields) for name in ("batch", "epochs", "steps", "seed")}
        if "epochs" in fields and "steps" in fields:
            self.report(RecipeMismatch(span=fields["steps"].span, text="a recipe has either `epochs` or `steps`"))
        if self.failed or data is None or loss is None:
            return None
        return Recipe(
            str(self.node.name),
            self.program.root.name,
            data,
            self.transforms(fields.get("prepare")),
            (),
            loss,
            maximise,
            metrics,
            optimizer,
            numbers["batch"] or 128,
            numbers["epochs"] if numbers["steps"] is None else None,
            numbers["steps"],
            numbers["seed"] or 0,
            feeds,
            self.node.span,
        )

    def fields(self) -> dict[str, tree.Node]:
        """The recipe's fields by name, unknown, doubled and planned ones reported."""
        known = tuple(field.name for field in FIELDS)
        planned = {field.name for field in FIELDS if field.planned}
        fields: dict[str, tree.Node] = {}
        for item in self.node.fields:
            if isinstance(item, tree.Constrain):
                self.report(NotYet(span=item.span, what="`constrain`"))
            elif item.name not in known:
                self.report(UnknownName(span=item.name.span, what="recipe field", name=item.name, known=known))
            elif item.name in planned:
                self.report(NotYet(span=item.span, what=f"the recipe field `{item.name}`"))
            elif item.name in fields:
                self.report(DefinedTwice(span=item.name.span, name=item.name, first=fields[item.name].span))
            else:
                fields[str(item.name)] = item.flow
        return fields

    def data(self, fields: dict[str, tree.Node]) -> Applied | None:
        if "data" not in fields:
            self.missing("data", "write `data = mnist`")
            return None
        made = self.entry(fields["data"], {d.kind: d for d in DATASETS}, "data set")
        return None if made is None else applied(made, fields["data"].span)

    def missing(self, part: str, example: str) -> None:
        owner = f"the recipe `{self.node.name}`"
        self.report(MissingPart(span=self.node.name.span, owner=owner, part=part, example=example))

    def entry(self, node: tree.Node, table: Mapping[str, type[Entry]], what: str) -> Entry | None:
        """A row of a table by name, with or without arguments; a data set may stand among its own arguments."""
        name, arguments = named_call(node)
        if name is None:
            self.report(WrongKind(span=node.span, wanted=f"a {what}", found="another expression"))
            return None
        if name not in table:
            self.report(UnknownName(span=name.span, what=what, name=name, known=tuple(table)))
            return None
        given = self.given(arguments, table, what, node.span)
        if given is None:
            return None
        made = bind(table[name], given.positional, given.named)
        if isinstance(made, Entry):
            return made
        declared = tuple(a.name for a in table[name].arguments())
        for misuse in made:
            self.report(misuse_problem(misuse, name, declared, given))
        return None

    def given(
        self, arguments: tuple[tree.Node, ...], table: Mapping[str, type[Entry]], what: str, span: Span
    ) -> Given | None:
        positional: list[Thing] = []
        named: dict[str, Thing] = {}
        spans: dict[int | str, Span] = {}
        for argument in arguments:
            value = argument.value if isinstance(argument, tree.Named) else argument
            inner, _ = named_call(value)
            thing = self.entry(value, table, what) if inner in table else self.env.evaluate(value)
            if thing is None or isinstance(thing, Poison):
                self.failed = True
                return None
            key = str(argument.name) if isinstance(argument, tree.Named) else len(positional)
            spans[key] = argument.span
            if isinstance(key, str):
                named[key] = thing  # type: ignore[assignment]
            else:
                positional.append(thing)  # type: ignore[arg-type]
        return Given(tuple(positional), named, spans, span)

    def prepared(self, data: Applied | None, fields: dict[str, tree.Node]) -> Types | None:
        """The types of the data's fields after preparation, as far as they are known now."""
        entries = [
            (step, made)
            for step in steps(fields.get("prepare"))
            if (made := self.entry(step, {p.kind: p for p in PREPARATIONS}, "preparation")) is not None
        ]
        types = None if data is None else data_types(data)
        if types is None:
            return None
        for step, made in entries:
            assert isinstance(made, Preparation)
            for name, type_ in types.items():
                if type_.element.name != "f32" or not type_.shape:
                    continue
                output = made.output(type_)
                if isinstance(output, Refusal):
                    self.report(RecipeMismatch(span=step.span, text=output.message, way_out=output.help))
                    return None
                types = {**types, name: output}
        return types

    def transforms(self, node: tree.Node | None) -> tuple[Applied, ...]:
        table = {p.kind: p for p in PREPARATIONS}
        made = [(self.entry(step, table, "preparation"), step.span) for step in steps(node)]
        return tuple(applied(entry, span) for entry, span in made if entry is not None)

    def feeds(self, types: Types | None) -> tuple[tuple[str, str], ...]:
        """Which field goes into which input: the one of its name, or the one that is no label, if each is alone."""
        root = self.program.root
        inputs = {name: root.types[name] for name in root.inputs}
        if types is None:
            return tuple((name, name) for name in inputs)
        pairs: list[tuple[str, str]] = []
        others = [name for name, t in types.items() if t.shape]
        for name, type_ in inputs.items():
            field = name if name in types else others[0] if len(inputs) == len(others) == 1 else None
            if field is None:
                listed = ", ".join(f"`{f}` {t}" for f, t in types.items())
                text = f"no field of the data goes into the input `{name}`; the data have {listed}"
                self.report(
                    RecipeMismatch(span=self.node.name.span, text=text, way_out="name the input as a field of the data")
                )
            elif types[field] != type_:
                text = f"the input `{name}` of `{root.name}` is {type_}, and the data's `{field}` is {types[field]}"
                way_out = "`prepare = pad(n)` or `crop(n)` changes the data, `input` the net"
                self.report(RecipeMismatch(span=self.node.name.span, text=text, way_out=way_out))
            else:
                pairs.append((name, field))
        return tuple(pairs)

    def loss(self, fields: dict[str, tree.Node], types: Types | None) -> tuple[Term, bool]:
        if "loss" in fields and "likelihood" in fields:
            text = "a recipe has either a `loss` or a `likelihood`"
            self.report(RecipeMismatch(span=fields["likelihood"].span, text=text))
        name = "likelihood" if "likelihood" in fields else "loss"
        if name not in fields:
            self.missing("loss", "write `loss = cross_entropy(digit, label)`")
            return None, False
        term = self.term(fields[name], {entry.kind: entry for entry in LOSSES}, "loss", types)
        if not isinstance(term, Poison) and not any_applied(term):
            self.report(WrongKind(span=fields[name].span, wanted="a loss", found=f"`{fields[name].span.text}`"))
        return (None if isinstance(term, Poison) else term), name == "likelihood"

    def metrics(self, fields: dict[str, tree.Node], types: Types | None) -> tuple[tuple[str, Term], ...]:
        node = fields.get("metric")
        nodes = () if node is None else node.items if isinstance(node, tree.List) else (node,)
        found: list[tuple[str, Term]] = []
        for item in nodes:
            term = self.term(item, {entry.kind: entry for entry in METRICS}, "metric", types)
            if isinstance(term, Poison):
                continue
            name = term.name if isinstance(term, Applied) else item.span.text
            if any(name == other for other, _ in found):
                name = item.span.text
            found.append((name, term))
        return tuple(found)

    def term(
        self, node: tree.Node, table: Mapping[str, type[Loss] | type[Metric]], what: str, types: Types | None
    ) -> Term | Poison:
        """A loss or metric as a term: rows of the table on outputs and fields, and arithmetic of them."""
        if isinstance(node, tree.Binary) and node.operator in ("+", "-", "*", "/"):
            left, right = (self.term(side, table, what, types) for side in (node.left, node.right))
            if isinstance(left, Poison) or isinstance(right, Poison):
                return POISON
            return Arithmetic(str(node.operator), left, right)
        name, arguments = named_call(node)
        if name is not None and isinstance(node, tree.Call):
            if name not in table:
                return self.report(UnknownName(span=name.span, what=what, name=name, known=tuple(table)))
            return self.applied_term(node, table[name], arguments, types)
        thing = self.env.evaluate(node)
        if isinstance(thing, int | float) and not isinstance(thing, bool):
            return thing
        if isinstance(thing, Poison):
            self.failed = True
            return POISON
        return self.report(WrongKind(span=node.span, wanted=f"a {what} or number", found=describe(thing)))

    def applied_term(
        self, node: tree.Call, entry: type[Loss] | type[Metric], arguments: tuple[tree.Node, ...], types: Types | None
    ) -> Term | Poison:
        wanted = entry.operands
        operands = [self.operand(a, types) for a in arguments if not isinstance(a, tree.Named)][: len(wanted)]
        extra = [a for a in arguments if not isinstance(a, tree.Named)][len(wanted) :]
        settings = self.given((*extra, *(a for a in arguments if isinstance(a, tree.Named))), {}, "setting", node.span)
        if settings is None or any(isinstance(o, Poison) for o in operands):
            return POISON
        if len(operands) < len(wanted):
            missing = wanted[len(operands)]
            return self.report(MissingArgument(span=node.span, callee=entry.kind, name=missing))
        named = dict(settings.named)
        if "smallest" in {a.name for a in entry.arguments()} and "smallest" not in named and self.is_rbf(operands[0]):
            named["smallest"] = True
        made = bind(entry, settings.positional, named)
        if isinstance(made, list):
            declared = tuple(a.name for a in entry.arguments())
            for misuse in made:
                self.report(misuse_problem(misuse, entry.kind, declared, settings))
            return POISON
        assert isinstance(made, Loss | Metric)
        known = [self.type_of(o, types) for o in operands]
        if types is not None and (refusal := made.refuse(tuple(t for t in known if t is not None))):
            return self.report(RecipeMismatch(span=node.span, text=refusal.message, way_out=refusal.help))
        return Applied(
            entry.kind, tuple(o for o in operands if not isinstance(o, Poison)), tuple(made.given().items()), node.span
        )

    def operand(self, node: tree.Node, types: Types | None) -> Output | DataField | Poison:
        """A name in a loss or metric: an output of the net, or a field of the data."""
        outputs = tuple(name for name, _ in self.program.root.outputs)
        if not isinstance(node, tree.Name):
            wanted = "an output of the net or a field of the data"
            return self.report(WrongKind(span=node.span, wanted=wanted, found=f"`{node.span.text}`"))
        if node.word in outputs:
            return Output(str(node.word), node.span)
        if types is None or node.word in types:
            return DataField(str(node.word), node.span)
        known = (*outputs, *types)
        return self.report(
            UnknownName(span=node.span, what="output of the net or field of the data", name=node.word, known=known)
        )

    def type_of(self, operand: Output | DataField | Poison, types: Types | None) -> Type | None:
        root = self.program.root
        match operand:
            case Output(name=name):
                return root.types[dict(root.outputs)[name]]
            case DataField(name=name):
                return types.get(name) if types else None
            case _:
                return None

    def is_rbf(self, operand: Output | DataField | Poison) -> bool:
        """Whether the smallest score of an output is the answer."""
        root = self.program.root
        if not isinstance(operand, Output):
            return False
        value = dict(root.outputs)[operand.name]
        call = next((c for c in root.calls if value in c.outputs), None)
        instance = root.by_name.get(call.instance) if call else None
        return instance is not None and instance.layer is not None and instance.layer.smallest_wins

    def optimizer(
        self, fields: dict[str, tree.Node], settings: Mapping[str, tree.Node], used: set[str]
    ) -> tuple[Applied, ...]:
        if "optimizer" not in fields:
            self.missing("optimizer", "write `optimizer = adam(rate = 0.001)`")
            return ()
        found = []
        for step in steps(fields["optimizer"]):
            term = self.optax_term(step)
            if not isinstance(term, Applied):
                continue
            row = transforms().get(term.name)
            if "rate" in settings and row and any(p.name == "rate" for p in row.parameters):
                used.add("rate")
                rate = self.optax_term(settings["rate"])
                if not isinstance(rate, Poison):
                    term = replace(
                        term, positional=(), named=(*((n, v) for n, v in term.named if n != "rate"), ("rate", rate))
                    )
            bound = bind_row(term, transforms())
            if isinstance(bound, Applied):
                found.append(bound)
                continue
            for wrong in bound:
                self.report(wrong_problem(wrong, "optimizer", step.span))
        return tuple(found)

    def optax_term(self, node: tree.Node) -> Term | Poison:
        """A call of an optimizer or schedule, or a plain value, as a term."""
        name, arguments = named_call(node)
        rows = transforms().keys() | schedules().keys()
        if name is None or (not isinstance(node, tree.Call) and name not in rows):
            if name is not None and self.env.scope.find(name) is None:
                known = tuple(sorted(rows))
                return self.report(UnknownName(span=name.span, what="optimizer or schedule", name=name, known=known))
            thing = self.env.evaluate(node)
            if isinstance(thing, int | float | bool | str):
                return thing
            if not isinstance(thing, Poison):
                self.report(WrongKind(span=node.span, wanted="an optimizer, schedule or number", found=describe(thing)))
            self.failed = True
            return POISON
        positional: list[Term] = []
        named: list[tuple[str, Term]] = []
        for argument in arguments:
            value = self.optax_term(argument.value if isinstance(argument, tree.Named) else argument)
            if isinstance(value, Poison):
                return POISON
            if isinstance(argument, tree.Named):
                named.append((str(argument.name), value))
            else:
                positional.append(value)
        return Applied(str(name), tuple(positional), tuple(named), node.span)

    def number(self, name: str, fields: dict[str, tree.Node]) -> int | None:
        """A whole number, or the field's default."""
        default = {"batch": 128, "epochs": 10, "steps": None, "seed": 0}[name]
        if name not in fields:
            return default
        thing = self.env.evaluate(fields[name])
        low = 0 if name in ("seed", "epochs") else 1
        if isinstance(thing, int) and not isinstance(thing, bool) and low <= thing < 2**31:
            return thing
        if isinstance(thing, Poison):
            self.failed = True
        else:
            accepts = f"a whole number of at least {low}"
            self.report(
                BadArgument(span=fields[name].span, callee="train", name=name, given=show(thing), accepts=accepts)
            )
        return default


def named_call(node: tree.Node) -> tuple[Word | None, tuple[tree.Node, ...]]:
    """`name` and `name(arguments)` as a name and arguments."""
    match node:
        case tree.Name(word=word):
            return word, ()
        case tree.Call(function=tree.Name(word=word), arguments=arguments):
            return word, arguments
        case _:
            return None, ()


def steps(node: tree.Node | None) -> tuple[tree.Node, ...]:
    """`a -> b` as its steps."""
    return () if node is None else node.items if isinstance(node, tree.Chain) else (node,)


def applied(entry: Entry, span: Span) -> Applied:
    """A row with its arguments as a term; arguments that are rows themselves become terms too."""
    named = tuple((name, applied(v, span) if isinstance(v, Entry) else v) for name, v in entry.given().items())
    return Applied(entry.kind, (), named, span)


def data_types(data: Applied) -> Types | None:
    entry = data_entry(data)
    return entry.fields()


def data_entry(data: Applied) -> DataSet:
    """The row of the table that a checked term stands for."""
    table = {d.kind: d for d in DATASETS}
    named = {name: data_entry(v) if isinstance(v, Applied) else v for name, v in data.named}
    return table[data.name](**named)


def any_applied(term: Term) -> bool:
    if isinstance(term, Arithmetic):
        return any_applied(term.left) or any_applied(term.right)
    return isinstance(term, Applied)


def wrong_problem(wrong: Wrong, what: str, span: Span) -> Problem:
    match wrong.what:
        case "unknown":
            return UnknownName(span=span, what=what, name=wrong.name, known=wrong.known)
        case "argument":
            return UnknownArgument(span=span, callee=wrong.callee, name=wrong.name, known=wrong.known)
        case "extra":
            return ExtraArgument(span=span, callee=wrong.callee, takes=wrong.known, twice=wrong.name or None)
        case "missing":
            return MissingArgument(span=span, callee=wrong.callee, name=wrong.name)
        case _:
            return BadArgument(span=span, callee=wrong.callee, name=wrong.name, given="this", accepts=wrong.accepts)


def fed_by(root: Network, types: Types) -> tuple[tuple[str, str], ...]:
    """Which field goes into which input: the one of its name, or the only one if the net has one input."""
    alone = next(iter(types)) if len(types) == 1 and len(root.inputs) == 1 else None
    return tuple((name, name if name in types or alone is None else alone) for name in root.inputs)
