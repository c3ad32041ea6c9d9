// SPDX-License-Identifier: BSD-3-Clause
// The lab's wires: carries Ethernet frames between interfaces with a constant delay, drops, doubles
// and delays what the faults say, and logs the fate of every TCP frame. --help teaches.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <queue>
#include <span>
#include <string>
#include <vector>

#include "lab/faults.hpp"

namespace {

using tw::lab::Action;
using tw::lab::Fate;
using tw::lab::Place;

constexpr const char* kDescription =
    "Carries frames between interfaces: --link client:A:B:US and --link server:A:B:US are the "
    "ways\n"
    "between the client's side (A) and the server's (B) with a delay of US microseconds each way,\n"
    "--link mirror:A:B:US is a one-way copy. A TCP frame is \"before\" the tap on the link it "
    "comes\n"
    "to first in its own direction, \"after\" it on the other.\n\n"
    "--fault PLACE,WHICH...,WHAT: PLACE is before, after or mirror. WHICH are words that must all\n"
    "hold: data, ack (neither payload, SYN, FIN nor RST), syn, fin, c2s, s2c, large and small "
    "(more\n"
    "than 1200 bytes of payload or not), quarter (a quarter of the connections, by client port),\n"
    "skip=N (the first N pass). WHAT: drop=P, duplicate=P, delay=P with probability P; us=N says "
    "how\n"
    "much later the frame or its second copy comes, burst=N takes N frames in a row.\n\n"
    "The log: \"I NS LINK ID FATE HEX\" for a frame that came in (HEX: its first 134 bytes), \"O "
    "NS\n"
    "LINK ID\" for each copy that left, in the order of both; the last line tells what the "
    "sockets\n"
    "lost. Prints \"ready\" when it carries, ends at SIGTERM.";

constexpr int kWrongArguments = 2, kEnvironmentFailed = 3;
constexpr int kSocketBytes = 64 << 20;
constexpr std::size_t kLogged = 134;  // Ethernet, IPv6, the longest TCP header

volatile std::sig_atomic_t stop_requested = 0;

std::int64_t now_ns() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Raw frames of one interface; its own are not heard.
int open_socket(const std::string& interface) {
    const int wire = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    const int on = 1;
    if (wire < 0 || address.sll_ifindex == 0 ||
        setsockopt(wire, SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBytes, sizeof kSocketBytes) != 0 ||
        setsockopt(wire, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) != 0 ||
        bind(wire, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        fmt::print(stderr, "wire: {}: {}\n", interface, std::strerror(errno));
        return -1;
    }
    return wire;
}

struct Link {
    std::string name;
    std::array<std::string, 2> interfaces;
    std::int64_t delay_ns = 0;
    std::array<int, 2> sockets{-1, -1};

    [[nodiscard]] Place place(bool to_server) const {
        if (name == "mirror") {
            return Place::mirror;
        }
        return (name == "client") == to_server ? Place::before : Place::after;
    }
};

struct Departure {
    std::int64_t time;
    std::uint64_t order;  // equal times leave in the order of arrival
    std::uint64_t id;
    std::size_t link;
    int socket;
    bool logged;
    std::shared_ptr<const std::vector<std::uint8_t>> frame;

    bool operator>(const Departure& other) const {
        return time != other.time ? time > other.time : order > other.order;
    }
};

class Wire {
  public:
    Wire(std::vector<Link> links, tw::lab::Faults faults, std::uint16_t port, std::FILE* log)
        : links_(std::move(links)), faults_(std::move(faults)), port_(port), log_(log) {}

    [[nodiscard]] bool open();
    void run();

  private:
    void receive(std::size_t link, std::size_t side);
    void arrived(std::size_t link, std::size_t side, std::span<const std::uint8_t> bytes);
    void depart(std::int64_t now);
    // For the log: no two alike, so that it can be put in order by them.
    [[nodiscard]] std::int64_t stamp() { return last_stamp_ = std::max(now_ns(), last_stamp_ + 1); }
    void sleep(std::int64_t now);

    std::vector<Link> links_;
    tw::lab::Faults faults_;
    std::uint16_t port_;
    std::FILE* log_;
    std::priority_queue<Departure, std::vector<Departure>, std::greater<>> departures_;
    std::uint64_t order_ = 0;
    std::int64_t last_stamp_ = 0;
    std::uint64_t frames_ = 0;
    std::uint64_t unsent_ = 0;
    std::vector<pollfd> polls_;
};

bool Wire::open() {
    for (Link& link : links_) {
        for (std::size_t side = 0; side < 2; ++side) {
            link.sockets[side] = open_socket(link.interfaces[side]);
            if (link.sockets[side] < 0) {
                return false;
            }
            polls_.push_back({link.sockets[side], POLLIN, 0});
        }
    }
    return true;
}

void Wire::run() {
    while (stop_requested == 0) {
        const std::int64_t now = now_ns();
        depart(now);
        sleep(now);
        for (std::size_t i = 0; i < polls_.size(); ++i) {
            if (polls_[i].revents != 0) {
                receive(i / 2, i % 2);
            }
        }
    }
    std::uint64_t lost = unsent_;
    for (const pollfd& poll : polls_) {
        tpacket_stats statistics{};
        socklen_t bytes = sizeof statistics;
        getsockopt(poll.fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &bytes);
        lost += statistics.tp_drops;
        close(poll.fd);
    }
    fmt::print(log_, "E {} {}\n", frames_, lost);
}

void Wire::sleep(std::int64_t now) {
    const std::int64_t wait =
        departures_.empty() ? 100'000'000 : std::max<std::int64_t>(0, departures_.top().time - now);
    const timespec timeout{wait / 1'000'000'000, wait % 1'000'000'000};
    if (ppoll(polls_.data(), polls_.size(), &timeout, nullptr) < 0) {
        for (pollfd& poll : polls_) {
            poll.revents = 0;
        }
    }
}

void Wire::receive(std::size_t link, std::size_t side) {
    std::array<std::uint8_t, 65'600> buffer;
    for (;;) {
        const ssize_t bytes = recv(links_[link].sockets[side], buffer.data(), buffer.size(), 0);
        if (bytes <= 0) {
            return;
        }
        arrived(link, side, std::span(buffer).first(static_cast<std::size_t>(bytes)));
    }
}

void Wire::arrived(std::size_t link_index, std::size_t side, std::span<const std::uint8_t> bytes) {
    const Link& link = links_[link_index];
    const bool mirror = link.name == "mirror";
    if (mirror && side == 1) {
        return;  // a monitor port only sends
    }
    const std::int64_t now = stamp();
    const tw::lab::Traits traits = tw::lab::traits_of(bytes, port_);
    const Fate fate = faults_.decide(link.place(traits.to_server), traits);
    const std::uint64_t id = ++frames_;
    if (traits.tcp) {
        fmt::print(log_, "I {} {} {} {} {:02x}\n", now, link.name, id, name(fate.action),
                   fmt::join(bytes.first(std::min(bytes.size(), kLogged)), ""));
    }
    if (fate.action == Action::drop) {
        return;
    }
    Departure departure{now + link.delay_ns,
                        ++order_,
                        id,
                        link_index,
                        link.sockets[1 - side],
                        traits.tcp,
                        std::make_shared<std::vector<std::uint8_t>>(bytes.begin(), bytes.end())};
    if (fate.action == Action::duplicate) {
        departures_.push(departure);
        departure.order = ++order_;
    }
    departure.time += fate.later_ns;
    departures_.push(std::move(departure));
}

void Wire::depart(std::int64_t now) {
    while (!departures_.empty() && departures_.top().time <= now) {
        const Departure& next = departures_.top();
        if (next.logged) {
            fmt::print(log_, "O {} {} {}\n", stamp(), links_[next.link].name, next.id);
        }
        unsent_ += send(next.socket, next.frame->data(), next.frame->size(), 0) < 0 ? 1U : 0U;
        departures_.pop();
    }
}

// "NAME:A:B:US"; a sentence if it is not.
std::string read_link(const std::string& text, std::vector<Link>& links) {
    std::vector<std::string> parts = CLI::detail::split(text, ':');
    Link link;
    if (parts.size() != 4 || !CLI::detail::lexical_cast(parts[3], link.delay_ns)) {
        return text + ": not NAME:A:B:MICROSECONDS";
    }
    if (parts[0] != "client" && parts[0] != "server" && parts[0] != "mirror") {
        return text + ": NAME is client, server or mirror";
    }
    link.name = parts[0];
    link.interfaces = {parts[1], parts[2]};
    link.delay_ns *= 1000;
    links.push_back(std::move(link));
    return {};
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{kDescription};
    std::vector<std::string> link_texts, fault_texts;
    std::string log_path;
    std::uint64_t seed = 1;
    std::uint16_t port = 0;
    app.add_option("--link", link_texts)->required();
    app.add_option("--fault", fault_texts);
    app.add_option("--log", log_path, "the log of every TCP frame")->required();
    app.add_option("--port", port, "the server's: tells the directions")->required();
    app.add_option("--seed", seed);
    CLI11_PARSE(app, argc, argv);

    std::vector<Link> links;
    tw::lab::Faults faults;
    std::string error;
    for (std::size_t i = 0; i < link_texts.size() && error.empty(); ++i) {
        error = read_link(link_texts[i], links);
    }
    for (std::size_t i = 0; i < fault_texts.size() && error.empty(); ++i) {
        error = faults.add(fault_texts[i], seed * 1000 + i);
    }
    if (!error.empty()) {
        fmt::print(stderr, "wire: {}\n", error);
        return kWrongArguments;
    }
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> log(std::fopen(log_path.c_str(), "w"),
                                                              std::fclose);
    if (!log) {
        fmt::print(stderr, "wire: {}: {}\n", log_path, std::strerror(errno));
        return kEnvironmentFailed;
    }
    for (const int number : {SIGINT, SIGTERM}) {
        std::signal(number, [](int) { stop_requested = 1; });
    }
    Wire wire(std::move(links), std::move(faults), port, log.get());
    if (!wire.open()) {
        return kEnvironmentFailed;
    }
    fmt::print("ready\n");
    std::fflush(stdout);
    wire.run();
    return 0;
}
