// SPDX-License-Identifier: BSD-3-Clause
// Builds the bytes of a frame layer by layer, outermost first, for every test and generator.
// Lengths, checksums and "next protocol" fields are filled in by build(); set8/set16/set32 overrule
// any field of the layer added last, for hostile frames. It shares no code with the decoder.
//
//   const auto syn = PacketBuilder().ethernet().vlan(5).ipv4("10.0.0.1", "10.0.0.2")
//                        .tcp(1234,
//                        80).seq(1000).flags("S").window(64240).option_mss(1460).build();
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/frame.hpp"

namespace tw::test {

using Bytes = std::vector<std::uint8_t>;
using Ipv4Bytes = std::array<std::uint8_t, 4>;
using Ipv6Bytes = std::array<std::uint8_t, 16>;

// Throw std::invalid_argument on text that is no address.
[[nodiscard]] Ipv4Bytes ipv4_bytes(std::string_view text);
[[nodiscard]] Ipv6Bytes ipv6_bytes(std::string_view text);

struct GreFields {
    std::optional<std::uint32_t> key{};
    std::optional<std::uint32_t> sequence{};
    std::optional<std::uint32_t> ack{};  // version 1 only
    bool checksum = false;
    std::uint8_t version = 0;
};

struct SackBlock {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

class PacketBuilder {
  public:
    // --- link layers
    PacketBuilder& ethernet(std::string_view source = "02:00:00:00:00:01",
                            std::string_view destination = "02:00:00:00:00:02");
    PacketBuilder& vlan(std::uint16_t id, std::uint16_t tpid = 0x8100, std::uint8_t priority = 0);
    // 802.2 SNAP after ethernet() or vlan(), whose type field becomes a length.
    PacketBuilder& llc_snap();
    PacketBuilder& mpls(std::uint32_t label, std::uint8_t ttl = 64);
    PacketBuilder& control_word(std::uint32_t word = 0);  // of an Ethernet pseudowire, after mpls()
    PacketBuilder& pppoe(std::uint16_t session = 1);      // with the PPP protocol field
    PacketBuilder& linux_sll();
    PacketBuilder& linux_sll2();
    PacketBuilder& bsd_null(bool big_endian = false);  // family of the next layer, 2 or 30
    PacketBuilder& bsd_loop() { return bsd_null(true); }

    // --- IP
    PacketBuilder& ipv4(const Ipv4Bytes& source, const Ipv4Bytes& destination);
    PacketBuilder& ipv4(std::string_view source, std::string_view destination);
    PacketBuilder& ipv6(const Ipv6Bytes& source, const Ipv6Bytes& destination);
    PacketBuilder& ipv6(std::string_view source, std::string_view destination);
    // The following change the IP header just added.
    PacketBuilder& ttl(std::uint8_t value);
    PacketBuilder& ip_id(std::uint16_t value);                         // IPv4
    PacketBuilder& fragment(std::uint32_t offset_bytes, bool more);    // IPv4
    PacketBuilder& ip_options(std::span<const std::uint8_t> options);  // IPv4, padded to words
    PacketBuilder& total_length(std::uint16_t value);                  // or IPv6 payload length
    PacketBuilder& next_protocol(std::uint8_t value);  // of an IP or IPv6 extension header
    // LSRR (0x83) or SSRR (0x89); pointer 4 = nothing visited yet.
    PacketBuilder& source_route(std::initializer_list<std::string_view> hops,
                                std::uint8_t pointer = 4, std::uint8_t option = 0x83);

    // --- IPv6 extension headers, after ipv6() or one another
    PacketBuilder& hop_by_hop(std::span<const std::uint8_t> options = {});
    PacketBuilder& jumbo(std::optional<std::uint32_t> length = {});  // hop-by-hop; IPv6 length 0
    PacketBuilder& destination_options(std::span<const std::uint8_t> options = {});
    PacketBuilder& home_address(std::string_view address);  // destination options with only this
    // `data` is what follows segments left: 4 reserved bytes and the addresses, padded to 8n.
    PacketBuilder& routing(std::uint8_t type, std::uint8_t segments_left,
                           std::span<const std::uint8_t> data);
    // Types 0 and 2: reserved word and addresses. Type 4: last entry, flags, tag and the list.
    PacketBuilder& routing(std::uint8_t type, std::uint8_t segments_left,
                           std::initializer_list<std::string_view> addresses);
    PacketBuilder& fragment_header(std::uint32_t offset_bytes, bool more, std::uint32_t id = 1);
    PacketBuilder& authentication(std::size_t icv_bytes = 12);

    // --- tunnels
    PacketBuilder& gre(const GreFields& fields = {});
    PacketBuilder& erspan1();  // after gre(): no header of its own, only the protocol number
    PacketBuilder& erspan2(std::uint16_t vlan, std::uint16_t session);  // after gre() with sequence
    PacketBuilder& erspan3(std::uint16_t vlan, std::uint16_t session, bool subheader = false);
    PacketBuilder& udp(std::uint16_t source_port, std::uint16_t destination_port);
    // These four add their UDP header (source port 54321) themselves.
    PacketBuilder& vxlan(std::uint32_t vni);
    PacketBuilder& vxlan_gpe(std::uint32_t vni);
    PacketBuilder& geneve(std::uint32_t vni, std::size_t option_words = 0);
    // extension_headers: chain of {type, content bytes}; each content is padded to 4n-2 bytes.
    PacketBuilder& gtpu(std::uint32_t teid,
                        std::initializer_list<std::pair<std::uint8_t, std::size_t>> extensions = {},
                        std::optional<std::uint16_t> sequence = {});
    // ICMP error; what follows is the quoted packet, of which quoted_bytes are kept (default all).
    PacketBuilder& icmp_error(std::uint8_t type = 3, std::uint8_t code = 1,
                              std::optional<std::size_t> quoted_bytes = {});
    PacketBuilder& icmpv6_error(std::uint8_t type = 1, std::uint8_t code = 0,
                                std::optional<std::size_t> quoted_bytes = {});

    // --- TCP; flags default to "A", window to 8192, numbers to 0
    PacketBuilder& tcp(std::uint16_t source_port, std::uint16_t destination_port);
    PacketBuilder& seq(std::uint32_t value);
    PacketBuilder& ack(std::uint32_t value);     // the field only, not the flag
    PacketBuilder& flags(std::string_view set);  // letters of FSRPAUEC
    PacketBuilder& flag_bits(std::uint8_t bits);
    PacketBuilder& window(std::uint16_t value);
    PacketBuilder& urgent(std::uint16_t value);
    PacketBuilder& data_offset(std::uint8_t words);  // overrules the computed one
    // Options in order; the header is padded with end-of-list bytes to whole words.
    PacketBuilder& option(std::uint8_t kind, std::span<const std::uint8_t> data);
    PacketBuilder& option_raw(std::initializer_list<std::uint8_t> bytes);
    PacketBuilder& option_nop() { return option_raw({1}); }
    PacketBuilder& option_mss(std::uint16_t bytes);
    PacketBuilder& option_wscale(std::uint8_t shift);
    PacketBuilder& option_sack_permitted() { return option_raw({4, 2}); }
    PacketBuilder& option_sack(std::initializer_list<SackBlock> blocks);
    PacketBuilder& option_timestamps(std::uint32_t value, std::uint32_t echo);

    // --- content
    PacketBuilder& payload(std::size_t count);  // a fixed pattern
    PacketBuilder& payload(std::string_view text);
    PacketBuilder& payload(std::span<const std::uint8_t> bytes);
    PacketBuilder& padding(std::size_t count);  // zeros after the IP packet, in no length field
    PacketBuilder& raw(std::span<const std::uint8_t> bytes);  // a header this class does not know

    // --- overrides: big endian at `offset` of the layer added last, applied by build()
    PacketBuilder& set8(std::size_t offset, std::uint8_t value);
    PacketBuilder& set16(std::size_t offset, std::uint16_t value);
    PacketBuilder& set32(std::size_t offset, std::uint32_t value);

    // Whole frame. The builder may be used again: build() changes nothing.
    [[nodiscard]] Bytes build() const;

  private:
    static constexpr std::uint16_t kJumbo = 1;
    static constexpr std::uint16_t kTunnelSourcePort = 54321;

    enum class Kind : std::uint8_t {
        ethernet,
        vlan,
        llc_snap,
        mpls,
        control_word,
        pppoe,
        linux_sll,
        linux_sll2,
        bsd_null,
        ipv4,
        ipv6,
        hop_by_hop,
        destination_options,
        routing,
        fragment_header,
        authentication,
        gre,
        erspan1,
        erspan2,
        erspan3,
        udp,
        vxlan,
        vxlan_gpe,
        geneve,
        gtpu,
        icmp,
        icmpv6,
        tcp,
        raw,
    };
    // What a header says of itself to its neighbours. Offsets are into the header; -1 = no such
    // field.
    struct KindInfo {
        Kind kind;
        std::uint16_t ether_type = 0;      // how an outer header announces it
        std::uint8_t ip_protocol = 59;     // idem; 59 = nothing follows
        int type_offset = -1;              // its own EtherType field
        int next_offset = -1;              // its own next protocol field
        std::uint8_t checksum_offset = 0;  // 0 = none
        bool addresses_in_checksum = false;
    };
    struct Patch {
        std::size_t offset;  // within the layer
        std::size_t width;   // 1, 2 or 4
        std::uint32_t value;
    };
    struct Layer {
        Kind kind;
        std::uint16_t detail = 0;  // vlan: TPID; bsd_null: 1 = big endian; hop_by_hop: kJumbo
        std::size_t offset = 0;    // in bytes_
        std::vector<Patch> patches{};
        std::optional<std::size_t> quoted_bytes{};
    };

    Layer& add(Kind kind, std::initializer_list<std::uint8_t> header, std::uint16_t detail = 0);
    Layer& add(Kind kind, std::span<const std::uint8_t> header, std::uint16_t detail = 0);
    PacketBuilder& add_options_header(Kind kind, std::span<const std::uint8_t> options);
    void pad_to_word();
    [[nodiscard]] std::size_t layer_bytes(std::size_t index) const;
    [[nodiscard]] std::uint8_t* last_header();  // bytes of the layer added last
    [[nodiscard]] static const KindInfo& info(Kind kind);
    [[nodiscard]] static bool is_jumbo(const Layer& layer) {
        return layer.kind == Kind::hop_by_hop && layer.detail == kJumbo;
    }
    void link_to_next(Bytes& frame, std::size_t index, std::size_t end) const;
    void fill_lengths(Bytes& frame, std::size_t index, std::size_t end) const;
    void fill_checksum(Bytes& frame, std::size_t index, std::size_t end) const;
    [[nodiscard]] std::uint32_t pseudo_header_sum(const Bytes& frame, std::size_t index,
                                                  std::size_t end) const;

    Bytes bytes_;  // headers so far
    std::vector<Layer> layers_;
    Bytes payload_;
    std::size_t padding_ = 0;
};

// A frame over `bytes`, which must outlive it. wire_bytes 0 = as captured.
[[nodiscard]] Frame frame_of(const Bytes& bytes, Nanos time = 0, std::uint64_t number = 0,
                             LinkType link = LinkType::ethernet, std::uint32_t wire_bytes = 0);

// Internet checksum (RFC 1071) of `bytes`, continuing from `sum`.
[[nodiscard]] std::uint16_t internet_checksum(std::span<const std::uint8_t> bytes,
                                              std::uint32_t sum = 0);

}  // namespace tw::test
