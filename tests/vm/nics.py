# SPDX-License-Identifier: BSD-3-Clause
"""The network cards that QEMU emulates and a driver of DPDK takes: how each is added to the
machine, and what the monitor must find on it. One row each."""
import dataclasses
import sys

# Where the cards sit in the guest, so that its configuration can be written before it boots.
SLOTS = (0x10, 0x11)


@dataclasses.dataclass(frozen=True)
class Nic:
    name: str
    what: str
    driver: str              # of DPDK
    device: str              # QEMU's -device, without netdev, mac and address
    queues: int = 1          # of the card; also of the TAP device it is wired to
    spreads: bool = False    # the driver offers RSS, so no dispatcher is needed

    def options(self, index: int) -> list[str]:
        """QEMU's arguments for card `index`, wired to the TAP device wire<index>."""
        queues = f",queues={self.queues}" if self.queues > 1 else ""
        return ["-netdev", f"tap,id=net{index},ifname=wire{index},script=no,downscript=no{queues}",
                "-device", f"{self.device},netdev=net{index},mac=52:54:00:00:00:{index + 1:02x},"
                           f"bus=pcie.0,addr={SLOTS[index]:#x}"]


def address(index: int) -> str:
    return f"0000:00:{SLOTS[index]:02x}.0"


# iommu_platform: else the card reaches around the IOMMU that vfio-pci has set up.
_VIRTIO = "iommu_platform=on,disable-legacy=on,rx_queue_size=1024"

NICS = (
    Nic("virtio-net", "virtio 1.0 with two queue pairs and RSS", "net_virtio",
        f"virtio-net-pci,mq=on,rss=on,hash=on,vectors=6,{_VIRTIO}", queues=2, spreads=True),
    Nic("virtio-plain", "virtio 1.0 with one queue pair, as most clouds give it", "net_virtio",
        f"virtio-net-pci,{_VIRTIO}"),
    Nic("vmxnet3", "VMware's card; its driver has no redirection table to write", "net_vmxnet3",
        "vmxnet3"),
    Nic("e1000e", "Intel 82574L; its driver has one queue", "net_e1000_em", "e1000e"),
    Nic("e1000", "Intel 82540EM; its driver has one queue", "net_e1000_em", "e1000"),
)


def named(name: str) -> Nic:
    return next(nic for nic in NICS if nic.name == name)


def unknown(names: list[str]) -> str | None:
    """What is wrong with a list of names."""
    known = [nic.name for nic in NICS]
    wrong = [name for name in names if name not in known]
    return f"no card is called {wrong[0]}; allowed: {', '.join(known)}" if wrong else None


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        mistake = unknown(sys.argv[2:])
        if mistake:
            print(f"vm: {mistake}", file=sys.stderr)
            sys.exit(2)
    else:
        width = max(len(nic.name) for nic in NICS)
        for nic in NICS:
            print(f"{nic.name:{width}}  {nic.driver:12}  {nic.what}")
