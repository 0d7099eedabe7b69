"""`make test`: everything that has to pass, in the order in which a failure shows soonest."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nox

PYTHONS = ("3.10", "3.11", "3.12", "3.13")

# Every Python, every cell of the matrices, and every test on an engine, are for `make test-all`.
nox.options.sessions = [
    "lint",
    "types",
    "docs",
    "tests",
    "oldest",
    "wheel",
]
nox.options.reuse_existing_virtualenvs = True
# A Python that is not on this machine is said to be missing, and skipped.
nox.options.error_on_missing_interpreters = False

# The properties are searched in full by the session `tests`.
QUICK = ("--numprocesses=auto", "--quiet", "--hypothesis-profile=quick")
ENGINE = (sys.executable, "tools/engine/install.py")
# The session `wheel` runs these.
EXAMPLES = tuple(
    f"tests/stack/test_{name}.py" for name in ("examples", "stack_reference", "hybrid_fleet")
)
# What the dependencies' own versions decide; `make test-all` runs all.
OLDEST = (
    *(f"tests/unit/test_{name}.py" for name in ("engine", "lifecycle", "provider", "retry")),
    *(f"tests/unit/{cloud}/test_client.py" for cloud in ("alicloud", "tencentcloud")),
    *(f"tests/unit/{cloud}/test_credentials.py" for cloud in ("alicloud", "tencentcloud")),
    "tests/unit/tencentcloud/test_tat.py",
    "tests/stack/test_register_code.py",
)
# Each of the hundreds of processes that an engine starts would compile the package anew, where the
# environment forbids Python to keep what it has compiled.
COMPILE = ("-m", "compileall", "-q", "pulumi_hybrid")

if shutil.which("pyenv"):
    # Its python3.X commands work only for the versions that are switched on.
    versions = subprocess.run(
        ["pyenv", "versions", "--bare"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.split()
    os.environ["PYENV_VERSION"] = ":".join(reversed(versions))


def _tool(name: str) -> str:
    """A program of the environment that make has set up."""
    return str(Path(sys.executable).parent / name)


@nox.session(venv_backend="none")
def lint(session: nox.Session) -> None:
    session.run(_tool("ruff"), "check", external=True)
    session.run(_tool("ruff"), "format", "--check", external=True)


@nox.session(venv_backend="none")
def types(session: nox.Session) -> None:
    session.run(_tool("mypy"), external=True)
    for program in sorted(Path("examples").glob("**/__main__.py")):
        session.run(_tool("mypy"), str(program), external=True)


@nox.session
def docs(session: nox.Session) -> None:
    """The pages as a site; whatever Sphinx warns of is an error."""
    session.install("--quiet", "--editable", ".[docs]")
    session.run(
        "sphinx-build",
        "-q",
        "-W",
        "--keep-going",
        "-E",
        "-d",
        session.create_tmp(),
        "docs",
        ".site",
    )


@nox.session(venv_backend="none")
def tests(session: nox.Session) -> None:
    """The short form of all tests, on make's own Python and the newest releases of everything."""
    session.run(*ENGINE, external=True)
    session.run(_tool("python"), *COMPILE, external=True)
    # The engine's tests also wait: two to a core are faster than one. They are the slow ones, and
    # together: whoever is done takes some of another's.
    workers = str(2 * (os.cpu_count() or 1))
    pytest = (_tool("pytest"), "--numprocesses", workers, "--dist=worksteal")
    others = (f"--ignore={path}" for path in EXAMPLES)
    session.run(*pytest, *others, *session.posargs, external=True)


@nox.session(venv_backend="none")
def whole(session: nox.Session) -> None:
    """Every cell of the matrices and every test on an engine; takes most of an hour."""
    session.run(*ENGINE, external=True)
    workers = str(2 * (os.cpu_count() or 1))
    folders = ("tests/matrix", "tests/stack", "--whole")
    session.run(_tool("pytest"), "--numprocesses", workers, *folders, external=True)


@nox.session(venv_backend="none")
def mutation(session: nox.Session) -> None:
    """That the unit tests notice what is broken; takes hours."""
    session.run(_tool("python"), "-m", "tools.mutation", *session.posargs, external=True)


@nox.session(python=PYTHONS)
def unit(session: nox.Session) -> None:
    session.install("--quiet", "--editable", ".[test]")
    session.run("pytest", "tests/unit", *QUICK)


@nox.session(python=PYTHONS[0])
def oldest(session: nox.Session) -> None:
    """The oldest releases that pyproject.toml allows on the oldest Python, on a real engine too."""
    oldest = nox.project.load_toml("pyproject.toml")["project"]["dependencies"]
    pins = [re.sub(r">=([^,]+),.*", r"==\1", dependency) for dependency in oldest]
    session.install("--quiet", "--editable", ".[test]", *pins)
    session.run(*ENGINE, external=True)
    session.run("python", *COMPILE)
    session.run("pytest", *(session.posargs or OLDEST), *QUICK)


@nox.session
def wheel(session: nox.Session) -> None:
    """What a user installs holds all that it needs, and nothing else: the examples run on it."""
    build(session)
    (built,) = Path("dist").glob("*.whl")
    session.install("--quiet", "--force-reinstall", "--no-deps", str(built))
    session.install("--quiet", f"{built}[test]")
    folder = session.create_tmp()
    with session.chdir(folder):
        session.run(
            "python",
            "-c",
            "import importlib.resources as r, pulumi_hybrid as p; files = r.files(p);"
            "assert files.joinpath('py.typed').is_file();"
            "assert files.joinpath('pulumi-plugin.json').is_file();"
            "assert files.joinpath('boot/enroll.ps1').is_file();"
            "assert 'site-packages' in p.__file__, p.__file__",
        )
        session.run("python", "-m", "pulumi_hybrid.emulator", "--help", silent=True)
    session.run(*ENGINE, external=True)
    session.run("pytest", "--numprocesses=auto", "--quiet", *EXAMPLES)


@nox.session
def build(session: nox.Session) -> None:
    shutil.rmtree("dist", ignore_errors=True)
    session.install("--quiet", "build")
    session.run("python", "-m", "build", "--outdir", "dist", silent=True)
