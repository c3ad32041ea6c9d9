#!/bin/busybox sh
# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=dash
# The guest's first process: the host's root read-only under a layer in memory, huge pages, the
# folder shared with the host, then guest_session.sh there. The machine is off when that ends.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
while read -r module; do
    insmod "/modules/$module" || echo "no module $module"
done </modules/order

nine_p=trans=virtio,version=9p2000.L,msize=262144
mount -t 9p -o "$nine_p,ro,cache=loose" root /lower
mount -t tmpfs layer /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/lower,upperdir=/layer/upper,workdir=/layer/work overlay /new
mount -t proc proc /new/proc
mount -t sysfs sysfs /new/sys
mount -t devtmpfs devtmpfs /new/dev
mount -t tmpfs run /new/run
mkdir -p /new/run/exchange /new/dev/hugepages /new/dev/shm
mount -t tmpfs shm /new/dev/shm
mount -t 9p -o "$nine_p,cache=none" exchange /new/run/exchange
mount -t hugetlbfs hugetlbfs /new/dev/hugepages
echo 320 >/proc/sys/vm/nr_hugepages

session=$(cat /new/run/exchange/session)
chroot /new /bin/bash "$session" /run/exchange
sync
poweroff -f
