"""What a run came to, epoch by epoch, as event files that TensorBoard shows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from netc.problems import RunError
from netc.recipes.problems import MissingExtra
from netc.training.loop import Epoch

WRITER = "tensorboardX"


def refuse_missing() -> None:
    """To be called before anything is loaded: event files are written by another package."""
    if find_spec(WRITER) is None:
        raise RunError([MissingExtra(package=WRITER, extra="tensorboard", purpose="writing files for TensorBoard")])


def scalars(event: Epoch) -> dict[str, float]:
    """The numbers of an epoch by the names that TensorBoard groups them by: `test/accuracy` stands with `test/loss`."""
    parts = (("test", event.test), ("validation", event.validation or {}))
    measured = {f"{part}/{name}": value for part, measures in parts for name, value in measures.items()}
    others = {"train/loss": event.loss, "examples_per_second": event.speed}
    rate = {} if event.rate is None else {"rate": event.rate}
    return {**others, **rate, **{name: value for name, value in measured.items() if not isinstance(value, list)}}


@contextmanager
def event_file(folder: Path, done: int) -> Iterator[Callable[[Epoch], None]]:
    """Writes epochs into a new event file of a run's folder. Of a run that goes on after `done` steps, TensorBoard
    forgets what came after them."""
    from tensorboardX import SummaryWriter  # pyright: ignore[reportMissingImports]

    with SummaryWriter(str(folder), purge_step=done + 1 if done else None, flush_secs=5) as writer:

        def write(event: Epoch) -> None:
            for name, value in scalars(event).items():
                writer.add_scalar(name, value, event.step)

        yield write
