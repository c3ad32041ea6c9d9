# SPDX-License-Identifier: BSD-3-Clause
"""The guest's kernel and first file system: Debian's kernel package, fetched by apt and unpacked
into a folder of ours (never installed), a static busybox, and the modules the guest needs."""
import gzip
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BUSYBOX = pathlib.Path("/bin/busybox")
# The guest's root is the host's by 9p below a writable layer; vfio-pci takes the cards.
MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "vfio-pci", "vfio_iommu_type1",
           "virtio_net", "vmxnet3", "e1000e", "e1000", "igb")


class ImageError(Exception):
    """Something the image is made of is missing; the text says what and how to get it."""


def _run(command: list[str], **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False,
                          **options)
    if done.returncode != 0:
        raise ImageError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def kernel_package() -> str:
    """The package that linux-image-amd64 stands for today: linux-image-6.1.0-NN-amd64."""
    found = re.search(r"Depends: (linux-image-\S+)", _run(["apt-cache", "depends",
                                                           "linux-image-amd64"]))
    if found is None:
        raise ImageError("apt knows no linux-image-amd64: apt-get update")
    return found.group(1)


class Image:
    """kernel and initramfs, made once per kernel and per init script."""

    def __init__(self, cache: pathlib.Path, init: pathlib.Path):
        package = kernel_package()
        self.release = package.removeprefix("linux-image-")
        self.folder = cache / self.release
        self.kernel = self.folder / "vmlinuz"
        self.initramfs = self.folder / "initramfs.gz"
        self.modules = self.folder / "modules"
        if not self.kernel.exists():
            self._unpack(package)
        newest = max(init.stat().st_mtime, pathlib.Path(__file__).stat().st_mtime)
        if not self.initramfs.exists() or self.initramfs.stat().st_mtime < newest:
            self._pack(init)

    def _unpack(self, package: str) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as scratch:
            # apt drops its rights for the download and needs a folder it can write to.
            pathlib.Path(scratch).chmod(0o777)
            _run(["apt-get", "-qq", "download", package], cwd=scratch)
            deb = next(pathlib.Path(scratch).glob("*.deb"))
            tree = pathlib.Path(scratch, "tree")
            _run(["dpkg-deb", "-x", str(deb), str(tree)])
            _run(["depmod", "-b", str(tree), self.release])
            folder = pathlib.Path(scratch, "image")
            (folder / "modules").mkdir(parents=True)
            shutil.copy(tree / "boot" / f"vmlinuz-{self.release}", folder / "vmlinuz")
            library = tree / "lib" / "modules" / self.release
            order = _in_order(library / "modules.dep")
            for path in order:
                shutil.copy(library / path, folder / "modules")
            (folder / "modules" / "order").write_text(
                "".join(pathlib.Path(path).name + "\n" for path in order))
            shutil.rmtree(self.folder, ignore_errors=True)
            folder.rename(self.folder)

    def _pack(self, init: pathlib.Path) -> None:
        if not BUSYBOX.exists():
            raise ImageError(f"{BUSYBOX} is missing: scripts/setup --no-build vm")
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            root = pathlib.Path(scratch)
            for name in ("bin", "proc", "sys", "dev", "lower", "layer", "new"):
                (root / name).mkdir()
            shutil.copy(BUSYBOX, root / "bin")
            shutil.copytree(self.modules, root / "modules")
            shutil.copy(init, root / "init")
            (root / "init").chmod(0o755)
            names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
            packed = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root,
                                    input=names.encode(), capture_output=True, check=True,
                                    timeout=60)
            self.initramfs.write_bytes(gzip.compress(packed.stdout, 1))


def _in_order(modules_dep: pathlib.Path) -> list[str]:
    """MODULES and what they need, each behind what it needs."""
    needs = {}
    for line in modules_dep.read_text().splitlines():
        path, _, others = line.partition(":")
        needs[path] = others.split()
    by_name = {pathlib.Path(path).stem: path for path in needs}
    order: dict[str, None] = {}
    for name in MODULES:
        # modules.dep lists all that is needed, the most basic last.
        for path in [*reversed(needs[by_name[name]]), by_name[name]]:
            order.setdefault(path)
    return list(order)


def made() -> Image:
    """In build/vm, where a second call finds it; the first needs the network."""
    cache = HERE.parents[1] / "build" / "vm"
    cache.mkdir(parents=True, exist_ok=True)
    return Image(cache, HERE / "guest_init.sh")


if __name__ == "__main__":
    try:
        print(f"guest kernel {made().release}")
    except ImageError as error:
        sys.exit(f"vm: {error}")
