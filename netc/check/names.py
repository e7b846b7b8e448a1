"""What a name or a `.name` means: scopes first, then labels, then the tables."""

from netc.arguments import Symbol, called_here
from netc.check import weights
from netc.check.context import Env
from netc.check.limits import MOST_ERRORS, MOST_WAITING
from netc.check.numbers import FUNCTIONS as NUMBER_FUNCTIONS
from netc.check.problems import (
    Cycle,
    OutsideValue,
    TooLarge,
    UnboundLayer,
    UnknownAttribute,
    UnknownName,
    UsedBeforeDefinition,
    WrongKind,
)
from netc.check.scope import Lazy
from netc.check.things import (
    POISON,
    WEIGHT_THINGS,
    EntryName,
    Function,
    InstancePath,
    KindName,
    NamedLayer,
    OwnedWeight,
    Poison,
    Tensor,
    Thing,
    describe,
)
from netc.ir.counts import Count, Target
from netc.ir.network import Instance
from netc.ir.paths import split_path
from netc.layers import LAYERS
from netc.layers.initialisers import INITIALISERS
from netc.layers.orbits import ORBITS
from netc.problems import comparable
from netc.recipes.augment import AUGMENTATIONS
from netc.source import Word

KINDS = {layer.kind: layer for layer in LAYERS}
FUNCTIONS = {
    **{name: Function(name, function, None) for name, function in NUMBER_FUNCTIONS.items()},
    "flip": Function("flip", None, "flip"),
    "rot90": Function("rot90", None, "rot90"),
}
WORDS = frozenset(word for entry in (*LAYERS, *AUGMENTATIONS) for a in entry.arguments() for word in a.accepts.words)
BUILT_IN: dict[str, Thing] = {
    **{word: Symbol(word) for word in WORDS},
    **FUNCTIONS,
    **{init.kind: EntryName(init) for init in INITIALISERS},
    **{orbit.kind: EntryName(orbit) for orbit in ORBITS if orbit.kind not in WORDS},
    **{name: KindName(kind) for name, kind in KINDS.items()},
}


TRUTHS = ("true", "false")
OF_BLOCKS = ("depthwise", "separable", "squeeze_excite", "inverted_residual")
"""What `use blocks` brings in, for those who forget the line."""
OTHERWISE = "give one of them a value that does not need the others"


def lookup(word: Word, env: Env, called: bool = False) -> Thing:
    """What a name means where it stands; no word of an argument is meant by one that is `called`."""
    if binding := env.scope.find(word):
        binding.used = True
        thing = binding.thing
        if isinstance(thing, Lazy):
            return evaluate_lazy(thing, word, env)
        if isinstance(thing, Tensor) and thing.builder is not env.builder:
            return env.report(OutsideValue(span=word.span, name=word))
        return thing
    if env.builder and word in env.builder.instances:
        return InstancePath(env.builder, word)
    if word in BUILT_IN:
        return BUILT_IN[word]
    if env.builder and any(name.startswith(f"{word}.") for name in env.builder.instances):
        return InstancePath(env.builder, word)
    node = env.scope.find_labelled(word)
    defined = env.scope.find_upcoming(word) or (node.label.span if node and word.span.start < node.span.end else None)
    if defined and (path := env.scope.round_from(word)):
        return env.report(Cycle(span=word.span, path=path, way_out=OTHERWISE))
    if defined:
        return env.report(UsedBeforeDefinition(span=word.span, name=word, defined=defined))
    if node and env.context.errors:
        return POISON  # Its layer did not come about, and that was said.
    if env.scope.is_incomplete() or env.context.errors > MOST_ERRORS:
        return POISON
    built_in = (name for name, thing in BUILT_IN.items() if not (called and isinstance(thing, Symbol)))
    known = comparable(word, env.scope.known().union(built_in, TRUTHS))
    of_blocks = "it comes with netc: write `use blocks` at the top of the file" if word in OF_BLOCKS else ""
    if way_out := called_here(word, LAYERS) or of_blocks:
        known = ()
    what = "layer, value or constant"
    return env.report(UnknownName(span=word.span, what=what, name=word, known=known, way_out=way_out))


def evaluate_lazy(lazy: Lazy, word: Word, env: Env) -> Thing:
    """The meaning of a file's constant, found once."""
    if lazy.thing is not None:
        return lazy.thing
    running = env.context.constants
    if word in running:
        path = (*running[running.index(word) :], str(word))
        way_out = OTHERWISE if len(path) > 2 else "give it a value"
        return env.report(Cycle(span=word.span, path=path, way_out=way_out))
    if len(running) > MOST_WAITING:
        way_out = "write a constant below those that it needs"
        what, limit = "a constant that needs others below it, and they others", f"{MOST_WAITING} constants"
        return env.report(TooLarge(span=word.span, what=what, limit=limit, way_out=way_out))
    running.append(str(word))
    lazy.thing = lazy.evaluate()
    running.pop()
    return lazy.thing


def attribute(of: Thing, name: Word, env: Env) -> Thing:
    """What `of.name` means."""
    match of:
        case Poison():
            return POISON
        case Tensor():
            return tensor_attribute(of, name, env)
        case NamedLayer() if of.instance is None:
            if of.used and env.context.errors:
                return POISON  # Its use did not come about, and that was said.
            return env.report(UnboundLayer(span=name.span, name=of.name))
        case NamedLayer():
            return instance_attribute(InstancePath(of.builder, of.name), name, env)
        case InstancePath():
            return instance_attribute(of, name, env)
        case _ if isinstance(of, WEIGHT_THINGS) and name == "T":
            return weights.derive("transpose", (of,), (), env, name.span)
        case _ if isinstance(of, WEIGHT_THINGS) and name == "shape":
            return of.shape
        case _ if isinstance(of, WEIGHT_THINGS):
            return env.report(UnknownAttribute(span=name.span, what="a weight", name=name, known=("T", "shape")))
    taker, wanted = f"`.{name}`", "a value, weight or layer before it"
    return env.report(WrongKind(span=name.span, taker=taker, wanted=wanted, found=describe(of)))


def tensor_attribute(tensor: Tensor, name: Word, env: Env) -> Thing:
    shape = tensor.type.shape
    known: dict[str, Thing] = {"shape": shape}
    if shape:
        known["channels"] = shape[-1]
    if len(shape) == 2:
        known["time"] = shape[0]
    if len(shape) == 3:
        known["height"], known["width"] = shape[0], shape[1]
    if name in known:
        return known[name]
    assert env.builder is not None
    own = env.builder.names.get(tensor.name, tensor.name)
    path = f"{own}.{name}"
    if path in env.builder.instances:
        return InstancePath(env.builder, path)
    what = f"a value of {tensor.type}"
    return env.report(UnknownAttribute(span=name.span, what=what, name=name, known=tuple(known)))


def instance_attribute(of: InstancePath, name: Word, env: Env) -> Thing:
    """A weight of a layer, or a layer inside it."""
    path = f"{of.path}.{name}"
    context = env.context
    if name in MEASURES and (measured := measure(of, env)):
        return getattr(measured, name)
    weight = find_weight(of, path, env)
    if weight is not None:
        return weight
    if find_instances(of, path, env):
        return InstancePath(of.builder, path)
    instance = find_instance(of, of.path, env)
    known: list[str] = []
    way_out = ""
    if instance and instance.layer:
        known = [w.name for w in instance.weights]
    elif instance and instance.network:
        inner = context.networks[instance.network].instances
        known = [i.name for i in inner]
        owner = next((i.name for i in inner if any(w.name == name for w in i.weights)), None)
        way_out = f"its `{owner}` has one: `{of.path}.{owner}.{name}`" if owner else ""
    what = f"the layer `{of.path}`"
    return env.report(UnknownAttribute(span=name.span, what=what, name=name, known=tuple(known), way_out=way_out))


MEASURES = ("params", "state", "connections", "flops")


def measure(of: InstancePath, env: Env) -> Count | None:
    """What a layer owns, and the work of all its uses in its network."""
    instance = find_instance(of, of.path, env)
    if instance is None:
        return None
    counter, builder = env.context.counter, of.builder
    total = counter.owned_instance(instance)
    for call in (builder.calls[i] for i in builder.uses[of.path]):
        types = {name: builder.values[name].type for name in (*call.inputs, *call.outputs)}
        total = total + counter.work_target(Target(instance, ()), call, types)
    return total


def walk(path: str, of: InstancePath, env: Env) -> tuple[Instance, str] | None:
    return split_path(path, of.builder.instances, env.context.networks)


def find_instance(of: InstancePath, path: str, env: Env) -> Instance | None:
    found = walk(path, of, env)
    return found[0] if found and not found[1] else None


def find_instances(of: InstancePath, path: str, env: Env) -> bool:
    """Whether a path is that of an instance, or the beginning of the paths of some."""
    found = walk(path, of, env)
    if found and not found[1]:
        return True
    if found and found[0].network:
        inner = env.context.networks[found[0].network].instances
        return any(i.name.startswith(found[1] + ".") for i in inner)
    return any(name.startswith(path + ".") or name == path for name in of.builder.instances)


def find_weight(of: InstancePath, path: str, env: Env) -> OwnedWeight | None:
    found = walk(path, of, env)
    if not found:
        return None
    instance, slot = found
    owned = instance.weights
    if instance.network:
        owned = env.context.networks[instance.network].weights
    return next((OwnedWeight(of.builder, path, w.shape) for w in owned if w.name == slot), None)
