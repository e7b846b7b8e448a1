"""`default conv(init = he)`: arguments for all such layers in a scope."""

from netc.check.context import Env
from netc.check.problems import UnknownArgument, WrongKind
from netc.check.things import Definition, KindName, Poison, describe
from netc.syntax import tree


def set_default(node: tree.Default, env: Env) -> None:
    """`default conv(init = he)`: arguments for all such layers in this scope."""
    if not isinstance(node.call, tree.Call) or not isinstance(node.call.function, tree.Name):
        found = f"`{node.call.span.text}`"
        env.report(WrongKind(span=node.call.span, wanted="a call such as `conv(init = he)`", found=found))
        return
    callee = env.evaluate(node.call.function)
    if isinstance(callee, Poison):
        return
    if not isinstance(callee, KindName | Definition):
        env.report(WrongKind(span=node.call.function.span, wanted="a layer or block", found=describe(callee)))
        return
    known = parameter_names(callee)
    settings = env.scope.defaults.setdefault(str(node.call.function.word), {})
    for argument in node.call.arguments:
        if not isinstance(argument, tree.Named):
            env.report(WrongKind(span=argument.span, wanted="`name = value`", found="an argument without a name"))
            continue
        if argument.name not in known:
            callee_name = str(node.call.function.word)
            env.report(UnknownArgument(span=argument.span, callee=callee_name, name=argument.name, known=known))
            continue
        thing = env.evaluate(argument.value)
        if not isinstance(thing, Poison):
            settings[str(argument.name)] = thing


def parameter_names(callee: KindName | Definition) -> tuple[str, ...]:
    if isinstance(callee, KindName):
        return tuple(a.name for a in callee.kind.arguments())
    parameters = callee.node.parameters
    return tuple(str(p.name) for p in parameters.items) if parameters else ()
