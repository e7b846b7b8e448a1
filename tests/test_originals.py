"""netc equals implementations that nobody here wrote: PyTorch's layers, the nets of Hugging Face's transformers and of
Keras Applications, and torchvision's in plain torch.nn.

Weights come in by `netc.import_weights`, those of nets by the maps that are shipped; all are random, running statistics
too. Outputs are compared, and for some nets gradients, which come in by the same map as weights do.
"""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx
from originals.torchvision_nets import AlexNet, GoogLeNet
from safetensors.torch import save_file
from shipped import ORIGINALS
from torch import Tensor, nn

import netc
from netc.importing.load import read_foreign
from netc.importing.maps import read_map
from netc.kernels.losses import ctc
from netc.model import Model, origin_of, weights_of

SPECS = Path(__file__).parents[1] / "specs"
COPIES = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
"""Keras's variables are older than NumPy 2."""
CLOSE = 1e-4
"""Of what the numbers spread; float32's rounding in sums of another order."""


def stirred(module: nn.Module, seed: int = 0) -> Any:
    """A module in use, all of whose weights and running statistics are random: those that start at 0 or 1 too."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if tensor.is_floating_point() and tensor.dim() == 1:
                tensor += 0.3 * torch.rand_like(tensor) if "var" in name else 0.1 * torch.randn_like(tensor)
    return module.eval()


def random(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("f")


def last_axis_first(x: np.ndarray) -> Tensor:
    """[batch, ..., channels] as PyTorch has it, [batch, channels, ...]."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))


def first_axis_last(x: Tensor) -> np.ndarray:
    return np.moveaxis(x.detach().numpy(), 1, -1)


def assert_close(what: str, ours: Any, theirs: Any, close: float = CLOSE) -> None:
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape, what
    assert np.abs(theirs).max() > 0, f"{what}: all of it is 0"
    difference = np.abs(ours - theirs).max() / np.std(theirs)
    assert difference < close, f"{what} differs by {difference:.2g} of its spread"


def compiled(spec: str, size: int | None = None, **settings: object) -> netc.CompiledNet:
    """A shipped spec, for smaller images than its own if a size is given."""
    if size is None:
        return netc.compile(SPECS / f"{spec}.net", set=settings)
    text = (SPECS / f"{spec}.net").read_text()
    assert text.count("[224, 224, 3]") == 1
    return netc.compile(without_asserts(text.replace("[224, 224, 3]", f"[{size}, {size}, 3]")), set=settings)


def without_asserts(text: str) -> str:
    """A spec's text of other sizes than its own, for which its counts do not hold."""
    return re.sub(r"^  assert .*\n", "", text, flags=re.M)


def our_gradients(model: Model, weighing: np.ndarray, *inputs: np.ndarray) -> dict[str, np.ndarray]:
    """The gradient of the weighed sum of a model's output, by its weights' names."""
    view = nnx.view(model, deterministic=True, use_running_average=True, raise_if_not_found=False)
    graph, params, rest = nnx.split(view, nnx.Param, ...)

    def total(params: Any) -> jax.Array:
        return jnp.sum(nnx.merge(graph, params, rest)(*inputs) * weighing)

    return weights_of(nnx.merge(graph, jax.jit(jax.grad(total))(params), rest), origin_of(model)[1])


def their_gradients(module: nn.Module, output: Tensor, weighing: np.ndarray, path: Path) -> None:
    """The same of a module, written as a file of weights under their names; 0 for what has none."""
    module.zero_grad()
    (output * torch.from_numpy(weighing)).sum().backward()
    gradients = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
    save_file({**{name: torch.zeros_like(b) for name, b in module.named_buffers()}, **gradients}, path)


def assert_same_gradients(
    net: netc.CompiledNet,
    model: Model,
    map: str | Mapping[str, object],
    module: nn.Module,
    ours: Any,
    theirs: Any,
    path: Path,
) -> None:
    """Both sides' gradients of one random sum of the output agree, for every weight that is trained."""
    weighing = random(*theirs.shape, seed=7)
    their_gradients(module, theirs, weighing, path)
    found = our_gradients(model, weighing, ours)
    wanted = read_foreign(net.program, path, read_map(map)).weights
    for name, weight in net.program.weights():
        if weight.trainable:
            scale = max(np.abs(wanted[name]).max(), 1e-3)
            assert np.abs(found[name] - wanted[name]).max() < 1e-3 * scale, f"gradient of {name}"


# Layers of torch.nn.

CONV = {"c.kernel": "weight -> transpose(2, 3, 1, 0)", "c.bias": "bias"}


@dataclass(frozen=True)
class Case:
    """A layer `c` of netc and one of PyTorch on a value of this shape, and the map between their weights."""

    flow: str
    module: nn.Module
    shape: tuple[int, ...]
    weights: Mapping[str, object] | None = None
    moved: bool = True
    """Whether PyTorch has channels first."""


NORM = {"c.{scale|bias}": "{weight|bias}"}
CASES: dict[str, Case] = {
    "conv": Case("c: conv(6, 3x3)", nn.Conv2d(4, 6, 3), (9, 8, 4), CONV),
    "conv, stride and pad": Case(
        "c: conv(6, 5x3, stride = 2x3, pad = 2x1)", nn.Conv2d(4, 6, (5, 3), (2, 3), (2, 1)), (11, 10, 4), CONV
    ),
    "conv, dilation": Case("c: conv(6, 3x3, dilation = 2, pad = 2)", nn.Conv2d(4, 6, 3, 1, 2, 2), (9, 8, 4), CONV),
    "conv, groups": Case("c: conv(6, 3x3, groups = 2)", nn.Conv2d(4, 6, 3, groups=2), (9, 8, 4), CONV),
    "conv, each map": Case("c: conv(8, 3x3, groups = 4)", nn.Conv2d(4, 8, 3, groups=4), (9, 8, 4), CONV),
    "conv of sequences": Case(
        "c: conv(6, 3, stride = 2, pad = 1)",
        nn.Conv1d(4, 6, 3, 2, 1),
        (9, 4),
        {"c.kernel": "weight -> transpose(2, 1, 0)", "c.bias": "bias"},
    ),
    "conv of volumes": Case(
        "c: conv(3, 3x2x3)",
        nn.Conv3d(2, 3, (3, 2, 3)),
        (5, 4, 6, 2),
        {"c.kernel": "weight -> transpose(2, 3, 4, 1, 0)", "c.bias": "bias"},
    ),
    "conv_transpose": Case(
        "c: conv_transpose(6, 3x3, stride = 2, pad = 1, output_pad = 1)",
        nn.ConvTranspose2d(4, 6, 3, 2, 1, 1),
        (5, 4, 4),
        CONV,
    ),
    "conv_transpose, groups and dilation": Case(
        "c: conv_transpose(6, 3x2, stride = 2x1, dilation = 1x2, bias = false)",
        nn.ConvTranspose2d(4, 6, (3, 2), (2, 1), bias=False, dilation=(1, 2)),
        (5, 4, 4),
        {"c.kernel": CONV["c.kernel"]},
    ),
    "batchnorm": Case(
        "c: batchnorm",
        nn.BatchNorm2d(5),
        (4, 3, 5),
        {"c.{scale|bias|mean|var}": "{weight|bias|running_mean|running_var}"},
    ),
    "groupnorm": Case("c: groupnorm(3)", nn.GroupNorm(3, 6), (4, 3, 6), NORM),
    "layernorm": Case("c: layernorm", nn.LayerNorm(6), (4, 6), NORM, moved=False),
    "lrn": Case("lrn(5, alpha = 0.02, beta = 0.75, k = 2)", nn.LocalResponseNorm(5, 0.1, 0.75, 2.0), (4, 3, 9)),
    "maxpool": Case("maxpool(3x3, stride = 2, pad = 1)", nn.MaxPool2d(3, 2, 1), (8, 7, 3)),
    "maxpool, up": Case("maxpool(3x3, stride = 2, round = up)", nn.MaxPool2d(3, 2, ceil_mode=True), (8, 7, 3)),
    "maxpool, up and pad": Case(
        "maxpool(2x2, stride = 3, pad = 1, round = up)", nn.MaxPool2d(2, 3, 1, ceil_mode=True), (8, 9, 3)
    ),
    "avgpool, up": Case(
        "avgpool(3x3, stride = 2, pad = 1, round = up)",
        nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
        (8, 7, 3),
    ),
    "adaptive_avgpool": Case("adaptive_avgpool(3x4)", nn.AdaptiveAvgPool2d((3, 4)), (8, 7, 3)),
    "adaptive_maxpool": Case("adaptive_maxpool(3x4)", nn.AdaptiveMaxPool2d((3, 4)), (8, 7, 3)),
    "upsample": Case("upsample(2, bilinear)", nn.Upsample(scale_factor=2, mode="bilinear"), (4, 5, 3)),
    "gelu": Case("gelu", nn.GELU(), (6,), moved=False),
    "dense": Case(
        "c: dense(5)", nn.Linear(4, 5), (3, 4), {"c.kernel": "weight -> transpose(1, 0)", "c.bias": "bias"}, moved=False
    ),
}


def given_to(flow: str, shape: tuple[int, ...]) -> netc.CompiledNet:
    return netc.compile(f"net N {{ input x: {list(shape)}  output y = x -> {flow} }}")


@pytest.mark.parametrize("name", CASES)
def test_a_layer_is_that_of_torch(name: str, tmp_path: Path) -> None:
    case, path = CASES[name], tmp_path / "layer.pt"
    module, net = stirred(case.module), given_to(case.flow, case.shape)
    model = net.init()
    if case.weights is not None:
        torch.save(module.state_dict(), path)
        ignored = {"ignore": ["num_batches_tracked"]}
        model = netc.import_weights(net, path, {"weights": case.weights, **ignored})
    x = random(2, *case.shape)
    theirs = module(last_axis_first(x) if case.moved else torch.from_numpy(x))
    assert_close(name, model.predict(x), first_axis_last(theirs) if case.moved else theirs.detach().numpy())


LSTM = {
    "c.kernel": "weight_ih_l0 -> transpose(1, 0)",
    "c.recurrent": "weight_hh_l0 -> transpose(1, 0)",
    "c.bias": "(bias_ih_l0, bias_hh_l0) -> add",
}


@pytest.mark.parametrize(
    ("flow", "module"),
    {"lstm": nn.LSTM(4, 5, batch_first=True), "rnn": nn.RNN(4, 5, batch_first=True)}.items(),
)
def test_a_recurrent_layer_is_that_of_torch(flow: str, module: nn.Module, tmp_path: Path) -> None:
    """Gates in the same order, and the sum of PyTorch's two biases; gradients go to both of them."""
    net, path, x = given_to(f"c: {flow}(5)", (7, 4)), tmp_path / "recurrent.pt", random(3, 7, 4)
    torch.save(stirred(module).state_dict(), path)
    model = netc.import_weights(net, path, {"weights": LSTM})
    theirs = module(torch.from_numpy(x))[0]
    assert_close(flow, model.predict(x), theirs.detach().numpy())
    one_bias = {"weights": {**LSTM, "c.bias": "bias_ih_l0"}, "ignore": ["bias_hh_l0"]}
    assert_same_gradients(net, model, one_bias, module, x, theirs, tmp_path / "gradients")


def test_both_directions_of_a_torch_lstm(tmp_path: Path) -> None:
    module, path, x = (
        stirred(nn.LSTM(4, 5, bidirectional=True, batch_first=True)),
        tmp_path / "both.pt",
        random(3, 7, 4),
    )
    torch.save(module.state_dict(), path)
    flow = "[ahead: lstm(5), back: lstm(5, reverse = true)] -> concat"
    gates = {"kernel": "weight_ih_l0", "recurrent": "weight_hh_l0"}
    weights = {f"{{ahead|back}}.{ours}": f"{theirs}{{|_reverse}} -> transpose(1, 0)" for ours, theirs in gates.items()}
    weights["{ahead|back}.bias"] = "(bias_ih_l0{|_reverse}, bias_hh_l0{|_reverse}) -> add"
    model = netc.import_weights(given_to(flow, (7, 4)), path, {"weights": weights})
    assert_close("both", model.predict(x), module(torch.from_numpy(x))[0].detach().numpy())


def test_the_tagger_of_the_page_is_its_net(tmp_path: Path) -> None:
    """docs/importing.md: the module, the net and the map between them."""
    blocks = (SPECS.parent / "docs" / "importing.md").read_text().split("```")
    made, text, map = (
        next(block.removeprefix(language) for block in blocks if block.startswith(f"{language}\n{first}"))
        for language, first in (("python", "class Tagger"), ("net", "net Tagger"), ("yaml", "weights:"))
    )
    names: dict[str, Any] = {"nn": nn}
    exec(made, names)
    module, tokens = stirred(names["Tagger"]()), np.random.default_rng(2).integers(0, 50, (3, 9)).astype(np.int32)
    torch.save({f"module.{name}": tensor for name, tensor in module.state_dict().items()}, tmp_path / "tagger.pt")
    (tmp_path / "tagger.yaml").write_text(map)
    model = netc.import_weights(netc.compile(text, set={"width": 32}), tmp_path / "tagger.pt", tmp_path / "tagger.yaml")
    assert_close("tags", model.predict(tokens), module(torch.from_numpy(tokens).long()).detach().numpy())


def test_a_torch_gru_is_another_variant(tmp_path: Path) -> None:
    """PyTorch's reset gate acts behind the matrix, ours before it (Cho et al. 2014, version 3): equal where the reset
    gate is fully open, different where it is not."""
    module, path, x = stirred(nn.GRU(4, 5, batch_first=True)), tmp_path / "gru.pt", random(3, 7, 4)
    net = given_to("c: gru(5)", (7, 4))
    reordered = "-> reorder(0, 1, 0, 2)"
    weights = {
        "c.kernel": f"weight_ih_l0 {reordered} -> transpose(1, 0)",
        "c.recurrent": f"weight_hh_l0 {reordered} -> transpose(1, 0)",
        "c.bias": f"(bias_ih_l0, bias_hh_l0) -> add {reordered}",
    }
    with torch.no_grad():
        torch.save(module.state_dict(), path)
        closed = netc.import_weights(net, path, {"weights": weights}).predict(x)
        assert np.abs(closed - module(torch.from_numpy(x))[0].numpy()).max() > 1e-3
        module.get_parameter("bias_ih_l0")[:5] = 100
        torch.save(module.state_dict(), path)
        opened = netc.import_weights(net, path, {"weights": weights}).predict(x)
        assert_close("gru", opened, module(torch.from_numpy(x))[0].numpy())


@pytest.mark.filterwarnings(COPIES)
def test_a_keras_gru_is_ours(tmp_path: Path) -> None:
    """Keras has both variants; `reset_after = False` is Cho's, with gates in the same order."""
    import keras

    keras.utils.set_random_seed(0)
    layer = keras.layers.GRU(
        5, reset_after=False, return_sequences=True, bias_initializer="random_normal", name="memory"
    )
    model = keras.Sequential([keras.Input((7, 4)), layer])
    path, x = tmp_path / "gru.weights.h5", random(3, 7, 4)
    model.save_weights(path)
    weights = {"c.{kernel|recurrent|bias}": "gru_cell.{0|1|2}"}
    ours = netc.import_weights(given_to("c: gru(5)", (7, 4)), path, {"weights": weights})
    assert_close("gru", ours.predict(x), model(x))


ATTENTION = {
    "c.{query|key|value}": "in_proj_weight -> part(0, {0|1|2}, 3) -> transpose(1, 0)",
    "c.{query|key|value}_bias": "in_proj_bias -> part(0, {0|1|2}, 3)",
    "c.out": "out_proj.weight -> transpose(1, 0)",
    "c.out_bias": "out_proj.bias",
}


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_torch(causal: bool, tmp_path: Path) -> None:
    module, path, x = (
        stirred(nn.MultiheadAttention(12, 3, batch_first=True)),
        tmp_path / "attention.pt",
        random(2, 5, 12),
    )
    net = given_to(f"c: attention(3, causal = {str(causal).lower()})", (5, 12))
    torch.save(module.state_dict(), path)
    model = netc.import_weights(net, path, {"weights": ATTENTION})
    t = torch.from_numpy(x)
    hidden = torch.ones(5, 5, dtype=torch.bool).triu(1) if causal else None
    theirs = module(t, t, t, attn_mask=hidden, need_weights=False)[0]
    assert_close("attention", model.predict(x), theirs.detach().numpy())
    assert_same_gradients(net, model, {"weights": ATTENTION}, module, x, theirs, tmp_path / "gradients")


# Nets.


RESNETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "18": (
        {"depths": [2, 2, 2, 2], "unit": "basic"},
        {"depths": [2, 2, 2, 2], "layer_type": "basic", "hidden_sizes": [64, 128, 256, 512]},
    ),
    "50": ({}, {}),
}


@pytest.mark.parametrize("blank", [0, 6])
def test_ctc_is_that_of_torch(blank: int) -> None:
    """Values and gradients; labels of several lengths, with classes that stand twice in a row."""
    logits = random(4, 9, 7)
    classes = [c for c in range(7) if c != blank]
    said = [[classes[i] for i in row] for row in ([0, 1, 2], [3, 3], [4], [5, 5, 5, 2])]
    label = np.array([row + [blank] * (4 - len(row)) for row in said])
    theirs = torch.from_numpy(logits).requires_grad_()
    steps, lengths = torch.full((4,), 9), torch.tensor([len(row) for row in said])
    paths = theirs.log_softmax(-1).swapaxes(0, 1)
    loss = nn.functional.ctc_loss(paths, torch.from_numpy(label), steps, lengths, blank, reduction="none")
    loss.sum().backward()
    gradient = jax.grad(lambda x: ctc(x, jnp.asarray(label), blank).sum())(jnp.asarray(logits))
    assert_close("loss", ctc(jnp.asarray(logits), jnp.asarray(label), blank), loss.detach().numpy())
    assert theirs.grad is not None
    assert_close("gradient", gradient, theirs.grad.numpy(), 1e-3)


def test_every_large_net_is_compared() -> None:
    assert {"resnet", "vit", "gpt2", "alexnet_one_tower", "googlenet", *KERAS} == set(ORIGINALS)


@pytest.mark.parametrize("name", RESNETS)
def test_resnet_is_that_of_hugging_face(name: str, tmp_path: Path) -> None:
    from transformers import ResNetConfig, ResNetForImageClassification

    settings, config = RESNETS[name]
    module = stirred(ResNetForImageClassification(ResNetConfig(**{"num_labels": 1000, **config})))
    module.save_pretrained(tmp_path)
    model = netc.import_weights(
        compiled("resnet", 64, **settings), tmp_path / "model.safetensors", "resnet.huggingface"
    )
    x = random(2, 64, 64, 3)
    assert_close("logits", model.predict(x), module(last_axis_first(x)).logits.detach().numpy(), 1e-3)


def test_vit_is_that_of_hugging_face(tmp_path: Path) -> None:
    """Under the names that files have and under those in memory."""
    from transformers import ViTConfig, ViTForImageClassification

    sizes: dict[str, Any] = {
        "hidden_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 96,
    }
    sizes |= {"image_size": 64, "num_labels": 10}
    module = stirred(ViTForImageClassification(ViTConfig(**sizes)))
    module.save_pretrained(tmp_path)
    net, x = compiled("vit", 64, width=24, depth=2, heads=3, classes=10), random(2, 64, 64, 3)
    torch.save(module.state_dict(), tmp_path / "vit.pt")
    theirs = module(last_axis_first(x)).logits
    for name in ("model.safetensors", "vit.pt"):
        model = netc.import_weights(net, tmp_path / name, "vit.huggingface")
        assert_close("logits", model.predict(x), theirs.detach().numpy())
    assert_same_gradients(net, model, "vit.huggingface", module, x, theirs, tmp_path / "gradients")


def test_gpt2_is_that_of_hugging_face(tmp_path: Path) -> None:
    """The scores' weights are the table's: a file may have both, which must then be equal, as must what they learn."""
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes: dict[str, Any] = {"n_embd": 24, "n_layer": 2, "n_head": 3, "n_positions": 16, "vocab_size": 50}
    module = stirred(GPT2LMHeadModel(GPT2Config(bos_token_id=0, eos_token_id=0, **sizes)))
    module.save_pretrained(tmp_path)
    net = compiled("gpt2", vocab=50, context=16, width=24, depth=2, heads=3)
    tokens = np.random.default_rng(2).integers(0, 50, (2, 16)).astype(np.int32)
    torch.save(module.state_dict(), tmp_path / "gpt2.pt")
    theirs = module(torch.from_numpy(tokens).long()).logits
    for name in ("model.safetensors", "gpt2.pt"):
        model = netc.import_weights(net, tmp_path / name, "gpt2.huggingface")
        assert_close("logits", model.predict(tokens), theirs.detach().numpy())
    assert_same_gradients(net, model, "gpt2.huggingface", module, tokens, theirs, tmp_path / "gradients")


def test_vit_b_16_is_that_of_hugging_face_in_full_size(tmp_path: Path) -> None:
    from transformers import ViTConfig, ViTForImageClassification

    labels: dict[str, Any] = {"num_labels": 1000}
    module = ViTForImageClassification(ViTConfig(**labels))
    module.eval().save_pretrained(tmp_path)
    model = netc.import_weights(compiled("vit"), tmp_path / "model.safetensors", "vit.huggingface")
    x = random(1, 224, 224, 3)
    with torch.no_grad():
        assert_close("logits", model.predict(x), module(last_axis_first(x)).logits.numpy(), 1e-3)


def test_gpt2_small_is_that_of_hugging_face_in_full_size(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    module = GPT2LMHeadModel(GPT2Config())
    module.eval().save_pretrained(tmp_path)
    model = netc.import_weights(compiled("gpt2"), tmp_path / "model.safetensors", "gpt2.huggingface")
    tokens = np.random.default_rng(2).integers(0, 50257, (1, 1024)).astype(np.int32)
    with torch.no_grad():
        assert_close("logits", model.predict(tokens), module(torch.from_numpy(tokens).long()).logits.numpy(), 1e-3)


def test_alexnet_is_that_of_torchvision(tmp_path: Path) -> None:
    text = (SPECS / "alexnet_one_tower.net").read_text()
    assert text.count("dense(4096)") == 2
    net = netc.compile(without_asserts(text.replace("dense(4096)", "dense(64)")), set={"classes": 10})
    module, x = stirred(AlexNet(10, 64)), random(2, 224, 224, 3)
    torch.save(module.state_dict(), tmp_path / "alexnet.pt")
    model = netc.import_weights(net, tmp_path / "alexnet.pt", "alexnet_one_tower.torchvision")
    theirs = module(last_axis_first(x))
    assert_close("logits", model.predict(x), theirs.detach().numpy())
    assert_same_gradients(net, model, "alexnet_one_tower.torchvision", module, x, theirs, tmp_path / "gradients")


def test_googlenet_is_that_of_torchvision(tmp_path: Path) -> None:
    net, module, x = compiled("googlenet", classes=10), stirred(GoogLeNet(10)), random(1, 224, 224, 3)
    torch.save({"state_dict": module.state_dict()}, tmp_path / "googlenet.pth")
    shipped = (SPECS / "maps" / "googlenet.torchvision.yaml").read_text()
    (tmp_path / "map.yaml").write_text(shipped.replace("strip: [module.]", "strip: [state_dict.]"))
    model = netc.import_weights(net, tmp_path / "googlenet.pth", tmp_path / "map.yaml")
    with torch.no_grad():
        outputs = module(last_axis_first(x))
    for ours, theirs in zip(model.predict(x), outputs, strict=True):
        assert_close("logits", ours, theirs.numpy(), 1e-3)


KERAS = {"vgg16": "VGG16", "mobilenet_v2": "MobileNetV2"}


def glorot_uniform(self: object, shape: tuple[int, ...], dtype: object = None) -> np.ndarray:
    """What Keras draws for kernels [..., in, out] (Glorot & Bengio 2010, equation 16), without the compilation for each
    shape that takes JAX a minute for these nets."""
    limit = math.sqrt(6 / ((shape[-2] + shape[-1]) * math.prod(shape[:-2])))
    return np.random.default_rng(shape).uniform(-limit, limit, shape).astype("f")


@pytest.mark.filterwarnings(COPIES)
@pytest.mark.parametrize("spec", KERAS)
def test_a_net_of_keras_applications(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On JAX, at their own widths, on images of 32 by 32."""
    import keras

    assert keras.backend.backend() == "jax"
    monkeypatch.setattr(keras.initializers.GlorotUniform, "__call__", glorot_uniform)
    make = getattr(keras.applications, KERAS[spec])
    theirs = make(weights=None, input_shape=(32, 32, 3), classes=10, classifier_activation=None)
    rng = np.random.default_rng(3)
    theirs.set_weights([w + 0.1 * rng.random(w.shape) if w.ndim == 1 else w for w in theirs.get_weights()])
    theirs.save_weights(tmp_path / f"{spec}.weights.h5")
    model = netc.import_weights(compiled(spec, 32, classes=10), tmp_path / f"{spec}.weights.h5", f"{spec}.keras")
    x = random(2, 32, 32, 3)
    assert_close("logits", model.predict(x), jax.jit(lambda x: theirs(x, training=False))(x), 1e-3)
