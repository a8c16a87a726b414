"""Rule engines that others made, asked the same twenty questions.

Each is given what it cannot express (lexicons, folded text, links) as `by_hand.features`, whose time is charged to it.
Rules are parsed once. They are installed into a folder of their own under `.cache`; the versions are fixed here.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Final

from cel_expr_python import cel

import by_hand
import twenty
from comity.model.message import Message

Judge = Callable[[Message], int]
Batch = Callable[[list[Message]], list[int]]

FOLDER: Final = Path(__file__).parent.parent / ".cache" / "benchmark-engines"
INSTALLED: Final = ("rule-engine==5.1.0", "cedarpy==4.12.2", "regopy==1.5.2")
DAY: Final = 86400

RULES: Final = (
    "scam && links > 0",
    "insult",
    "drug && (links > 0 || PHONE)",
    "is_bad",
    f"links > 3 && age < {7 * DAY}",
    f"PHONE && age < {30 * DAY}",
    "EMAIL && !trusted",
    f"INVITE && age < {14 * DAY}",
    "WALLET",
    "REPEATED",
    "mentions > 5 || MENTIONS",
    "shouts",
    "watched && (links > 0 || size > 1000)",
    f"age < {DAY} && dm_me",
    f"(scam || drug) && age < {30 * DAY} && !is_reply",
    f"size > 2000 && age < {DAY}",
    "insult && mentions > 0",
    "EMAIL && PHONE && scam",
    "is_loud",
    f"hashtags > 8 || hashtags > 4 && age < {3 * DAY}",
)
PATTERNS: Final = {
    name: getattr(twenty, name) for name in ("PHONE", "EMAIL", "INVITE", "WALLET", "REPEATED", "MENTIONS")
}
NAMES: Final = {"MENTIONS": "many_mentions", **{name: name.lower() for name in PATTERNS if name != "MENTIONS"}}


def rules(written: Callable[[str, str], str]) -> list[str]:
    """The rules with the code for each pattern, from its name and its source."""
    code = {name: written(name, source) for name, source in PATTERNS.items()}
    return [" ".join(code.get(word, word) for word in _words(rule)) for rule in RULES]


def _words(rule: str) -> list[str]:
    return rule.replace("(", "( ").replace(")", " )").split(" ")


def bits(answers: Iterable[bool]) -> int:
    return sum(1 << number for number, answer in enumerate(answers) if answer)


def cel_evaluator() -> Judge:
    """CEL's own evaluator: patterns are its own `matches`."""
    types = {"text": cel.Type.STRING, **dict.fromkeys(("size", "links", "mentions", "hashtags", "age"), cel.Type.INT)}
    names = by_hand.features(twenty.messages(1)[0])
    environment = cel.NewEnv(variables={name: types.get(name, cel.Type.BOOL) for name in names})
    together = ", ".join(rules(lambda _, source: f'text.matches("{source}")'))
    compiled = environment.compile(f"[{together}]")  # one list: one evaluation a message

    def judge(message: Message) -> int:
        return bits(answer.value() for answer in compiled.eval(data=by_hand.features(message)).value())

    return judge


def rule_engine() -> Judge:
    """`rule-engine`: patterns are its own `=~~`, by Python's `re`."""
    module = installed("rule_engine")
    written = [rule.replace("&&", "and").replace("||", "or").replace("!", "not ") for rule in RULES]
    code = {name: f'(text =~~ "{source}")' for name, source in PATTERNS.items()}
    made = [module.Rule(" ".join(code.get(word, word) for word in _words(rule))) for rule in written]

    def judge(message: Message) -> int:
        values = by_hand.features(message)
        return bits(rule.matches(values) for rule in made)

    return judge


def cedar() -> Judge:
    """`cedarpy`: one policy a rule, whose reasons are the answer. It has no patterns."""
    module = installed("cedarpy")
    written = rules(lambda name, _: NAMES[name])
    names = {*by_hand.features(twenty.messages(1)[0]), *NAMES.values()}
    policies = module.PolicySet.from_str(
        "\n".join(
            f'@id("{number}") permit(principal, action, resource) when {{ {_in_context(rule, names)} }};'
            for number, rule in enumerate(written)
        )
    )
    entities = module.Entities.from_json_str("[]")
    request = {"principal": 'User::"a"', "action": 'Action::"send"', "resource": 'Message::"m"'}

    def judge(message: Message) -> int:
        context = by_hand.features(message) | by_hand.patterns(message)
        answer = module.is_authorized({**request, "context": context}, policies, entities)
        return sum(1 << int(reason.removeprefix("policy")) for reason in answer.diagnostics.reasons)

    return judge


def _in_context(rule: str, names: set[str]) -> str:
    return " ".join(
        f"!context.{word[1:]}" if word[1:] in names and word[0] == "!" else f"context.{word}" if word in names else word
        for word in rule.split(" ")
    )


def rego() -> Judge:
    """`regopy`: one module, built once; patterns are given, since its regular expressions are other ones."""
    module = installed("regopy")
    written = rules(lambda name, _: NAMES[name])
    names = {*by_hand.features(twenty.messages(1)[0]), *NAMES.values()}
    interpreter = module.Interpreter()
    interpreter.add_module("twenty", "package twenty\n" + "\n".join(_heads(written, names)))
    bundle = interpreter.build("x = data.twenty.breached")

    def judge(message: Message) -> int:
        interpreter.set_input(by_hand.features(message) | by_hand.patterns(message))
        return sum(1 << int(number) for number in interpreter.query_bundle(bundle).results[0].bindings["x"])

    return judge


def _heads(written: list[str], names: set[str]) -> Iterable[str]:
    """Rego has no `||` within a rule: one head for each case of the disjunctive normal form, written here by hand."""
    for number, rule in enumerate(written):
        for case in CASES.get(number, (rule,)):
            body = "; ".join(
                f"not input.{part[1:]}" if part[0] == "!" else f"input.{part}" for part in case.split(" && ")
            )
            yield f"breached contains {number} if {{ {body} }}"


CASES: Final = {
    2: ("drug && links > 0", "drug && phone"),
    10: ("mentions > 5", "many_mentions"),
    12: ("watched && links > 0", "watched && size > 1000"),
    14: (f"scam && age < {30 * DAY} && !is_reply", f"drug && age < {30 * DAY} && !is_reply"),
    19: ("hashtags > 8", f"hashtags > 4 && age < {3 * DAY}"),
}


def installed(name: str) -> ModuleType:
    """The module, installed where nothing else is. `ImportError` where that cannot be."""
    if not FOLDER.exists() and not _install():
        raise ImportError(f"{', '.join(INSTALLED)} cannot be installed")
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    return importlib.import_module(name)


def _install() -> bool:
    """Whether it worked; with uv, or with pip, which environments that uv made do not have."""
    aside = FOLDER.with_name(f"{FOLDER.name}.tmp")
    if uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable]
    else:
        subprocess.run([sys.executable, "-m", "ensurepip"], capture_output=True, check=False)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    shutil.rmtree(aside, ignore_errors=True)
    is_done = subprocess.run([*command, "--target", aside, *INSTALLED], check=False).returncode == 0
    if is_done:
        aside.rename(FOLDER)
    return is_done
