"""An auditor who trusts neither the operator nor Comity: a verifier in Go, from Debian's packages, on every log."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

import pytest

import comity.app
from comity.agreement.load import load
from comity.ledger import entry as ledger
from comity.ledger.entry import Entry
from comity.ledger.verify import verify
from comity.model.agreement import Agreement
from tests.corpus.drawn_rows import drawn_log
from tests.corpus.made_logs import ENTRIES, KEY, WHOLE, Defect, defects, large, log_of, published
from tests.corpus.made_records import FRAUDS, HONEST
from tests.corpus.made_rows import CONTENT, FORESEEN, UNFORESEEN
from tests.corpus.made_rows import published as with_rows
from tools.pages import walk

ROOT = Path(__file__).parents[2]
GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}
PACKAGES = ("golang.org/x/mod/sumdb/note", "github.com/yuin/goldmark", "gopkg.in/yaml.v3")
AGREEMENTS = (
    *Path(comity.app.__file__).parent.glob("gallery/*/agreement.md"),
    *Path(ROOT, "tests", "corpus").glob("policies/*.md"),
    *Path(ROOT, "tests", "corpus").glob("agreements/*.md"),
)


@pytest.fixture(scope="module")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built from its files."""
    source = Path(GO["GOPATH"], "src")
    if shutil.which("go") is None or not all((source / package).is_dir() for package in PACKAGES):
        pytest.skip(
            "needs golang-go, golang-golang-x-mod-dev, golang-github-yuin-goldmark-dev, golang-gopkg-yaml.v3-dev"
        )
    folder = tmp_path_factory.mktemp("go")
    environment = {**os.environ, **GO, "GOCACHE": str(folder / "cache")}
    sources = (ROOT / "tests" / "e2e" / "auditor").glob("*.go")
    subprocess.run(["go", "build", "-o", folder / "auditor", *sources], env=environment, check=True, timeout=300)
    return folder / "auditor"


def run(auditor: Path, log: Defect, folder: Path) -> tuple[int, str]:
    log.write(folder / "log")
    command = [auditor, folder / "log", str(KEY.verifier)]
    if log.since is not None:
        (folder / "kept").write_bytes(log.since)
        command.append(folder / "kept")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def said(auditor: Path, files: Mapping[str, bytes], folder: Path) -> tuple[int, str]:
    return run(auditor, Defect(files=files, place=""), folder)


def accused(lines: str) -> set[int]:
    """The entries that objections name."""
    return {int(each) for each in re.findall(r"^[^:\n]*, entry ([0-9]+): ", lines, re.M)}


def test_a_whole_log_is_fine_for_the_verifier_in_go_too(auditor: Path, tmp_path: Path) -> None:
    for number, log in enumerate((published(ENTRIES[:1]), published(ENTRIES[:256]), WHOLE, large())):
        since = published(ENTRIES[:257]).checkpoint if log is WHOLE else None
        code, lines = run(auditor, Defect(files=log.files, place="", since=since), tmp_path / str(number))
        assert (code, lines.split(" ")[0]) == (0, "example.com/log:"), lines


@pytest.mark.parametrize("name", sorted(defects()))
def test_a_log_with_a_defect_is_refused_by_the_verifier_in_go_too(name: str, auditor: Path, tmp_path: Path) -> None:
    code, lines = run(auditor, defects()[name], tmp_path)
    assert code == 1
    assert lines.startswith(defects()[name].place) or name in (
        "deleted entry, signed anew",
        "changed entry, signed anew",
    )


@pytest.mark.parametrize("entries", HONEST)
def test_what_a_record_may_say_is_fine_in_go_too(entries: tuple[Entry, ...], auditor: Path, tmp_path: Path) -> None:
    code, lines = said(auditor, log_of(*entries).files, tmp_path)
    assert code == 0, lines


@pytest.mark.parametrize("entries", [entries for entries, _ in FRAUDS])
def test_what_a_record_must_not_say_is_refused_in_go_too(
    entries: tuple[Entry, ...], auditor: Path, tmp_path: Path
) -> None:
    code, lines = said(auditor, log_of(*entries).files, tmp_path)
    assert code == 1
    assert accused(lines) == accused("\n".join(map(str, log_of(*entries).verify().problems)))


def test_measures_that_the_ladders_foresee_are_fine_in_go_too(auditor: Path, tmp_path: Path) -> None:
    for number, one in enumerate(FORESEEN):
        code, lines = said(auditor, with_rows(one, text=CONTENT), tmp_path / str(number))
        assert code == 0, (one, lines)
        assert "1 of 1 statements held against the ladder's rows" in lines


@pytest.mark.parametrize("one", [one for one, _ in UNFORESEEN])
def test_a_measure_that_is_not_the_rows_is_refused_in_go_too(
    one: ledger.StatementEntry, auditor: Path, tmp_path: Path
) -> None:
    code, lines = said(auditor, with_rows(one, text=CONTENT), tmp_path)
    assert (code, accused(lines)) == (1, {2}), lines


def test_a_version_that_was_changed_is_refused_in_go_too(auditor: Path, tmp_path: Path) -> None:
    files = with_rows(FORESEEN[0], text=CONTENT.replace(b"| 1 | warn", b"| 1 | mark"))
    code, lines = said(auditor, files, tmp_path)
    assert code == 1
    assert "its SHA-256 is not the version's digest" in lines


def beside(path: Path) -> Callable[[str], bytes | None]:
    return lambda name: (path.parent / name).read_bytes() if (path.parent / name).is_file() else None


def agreements() -> list[Agreement]:
    """All of the corpus and the gallery that are fine and have a clause."""
    loaded = [load(path.name, path.read_bytes(), beside(path)).agreement for path in sorted(AGREEMENTS)]
    return [one for one in loaded if one is not None and one.clauses]


def test_both_verifiers_refuse_the_same_statements_under_every_agreement(auditor: Path, tmp_path: Path) -> None:
    """Two readings of the text, two of the rows, in two languages: they must differ nowhere."""
    random, refused, count = Random(5), 0, 100
    versions = agreements()
    for number, version in enumerate(versions):
        files, statements = drawn_log(random, version, count)
        problems = [str(each) for each in verify(files.get).problems]
        _, lines = said(auditor, files, tmp_path / str(number))
        assert f"{count} of {count} statements held" in lines
        for entry in accused(lines) ^ accused("\n".join(problems)):
            pytest.fail(f"{version.title}: {statements[entry - 2]}\nGo:\n{lines}\nComity:\n{problems}")
        refused += len(problems)
    assert 0.1 < refused / (count * len(versions)) < 0.9


def test_what_the_page_for_auditors_fetches_is_fine_for_the_verifier_in_go(auditor: Path, tmp_path: Path) -> None:
    assert walk(ROOT / "docs" / "audit.md", tmp_path) > 0
    fetched = tmp_path / "fetched"
    command = [auditor, fetched, (fetched / "vkey").read_text()]
    done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    assert "1 of 1 statements held against the ladder's rows" in done.stdout
