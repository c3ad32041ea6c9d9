// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/filter_program.hpp"

#include "capture/pcap/format.hpp"

namespace tw::pcap {

void FilterProgram::Free::operator()(bpf_program* program) const {
    pcap_freecode(program);
    delete program;
}

std::expected<FilterProgram, std::string> FilterProgram::compile(const std::string& expression,
                                                                 int dlt) {
    const std::unique_ptr<pcap_t, decltype(&pcap_close)> handle(
        pcap_open_dead(dlt, static_cast<int>(kCapturedBytesMax)), &pcap_close);
    if (handle == nullptr) {
        return std::unexpected("libpcap has no memory");
    }
    FilterProgram result;
    result.program_.reset(new bpf_program{});
    constexpr int kOptimize = 1;
    if (pcap_compile(handle.get(), result.program_.get(), expression.c_str(), kOptimize,
                     PCAP_NETMASK_UNKNOWN) != 0) {
        return std::unexpected(std::string(pcap_geterr(handle.get())));
    }
    return result;
}

}  // namespace tw::pcap
