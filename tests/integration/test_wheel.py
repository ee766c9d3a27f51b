"""The wheel has all that it reads, and works in a folder that is no repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_character_is_begun_and_converted_with_the_wheel_alone(tmp_path: Path) -> None:
    source = tmp_path / "source"  # where no earlier build has left anything
    shutil.copytree(ROOT / "pipeline", source / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    built = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    subprocess.run([*built, str(source)], check=True, cwd=tmp_path, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
        data = {path.suffix for path in (ROOT / "pipeline").rglob("*") if path.suffix not in (".py", ".pyc", "")}
        assert {Path(name).suffix for name in packed.namelist()} >= data
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site"), "OMP_NUM_THREADS": "1"}

    def understudy(*arguments: str, cwd: Path) -> str:
        script = "import pipeline, pipeline.cli; print(pipeline.__file__); pipeline.cli.main()"
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments], cwd=cwd, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    begun = understudy("new", "Mira Vale", "--folder", "mira", cwd=tmp_path)
    assert begun.startswith(str(tmp_path / "site"))
    said = understudy("convert", "--config", "recipe.yaml", cwd=tmp_path / "mira")
    assert "1 background, 8 setting_qa, 8 dialogue" in said
