// SPDX-License-Identifier: BSD-3-Clause
#include "capture/pcap/link_types.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace tw::pcap {
namespace {

struct Row {
    std::uint32_t number;
    LinkType link;
    std::string_view name;
};

// Numbers from tcpdump.org/linktypes.html. 12 and 14 are DLT_RAW of Linux and OpenBSD, which files
// contain although LINKTYPE_RAW is 101. Unsupported ones are here for their names.
constexpr std::array kRows = {
    Row{0, LinkType::bsd_null, "NULL"},
    Row{1, LinkType::ethernet, "EN10MB"},
    Row{3, LinkType::unsupported, "AX25"},
    Row{6, LinkType::unsupported, "IEEE802_5 (Token Ring)"},
    Row{7, LinkType::unsupported, "ARCNET_BSD"},
    Row{8, LinkType::unsupported, "SLIP"},
    Row{9, LinkType::unsupported, "PPP"},
    Row{10, LinkType::unsupported, "FDDI"},
    Row{11, LinkType::unsupported, "ATM_RFC1483"},
    Row{12, LinkType::raw_ip, "RAW"},
    Row{14, LinkType::raw_ip, "RAW"},
    Row{50, LinkType::unsupported, "PPP_HDLC"},
    Row{51, LinkType::unsupported, "PPP_ETHER"},
    Row{99, LinkType::unsupported, "SYMANTEC_FIREWALL"},
    Row{100, LinkType::unsupported, "ATM_RFC1483"},
    Row{101, LinkType::raw_ip, "RAW"},
    Row{104, LinkType::unsupported, "C_HDLC (Cisco)"},
    Row{105, LinkType::unsupported, "IEEE802_11"},
    Row{107, LinkType::unsupported, "FRELAY (Frame Relay)"},
    Row{108, LinkType::bsd_loop, "LOOP"},
    Row{109, LinkType::unsupported, "ENC (IPsec)"},
    Row{113, LinkType::linux_sll, "LINUX_SLL"},
    Row{117, LinkType::unsupported, "PFLOG"},
    Row{119, LinkType::unsupported, "IEEE802_11_PRISM"},
    Row{122, LinkType::unsupported, "IP_OVER_FC"},
    Row{123, LinkType::unsupported, "SUNATM"},
    Row{127, LinkType::unsupported, "IEEE802_11_RADIOTAP"},
    Row{129, LinkType::unsupported, "ARCNET_LINUX"},
    Row{138, LinkType::unsupported, "APPLE_IP_OVER_IEEE1394"},
    Row{139, LinkType::unsupported, "MTP2_WITH_PHDR"},
    Row{140, LinkType::unsupported, "MTP2"},
    Row{141, LinkType::unsupported, "MTP3"},
    Row{142, LinkType::unsupported, "SCCP"},
    Row{143, LinkType::unsupported, "DOCSIS"},
    Row{147, LinkType::unsupported, "USER0"},
    Row{149, LinkType::unsupported, "USER2"},
    Row{163, LinkType::unsupported, "IEEE802_11_AVS"},
    Row{165, LinkType::unsupported, "BACNET_MS_TP"},
    Row{166, LinkType::unsupported, "PPP_PPPD"},
    Row{177, LinkType::unsupported, "LINUX_LAPD"},
    Row{187, LinkType::unsupported, "BLUETOOTH_HCI_H4"},
    Row{189, LinkType::unsupported, "USB_LINUX"},
    Row{192, LinkType::unsupported, "PPI"},
    Row{195, LinkType::unsupported, "IEEE802_15_4_WITHFCS"},
    Row{197, LinkType::unsupported, "ERF"},
    Row{201, LinkType::unsupported, "BLUETOOTH_HCI_H4_WITH_PHDR"},
    Row{220, LinkType::unsupported, "USB_LINUX_MMAPPED"},
    Row{226, LinkType::unsupported, "IPNET (Solaris)"},
    Row{227, LinkType::unsupported, "CAN_SOCKETCAN"},
    Row{228, LinkType::raw_ip, "IPV4"},
    Row{229, LinkType::raw_ip, "IPV6"},
    Row{230, LinkType::unsupported, "IEEE802_15_4_NOFCS"},
    Row{231, LinkType::unsupported, "DBUS"},
    Row{239, LinkType::unsupported, "NFLOG"},
    Row{240, LinkType::unsupported, "NETANALYZER"},
    Row{242, LinkType::unsupported, "IPOIB (InfiniBand)"},
    Row{247, LinkType::unsupported, "INFINIBAND"},
    Row{249, LinkType::unsupported, "USBPCAP"},
    Row{251, LinkType::unsupported, "BLUETOOTH_LE_LL"},
    Row{252, LinkType::unsupported, "WIRESHARK_UPPER_PDU"},
    Row{253, LinkType::unsupported, "NETLINK"},
    Row{256, LinkType::unsupported, "BLUETOOTH_LE_LL_WITH_PHDR"},
    Row{258, LinkType::unsupported, "PKTAP (Apple)"},
    Row{259, LinkType::unsupported, "EPON"},
    Row{264, LinkType::unsupported, "ISO_14443"},
    Row{271, LinkType::unsupported, "VSOCK"},
    Row{274, LinkType::unsupported, "ETHERNET_MPACKET"},
    Row{276, LinkType::linux_sll2, "LINUX_SLL2"},
};

const Row* row_of(std::uint32_t number) {
    for (const Row& row : kRows) {
        if (row.number == number) {
            return &row;
        }
    }
    return nullptr;
}

}  // namespace

LinkType link_type_of(std::uint32_t link_type_number) {
    const Row* row = row_of(link_type_number);
    return row != nullptr ? row->link : LinkType::unsupported;
}

std::string link_type_name(std::uint32_t link_type_number) {
    const Row* row = row_of(link_type_number);
    return row != nullptr ? std::string(row->name) : fmt::format("LINKTYPE {}", link_type_number);
}

}  // namespace tw::pcap
