# SPDX-License-Identifier: BSD-3-Clause
"""Reads a Dockerfile as far as ours goes, and says what is wrong with it. scripts/docker-check runs
its steps; test_dockerfile.py plants mistakes."""
import dataclasses
import pathlib
import re
import shlex

KNOWN = {"FROM", "RUN", "COPY", "WORKDIR", "ENTRYPOINT", "CMD", "ENV", "USER", "LABEL"}


@dataclasses.dataclass
class Step:
    line: int
    word: str
    text: str


@dataclasses.dataclass
class Stage:
    name: str
    base: str
    steps: list[Step]


def steps_of(text: str) -> list[Step]:
    """Instructions with their continuation lines joined; comments inside them are dropped."""
    steps, pending, start = [], "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#") or (not pending and not line.strip()):
            continue
        start = start if pending else number
        pending += line.strip()
        if pending.endswith("\\"):
            pending = pending[:-1].rstrip() + " "
            continue
        word, _, rest = pending.partition(" ")
        steps.append(Step(start, word.upper(), rest.strip()))
        pending = ""
    return steps


def stages_of(text: str) -> list[Stage]:
    stages: list[Stage] = []
    for step in steps_of(text):
        if step.word == "FROM":
            match = re.fullmatch(r"(\S+)(?: AS (\S+))?", step.text, re.IGNORECASE)
            base, name = match.groups() if match else (step.text, None)
            stages.append(Stage(name or str(len(stages)), base, []))
        elif stages:
            stages[-1].steps.append(step)
    return stages


def packages_of(step: Step) -> list[str]:
    """What the apt-get install commands of a RUN step name."""
    found = []
    for command in re.split(r"&&|;", step.text):
        words = shlex.split(command)
        if "apt-get" in words and "install" in words:
            found += [w for w in words[words.index("install") + 1:] if not w.startswith("-")]
    return found


def copy_of(step: Step) -> tuple[str | None, list[str], str]:
    """(stage or None, sources, destination) of a COPY step."""
    words = shlex.split(step.text)
    stage = None
    while words and words[0].startswith("--"):
        option = words.pop(0)
        if option.startswith("--from="):
            stage = option.removeprefix("--from=")
    return stage, words[:-1], words[-1]


def step_errors(step: Step, root: pathlib.Path, stage_names: list[str]) -> list[str]:
    errors = []
    if step.word not in KNOWN:
        errors.append(f"{step.word} is not an instruction we know")
    if step.word in ("ENTRYPOINT", "CMD") and not step.text.startswith("["):
        errors.append(f"{step.word} must be a JSON list: a shell in between swallows signals")
    if step.word == "WORKDIR" and not step.text.startswith("/"):
        errors.append("WORKDIR must be absolute")
    if step.word == "RUN" and packages_of(step):
        for wanted in ("-y", "--no-install-recommends", "apt-get update", "/var/lib/apt/lists"):
            if wanted not in step.text:
                errors.append(f"apt-get install without {wanted}")
    if step.word == "RUN" and re.search(r"\b(sudo|curl|wget)\b", step.text):
        errors.append("RUN uses sudo or a download")
    if step.word == "COPY":
        stage, sources, _ = copy_of(step)
        if stage is not None and stage not in stage_names:
            errors.append(f"COPY --from={stage}: no such stage above")
        if stage is None:
            errors += [f"COPY: {s} does not exist" for s in sources if not (root / s).exists()]
    return [f"line {step.line}: {error}" for error in errors]


def errors_of(text: str, root: pathlib.Path) -> list[str]:
    errors = []
    names: list[str] = []
    stages = stages_of(text)
    if not stages:
        return ["no FROM"]
    for stage in stages:
        tag = stage.base.partition(":")[2]
        if stage.base not in names and tag in ("", "latest"):
            errors.append(f"FROM {stage.base}: name a fixed release")
        for step in stage.steps:
            errors += step_errors(step, root, names)
        names.append(stage.name)
    if not any(step.word == "ENTRYPOINT" for step in stages[-1].steps):
        errors.append("the last stage has no ENTRYPOINT")
    return errors
