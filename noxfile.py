"""The supported range, tested.

pip install 'nox[uv]'
nox                        # all of it
nox -s oldest -- -k cli    # one session, and what pytest should run
nox -s wheel-3.13 -- dist/recvae-0.2.0-py3-none-any.whl
"""

from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
LOCK = "requirements.lock"
COMPILE = (
    *("uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal", "--quiet"),
    *("--generate-hashes", "--constraint=constraints.txt", "--python-version=3.11"),
)
NEEDED = {
    "db": "adbc_driver_postgresql.dbapi, adbc_driver_sqlite.dbapi",
    "latent": "recvae.latent.features",
    "onnx": "recvae.exporting.onnx",
    "serve": "recvae.serving",
    "ray": "ray.data",
}
"""What an extra is for."""
OLD_WARNINGS_ARE_FINE = "--override-ini=filterwarnings=default"


def run_tests(session: nox.Session, *options: str) -> None:
    """All tests, as `make test` runs them."""
    parallel = ("--numprocesses=auto", "--maxprocesses=8", "--dist=worksteal")
    one_thread = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    session.run("pytest", *parallel, *options, *session.posargs, env=one_thread)


@nox.session(python=PYTHONS)
def pinned(session: nox.Session) -> None:
    """The versions that `make test` installs."""
    session.install("--constraint=constraints.txt", "--editable=.[dev]")
    run_tests(session)


@nox.session(python=PYTHONS)
def newest(session: nox.Session) -> None:
    """The newest version of everything."""
    session.install("--upgrade", "--editable=.[dev]")
    run_tests(session, OLD_WARNINGS_ARE_FINE)


@nox.session(python=PYTHONS[0])
def oldest(session: nox.Session) -> None:
    """The oldest versions that pyproject.toml allows: torch, numpy 1.26, pandas 2, and the rest."""
    session.install("--resolution=lowest-direct", "--editable=.[dev]")
    run_tests(session, OLD_WARNINGS_ARE_FINE)


@nox.session(python=PYTHONS[0])
@nox.parametrize("pins", [["numpy<2", "pyarrow<26"], ["pandas<3"]], ids=["numpy", "pandas"])
def mixed(session: nox.Session, pins: list[str]) -> None:
    """One package of the generation before, the others as new as they go with it."""
    session.install("--editable=.[dev]", *pins)  # pyarrow 26 wants numpy 2, and does not say so
    run_tests(session, OLD_WARNINGS_ARE_FINE)


def build(session: nox.Session) -> str:
    """Build a wheel, and say where it is."""
    session.run("uv", "build", "--wheel", "--out-dir", session.create_tmp(), external=True)
    (built,) = Path(session.create_tmp()).glob("*.whl")
    return str(built)


@nox.session(python=PYTHONS)
@nox.parametrize("extra", [None, "latent", "onnx", "serve", "db", "ray"])
def wheel(session: nox.Session, extra: str | None) -> None:
    """A wheel, alone or with an extra, in an environment that has nothing else."""
    built = session.posargs[0] if session.posargs else build(session)
    session.install(f"{built}[{extra}]" if extra else built)
    session.chdir(session.create_tmp())  # so that the clone's own folder is not imported
    model = ("--data", "sample", "--model", "mult-vae", "--set", "epochs=1", "--out", "model")
    session.run("recvae", "train", *model)
    session.run("recvae", "info", "model")
    if extra in NEEDED:
        session.run("python", "-c", f"import {NEEDED[extra]}")


@nox.session
def audit(session: nox.Session) -> None:
    """Whether a pinned version has a known vulnerability."""
    session.install("pip-audit")
    session.run("pip-audit", "--requirement", LOCK, "--require-hashes", "--disable-pip", "--strict")


@nox.session
def lock(session: nox.Session) -> None:
    """Write the lock anew, after constraints.txt has changed."""
    session.run(*COMPILE, "--output-file", LOCK, external=True)
