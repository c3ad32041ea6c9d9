// SPDX-License-Identifier: BSD-3-Clause
// What firewalls do and no rule of nftables can: another initial sequence number for the server,
// with its SACK blocks translated or forgotten; an MSS that grows; repeats that are not sent on.
// Two classifiers of the firewall's inner interface, compiled for one scenario with -D:
//   SHIFT=N [TRANSLATE=1]   the client counts the server's bytes N higher
//   MSS=N                   of the client's SYN becomes N
//   SUPPRESS=1              data of the client that had been sent on before is dropped
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#ifndef SHIFT
#define SHIFT 0
#endif
#ifndef TRANSLATE
#define TRANSLATE 0
#endif
#ifndef MSS
#define MSS 0
#endif
#ifndef SUPPRESS
#define SUPPRESS 0
#endif

#define SECTION(name) __attribute__((section(name), used))
#define ETHERNET 14
#define OPTIONS_MAX 12
#define BLOCK_EDGES_MAX 8

static long (*load_bytes)(const void* skb, __u32 offset, void* to, __u32 bytes) =
    (void*)BPF_FUNC_skb_load_bytes;
static long (*store_bytes)(void* skb, __u32 offset, const void* from, __u32 bytes, __u64 flags) =
    (void*)BPF_FUNC_skb_store_bytes;
static long (*replace_checksum)(void* skb, __u32 offset, __u64 from, __u64 to, __u64 flags) =
    (void*)BPF_FUNC_l4_csum_replace;

struct Segment {
    __u32 tcp;  // offset of its header
    __u32 header_bytes;
    __u32 payload_bytes;
    __u32 seq;
    __u16 client_port;
    __u8 flags;
};

static __u32 be16(struct __sk_buff* skb, __u32 offset) {
    __u16 value = 0;
    load_bytes(skb, offset, &value, sizeof value);
    return __builtin_bswap16(value);
}

static __u8 byte(struct __sk_buff* skb, __u32 offset) {
    __u8 value = 0;
    load_bytes(skb, offset, &value, sizeof value);
    return value;
}

static void shift(struct __sk_buff* skb, __u32 offset, __u32 by, __u32 checksum) {
    __u32 before = 0;
    load_bytes(skb, offset, &before, sizeof before);
    const __u32 after = __builtin_bswap32(__builtin_bswap32(before) + by);
    store_bytes(skb, offset, &after, sizeof after, 0);
    replace_checksum(skb, checksum, before, after, sizeof after);
}

// 0 = not TCP over IPv4.
static int parse(struct __sk_buff* skb, struct Segment* segment) {
    if (be16(skb, 12) != 0x0800 || byte(skb, ETHERNET + 9) != 6) {
        return 0;
    }
    const __u32 ip_bytes = (byte(skb, ETHERNET) & 15U) * 4U;
    segment->tcp = ETHERNET + ip_bytes;
    segment->header_bytes = (byte(skb, segment->tcp + 12) >> 4U) * 4U;
    segment->payload_bytes = be16(skb, ETHERNET + 2) - ip_bytes - segment->header_bytes;
    segment->flags = byte(skb, segment->tcp + 13);
    segment->client_port = be16(skb, segment->tcp);
    __u32 seq = 0;
    load_bytes(skb, segment->tcp + 4, &seq, sizeof seq);
    segment->seq = __builtin_bswap32(seq);
    return 1;
}

// Offset of an option's kind, 0 = it is not there.
static __u32 option_at(struct __sk_buff* skb, const struct Segment* segment, __u8 wanted) {
    __u32 at = segment->tcp + 20;
    const __u32 end = segment->tcp + segment->header_bytes;
    for (int i = 0; i < OPTIONS_MAX && at < end; ++i) {
        const __u8 kind = byte(skb, at);
        if (kind == wanted) {
            return at;
        }
        at += kind == 1 ? 1 : byte(skb, at + 1);
    }
    return 0;
}

#if SUPPRESS
static void* (*map_lookup)(void* map, const void* key) = (void*)BPF_FUNC_map_lookup_elem;
static long (*map_update)(void* map, const void* key, const void* value, __u64 flags) =
    (void*)BPF_FUNC_map_update_elem;

struct {
    __u32 (*type)[BPF_MAP_TYPE_HASH];
    __u32 (*max_entries)[1024];
    __u16* key;
    __u32* value;
} sent_on SECTION(".maps");

static int had_been_sent(const struct Segment* segment) {
    const __u32 end = segment->seq + segment->payload_bytes;
    const __u32* highest = map_lookup(&sent_on, &segment->client_port);
    if (highest && (__s32)(end - *highest) <= 0) {
        return 1;
    }
    map_update(&sent_on, &segment->client_port, &end, BPF_ANY);
    return 0;
}
#endif

SECTION("tc/out") int to_server(struct __sk_buff* skb) {
    struct Segment segment;
    if (!parse(skb, &segment)) {
        return TC_ACT_OK;
    }
    const __u32 checksum = segment.tcp + 16;
#if SUPPRESS
    if (segment.payload_bytes > 0 && had_been_sent(&segment)) {
        return TC_ACT_SHOT;
    }
#endif
    if (SHIFT && (segment.flags & 16U)) {
        shift(skb, segment.tcp + 8, -(__u32)SHIFT, checksum);
        const __u32 sack = TRANSLATE ? option_at(skb, &segment, 5) : 0;
        const __u32 edges = sack ? (byte(skb, sack + 1) - 2U) / 4U : 0;
        for (__u32 i = 0; i < BLOCK_EDGES_MAX && i < edges; ++i) {
            shift(skb, sack + 2 + 4 * i, -(__u32)SHIFT, checksum);
        }
    }
    if (MSS && (segment.flags & 2U)) {
        const __u32 at = option_at(skb, &segment, 2);
        const __u16 after = __builtin_bswap16(MSS);
        __u16 before = 0;
        if (at && load_bytes(skb, at + 2, &before, sizeof before) == 0) {
            store_bytes(skb, at + 2, &after, sizeof after, 0);
            replace_checksum(skb, checksum, before, after, sizeof after);
        }
    }
    return TC_ACT_OK;
}

SECTION("tc/in") int from_server(struct __sk_buff* skb) {
    struct Segment segment;
    if (SHIFT && parse(skb, &segment)) {
        shift(skb, segment.tcp + 4, SHIFT, segment.tcp + 16);
    }
    return TC_ACT_OK;
}

char kLicense[] SECTION("license") = "BSD";
