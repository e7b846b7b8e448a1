"""The rows of the tables of optimizers and schedules: functions that Optax exports, with their defaults.

Written once from Optax 0.2.8's signatures; `tests/test_optimizers.py` compares every row with them. A row is
`name: parameter=default ...`, and goes on in indented lines. `rate` stands for Optax's `learning_rate`, `seed`
for its `key`. Behind a name, `~` allows a schedule and `!` asks for one; `:=` is a default of the language that
Optax has not; `none` may be left out. Not here: what needs a function or another transform (line searches,
masks, wrappers), and `axis` of `adaptive_grad_clip`, which would have to fit every weight.
"""

TRANSFORM_ROWS = """
adabelief: rate~ b1=0.9 b2=0.999 eps=1e-16 eps_root=1e-16 nesterov=false
adadelta: rate~=none rho=0.9 eps=1e-06 weight_decay~=0.0
adafactor: rate~=none min_dim_size_to_factor=128 decay_rate=0.8 decay_offset=0
    multiply_by_parameter_scale=true clipping_threshold=1.0 momentum=none weight_decay_rate~=none eps=1e-30
    factored=true
adagrad: rate~ initial_accumulator_value=0.1 eps=1e-07
adam: rate~ b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 nesterov=false
adamax: rate~ b1=0.9 b2=0.999 eps=1e-08
adamaxw: rate~ b1=0.9 b2=0.999 eps=1e-08 weight_decay~=0.0001
adamw: rate~ b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 weight_decay~=0.0001 nesterov=false
adan: rate~ b1=0.98 b2=0.92 b3=0.99 eps=1e-08 eps_root=1e-08 weight_decay~=0.0
adaptive_grad_clip: clipping eps=0.001
add_decayed_weights: weight_decay~=0.0
add_noise: eta gamma seed:=0
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
noisy_sgd: rate~ eta=0.01 gamma=0.55 seed:=0
normalize_by_update_norm: scale_factor=1.0 eps=1e-06
novograd: rate~ b1=0.9 b2=0.25 eps=1e-06 eps_root=0.0 weight_decay=0.0
optimistic_adam: rate optimism=none b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 nesterov=true
optimistic_adam_v2: rate~ alpha=1.0 beta=1.0 b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 nesterov=true
optimistic_gradient_descent: rate~ alpha=1.0 beta=1.0
polyak_sgd: max_learning_rate=1.0 scaling~=1.0 f_min=0.0 eps=0.0 variant='sps'|'sps+'
radam: rate~ b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 threshold=5.0 nesterov=false
rmsprop: rate~ decay=0.9 eps=1e-08 initial_scale=0.0 eps_in_sqrt=true centered=false momentum=none
    nesterov=false bias_correction=false
rprop: rate eta_minus=0.5 eta_plus=1.2 min_step_size=1e-06 max_step_size=50.0
scale: step_size
scale_by_adadelta: rho=0.9 eps=1e-06
scale_by_adam: b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 nesterov=false
scale_by_adamax: b1=0.9 b2=0.999 eps=1e-08
scale_by_adan: b1=0.98 b2=0.92 b3=0.99 eps=1e-08 eps_root=0.0
scale_by_amsgrad: b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 bias_correction_mu=true bias_correction_nu=true
scale_by_belief: b1=0.9 b2=0.999 eps=1e-16 eps_root=1e-16 nesterov=false
scale_by_distance_over_gradients: reps_rel=1e-06 eps=1e-08 global_scale=1.0
scale_by_factored_rms: factored=true decay_rate=0.8 step_offset=0 min_dim_size_to_factor=128 epsilon=1e-30
scale_by_lbfgs: memory_size=10 scale_init_precond=true
scale_by_learning_rate: rate~=none flip_sign=true
scale_by_lion: b1=0.9 b2=0.99 mode='hard'|'smooth'|'refined' smooth_beta=1.0
scale_by_novograd: b1=0.9 b2=0.25 eps=1e-08 eps_root=0.0 weight_decay=0.0
scale_by_optimistic_gradient: alpha=1.0 beta=1.0
scale_by_param_block_norm: min_scale=0.001
scale_by_param_block_rms: min_scale=0.001
scale_by_polyak: f_min=0.0 max_learning_rate=1.0 eps=0.0 variant='sps'|'sps+'
scale_by_radam: b1=0.9 b2=0.999 eps=1e-08 eps_root=0.0 threshold=5.0 nesterov=false
scale_by_rms: decay=0.9 eps=1e-08 initial_scale=0.0 eps_in_sqrt=true bias_correction=false
scale_by_rprop: rate eta_minus=0.5 eta_plus=1.2 min_step_size=1e-06 max_step_size=50.0
scale_by_rss: initial_accumulator_value=0.1 eps=1e-07
scale_by_schedule: step_size_fn!
scale_by_sign:
scale_by_sm3: b1=0.9 b2=1.0 eps=1e-08
scale_by_stddev: decay=0.9 eps=1e-08 initial_scale=0.0 eps_in_sqrt=true bias_correction=false
scale_by_trust_ratio: min_norm=0.0 trust_coefficient=1.0 eps=0.0
scale_by_yogi: b1=0.9 b2=0.999 eps=0.001 eps_root=0.0 initial_accumulator_value=1e-06
set_to_zero:
sgd: rate~ momentum=none nesterov=false
sign_sgd: rate~
signum: rate~ beta=0.9
sm3: rate momentum=0.9
trace: decay nesterov=false
yogi: rate~ b1=0.9 b2=0.999 eps=0.001
zero_nans:
"""

SCHEDULE_ROWS = """
constant_schedule: value
cosine_decay_schedule: init_value decay_steps alpha=0.0 exponent=1.0
cosine_onecycle_schedule: transition_steps peak_value pct_start=0.3 div_factor=25.0 final_div_factor=10000.0
exponential_decay: init_value transition_steps decay_rate transition_begin=0 staircase=false end_value=none
linear_onecycle_schedule: transition_steps peak_value pct_start=0.3 pct_final=0.85 div_factor=25.0
    final_div_factor=10000.0
linear_schedule: init_value end_value transition_steps transition_begin=0
polynomial_schedule: init_value end_value power transition_steps transition_begin=0
warmup_constant_schedule: init_value peak_value warmup_steps
warmup_cosine_decay_schedule: init_value peak_value warmup_steps decay_steps end_value=0.0 exponent=1.0
warmup_exponential_decay_schedule: init_value peak_value warmup_steps transition_steps decay_rate
    transition_begin=0 staircase=false end_value=none
"""

# The language's names for schedules over a whole run, in the same form; a parameter that is called otherwise in
# Optax is written `name>optax_name`, and `total` is the run's number of steps.
SHORT_ROWS = """
constant=constant_schedule: value
cosine=cosine_decay_schedule: init>init_value steps>decay_steps:=total alpha=0.0 exponent=1.0
exponential=exponential_decay: init>init_value decay>decay_rate steps>transition_steps:=total transition_begin=0
    staircase=false end>end_value=none
linear=linear_schedule: init>init_value end>end_value:=0.0 steps>transition_steps:=total transition_begin=0
onecycle=cosine_onecycle_schedule: peak>peak_value steps>transition_steps:=total pct_start=0.3 div_factor=25.0
    final_div_factor=10000.0
polynomial=polynomial_schedule: init>init_value end>end_value power steps>transition_steps:=total transition_begin=0
warmup_constant=warmup_constant_schedule: peak>peak_value warmup>warmup_steps init>init_value:=0.0
warmup_cosine=warmup_cosine_decay_schedule: peak>peak_value warmup>warmup_steps steps>decay_steps:=total
    end>end_value=0.0 init>init_value:=0.0 exponent=1.0
"""

OF_WHOLE_WEIGHTS = frozenset(
    (
        *("adafactor", "adaptive_grad_clip", "add_noise", "centralize", "clip_by_block_rms", "fromage", "lamb", "lars"),
        *("noisy_sgd", "novograd", "scale_by_factored_rms", "scale_by_novograd", "scale_by_param_block_norm"),
        *("scale_by_param_block_rms", "scale_by_sm3", "scale_by_trust_ratio", "sm3"),
    )
)
"""The transforms that make a number's update of others of its weight too: norms, means, factors, one key a weight."""
