"""Breaks long lines of emitted Python at their brackets, as formatters do."""

WIDEST = 100
CLOSERS = {"(": ")", "[": "]"}


def wrap(line: str, indent: str) -> list[str]:
    """A line within the width where brackets allow it: one item a line inside the last outer pair that is too long."""
    indent += line[: len(line) - len(line.lstrip())]
    line = line.lstrip()
    code, hash_, comment = line.partition("  # ")
    if len(indent) + len(code) <= WIDEST:
        return [indent + line]
    pair = outer_pair(code)
    if pair is None:
        return [indent + line]
    start, end = pair
    items = split_items(code[start + 1 : end])
    is_tuple = len(items) > 1 or code[:end].endswith(",")
    comma = "," if is_tuple or is_list(code, start) else ""
    inner = [wrapped for item in items for wrapped in wrap(item + comma, indent + "    ")]
    if code[end + 1 :].startswith(("[", ".")) and not inner:
        return [indent + line]
    return [indent + code[: start + 1] + hash_ + comment, *inner, indent + code[end:]]


def is_list(code: str, start: int) -> bool:
    """Whether a bracket holds a call's arguments or a list, where a comma behind a single item changes nothing."""
    behind_name = start > 0 and (code[start - 1].isalnum() or code[start - 1] in "_)]")
    return behind_name == (code[start] == "(")


def outer_pair(code: str) -> tuple[int, int] | None:
    """The longest bracket pair that stands in no other."""
    pairs, depth, start, quoted = [], 0, 0, ""
    for i, char in enumerate(code):
        if quoted or char in "\"'":
            quoted = "" if char == quoted else quoted or char
        elif char in "([{":
            start = i if depth == 0 else start
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                pairs.append((start, i))
    wide = [pair for pair in pairs if code[pair[0]] in CLOSERS and " for " not in code[pair[0] : pair[1]]]
    return max(wide, key=lambda pair: pair[1] - pair[0], default=None)


def split_items(code: str) -> list[str]:
    """The items between a pair's brackets, at its own commas."""
    items, depth, quoted, start = [], 0, "", 0
    for i, char in enumerate(code):
        if quoted or char in "\"'":
            quoted = "" if char == quoted else quoted or char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            items.append(code[start:i].strip())
            start = i + 1
    return [item for item in [*items, code[start:].strip()] if item]
