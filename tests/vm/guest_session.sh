#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Inside the guest, in the host's root: binds the cards as README.md tells, then one monitor per
# folder in runs/, each until the host asks it to stop. The host reads what is left in the shared
# folder; it ends the machine if this takes too long.
#   devices         PCI addresses, one a line
#   binary          path of tapwitness
#   runs/N/         monitor.yaml, environment (NAME=VALUE lines); stop: the host's wish
set -u
cd "$1" || exit 1
binary=$(<binary)

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mapfile -t devices <devices
dpdk-devbind.py --bind vfio-pci "${devices[@]}" >bound.log 2>&1
{
    grep -i huge /proc/meminfo
    for device in "${devices[@]}"; do
        printf '%s %s\n' "$device" "$(basename "$(readlink "/sys/bus/pci/devices/$device/driver")")"
    done
} >bound.new
mv bound.new bound
echo "session: bound"

for run in runs/*/; do
    mapfile -t environment <"$run/environment"
    env "${environment[@]}" "$binary" run -c "$run/monitor.yaml" \
        >"$run/monitor.out" 2>"$run/monitor.log" &
    monitor=$!
    echo "session: $run started"
    while kill -0 "$monitor" 2>/dev/null && [[ ! -e $run/stop ]]; do
        sleep 0.2
    done
    kill -TERM "$monitor" 2>/dev/null
    wait "$monitor"
    echo $? >"$run/exit.new"
    mv "$run/exit.new" "$run/exit"
    echo "session: $run ended"
done
