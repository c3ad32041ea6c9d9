# SPDX-License-Identifier: BSD-3-Clause
"""One QEMU machine: q35 with an IOMMU, so that vfio-pci works as on hardware; the host's root
read-only by 9p, one folder shared both ways, the serial console in a log."""
import os
import pathlib
import re
import subprocess
import time

QEMU = "qemu-system-x86_64"


def has_kvm() -> bool:
    """Hardware virtualisation that an ordinary kernel can use. /dev/kvm alone does not say so: a
    host that is itself a guest may offer only what needs a kernel made for it."""
    flags = pathlib.Path("/proc/cpuinfo").read_text()
    return re.search(r"^flags\s*:.* (vmx|svm)\b", flags, re.MULTILINE) is not None and os.access(
        "/dev/kvm", os.R_OK | os.W_OK)


class MachineError(Exception):
    """The machine ended, or did not do in time what was waited for."""


class Machine:
    def __init__(self, image, exchange: pathlib.Path, console: pathlib.Path, nics: list[str],
                 kvm: bool):
        self.console = console
        accelerator = "kvm" if kvm else "tcg,thread=multi"
        command = [
            QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-machine", "q35,kernel-irqchip=split", "-accel", accelerator,
            "-cpu", "host" if kvm else "max", "-smp", "2", "-m", "2G",
            "-device", "intel-iommu,intremap=on",
            "-kernel", str(image.kernel), "-initrd", str(image.initramfs),
            "-append", "console=ttyS0 intel_iommu=on iommu=pt edd=off mitigations=off panic=-1",
            "-serial", f"file:{console}",
            "-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=root,mount_tag=root",
            "-fsdev", f"local,id=exchange,path={exchange},security_model=none",
            "-device", "virtio-9p-pci,fsdev=exchange,mount_tag=exchange",
            *nics,
        ]
        self.messages = console.with_suffix(".qemu")
        with self.messages.open("w") as messages:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=messages,
                                            stderr=subprocess.STDOUT)

    def wait_for(self, what: str, condition, seconds: float):
        """condition()'s value once it is true."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            if self.process.poll() is not None:
                raise MachineError(f"the machine ended before: {what}; {self.messages}: "
                                   f"{self.messages.read_text().strip()[-300:]}")
            time.sleep(0.1)
        raise MachineError(f"not within {seconds:.0f} s: {what}")

    def wait_off(self, seconds: float) -> None:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired as late:
            raise MachineError(f"not off within {seconds:.0f} s") from late

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
