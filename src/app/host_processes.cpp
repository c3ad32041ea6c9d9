// SPDX-License-Identifier: BSD-3-Clause
// The part of Host that looks at other processes: who holds a device file or listens on a socket.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

#include "app/host.hpp"

namespace tw::app {
namespace {

namespace fs = std::filesystem;

// Accepts connections (__SO_ACCEPTCON), as /proc/net/unix prints it.
constexpr std::uint32_t kListening = 0x10000;

[[nodiscard]] std::optional<std::uint32_t> process_id(std::string_view name) {
    std::uint32_t id = 0;
    const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), id);
    return failed == std::errc() && end == name.data() + name.size() ? std::optional(id)
                                                                     : std::nullopt;
}

}  // namespace

// Open files are links: to a path, or to "socket:[4711]".
std::vector<Process> Host::holders_of(const std::string& link) const {
    std::vector<Process> found;
    for (const std::string& name : names_in("proc")) {
        const auto id = process_id(name);
        if (!id || *id == static_cast<std::uint32_t>(::getpid())) {
            continue;
        }
        const fs::path folder = fs::path("proc") / name;
        for (const std::string& file : names_in(folder / "fd")) {
            std::error_code failed;
            if (fs::read_symlink(root_ / folder / "fd" / file, failed) == link) {
                found.push_back({*id, line(folder / "comm")});
                break;
            }
        }
    }
    return found;
}

std::vector<Process> Host::users_of(const fs::path& path) const {
    return holders_of(fmt::format("/{}", path.string()));
}

std::optional<Process> Host::listener_on(const std::string& name) const {
    // "Num RefCount Protocol Flags Type St Inode Path"
    std::ifstream sockets(root_ / "proc/net/unix");
    for (std::string text; std::getline(sockets, text);) {
        std::istringstream words(text);
        std::string number;
        std::string references;
        std::string protocol;
        std::string type;
        std::string state;
        std::string inode;
        std::string path;
        std::uint32_t flags = 0;
        words >> number >> references >> protocol >> std::hex >> flags >> type >> state >> inode;
        words >> path;
        if (path == name && (flags & kListening) != 0) {
            const auto holders = holders_of(fmt::format("socket:[{}]", inode));
            return holders.empty() ? Process{} : holders.front();
        }
    }
    return std::nullopt;
}

}  // namespace tw::app
