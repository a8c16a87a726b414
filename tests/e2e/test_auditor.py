"""An auditor who trusts neither the operator nor Comity: a verifier in Go, from Debian's packages, on every log."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.corpus.made_logs import ENTRIES, KEY, WHOLE, Defect, defects, large, published
from tools.pages import walk

ROOT = Path(__file__).parents[2]
GO = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""}


@pytest.fixture(scope="module")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, built from its one file."""
    if shutil.which("go") is None or not Path(GO["GOPATH"], "src/golang.org/x/mod/sumdb/note").is_dir():
        pytest.skip("needs golang-go and golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    environment = {**os.environ, **GO, "GOCACHE": str(folder / "cache")}
    source = ROOT / "tests" / "e2e" / "auditor" / "main.go"
    subprocess.run(["go", "build", "-o", folder / "auditor", source], env=environment, check=True, timeout=300)
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


def test_a_whole_log_is_fine_for_the_verifier_in_go_too(auditor: Path, tmp_path: Path) -> None:
    for number, log in enumerate((published(ENTRIES[:1]), published(ENTRIES[:256]), WHOLE, large())):
        since = published(ENTRIES[:257]).checkpoint if log is WHOLE else None
        code, said = run(auditor, Defect(files=log.files, place="", since=since), tmp_path / str(number))
        assert (code, said.split(" ")[0]) == (0, "example.com/log:"), said


@pytest.mark.parametrize("name", sorted(name for name, one in defects().items() if not one.needs_comity))
def test_a_log_with_a_defect_is_refused_by_the_verifier_in_go_too(name: str, auditor: Path, tmp_path: Path) -> None:
    code, said = run(auditor, defects()[name], tmp_path)
    assert code == 1
    assert said.startswith(defects()[name].place) or name in (
        "deleted entry, signed anew",
        "changed entry, signed anew",
    )


def test_what_the_page_for_auditors_fetches_is_fine_for_the_verifier_in_go(auditor: Path, tmp_path: Path) -> None:
    assert walk(ROOT / "docs" / "audit.md", tmp_path) > 0
    fetched = tmp_path / "fetched"
    subprocess.run([auditor, fetched, (fetched / "vkey").read_text()], check=True, timeout=60)
