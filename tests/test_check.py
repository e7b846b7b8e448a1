"""What the checker says of whole files: which nets it takes, and which it leaves out."""

import pytest

import netc
from netc.arguments import called_here
from netc.check.names import OF_BLOCKS
from netc.compiler import SPECS, check_file, check_text
from netc.ir.counts import count
from netc.layers import LAYERS
from netc.recipes.losses import LOSSES
from netc.source import Source
from netc.syntax import tree
from netc.syntax.parse import parse

OPEN = "net U(classes) { input x: [4]  output y = x -> dense(classes) }"


def test_a_net_whose_parameter_has_no_value_is_said_to_be_unchecked() -> None:
    assert [p.code for p in check_text(OPEN).problems] == ["unchecked"]
    assert check_text(OPEN, settings={"classes": "3"}).problems == ()
    assert check_text(OPEN + " net V { input x: [4]  output y = x -> U(3) }").problems == ()


def test_a_net_that_is_asked_for_needs_its_parameters() -> None:
    assert [p.code for p in check_text(OPEN, net="U").problems] == ["missing-argument"]
    recipe = "train U { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1) }"
    assert "missing-argument" in [p.code for p in check_text(OPEN + recipe).problems]
    with pytest.raises(netc.CompileError, match="unchecked"):
        netc.compile(OPEN)


def test_a_file_without_a_net_compiles_to_nothing() -> None:
    assert check_text("block a = relu").problems == ()
    with pytest.raises(netc.CompileError, match="has no net"):
        netc.compile("block a { input x  output x -> relu }")


def test_a_weight_for_a_layer_that_takes_none_is_refused() -> None:
    text = "net U { input x: [4]  weight w: [4] = 1  output y = x -> batchnorm(scale = w) }"
    assert [p.code for p in check_text(text).problems] == ["unknown-argument"]


def test_a_rate_that_is_set_leaves_the_other_arguments_alone() -> None:
    text = """net X { input x: [4]  output y = x -> dense(3) }
      train X { data = arrays("x.npz")  loss = squared_error(y, t)  optimizer = clip(1.0) -> sgd(0.1, 0.9) }"""
    recipe = check_text(text, settings={"rate": "0.5"}).recipes[0]
    assert [dict(t.named) for t in recipe.optimizer] == [{"max_delta": 1.0}, {"learning_rate": 0.5, "momentum": 0.9}]


MISSPELT = (
    "net X { input x: [3]  output y = x -> dense(chanels = 2) }",
    "block b(width) = dense(width)  net X { input x: [3]  output y = x -> b(widht = 2) }",
    "net X { input x: [8, 8, 1]  output y = x -> flatten -> dense(10) }  "
    "train X { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rte = 0.1) }",
)


@pytest.mark.parametrize("text", MISSPELT)
def test_a_misspelt_argument_is_not_missing_as_well(text: str) -> None:
    assert [p.code for p in check_text(text).problems] == ["unknown-argument"]


@pytest.mark.parametrize("flow", ["x -> C: conv(4, 9x9)", "x -> C: cnv(4, 3x3)", "x -> rlu -> C: conv(4, 3x3)"])
def test_what_is_asked_of_a_layer_that_failed_is_no_second_mistake(flow: str) -> None:
    text = f"net U {{ input x: [8, 8, 1]  h = {flow}  output y = x -> dense(2, kernel = C.kernel) }}"
    assert len(check_text(text).problems) == 1


def test_a_block_may_stand_in_its_own_arguments() -> None:
    text = "block twice(f) = f -> f  net U { input x: [3]  output y = x -> twice(twice(dense(3))) }"
    assert count(check_text(text).programs[0]).params == 4 * 12
    text = "block again(f) = again(relu)  net U { input x: [3]  output y = x -> again(twice) }  block twice = relu"
    assert [p.code for p in check_text(text).problems] == ["cycle"]


@pytest.mark.parametrize(("first", "second", "code"), [("true", "1", "bad-argument"), ("1", "true", "bad-argument")])
def test_numbers_and_truths_are_different_arguments(first: str, second: str, code: str) -> None:
    """Python takes `1` and `True` for equal, and the second use would be the first one's network."""
    block = "block a(n) = dense(2, bias = n)  " if first == "true" else "block a(n) = dense(n)  "
    text = f"{block}net U {{ input x: [2]  output y = x -> a({first}) -> a({second}) }}"
    assert [p.code for p in check_text(text).problems] == [code]


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("weight w: [4]", "shape-mismatch"),
        ("weight w: [4] = he", "shape-mismatch"),
        ("weight w: i32[4, 4]", "wrong-kind"),
        ("h = x -> dense(4, bias_init = glorot)", "shape-mismatch"),
        ("h = x -> dense(4, bias_init = fan_in(1))", None),
        ("weight w: [4] = normal(0.1)", None),
    ],
)
def test_an_initialiser_fits_its_weight(statement: str, code: str | None) -> None:
    problems = check_text(f"net U {{ input x: [4]  {statement}  output y = x -> relu }}").errors
    assert [p.code for p in problems] == ([code] if code else [])


@pytest.mark.parametrize(("name", "warnings"), [("peak", 1), ("_peak", 0), ("_", 0)])
def test_a_name_that_begins_with_an_underscore_need_not_be_used(name: str, warnings: int) -> None:
    text = f"""net N {{
      input x: [4, 4, 2]
      mean, {name} = x -> [global_avgpool, global_maxpool]
      output y = mean -> dense(3)
    }}"""
    assert len(check_text(text).problems) == warnings


def test_the_turn_of_a_loop_that_is_one_block_is_that_block() -> None:
    text = """
      block unit(n) = inner: dense(n)
      net N { input x: [4]  output y = x -> a: repeat 2 { unit(4) } -> b: for n in [3, 2] { unit(n) -> relu } }"""
    names = [name for name, _ in check_text(text).programs[0].weights() if name.endswith("kernel")]
    assert names == ["a.0.inner.kernel", "a.1.inner.kernel", "b.0.unit1.inner.kernel", "b.1.unit1.inner.kernel"]


def test_a_shipped_spec_that_is_asked_for_as_a_file_is_named() -> None:
    (problem,) = check_file("resnet").problems
    assert problem.help().endswith("resnet.net` is the shipped spec of that name")


def test_a_recipe_that_does_not_fit_is_no_obstacle_for_what_is_about_the_net() -> None:
    spec, sizes = SPECS / "tied_gpt.net", {"context": "64"}
    checked = check_file(str(spec), settings=sizes)
    assert [p.code for p in checked.errors] == ["recipe-mismatch"] and checked.net_errors == ()
    net = netc.compile(spec, set={"context": 64})
    assert net.program.root.types["text"].shape == (64,)
    assert net.recipes == () and [p.code for p in net.warnings] == ["recipe-mismatch"]
    with pytest.raises(netc.CompileError, match="recipe-mismatch"):
        netc.train(spec, set={"context": 64})


def test_a_setting_that_a_net_cannot_take_stands_in_its_way_beside_a_bad_recipe() -> None:
    with pytest.raises(netc.CompileError, match="there is no setting `contxt`"):
        netc.compile(SPECS / "tied_gpt.net", set={"contxt": 64, "context": 64})


@pytest.mark.parametrize("flow", ["x -> rlu -> tower", "y -> tower", "x -> conv(4, 9x9) -> tower"])
def test_a_named_layer_whose_use_failed_is_no_second_mistake(flow: str) -> None:
    other = "output z = h -> dense(8, kernel = tower.kernel.T)"
    text = f"net U {{ input x: [8]  layer tower = dense(4)  h = {flow}  {other} }}"
    assert len(check_text(text).problems) == 1


RECIPES = {
    "optimiser": "data = digits  loss = cross_entropy(y, label)  optimiser = sgd(rate = 0.1)",
    "dta": "dta = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1)",
}


@pytest.mark.parametrize("field", RECIPES)
def test_a_misspelt_field_is_not_missing_as_well(field: str) -> None:
    text = f"net X {{ input x: [8, 8, 1]  output y = x -> flatten -> dense(10) }}  train X {{ {RECIPES[field]} }}"
    (problem,) = check_text(text).problems
    assert problem.message() == f"there is no recipe field `{field}`"


def test_a_text_of_another_length_is_one_mistake() -> None:
    text = """net X { input text: token(256)[16]  output y = text -> embedding(256, 8) -> dense(256) }
      train X { data = text("a.txt", context = 32)  loss = cross_entropy(y, next)  metric = perplexity(y, next)
                optimizer = sgd(rate = 0.1) }"""
    (problem,) = check_text(text).problems
    assert "is token(256)[16], and the data's `text` is token(256)[32]" in problem.message()
    assert problem.help() == "`input text: token(256)[32]` fits these data"


def test_an_image_of_another_size_does_not_hide_a_loss_that_fits_no_label() -> None:
    text = """net X { input image: [9, 9, 1]  output y = image -> flatten -> dense(9) }
      train X { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1) }"""
    assert [p.code for p in check_text(text).problems] == ["recipe-mismatch", "recipe-mismatch"]


def test_inputs_that_nothing_goes_into_are_one_mistake() -> None:
    text = """net X { input a, b: [8, 8, 1]  output y = (a, b) -> concat -> flatten -> dense(10) }
      train X { data = digits  loss = cross_entropy(y, label)  optimizer = sgd(rate = 0.1) }"""
    (problem,) = check_text(text).problems
    assert problem.message().startswith("no field of the data goes into the inputs `a`, `b`; the data have")


def test_the_names_that_use_blocks_brings_in_are_known_to_messages() -> None:
    blocks = parse(Source("blocks", (SPECS / "blocks.net").read_text()))
    assert isinstance(blocks, tree.Start)
    assert tuple(str(item.name) for item in blocks.items if isinstance(item, tree.Block)) == OF_BLOCKS


def test_names_of_other_libraries_are_no_names_here_and_of_one_row_each() -> None:
    kinds = {entry.kind.replace("_", "") for entry in (*LAYERS, *LOSSES)}
    names = [name for entry in (*LAYERS, *LOSSES) for name in entry.elsewhere]
    assert len(names) == len(set(names)) and not kinds & set(names)
    assert all(name.islower() and "_" not in name for name in names)
    assert called_here("Max_Pool2d", LAYERS) == "it is called `maxpool` here" and called_here("maxpool", LAYERS) == ""
