// SPDX-License-Identifier: BSD-3-Clause
#include "core/taps/fragments.hpp"

#include <algorithm>

#include "base/sequence.hpp"
#include "core/taps/compare.hpp"

namespace tw::taps {
namespace {

constexpr std::uint32_t kNone = Pool<int>::kNone;

}  // namespace

Fragments::Fragments(Backing backing, Nanos transit_max, FactSink& sink, stats::Counters& counters)
    : sink_(sink),
      counters_(counters),
      wait_(2 * transit_max + kPatience),
      datagrams_(kDatagramsMax, backing) {}

template <typename Visit>
void Fragments::each(Visit visit) {
    for (std::uint32_t i = oldest_; i != kNone; i = datagrams_[i].newer) {
        visit(datagrams_[i]);
    }
}

std::optional<FragmentedSegment> Fragments::add(const Packet& packet, const FragmentIds& ids,
                                                const FragmentOwner* owner) {
    Datagram* const datagram = make(packet, ids);
    if (datagram == nullptr) {
        counters_.add(stats::Counter::taps_fragments_full);
        return std::nullopt;
    }
    if (owner != nullptr && !datagram->owned) {
        own(*datagram, packet, *owner);
        datagram->ids.header = ids.header;
    }
    const auto pieces = std::span(datagram->pieces).first(datagram->pieces_count);
    const bool known = std::any_of(pieces.begin(), pieces.end(), [&](const Piece& piece) {
        return piece.offset == packet.fragment_offset && piece.bytes == ids.bytes;
    });
    if (known) {
        return std::nullopt;
    }
    if (datagram->pieces_count == kPiecesMax) {
        counters_.add(stats::Counter::taps_fragments_full);
        return std::nullopt;
    }
    datagram->pieces[datagram->pieces_count++] = {packet.time, packet.frame, packet.fragment_offset,
                                                  ids.bytes};
    datagram->held += ids.bytes;
    if (!packet.more_fragments) {
        datagram->ends = packet.fragment_offset + ids.bytes;
    }
    if (!datagram->owned || datagram->held != datagram->ends ||
        datagram->ends < datagram->ids.header) {
        return std::nullopt;
    }
    FragmentedSegment segment{datagram->of, datagram->first};
    segment.packet.payload_bytes = datagram->ends - datagram->ids.header;
    return segment;
}

Fragments::Datagram* Fragments::find(Side tap, const FragmentIds& ids) {
    // The newest first: identifications are used again.
    for (std::uint32_t i = newest_; i != kNone; i = datagrams_[i].older) {
        Datagram& datagram = datagrams_[i];
        if (datagram.tap == tap && datagram.ids.datagram == ids.datagram &&
            datagram.ids.addresses == ids.addresses) {
            return &datagram;
        }
    }
    return nullptr;
}

Fragments::Datagram* Fragments::make(const Packet& packet, const FragmentIds& ids) {
    if (Datagram* const known = find(packet.tap, ids)) {
        return known;
    }
    const std::uint32_t index = datagrams_.take();
    if (index == kNone) {
        return nullptr;
    }
    Datagram fresh{};
    fresh.ids = ids;
    fresh.began = packet.time;
    fresh.tap = packet.tap;
    fresh.older = newest_;
    datagrams_[index] = fresh;
    (newest_ == kNone ? oldest_ : datagrams_[newest_].newer) = index;
    newest_ = index;
    return &datagrams_[index];
}

void Fragments::own(Datagram& datagram, const Packet& packet, const FragmentOwner& owner) {
    datagram.owned = true;
    datagram.first = packet;
    datagram.of = owner.of;
    datagram.open = &owner.open;
    ++owner.open;
    datagram.way = owner.way;
    const bool enters = packet.tap == entry(owner.way);
    datagram.entered_seq = enters ? packet.seq : packet.seq - owner.seq_shift;
    datagram.left_seq = enters ? packet.seq + owner.seq_shift : packet.seq;
    if (!enters) {
        return;
    }
    each([&](Datagram& other) {
        if (&other != &datagram && other.owned && other.tap == datagram.tap &&
            other.of.conversation == datagram.of.conversation && other.way == datagram.way &&
            other.entered_seq == datagram.entered_seq) {
            other.repeated = true;
        }
    });
}

bool Fragments::joined(std::uint64_t conversation, Way way, const Packet& left) {
    bool found = false;
    each([&](Datagram& datagram) {
        if (datagram.owned && datagram.of.conversation == conversation && datagram.way == way &&
            datagram.tap == entry(way) && datagram.left_seq == left.seq) {
            datagram.left_whole = true;
            found = true;
        }
    });
    return found;
}

bool Fragments::split(std::uint64_t conversation, Way way, const Packet& entered) {
    bool found = false;
    each([&](const Datagram& datagram) {
        found |= datagram.owned && datagram.of.conversation == conversation &&
                 datagram.way == way && datagram.tap == exit(way) &&
                 datagram.entered_seq == entered.seq;
    });
    return found;
}

void Fragments::repeat(std::uint64_t conversation, Way way, const Packet& packet) {
    if (packet.kind != PacketKind::segment) {
        return;  // add() tells by itself
    }
    each([&](Datagram& datagram) {
        datagram.repeated |= datagram.owned && datagram.of.conversation == conversation &&
                             datagram.way == way && packet.space() != 0 &&
                             datagram.entered_seq == packet.seq;
    });
}

void Fragments::acknowledged(std::uint64_t conversation, Way way, const Packet& packet) {
    each([&](Datagram& datagram) {
        if (!datagram.owned || datagram.of.conversation != conversation || datagram.way != way) {
            return;
        }
        // IP hands up whole datagrams only: with its first byte the receiver has all of it.
        bool has = after(packet.ack, datagram.left_seq);
        const std::size_t blocks = std::min<std::size_t>(packet.sack_count, packet.sack.size());
        for (std::size_t i = 0; i < blocks && packet.option(option_bit::kSack); ++i) {
            has |= at_or_before(packet.sack[i].left, datagram.left_seq) &&
                   after(packet.sack[i].right, datagram.left_seq);
        }
        datagram.covered_first |= has && !datagram.repeated;
        datagram.covered_later |= has && datagram.repeated;
    });
}

// The same datagram at the other tap.
const Fragments::Datagram* Fragments::twin_of(const Datagram& datagram) {
    const Datagram* twin = nullptr;
    each([&](const Datagram& other) {
        if (other.tap == datagram.tap) {
            return;
        }
        const bool same_ids = other.ids.addresses == datagram.ids.addresses &&
                              other.ids.datagram == datagram.ids.datagram;
        const bool same_first = other.owned && other.of.conversation == datagram.of.conversation &&
                                other.way == datagram.way && other.left_seq == datagram.left_seq &&
                                !datagram.repeated;
        if (twin == nullptr ? same_ids || same_first : same_ids) {
            twin = &other;
        }
    });
    return twin;
}

void Fragments::judge(const Datagram& datagram) {
    const Datagram* const twin = twin_of(datagram);
    if (datagram.left_whole) {
        Fact fact = fact_of(datagram.first, datagram.first, datagram.way);
        fact.kind = FactKind::fragments_joined;
        fact.grade = Grade::proven;
        fact.proof = Proof::seen_at_both;
        fact.twin_known = false;
        fact.cites_count = 1;
        sink_.take(fact, datagram.of);
        return;
    }
    if (datagram.covered_first) {
        return;  // the receiver has it: what was not seen to leave was missed
    }
    for (std::size_t i = 0; i < datagram.pieces_count; ++i) {
        const Piece& piece = datagram.pieces[i];
        bool left = false;
        for (std::size_t k = 0; twin != nullptr && k < twin->pieces_count; ++k) {
            const Piece& other = twin->pieces[k];
            // It may have been cut into smaller ones: its first byte stands for it.
            left |= other.offset <= piece.offset && piece.offset < other.offset + other.bytes;
        }
        if (!left) {
            tell(datagram, piece, twin);
        }
    }
}

void Fragments::tell(const Datagram& datagram, const Piece& piece, const Datagram* twin) {
    Packet packet = datagram.first;
    if (piece.offset != 0) {
        packet.kind = PacketKind::later_fragment;
    }
    packet.fragment_offset = static_cast<std::uint16_t>(piece.offset);
    packet.time = piece.time;
    packet.frame = piece.frame;
    packet.payload_bytes = piece.bytes;
    Fact fact;
    fact.kind = FactKind::fragment_lost;
    fact.way = datagram.way;
    fact.time = piece.time;
    fact.decided = piece.time + wait_;
    fact.packet = packet;
    cite(fact, packet, Part::subject);
    if (twin != nullptr && twin->owned) {
        fact.twin = twin->first;
        fact.twin_known = true;
        cite(fact, twin->first, Part::left);
    }
    if (datagram.repeated) {
        fact.grade = Grade::proven;
        fact.proof = datagram.covered_later ? Proof::left_later : Proof::no_copy_leaves;
        fact.single_fault = datagram.covered_later;
        fact.attempts = 2;
    } else {
        fact.grade = Grade::unproven;
        fact.proof = Proof::nothing_decides;
    }
    sink_.take(fact, datagram.of);
}

void Fragments::conclude(std::uint32_t index) {
    Datagram& datagram = datagrams_[index];
    if (!datagram.owned) {
        counters_.add(stats::Counter::taps_fragments_unplaced);
    } else {
        if (datagram.tap == entry(datagram.way)) {
            judge(datagram);
        }
        --*datagram.open;
    }
    (datagram.older == kNone ? oldest_ : datagrams_[datagram.older].newer) = datagram.newer;
    (datagram.newer == kNone ? newest_ : datagrams_[datagram.newer].older) = datagram.older;
    datagrams_.give_back(index);
}

void Fragments::tick(Nanos now) {
    while (oldest_ != kNone && now - datagrams_[oldest_].began > wait_) {
        conclude(oldest_);
    }
}

void Fragments::ended(std::uint64_t conversation) {
    std::uint32_t next = kNone;
    for (std::uint32_t i = oldest_; i != kNone; i = next) {
        next = datagrams_[i].newer;
        if (datagrams_[i].owned && datagrams_[i].of.conversation == conversation) {
            conclude(i);
        }
    }
}

void Fragments::finish() {
    // What entered within the wait of the end is not judged (gate L).
    while (oldest_ != kNone) {
        datagrams_[oldest_].pieces_count = 0;
        conclude(oldest_);
    }
}

std::size_t Fragments::memory_bytes() const {
    return sizeof *this + (std::size_t{kDatagramsMax} + 1) * Pool<Datagram>::bytes_per_record();
}

}  // namespace tw::taps
