"""The packages of package-lock.json, installed into .cache once for each lock file."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / ".cache/clients"


def packages():
    """The folder that holds node_modules."""
    lock = (HERE / "package-lock.json").read_text()
    mark = FOLDER / "installed.json"
    if not mark.exists() or mark.read_text() != lock:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, FOLDER / name)
        # Scripts of packages stay unrun: none is needed, and one of them phones home.
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=FOLDER, check=True, timeout=600)
        mark.write_text(lock)
    return FOLDER


def node(script, *arguments, timeout_s=120, **options):
    """Runs a script of this folder with the packages in reach; the finished process."""
    shutil.copyfile(HERE / script, packages() / script)  # where its imports are looked for
    return subprocess.run(
        ["node", script, *map(str, arguments)], cwd=FOLDER, timeout=timeout_s, capture_output=True, text=True, **options
    )
