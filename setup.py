"""The folders core, plugins and checker are the packages tttdit.core, tttdit.plugins and tttdit.checker.

The list of packages is computed, so that a new folder is never missing from the wheel. So is what is not Python: every such
file that a package folder holds belongs to the package.
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = "core/_root"  # the package `tttdit` itself
FOLDERS = ("core", "plugins", "checker")

package_dir = {"tttdit": ROOT, **{f"tttdit.{folder}": folder for folder in FOLDERS}}
packages = list(package_dir)
for folder in FOLDERS:
    packages += [f"tttdit.{folder}.{name}" for name in find_packages(folder, exclude=["_root", "_root.*"])]


def data_of(package: str) -> list[str]:
    """The names of a package's files that are not Python."""
    mapped = max((known for known in package_dir if f"{package}.".startswith(f"{known}.")), key=len)
    folder = Path(package_dir[mapped], *package.removeprefix(mapped).strip(".").split("."))
    return [file.name for file in folder.iterdir() if file.is_file() and file.suffix not in (".py", ".pyc")]


setup(
    packages=packages,
    package_dir=package_dir,
    package_data={package: data_of(package) for package in packages},
)
