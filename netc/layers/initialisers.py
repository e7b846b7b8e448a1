"""How weights start: the initialisers, by their names in the language."""

from dataclasses import dataclass

from netc.arguments import Real, argument
from netc.layers.base import Initialiser


@dataclass(frozen=True)
class Lecun(Initialiser):
    """Normal numbers of variance `1 / fan-in`, cut off at two standard deviations (LeCun et al. 1998, "Efficient
    BackProp"): what comes out of a layer is then about as large as what goes in. The default."""

    def flax(self) -> str:
        return "nnx.initializers.lecun_normal()"


@dataclass(frozen=True)
class Glorot(Initialiser):
    """Uniform numbers of variance `2 / (fan-in + fan-out)`, between forward and backward (Glorot & Bengio 2010,
    equation 16)."""

    def flax(self) -> str:
        return "nnx.initializers.glorot_uniform()"


@dataclass(frozen=True)
class He(Initialiser):
    """Normal numbers of variance `2 / fan-in`, cut off at two standard deviations (He et al. 2015, equation 10): made
    for `relu`, which loses half of what goes in."""

    def flax(self) -> str:
        return "nnx.initializers.he_normal()"


@dataclass(frozen=True)
class Normal(Initialiser):
    """Normal numbers of mean 0 and a given standard deviation."""

    std: float = argument("the standard deviation", Real(0), 0.01)

    def flax(self) -> str:
        return f"nnx.initializers.normal({self.std!r})"


@dataclass(frozen=True)
class FanIn(Initialiser):
    """Uniform numbers between `-bound / fan-in` and `bound / fan-in` (LeCun et al. 1998, for LeNet-5, with 2.4)."""

    support = ("fan_in_uniform",)

    bound: float = argument("the largest number, before it is divided by the fan-in", Real(0), 2.4)

    def flax(self) -> str:
        return f"fan_in_uniform({self.bound!r})"


@dataclass(frozen=True)
class Constant(Initialiser):
    """Every number the same; a plain number, as in `bias_init = 0`, means this."""

    value: float = argument("the number", Real())

    def flax(self) -> str:
        match self.value:
            case 0.0:
                return "nnx.initializers.zeros_init()"
            case 1.0:
                return "nnx.initializers.ones_init()"
            case _:
                return f"nnx.initializers.constant({self.value!r})"


INITIALISERS: tuple[type[Initialiser], ...] = (Lecun, Glorot, He, Normal, FanIn, Constant)
ZEROS = Constant(0.0)
ONES = Constant(1.0)
LECUN = Lecun()


@dataclass(frozen=True)
class AnInitialiser:
    """Accepts an initialiser (`he`, `normal(0.02)`) or a number."""

    words: tuple[str, ...] = ()

    def read(self, value: object) -> object:
        from netc.arguments import REJECTED

        if isinstance(value, Initialiser):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return Constant(float(value))
        return REJECTED

    def describe(self) -> str:
        return "an initialiser such as `he` or `normal(0.01)`, or a number"
