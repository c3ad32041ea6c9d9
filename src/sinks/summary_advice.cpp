// SPDX-License-Identifier: BSD-3-Clause
// What to try next, where the capture itself is the problem: less of it, both directions, frames as
// they were on the wire. Commands are made from the worst connection, ready to paste.
#include <fmt/core.h>

#include <string>
#include <vector>

#include "sinks/format/human.hpp"
#include "sinks/summary_sections.hpp"

namespace tw::sinks {
namespace {

using event::Resolution;
using format::count_of;
using format::Page;
using stats::Counter;

[[nodiscard]] bool capture_lost(const SummaryInput& input) {
    return input.hole(Resolution::acknowledged_unseen).bytes != 0 ||
           dropped_packets(input.run).value_or(0) != 0;
}

// The service of the connection the capture missed most of.
[[nodiscard]] std::string filter_for(const SummaryInput& input) {
    const std::vector<WorstConnection> worst = input.summary.worst();
    if (worst.empty()) {
        return "tcp";
    }
    const WorstConnection* chosen = &worst.front();
    for (const WorstConnection& connection : worst) {
        if (connection.missed_bytes > chosen->missed_bytes) {
            chosen = &connection;
        }
    }
    std::string address;
    format::append_address(address, chosen->record.flow.server);
    return fmt::format("host {} and tcp port {}", address, chosen->record.flow.server.port);
}

void advise_less(Page& page, const SummaryInput& input) {
    const std::string filter = filter_for(input);
    // Mostly sliced already: nothing more to gain there.
    const bool sliced =
        input.count(Counter::sliced_frames) * 2 > input.count(Counter::decoded_segments);
    page.paragraph("The capture missed packets. Let it write less, to memory, within bounds:", 2,
                   2);
    page.line("");
    page.line("    mkdir -p /mnt/capture && mount -t tmpfs -o size=2g tmpfs /mnt/capture");
    page.line(
        fmt::format("    dumpcap -i IFACE -B 64 {}-f '{}' \\", sliced ? "" : "-s 128 ", filter));
    page.line("        -b filesize:100000 -b files:15 -w /mnt/capture/tap.pcapng");
    page.line("  or");
    page.line(
        fmt::format("    tcpdump -i IFACE -B 65536 {}-C 100 -W 15 \\", sliced ? "" : "-s 128 "));
    page.line(fmt::format("        -w /mnt/capture/tap.pcap '{}'", filter));
    page.line("");
    page.paragraph(
        "- a filter: other traffic is not copied at all. On tagged links write "
        "'F or (vlan and F)'.",
        2, 4);
    if (!sliced) {
        page.paragraph(
            "- a slice length: 128 bytes hold the TCP headers, and lengths come from the IP "
            "header, so nothing here is less exact.",
            2, 4);
    }
    page.paragraph(
        "- a tmpfs of fixed size and a ring of files (15 of 100 MB): no disk can stall the "
        "capture, and it cannot fill the memory.",
        2, 4);
    page.paragraph("- dumpcap writes its drop counts into the file; tcpdump only prints them.", 2,
                   4);
}

}  // namespace

void write_advice(Page& page, const SummaryInput& input) {
    const ConnectionTotals& connections = input.summary.connections();
    const bool less = capture_lost(input);
    const bool offload = input.count(Counter::super_frames) != 0;
    // A few one-sided connections are normal (scans, both ends of the capture); half of all is not.
    const bool one_way = connections.one_sided * 2 > connections.connections;
    if (!less && !offload && !one_way) {
        return;
    }
    page.heading("What to try");
    if (less) {
        advise_less(page, input);
    }
    if (one_way) {
        page.paragraph(fmt::format("- {} of {} were captured in one direction only: mirror both "
                                   "directions of the port (SPAN: rx and tx; TAP: both monitor "
                                   "ports).",
                                   format::count_text(connections.one_sided),
                                   count_of(connections.connections, "connection")),
                       2, 4);
    }
    if (offload) {
        page.paragraph(
            fmt::format("- {} are larger than any frame on a wire: the capturing host "
                        "merged them. To see what the wire carried: ethtool -K IFACE gro "
                        "off lro off tso off gso off",
                        count_of(input.count(Counter::super_frames), "segment")),
            2, 4);
    }
}

}  // namespace tw::sinks
