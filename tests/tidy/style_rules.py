# SPDX-License-Identifier: BSD-3-Clause
"""The rules of the code's style that a program can check, one function each. A rule takes the path
of a file below the project and its text, and gives a list of sentences; test_style.py runs them
over the tree, and over planted mistakes to prove that each can fail."""
import re

COLUMNS_MAX = 100
FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
SPDX = "SPDX-License-Identifier: BSD-3-Clause"

# Functions longer than the limit, with the length they may not exceed. It only ever shrinks.
LONG_FUNCTIONS: dict[tuple[str, str], int] = {}

BANNED = [
    (re.compile(r"\b(TO[D]O|FIXM[E]|XX[X])\b"), "finish it or file it", None),
    (re.compile(r"\bstd::(cout|cerr|regex)\b"), "use fmt, or a hand-written scan", "src/"),
    (re.compile(r"(?<![\w:])(?:std::)?(?:printf|puts|sprintf)\("), "use fmt or a sink", "src/"),
    (re.compile(r"\bcatch\s*\(\s*\.\.\.\s*\)"), "catch what you can name", "src/"),
    (re.compile(r"\bassert\("), "TW_CHECK or TW_DCHECK", "src/"),
    (re.compile(r"\bshared_ptr\b"), "unique_ptr owns, references borrow", "src/"),
    (re.compile(r"#\s*ifdef\s+\w*TEST"), "no code for tests in src/", "src/"),
    (re.compile(r"\bgoto\b"), "return early instead", "src/"),
    (re.compile(r"\bstd::(mutex|thread|ifstream|ofstream|chrono)\b"),
     "core has no clock, thread, lock or file", "src/core/"),
    (re.compile(r"\bthrow\b|\btry\b\s*\{"), "core has no exceptions", "src/core/"),
]
# rule sentence -> files that may break it, and why
ALLOWED = {
    ("src/base/check.hpp", "use fmt or a sink"): "the message of an abort needs no library",
    ("src/app/live_log.cpp", "unique_ptr owns, references borrow"): "spdlog's interface",
    ("src/app/live_log.hpp", "unique_ptr owns, references borrow"): "spdlog's interface",
}


def code_only(line: str) -> str:
    """The line without its // comment and without what its string literals say."""
    line = re.sub(r'"(?:\\.|[^"\\])*"', '""', line)
    return line.split("//", 1)[0]


def columns(path: str, text: str) -> list[str]:
    # A .def row is one line by design: a table of sentences. Expected output in a raw string is as
    # long as it is.
    if path.endswith(".def"):
        return []
    text = re.sub(r'R"(\w*)\(.*?\)\1"', lambda raw: "\n" * raw.group(0).count("\n"), text,
                  flags=re.DOTALL)
    return [f"{path}:{number}: {len(line)} columns, at most {COLUMNS_MAX}"
            for number, line in enumerate(text.splitlines(), 1) if len(line) > COLUMNS_MAX]


def file_length(path: str, text: str) -> list[str]:
    lines = text.count("\n")
    return [f"{path}: {lines} lines, at most {FILE_LINES_MAX}"] if lines > FILE_LINES_MAX else []


def licence(path: str, text: str) -> list[str]:
    """One SPDX line, first, or second behind #!. Tables (.def) begin with their columns instead."""
    if path.endswith(".def") or path.endswith("style_rules.py"):
        return []
    if SPDX not in "\n".join(text.splitlines()[:2]) or text.count(SPDX) != 1:
        return [f"{path}:1: must begin with one line: {SPDX}"]
    return []


def header_form(path: str, text: str) -> list[str]:
    if not path.endswith(".hpp"):
        return []
    errors = []
    if text.count("\n#pragma once\n") != 1:
        errors.append(f"{path}: #pragma once must stand once")
    lines = text.splitlines()
    opening = 0
    for line in lines[1:]:
        if not line.startswith("//"):
            break
        opening += 1
    if opening == 0:
        errors.append(f"{path}:2: a header opens with what it is responsible for")
    return errors


def own_header_first(path: str, text: str) -> list[str]:
    """foo.cpp includes foo.hpp first, so that the header is proved to compile alone."""
    includes = re.findall(r'^#include ([<"][^>"]+[>"])', text, re.MULTILINE)
    own = re.sub(r"^(src|tests)/(.*)\.cpp$", r'"\2.hpp"', path)
    if path.endswith(".cpp") and own in includes and includes[0] != own:
        return [f"{path}: {own} must be the first include"]
    return []


def banned_words(path: str, text: str) -> list[str]:
    errors = []
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, advice, folder in BANNED:
            if folder is not None and not path.startswith(folder):
                continue
            # Unfinished marks live in comments; everything else only counts in code.
            where = line if folder is None else code_only(line)
            match = pattern.search(where)
            if match and (path, advice) not in ALLOWED:
                errors.append(f"{path}:{number}: {match.group(0).strip()}: {advice}")
    return errors


def behind_condition(code: str) -> str | None:
    """What follows the condition of an if, for or while; None if it does not end on this line."""
    depth = 0
    for position, character in enumerate(code):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == ")" and depth == 0:
            return code[position + 1:].strip()
    return None


def braces(path: str, text: str) -> list[str]:
    """if, else, for and while always carry braces: clang-format 14 cannot insert them."""
    errors = []
    for number, line in enumerate([] if path.endswith(".def") else text.splitlines(), 1):
        code = code_only(line).strip()
        naked = re.fullmatch(r"(\} )?else", code) is not None
        if re.match(r"(\} else )?(if|for|while) (constexpr )?\(", code):
            rest = behind_condition(code)
            naked = rest is not None and not rest.startswith(("{", "&&", "||", "[["))
        if naked:
            errors.append(f"{path}:{number}: braces always")
    return errors


FUNCTION_HEAD = re.compile(r"^ *(?:[\w:<>,*&~\[\]= ]+[ *&:])?(~?[\w:]+|operator\S+)\(")
KEYWORD = re.compile(r"^ *(if|for|while|switch|return|else|do|case)\b")


def functions(text: str):
    """(line, name, length) of each function definition, told by clang-format's layout: it starts at
    the indentation of a namespace (0) or a class member (4) and ends with a brace at the same."""
    inside_class = False
    open_at: dict[int, tuple[int, str]] = {}  # indentation -> line and name
    for number, line in enumerate(text.splitlines(), 1):
        indent = len(line) - len(line.lstrip(" "))
        if re.match(r"(class|struct) .*\{$", line):
            inside_class = True
        elif line.startswith("};"):
            inside_class = False
        if indent != 0 and not (indent == 4 and inside_class):
            continue
        code = code_only(line).rstrip()
        match = FUNCTION_HEAD.match(line)
        if match and not KEYWORD.match(line) and not code.endswith(";"):
            open_at[indent] = (number, match.group(1))
        if code.strip() == "}" and indent in open_at:
            start, name = open_at.pop(indent)
            yield start, name, number - start + 1
        elif code.endswith("}") and open_at.get(indent, (0, ""))[0] == number:
            del open_at[indent]  # defined on one line


def function_length(path: str, text: str) -> list[str]:
    if path.endswith(".def"):
        return []
    errors = []
    for start, name, length in functions(text):
        limit = LONG_FUNCTIONS.get((path, name), FUNCTION_LINES_MAX)
        if length > limit:
            errors.append(f"{path}:{start}: {name} has {length} lines, at most {limit}")
    return errors


RULES = [columns, file_length, licence, header_form, own_header_first, banned_words, braces,
         function_length]
