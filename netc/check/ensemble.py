"""The `ensemble` and `shared` of a recipe: how many members, and weights that they have in common."""

from netc.check.constraints import problem
from netc.check.paths import path_of
from netc.check.problems import BadArgument, RecipeMismatch, WrongKind
from netc.check.rows import Checking, Fields
from netc.check.things import show
from netc.ir.constraints import Found, matches, none_found, slots
from netc.ir.network import Constrained, Weight
from netc.ir.views import references, show_view
from netc.layers.constraints import Frozen
from netc.syntax import tree

MOST_MEMBERS = 1000
LARGEST_SEED = 2**31 - 1


def check_members(fields: Fields, members: int | None, seed: int | None, recipe: Checking) -> None:
    """Reports more members than one program holds, or than there are seeds, `seed`, `seed + 1` ..., for."""
    most = min(MOST_MEMBERS, LARGEST_SEED + 1 - (seed or 0))
    if members is not None and members > most:
        accepts = f"a whole number from 1 to {most}" + (f" beside `seed = {seed}`" if most < MOST_MEMBERS else "")
        span = fields["ensemble"].span
        recipe.report(BadArgument(span=span, callee="train", name="ensemble", given=show(members), accepts=accepts))


def check_shared(fields: Fields, members: int | None, recipe: Checking) -> tuple[str, ...]:
    """The selectors of `shared`, each of which means weights of the net that are trained."""
    node = fields.get("shared")
    if node is None:
        return ()
    named = selectors(node, recipe)
    if members == 1 and not recipe.failed:
        text, way_out = "one member alone shares nothing", "add `ensemble = 5`, or remove `shared`"
        recipe.report(RecipeMismatch(span=node.span, text=text, way_out=way_out))
    program = recipe.program
    found = slots(program.root, program.by_name) if program.networks else []
    for selector, at in named.items() if found else ():
        refuse_selector(selector, at, found, recipe)
    owned = [name for name, thing in found if isinstance(thing, Weight) and thing.trainable]
    if named and owned and all(any(matches(selector, name) for selector in named) for name in owned):
        text = "all weights are shared, so that the members are one net"
        recipe.report(RecipeMismatch(span=node.span, text=text, way_out="share fewer of them"))
    return tuple(named)


def selectors(node: tree.Node, recipe: Checking) -> dict[str, tree.Node]:
    """The items of a list of names, paths and strings, or one alone."""
    items = node.items if isinstance(node, tree.List) else (node,)
    found: dict[str, tree.Node] = {}
    for item in items:
        path = str(item.value) if isinstance(item, tree.String) else path_of(item)
        if path is None:
            way_out = 'write `shared = [conv1, body.norm]`, or `["*.bias"]`'
            wanted = "the name of weights or of a layer"
            recipe.report(WrongKind(span=item.span, wanted=wanted, found=f"`{item.span.text}`", way_out=way_out))
        else:
            found[path] = item
    return found


def refuse_selector(selector: str, node: tree.Node, found: list[Found], recipe: Checking) -> None:
    """Reports a selector that means no weight which is the members' own and trained."""
    program = recipe.program
    named = [(name, thing) for name, thing in found if matches(selector, name)]
    if not named:
        wrong = none_found(selector, found, program.root, program.by_name)
        recipe.report(problem(Constrained(selector, Frozen(), node.span), wrong))
    elif not any(isinstance(thing, Weight) and thing.trainable for _, thing in named):
        name, thing = named[0]
        text = f"`{name}` is not trained: running statistics are each member's own"
        way_out = "name weights that are trained"
        if not isinstance(thing, Weight):
            owner = next(iter(references(thing)))
            text = f"`{name}` is `{show_view(thing)}`, and belongs to `{owner}`"
            way_out = f"name its owner, and all its uses follow: `shared = [{owner}]`"
        recipe.report(RecipeMismatch(span=node.span, text=text, way_out=way_out))
