import json
import platform
import socket
import subprocess
import sys
from importlib import metadata

import pytest

from hmc.results import provenance


def test_the_environment_is_complete_and_plain():
    told = provenance.environment("cpu", 1, "sums in a fixed order")
    assert set(told) == {
        *("python", "torch", "numpy", "scipy", "hmc", "commit", "dirty", "machine", "processor", "cores", "device", "threads"),
        *("instructions", "determinism"),
    }
    assert json.loads(json.dumps(told)) == told
    assert told["numpy"] == metadata.version("numpy")
    assert told["python"] == platform.python_version()
    assert told["cores"] >= 1
    assert (told["device"], told["threads"], told["determinism"]) == ("cpu", 1, "sums in a fixed order")


def test_a_log_is_named_only_within_a_slurm_task(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SUBMITIT_FOLDER", "SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID"):
        monkeypatch.delenv(name, raising=False)
    assert "log" not in provenance.environment("cpu", 1)
    monkeypatch.setenv("SUBMITIT_FOLDER", "results/slurm")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    assert provenance.environment("cpu", 1)["log"] == "slurm/17_0_log.out"
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert provenance.environment("cpu", 1)["log"] == "slurm/12_3_0_log.out"


def test_the_host_is_not_named():
    assert provenance.environment("cpu", 1)["machine"] == f"{platform.system()} {platform.machine()}"
    assert socket.gethostname() not in provenance.environment("cpu", 1)["machine"].split()


def test_a_package_that_is_not_installed_has_no_version():
    assert provenance.version("no-such-package-anywhere") == ""


@pytest.fixture
def checkout(tmp_path):
    def git(*arguments):
        identity = ("-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    try:
        git("init", "--quiet")
    except FileNotFoundError:
        pytest.skip("git is not installed")
    (tmp_path / "code.py").write_text("1\n")
    (tmp_path / "results").mkdir()
    git("add", "code.py")
    git("commit", "--quiet", "--no-verify", "-m", "first")
    provenance.revision.cache_clear()
    return tmp_path


def test_the_commit_of_a_clean_checkout_results_aside(checkout):
    (checkout / "results" / "runs.csv").write_text("new\n")
    commit, dirty = provenance.revision(checkout)
    assert len(commit) == 40
    assert not dirty


def test_a_changed_checkout_is_dirty(checkout):
    (checkout / "code.py").write_text("2\n")
    assert provenance.revision(checkout)[1]


def test_no_commit_outside_a_checkout_or_inside_anothers(tmp_path, checkout):
    inner = checkout / "site-packages"
    inner.mkdir()
    assert provenance.revision(inner) == ("", False)


def test_results_and_report_need_no_torch():
    code = (
        "import sys, hmc.results.provenance, hmc.results.published, hmc.report.tables, hmc.report.render, hmc.report.verdicts\n"
        "hmc.results.provenance.environment('cpu', 1)\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'torch', 'hydra', 'sklearn', 'numba'}))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=provenance.CHECKOUT)
    assert answer.stdout.strip() == "[]"
