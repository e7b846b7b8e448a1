"""How weights start: the initialisers, by their names in the language."""

from dataclasses import dataclass

from netc.arguments import Real, argument
from netc.layers.base import Initialiser


@dataclass(frozen=True)
class Lecun(Initialiser):
    """Normal with variance 1 / fan-in, truncated (LeCun et al. 1998, "Efficient BackProp"). The default."""

    def flax(self) -> str:
        return "nnx.initializers.lecun_normal()"


@dataclass(frozen=True)
class Glorot(Initialiser):
    """Uniform with variance 2 / (fan-in + fan-out) (Glorot & Bengio 2010, equation 16)."""

    def flax(self) -> str:
        return "nnx.initializers.glorot_uniform()"


@dataclass(frozen=True)
class He(Initialiser):
    """Normal with variance 2 / fan-in, truncated (He et al. 2015, equation 10)."""

    def flax(self) -> str:
        return "nnx.initializers.he_normal()"


@dataclass(frozen=True)
class Normal(Initialiser):
    """Normal with a given standard deviation and mean 0."""

    std: float = argument("standard deviation", Real(0), 0.01)

    def flax(self) -> str:
        return f"nnx.initializers.normal({self.std!r})"


@dataclass(frozen=True)
class FanIn(Initialiser):
    """Uniform between -bound / fan-in and bound / fan-in (LeCun et al. 1998, LeNet-5, with bound 2.4)."""

    support = ("fan_in_uniform",)

    bound: float = argument("bound before division by fan-in", Real(0), 2.4)

    def flax(self) -> str:
        return f"fan_in_uniform({self.bound!r})"


@dataclass(frozen=True)
class Constant(Initialiser):
    """Every number the same; a plain number means this."""

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
