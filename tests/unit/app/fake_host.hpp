// SPDX-License-Identifier: BSD-3-Clause
// A host made of files: the parts of /proc and /sys that app/host.cpp reads, in a folder of its own
// that goes away with it. Two CPUs, ordinary memory and nothing special until a test says so.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <vector>

#include "app/host.hpp"

namespace tw::app {

class FakeHost {
  public:
    FakeHost() {
        std::string pattern = testing::TempDir() + "/tapwitness-host-XXXXXX";
        root_ = mkdtemp(pattern.data());
        write("sys/devices/system/cpu/online", "0-1");
        write("proc/self/status", "Name:\tx\nCapEff:\t000001ffffffffff\nCpus_allowed_list:\t0-1\n");
        write("proc/self/limits", "Max locked memory         unlimited   unlimited   bytes\n");
        write("proc/meminfo", "MemTotal:  9 kB\nMemAvailable:   16777216 kB\n");
    }
    ~FakeHost() {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }
    FakeHost(const FakeHost&) = delete;
    FakeHost& operator=(const FakeHost&) = delete;

    void write(const std::string& path, const std::string& text) const {
        std::filesystem::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text << '\n';
    }
    void link(const std::string& path, const std::string& target) const {
        std::filesystem::create_directories((root_ / path).parent_path());
        std::filesystem::create_symlink(target, root_ / path);
    }
    void huge_pages(int node, int total, int free) const {
        const std::string folder =
            "sys/devices/system/node/node" + std::to_string(node) + "/hugepages/hugepages-2048kB/";
        write(folder + "nr_hugepages", std::to_string(total));
        write(folder + "free_hugepages", std::to_string(free));
    }
    // An Ethernet card; driver "" leaves it unbound.
    void pci_card(const std::string& address, const std::string& driver) const {
        const std::string folder = "sys/bus/pci/devices/" + address + "/";
        write(folder + "class", "0x020000");
        write(folder + "numa_node", "0");
        if (!driver.empty()) {
            link(folder + "driver", "../../drivers/" + driver);
        }
    }
    void interface(const std::string& name, bool up, bool carrier) const {
        const std::string folder = "sys/class/net/" + name + "/";
        write(folder + "flags", up ? "0x1003" : "0x1002");
        write(folder + "mtu", "1500");
        write(folder + "carrier", carrier ? "1" : "0");
    }

    // `files`: where its open files lead to.
    void process(int id, const std::string& command, const std::vector<std::string>& files) const {
        const std::string folder = "proc/" + std::to_string(id) + "/";
        write(folder + "comm", command);
        for (std::size_t i = 0; i < files.size(); ++i) {
            link(folder + "fd/" + std::to_string(i), files[i]);
        }
    }

    [[nodiscard]] Host host() const { return Host(root_); }
    [[nodiscard]] std::filesystem::path path(const std::string& path) const { return root_ / path; }

  private:
    std::filesystem::path root_;
};

}  // namespace tw::app
