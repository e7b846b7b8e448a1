"""The `adjust` statements and the `decay` of a recipe: weights that the optimizer treats otherwise than others."""

from netc.check.constraints import problem
from netc.check.problems import RecipeMismatch
from netc.check.rows import Checking, Fields, applied, one_word, row
from netc.ir.constraints import constraints_of, matches, none_found, slots, with_constraints
from netc.ir.network import Adjusted, Applied, Constrained, Weight
from netc.ir.views import references, show_view
from netc.layers.constraints import Frozen
from netc.recipes.adjustments import ADJUSTMENTS, ALL, DECAYS, MASKS, UNMASKED, NoDecay
from netc.syntax import tree

ROWS = {entry.kind: entry for entry in ADJUSTMENTS}


def check_adjustments(node: tree.Train, recipe: Checking) -> tuple[Adjusted, ...]:
    """The `adjust` statements of a recipe, or of a setting in place of them."""
    found = []
    for item in node.fields:
        if isinstance(item, tree.Adjust):
            made = row(item.adjustment, ROWS, "adjustment", recipe)
            if made is not None:
                selector = ".".join(map(str, item.selector.items))
                found.append(Adjusted(selector, applied(made, item.adjustment.span), item.span))
    return tuple(found)


def refuse_adjustments(
    adjustments: tuple[Adjusted, ...], constraints: tuple[Constrained, ...], recipe: Checking
) -> None:
    """Reports selectors that name nothing which the optimizer changes."""
    program = recipe.program
    found = slots(program.root, program.by_name) if adjustments else []
    held = constraints_of(with_constraints(program, constraints)) if found else {}
    frozen = {name for name, own in held.items() if Frozen() in own}
    for one in adjustments:
        named = [(name, thing) for name, thing in found if matches(one.selector, name)]
        if not named:
            wrong = none_found(one.selector, found, program.root, program.by_name)
            recipe.report(problem(Constrained(one.selector, Frozen(), one.span), wrong))
        elif not any(isinstance(t, Weight) and t.trainable and name not in frozen for name, t in named):
            name, thing = named[0]
            reason, way_out = "is not trained", "remove this line, or name others"
            if not isinstance(thing, Weight):
                owner = next(iter(references(thing)))
                reason = f"is `{show_view(thing)}`, and belongs to `{owner}`"
                way_out = f"name its owner, and all its uses follow: `adjust {owner}: ...`"
            text = f"`{name}` {reason}, so that `{one.adjustment.name}` changes nothing"
            recipe.report(RecipeMismatch(span=one.span, text=text, way_out=way_out))


def check_decay(fields: Fields, recipe: Checking) -> str:
    """`all` or `kernels`."""
    return one_word("decay", "kind of weights", DECAYS, fields, recipe)


def refuse_decay(
    fields: Fields, decay: str, adjustments: tuple[Adjusted, ...], optimizer: tuple[Applied, ...], recipe: Checking
) -> None:
    """Reports weights that are left out of a decay that there is not, or that leaves out none."""
    spans = [one.span for one in adjustments if one.adjustment.name == NoDecay.kind]
    spans += [fields["decay"].span] if decay != ALL else []
    names = {transform.name for transform in optimizer}
    if not spans or not names:
        return
    unmasked = sorted(names & set(UNMASKED))
    if unmasked:
        text, way_out = f"`{unmasked[0]}` decays all weights alike", "use `add_decayed_weights(...) -> ...`, or `adamw`"
        recipe.report(RecipeMismatch(span=spans[0], text=text, way_out=way_out))
    elif not names & MASKS.keys():
        text = "no part of the optimizer has weight decay, which weights could be left out of"
        way_out = "use `adamw(...)`, or `add_decayed_weights(0.0005) -> sgd(...)`"
        recipe.report(RecipeMismatch(span=spans[0], text=text, way_out=way_out))
