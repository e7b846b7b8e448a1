"""Optimizers, gradient transforms and schedules: Optax's, under Optax's names.

Each row is a function that Optax exports with plain arguments, with its defaults; a test compares them with the
real signatures. `rate` stands for Optax's `learning_rate`; `~` marks parameters that may be a schedule, `none`
ones that may be left out. Not here: what needs a function (line searches, masks, wrappers).
"""

from dataclasses import dataclass
from functools import cache

from netc.ir.network import Applied, Term

TRANSFORM_ROWS = """
adabelief: rate~ b1=0.9 b2=0.999 eps=1e-16 eps_root=1e-16 nesterov=false
adadelta: rate~=none rho=0.9 eps=1e-06 weight_decay~=0.0
adafactor: rate~=none min_dim_size_to_factor=128 decay_rate=0.8 decay_offset=0 multiply_by_parameter_scale=true clipping_threshold=1.0 momentum=none weight_decay_rate~=none eps=1e-30 factored=true
adagrad: rate~ initial_accumulator_value=0.1 eps=1e-07
adam: rate~ b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 nesterov=false
adamax: rate~ b1=0.9 b2=0.999 eps=1e-08
adamaxw: rate~ b1=0.9 b2=0.999 eps=1e-08 weight_decay~=0.0001
adamw: rate~ b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 weight_decay~=0.0001 nesterov=false
adan: rate~ b1=0.98 b2=0.92 b3=0.99 eps=1e-08 eps_root=1e-08 weight_decay~=0.0
adaptive_grad_clip: clipping eps=0.001
add_decayed_weights: weight_decay~=0.0
add_noise: eta gamma seed=none
amsgrad: rate~ b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 bias_correction_mu=true bias_correction_nu=true
apply_every: k=1
centralize:
clip: max_delta
clip_by_block_rms: threshold
clip_by_global_norm: max_norm
ema: decay debias=true
fromage: rate~ min_norm=1e-06
identity:
keep_params_nonnegative:
lamb: rate~ b1=0.9 b2=0.999 eps=1e-06 eps_root=0.0 weight_decay~=0.0
lars: rate~ weight_decay~=0.0 trust_coefficient=0.001 eps=0.0 momentum=0.9 nesterov=false
lion: rate~ b1=0.9 b2=0.99 weight_decay~=0.001
nadam: rate~ b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 nesterov=true
nadamw: rate~ b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 weight_decay~=0.0001 nesterov=true
noisy_sgd: rate~ eta=0.01 gamma=0.55 seed=none
normalize_by_update_norm: scale_factor=1.0 eps=1e-06
novograd: rate~ b1=0.9 b2=0.25 eps=1e-06 eps_root=0.0 weight_decay~=0.0
optimistic_adam: rate~ optimism=none b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 nesterov=true
optimistic_adam_v2: rate~ alpha=1.0 beta=1.0 b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 nesterov=true
optimistic_gradient_descent: rate~ alpha~=1.0 beta~=1.0
polyak_sgd: max_learning_rate=1.0 scaling~=1.0 f_min=0.0 eps=0.0 variant='sps'
radam: rate~ b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 threshold=5.0 nesterov=false
rmsprop: rate~ decay=0.9 eps=1e-08 initial_scale=0.0 eps_in_sqrt=true centered=false momentum=none nesterov=false bias_correction=false
rprop: rate~ eta_minus=0.5 eta_plus=1.2 min_step_size=1e-06 max_step_size=50.0
scale: step_size
scale_by_adadelta: rho=0.9 eps=1e-06
scale_by_adam: b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 nesterov=false
scale_by_adamax: b1=0.9 b2=0.999 eps=1e-08
scale_by_adan: b1=0.98 b2=0.92 b3=0.99 eps=1e-08 eps_root=0.0
scale_by_amsgrad: b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 bias_correction_mu=true bias_correction_nu=true
scale_by_belief: b1=0.9 b2=0.999 eps=1e-16 eps_root=1e-16 nesterov=false
scale_by_distance_over_gradients: reps_rel=1e-06 eps=1e-08 global_scale=1.0
scale_by_lbfgs: memory_size=10 scale_init_precond=true
scale_by_learning_rate: rate~=none flip_sign=true
scale_by_lion: b1=0.9 b2=0.99 mode='hard' smooth_beta=1.0
scale_by_novograd: b1=0.9 b2=0.25 eps=1e-08 eps_root=0.0 weight_decay=0.0
scale_by_optimistic_gradient: alpha=1.0 beta=1.0
scale_by_param_block_norm: min_scale=0.001
scale_by_param_block_rms: min_scale=0.001
scale_by_polyak: f_min=0.0 max_learning_rate=1.0 eps=0.0 variant='sps'
scale_by_radam: b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 threshold=5.0 nesterov=false
scale_by_rms: decay=0.9 eps=1e-08 initial_scale=0.0 eps_in_sqrt=true bias_correction=false
scale_by_rprop: rate~ eta_minus=0.5 eta_plus=1.2 min_step_size=1e-06 max_step_size=50.0
scale_by_rss: initial_accumulator_value=0.1 eps=1e-07
scale_by_schedule: step_size_fn~
scale_by_sign:
scale_by_sm3: b1=0.9 b2=1.0 eps=1e-08
scale_by_stddev: decay=0.9 eps=1e-08 initial_scale=0.0 eps_in_sqrt=true bias_correction=false
scale_by_trust_ratio: min_norm=0.0 trust_coefficient=1.0 eps=0.0
scale_by_yogi: b1=0.9 b2=0.999 eps=0.001 eps_root=0.0 initial_accumulator_value=1e-06
set_to_zero:
sgd: rate~ momentum=none nesterov=false
sign_sgd: rate~
signum: rate~ beta=0.9
sm3: rate~ momentum=0.9
trace: decay nesterov=false
yogi: rate~ b1=0.9 b2=0.999 eps=0.001
zero_nans:
"""

SCHEDULE_ROWS = """
constant_schedule: value
cosine_decay_schedule: init_value decay_steps alpha=0.0 exponent=1.0
cosine_onecycle_schedule: transition_steps peak_value pct_start=0.3 div_factor=25.0 final_div_factor=10000.0
exponential_decay: init_value transition_steps decay_rate transition_begin=0 staircase=false end_value=none
linear_onecycle_schedule: transition_steps peak_value pct_start=0.3 pct_final=0.85 div_factor=25.0 final_div_factor=10000.0
linear_schedule: init_value end_value transition_steps transition_begin=0
polynomial_schedule: init_value end_value power transition_steps transition_begin=0
warmup_constant_schedule: init_value peak_value warmup_steps
warmup_cosine_decay_schedule: init_value peak_value warmup_steps decay_steps end_value=0.0 exponent=1.0
warmup_exponential_decay_schedule: init_value peak_value warmup_steps transition_steps decay_rate transition_begin=0 staircase=false end_value=none
"""

# The names of the language for schedules over a whole run: Optax's function, how its parameters are called
# here, and which of them are the run's number of steps if left out.
SHORT_SCHEDULES: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "constant": ("constant_schedule", {}, ()),
    "linear": (
        "linear_schedule",
        {"init": "init_value", "end": "end_value", "steps": "transition_steps"},
        ("transition_steps",),
    ),
    "cosine": ("cosine_decay_schedule", {"init": "init_value", "steps": "decay_steps"}, ("decay_steps",)),
    "exponential": (
        "exponential_decay",
        {"init": "init_value", "steps": "transition_steps", "decay": "decay_rate"},
        ("transition_steps",),
    ),
    "polynomial": (
        "polynomial_schedule",
        {"init": "init_value", "end": "end_value", "steps": "transition_steps"},
        ("transition_steps",),
    ),
    "onecycle": (
        "cosine_onecycle_schedule",
        {"peak": "peak_value", "steps": "transition_steps"},
        ("transition_steps",),
    ),
    "warmup_cosine": (
        "warmup_cosine_decay_schedule",
        {"peak": "peak_value", "warmup": "warmup_steps", "steps": "decay_steps", "end": "end_value"},
        ("decay_steps",),
    ),
    "warmup_constant": ("warmup_constant_schedule", {"peak": "peak_value", "warmup": "warmup_steps"}, ()),
}
FILLED: dict[str, dict[str, float]] = {
    "linear": {"end_value": 0.0},
    "warmup_cosine": {"init_value": 0.0},
    "warmup_constant": {"init_value": 0.0},
}
"""What a short name fills in for parameters that Optax wants given."""

TOTAL_STEPS = "total_steps"
"""In a checked recipe: the number of steps of the run, which is known when the data are."""


@dataclass(frozen=True)
class Parameter:
    name: str
    optax_name: str
    default: Term
    required: bool
    schedule: bool


@dataclass(frozen=True)
class Row:
    """A function of Optax and its parameters, in positional order."""

    name: str
    optax_name: str
    parameters: tuple[Parameter, ...]


def read_rows(text: str) -> dict[str, Row]:
    rows = {}
    for line in text.split("\n"):
        name, _, parameters = line.partition(":")
        if name:
            rows[name] = Row(name, name, tuple(read_parameter(p) for p in parameters.split()))
    return rows


def read_parameter(text: str) -> Parameter:
    name, equals, default = text.partition("=")
    schedule, name = name.endswith("~"), name.rstrip("~")
    return Parameter(name, "learning_rate" if name == "rate" else name, read_default(default), not equals, schedule)


def read_default(text: str) -> Term:
    if text in ("", "none"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if text[0] == "'":
        return text[1:-1]
    return int(text) if text.isdigit() else float(text)


@cache
def transforms() -> dict[str, Row]:
    """Optimizers and gradient transforms by name."""
    return read_rows(TRANSFORM_ROWS)


@cache
def schedules() -> dict[str, Row]:
    """Schedules by Optax's names and by the language's short ones."""
    rows = read_rows(SCHEDULE_ROWS)
    return rows | {short: shorten(short, rows[of], renamed) for short, (of, renamed, _) in SHORT_SCHEDULES.items()}


def shorten(short: str, row: Row, renamed: dict[str, str]) -> Row:
    """A schedule under its short name: the renamed parameters first, steps and filled ones with defaults."""
    by_optax = {p.name: p for p in row.parameters}
    totals, filled = SHORT_SCHEDULES[short][2], FILLED.get(short, {})
    order = [*renamed.values(), *(p.name for p in row.parameters if p.name not in renamed.values())]
    called = {optax: name for name, optax in renamed.items()}
    parameters = []
    for optax_name in order:
        p = by_optax[optax_name]
        default: Term = TOTAL_STEPS if optax_name in totals else filled.get(optax_name, p.default)
        required = p.required and optax_name not in totals and optax_name not in filled
        parameters.append(Parameter(called.get(optax_name, optax_name), optax_name, default, required, p.schedule))
    return Row(short, row.name, tuple(sorted(parameters, key=lambda p: not p.required)))


@dataclass(frozen=True)
class Wrong:
    """What is wrong with a call of an optimizer or schedule: one of unknown, argument, missing, extra, type."""

    what: str
    name: str
    callee: str
    position: int | None = None
    known: tuple[str, ...] = ()
    accepts: str = ""


def bind_row(term: Applied, rows: dict[str, Row]) -> Applied | list[Wrong]:
    """The call with every argument by its Optax name, or all that is wrong with it."""
    row = rows.get(term.name)
    if row is None:
        return [Wrong("unknown", term.name, term.name, known=tuple(rows))]
    wrong: list[Wrong] = []
    names = tuple(p.name for p in row.parameters)
    given: dict[str, tuple[Term, int | None]] = {}
    for position, value in enumerate(term.positional):
        if position < len(names):
            given[names[position]] = (value, position)
        else:
            wrong.append(Wrong("extra", "", term.name, position, names))
    for name, value in term.named:
        optax_to_name = {p.optax_name: p.name for p in row.parameters}
        name = optax_to_name.get(name, name)
        if name not in names or name in given:
            wrong.append(Wrong("argument" if name not in names else "extra", name, term.name, known=names))
        else:
            given[name] = (value, None)
    bound: list[tuple[str, Term]] = []
    for p in row.parameters:
        if p.name not in given:
            if p.required:
                wrong.append(Wrong("missing", p.name, term.name))
            elif (
                p.default == TOTAL_STEPS
                or p.name in FILLED.get(term.name, {})
                or p.optax_name in FILLED.get(term.name, {})
            ):
                bound.append((p.optax_name, p.default))
            continue
        value, position = given[p.name]
        checked = check_value(value, p)
        if isinstance(checked, str):
            wrong.append(Wrong("type", p.name, term.name, position, accepts=checked))
        elif isinstance(checked, list):
            wrong += checked
        else:
            bound.append((p.optax_name, checked[0]))
    return wrong or Applied(row.optax_name, (), tuple(bound), term.span)


def check_value(value: Term, parameter: Parameter) -> tuple[Term] | str | list[Wrong]:
    """The checked value in a tuple, what would be accepted, or what is wrong inside a schedule."""
    if isinstance(value, Applied):
        if not parameter.schedule:
            return "a number"
        bound = bind_row(value, schedules())
        return bound if isinstance(bound, list) else (bound,)
    default = parameter.default
    if isinstance(default, bool):
        return (value,) if isinstance(value, bool) else "`true` or `false`"
    if isinstance(default, str) and default != TOTAL_STEPS:
        return (value,) if isinstance(value, str) else "a string"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (value,)
    return "a number or a schedule such as `cosine(0.1)`" if parameter.schedule else "a number"
