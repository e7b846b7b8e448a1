"""Texts that would hang a careless compiler, exhaust its memory or its stack; run as a program, checks them all.

Each runs for at most some seconds of processor time, all of them in little memory, and with Python's own limits.
"""

import gc
import json
import resource
import signal
from collections.abc import Callable

from netc.compiler import check_text
from netc.rendering import render_all

MOST_SECONDS = 60
MOST_MEMORY = 2 * 1024**3


def net(flow: str, shape: str = "[3]", before: str = "") -> str:
    return f"{before}\nnet N {{ input x: {shape}  output y = {flow} }}"


def lines(count: int, line: Callable[[int], str], first: str = "") -> str:
    return "\n".join([first, *(line(i) for i in range(1, count))])


def deep(opening: str, inner: str, closing: str, times: int = 10_000) -> str:
    return opening * times + inner + closing * times


LAYERS = "net N { input x: [3]\n layer a0 = dense(3)\n h0 = x -> a0\n"

TEXTS: dict[str, tuple[str, str | None]] = {
    # Size
    "one line of 5 MB": ("a = " + " + ".join(["1"] * 1_300_000), "too-large"),
    "one name of 5 MB": ("a = " + "x" * 5_000_000, "too-large"),
    "one number of 5 MB": ("a = " + "9" * 5_000_000, "too-large"),
    "one fraction of 5 MB": ("a = 0." + "9" * 5_000_000, "too-large"),
    "one exponent of 10,000 digits": ("a = 1e" + "9" * 10_000, "too-large"),
    "one size of 5 MB": ("a = 1" + "x1" * 2_500_000, "too-large"),
    "one string of 5 MB": ('a = "' + "x" * 5_000_000 + '"', "too-large"),
    "one string of 5 MB, unclosed": ('a = "' + "x" * 5_000_000, "too-large"),
    "one comment of 5 MB": ("#" + "x" * 5_000_000, "empty-file"),
    "a comment of 5 MB before a mistake": ("a = 1 #" + "a#" * 2_500_000 + "\nb c", "unknown-keyword"),
    "5 MB of stray characters": ("a = 1 $" + "$" * 5_000_000, "too-large"),
    "a list of 5 MB": ("a = [" + "1," * 2_500_000 + "]", "too-large"),
    "16 MB of spaces": (" " * (16 * 1024 * 1024), "empty-file"),
    "16 MB and one character": ("#" + "x" * (16 * 1024 * 1024), "too-large"),
    "16 MB of constants": ("\n".join(f"a{i} = {i}" for i in range(1_000_000)), "too-large"),
    "10,000 arguments": (net("x -> dense(" + "1, " * 10_001 + "1)"), "too-large"),
    # Nesting
    "10,000 round brackets": ("a = " + deep("(", "1", ")"), "too-large"),
    "10,000 square brackets": ("a = " + deep("[", "1", "]"), "too-large"),
    "10,000 braces": (net("x -> " + deep("repeat 1 { ", "relu", " }")), "too-large"),
    "10,000 brackets never closed": ("a = " + "(" * 10_000, "too-large"),
    "10,000 brackets never opened": (")" * 10_000, "unclosed-bracket"),
    "10,000 minus signs": ("a = " + "-" * 10_000 + "1", "too-large"),
    "10,000 nots": ("a = " + "not " * 10_000 + "true", "too-large"),
    "10,000 ands": ("a = " + " and ".join(["true"] * 10_000), "too-large"),
    "10,000 sums": (net(" + ".join(["x"] * 10_000)), "too-large"),
    "10,000 powers": (net(" ^ ".join(["x"] * 10_000)), "too-large"),
    "10,000 choices": ("a = " + "if true then 1 else " * 10_000 + "1", "too-large"),
    "10,000 points": ("b = a" + ".b" * 10_000, "too-large"),
    "10,000 indices": ("b = a" + "[0]" * 10_000, "too-large"),
    "10,000 calls": ("b = a" + "()" * 10_000, "too-large"),
    "10,000 arrows": (net("x" + " -> relu" * 10_000), None),
    "39 chains, each the start of the next": ("a = " + "(" * 39 + "relu" + " -> relu)" * 39, None),
    "40 blocks, each deep in an expression": (
        lines(
            38,
            lambda i: f"block b{i} {{ input x  output {'(' * 60}x -> b{i - 1}{' -> relu)' * 60} }}",
            "block b0 = dense(3)",
        )
        + net("x -> b37"),
        "too-large",
    ),
    "5,000 constants that wait": (lines(5_000, lambda i: f"a{5_000 - i} = a{4_999 - i}") + "\na0 = 1", "too-large"),
    "300 layers, each of the one before": (
        LAYERS
        + lines(300, lambda i: f"layer a{i} = a{i - 1} -> relu\n h{i} = h{i - 1} -> a{i}")
        + "\noutput y = h299 }",
        "too-large",
    ),
    # Doubling
    "lists doubled": (lines(60, lambda i: f"a{i} = a{i - 1} + a{i - 1}", "a0 = [1, 1]"), "too-large"),
    "lists nested and doubled": (lines(60, lambda i: f"a{i} = [a{i - 1}, a{i - 1}]", "a0 = 1"), "too-large"),
    "lists nested 5,000 deep": (lines(5_000, lambda i: f"a{i} = [a{i - 1}]", "a0 = 1"), "too-large"),
    "numbers doubled from below": (lines(40, lambda i: f"a{40 - i} = a{39 - i} + a{39 - i}") + "\na0 = 1", None),
    "strings doubled": ('a0 = "x"' + lines(60, lambda i: f"a{i} = a{i - 1} + a{i - 1}"), "wrong-kind"),
    "many long lists": ("a = [" + "1, " * 9_000 + "1]" + lines(2_000, lambda i: f"b{i} = a + [{i}]"), "too-large"),
    "chains doubled": (lines(60, lambda i: f"a{i} = a{i - 1} -> a{i - 1}", "a0 = relu -> relu"), "too-large"),
    "forks doubled": (
        net("x -> a60", before=lines(61, lambda i: f"a{i} = [a{i - 1}, a{i - 1}]", "a0 = relu")),
        "too-large",
    ),
    "arguments doubled": (
        net("x -> a60", before=lines(61, lambda i: f"a{i} = f(a{i - 1})", "block f(l) = l -> l\na0 = relu")),
        "too-large",
    ),
    "weights doubled": (
        LAYERS
        + " weight W: [3, 3]\n w0 = W\n"
        + lines(60, lambda i: f"w{i} = w{i - 1} + w{i - 1}")
        + "\noutput y = h0 }",
        "too-large",
    ),
    "blocks doubled": (
        net("x -> b36", before=lines(37, lambda i: f"block b{i} = b{i - 1} -> b{i - 1}", "block b0 = dense(3)")),
        "too-large",
    ),
    "blocks doubled, all different": (
        net(
            "x -> b30(1)",
            before=lines(
                31, lambda i: f"block b{i}(n) = [b{i - 1}(2 * n), b{i - 1}(2 * n + 1)] -> add", "block b0(n) = dense(3)"
            ),
        ),
        "too-large",
    ),
    "layers doubled": (
        LAYERS
        + lines(30, lambda i: f"layer a{i} = a{i - 1} -> a{i - 1}\nh{i} = h{i - 1} -> a{i}")
        + "\noutput y = x }",
        "too-large",
    ),
    # Counts
    "10^12 repeats": (net("x -> repeat 10^12 { relu }"), "too-large"),
    "-1 repeats": (net("x -> repeat -1 { relu }"), "bad-arithmetic"),
    "repeats of repeats": (net("x -> repeat 99999 { repeat 99999 { dense(3) } }"), "too-large"),
    "repeats of one layer": (
        LAYERS + "layer b = repeat 99999 { a0 }\n output y = x -> repeat 99999 { b } }",
        "too-large",
    ),
    "repeats that grow": (net("x -> repeat 100000 { conv(1, 1x1, pad = 9) }", "[4, 4, 1]"), "too-large"),
    "a loop over 20,000 items": ("l = [" + "1," * 20_000 + "]" + net("x -> for i in l { relu }"), "too-large"),
    "no repeats": (net("x -> repeat 0 { relu }"), None),
    "a loop over nothing": (net("x -> for i in [] { relu }"), None),
    "20,000 mistakes": (
        "net N { input x: [3]\n" + lines(20_000, lambda i: f"a{i} = x -> foo{i}") + "\noutput y = x }",
        "unknown-name",
    ),
    # Numbers
    "9^9^9": ("a = 9^9^9", "too-large"),
    "1e308 * 10": ("a = 1e308 * 10", "too-large"),
    "10^15, the largest": ("a = 10^15", None),
    "0.5 ^ -5000": ("a = 0.5 ^ -5000", "too-large"),
    "1e-300 ^ -2": ("a = 1e-300 ^ -2", "too-large"),
    "10 ^ -400": ("a = 10 ^ -400", None),
    "1 / 1e-400": ("a = 1 / 1e-400", "bad-arithmetic"),
    "infinity": ("a = 1e400", "too-large"),
    "a size of 30 digits": (net("x -> conv(1, " + "9" * 30 + "x3)", "[8, 8, 1]"), "too-large"),
    # Shapes
    "a value of 10^18 numbers": (net("x -> relu", "[10^9, 10^9]"), "too-large"),
    "a value that grows beyond all": (net("x" + " -> [identity, identity] -> concat" * 60), "too-large"),
    "a layer's weight of 2^60 numbers": (net("x -> dense(2^30)", "[2^30]"), "too-large"),
    "a weight of 2^60 numbers": (
        "net N { input x: [3]  weight W: [2^30, 2^30]  output y = x }",
        "too-large",
    ),
    "many weights of 2^38 numbers": (net("x" + " -> dense(2^19)" * 6, "[2^19]"), "too-large"),
    "a window of 10^18 cells": (net("x -> conv(1, 1000000000x1000000000)", "[8, 8, 1]"), "shape-mismatch"),
    "padding of 10^9": (net("x -> conv(1, 3x3, pad = 10^9)", "[8, 8, 1]"), "too-large"),
    "padding and a window of 10^9": (net("x -> conv(1, 10^9, pad = 5 * 10^8 - 4)", "[8, 8, 1]"), "too-large"),
    "a stride of 10^14": (net("x -> conv(1, 3x3, stride = 10^14)", "[8, 8, 1]"), None),
    "a dilation of 10^14": (net("x -> conv(1, 3x3, dilation = 10^14)", "[8, 8, 1]"), "shape-mismatch"),
    "10^9 groups": (net("x -> conv(3, 1x1, groups = 10^9)", "[4, 4, 3]"), "shape-mismatch"),
    "an axis of 0": (net("x -> relu", "[0]"), "wrong-kind"),
    "an axis of -1": (net("x -> relu", "[-1]"), "wrong-kind"),
    "no axes": (net("x -> relu", "[]"), None),
    "0 channels": (net("x -> dense(0)"), "bad-argument"),
    "a window of 0": (net("x -> conv(1, 0x3)", "[8, 8, 1]"), "bad-argument"),
    "an empty table": (net("x -> conv(3, 1x1, connect = [])", "[4, 4, 3]"), "shape-mismatch"),
    "a table of nothing": (net('x -> conv(3, 1x1, connect = "")', "[4, 4, 3]"), "shape-mismatch"),
    "an empty fork": (net("x -> []"), "wrong-kind"),
    # Characters
    "NUL": ("net N {\0}", "stray-character"),
    "an escape sequence": ("a = \x1b[31m", "stray-character"),
    "an escape sequence in a string": ('a = "\x1b[31m" + 1', "wrong-kind"),
    "a text that turns direction": ("a = \u202e1", "stray-character"),
    "a string that turns direction": ('a = "\u202e\u2066" + 1', "wrong-kind"),
    "a character of no width": ("a\u200b = 1", "stray-character"),
    "half a character": ("a = \ud800", "stray-character"),
    "half a character in a string": ('a = "\ud800" + 1', "wrong-kind"),
    "a byte order mark": ("a = 1 \ufeff", "stray-character"),
    "a line separator": ("a = 1\u2028b = 2", "stray-character"),
    "a vertical tab": ("a = 1\x0bb = 2", "stray-character"),
    "a space that does not break": ("a\xa0= 1", "stray-character"),
    "digits of another script": ("a = \u0661", "stray-character"),
    "tabs": (net("x\t->\tdense(2)\t"), None),
    "Windows line ends": ("net N {\r\n  input x: [3]\r\n  output y = x -> rlu\r\n}", "unknown-name"),
    # Unclosed
    "an unclosed string": ('a = "abc\nb = 1', "stray-character"),
    "a string that ends in a backslash": ('a = "abc\\', "stray-character"),
    "an unclosed bracket": (net("x -> dense(3"), "unclosed-bracket"),
    "a bracket closed by another": (net("x -> dense(3]"), "unclosed-bracket"),
}


def check_all() -> None:
    """Prints the codes of each text's problems, a line each; a text that takes too long ends the program."""
    for name, (text, _) in TEXTS.items():
        signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
        problems = check_text(text).errors
        signal.setitimer(signal.ITIMER_PROF, 0)
        shown = render_all(problems[:10])
        assert all(problem.message() in shown or not problem.message().isprintable() for problem in problems[:10])
        print(json.dumps([name, [problem.code for problem in problems]]), flush=True)


if __name__ == "__main__":
    # As `netc` itself does.
    gc.disable()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    check_all()
