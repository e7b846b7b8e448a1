"""The `augment` of a checked recipe in, a readable function of one image out."""

from netc.check.augment import augmentations
from netc.ir.network import Recipe
from netc.recipes.augment import Augmentation, Resampling

Steps = list[tuple[int, Augmentation]]


def emit_augmentation(recipe: Recipe) -> str:
    """`augment(image, key, fitted)` of an image [height, width, channels], a random key, and what was fitted to the
    training images, by kind; empty if the recipe has none."""
    steps = [made for _, made in augmentations(recipe)]
    if not steps:
        return ""
    lines = ["def augment(image, key, fitted):", f"    keys = jax.random.split(key, {len(steps)})"]
    for group in grouped(steps):
        lines += [f"    {line}" for line in group_lines(group)]
    return "\n".join([*lines, "    return image"])


def grouped(steps: list[Augmentation]) -> list[Steps]:
    """The steps with their numbers; those that share one resampling stand together."""
    groups: list[Steps] = []
    for i, step in enumerate(steps):
        if groups and shares(groups[-1][-1][1], step):
            groups[-1].append((i, step))
        else:
            groups.append([(i, step)])
    return groups


def shares(before: Augmentation, step: Augmentation) -> bool:
    """Whether a step can be done in the resampling of the one before it."""
    if not isinstance(before, Resampling) or not isinstance(step, Resampling):
        return False
    return before.between and before.beyond() == step.beyond()


def group_lines(group: Steps) -> list[str]:
    """The lines of a group. Places are followed back from the result, so that the last step comes first."""
    _, first = group[0]
    if not isinstance(first, Resampling):
        return [f"image = {call(step, 'image', i)}" for i, step in group]
    moves = [f"places = {call(step, 'places', i)}" for i, step in reversed(group)]
    return ["places = images.centred(image)", *moves, f"image = images.sampled(image, places, fill={first.beyond()!r})"]


def call(step: Augmentation, subject: str, i: int) -> str:
    fitted = [f"fitted[{step.kind!r}]"] if step.fitted else []
    settings = [f"{name}={value!r}" for name, value in step.settings().items()]
    return f"images.{step.kind}({', '.join([subject, f'keys[{i}]', *fitted, *settings])})"
