// SPDX-License-Identifier: BSD-3-Clause
#include "app/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/load.hpp"
#include "unit/app/fake_host.hpp"

namespace tw::app {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;

config::Config loaded(const std::string& text) {
    auto config = config::load_text(text, "x.yaml");
    EXPECT_TRUE(config) << config.error().front().text;
    return config ? std::move(*config) : config::Config{};
}

config::Config with_device(const std::string& device, const std::string& more = "") {
    return loaded("ports: [{device: \"" + device + "\"}]\n" + more);
}

// "problem: TEXT => FIX", one line each.
std::vector<std::string> lines(const Findings& findings, Health health) {
    std::vector<std::string> out;
    for (const Finding& finding : findings.all()) {
        if (finding.health == health) {
            out.push_back(finding.text + " => " + finding.fix);
        }
    }
    return out;
}

std::vector<std::string> problems(const Findings& findings) {
    return lines(findings, Health::problem);
}
std::vector<std::string> notes(const Findings& findings) {
    return lines(findings, Health::note);
}

Findings cpus(const FakeHost& fake, const std::string& workers) {
    Findings findings;
    examine_cpus(fake.host(), with_device("iface:lo", "workers: " + workers), findings);
    return findings;
}

TEST(CpuListText, joins_runs) {
    EXPECT_EQ(cpu_list_text({3, 1, 2, 8, 2}), "1-3,8");
    EXPECT_EQ(cpu_list_text({0}), "0");
    EXPECT_EQ(cpu_list_text({}), "none");
}

TEST(DoctorCpus, a_core_that_is_not_online_is_a_problem_with_its_place) {
    const FakeHost fake;
    EXPECT_THAT(
        problems(cpus(fake, "{cores: [0, 2]}")),
        ElementsAre("x.yaml:2:22: workers.cores[1]: this host has no CPU 2 online => choose "
                    "from 0-1"));
}

TEST(DoctorCpus, a_core_outside_our_affinity_is_a_problem) {
    const FakeHost fake;
    fake.write("proc/self/status", "CapEff:\t0\nCpus_allowed_list:\t1");
    EXPECT_THAT(problems(cpus(fake, "{cores: [0, 1]}")),
                ElementsAre(HasSubstr("CPU 0 is not allowed to this process => choose from 1,")));
}

TEST(DoctorCpus, isolated_cores_with_a_rest_are_well) {
    const FakeHost fake;
    fake.write("sys/devices/system/cpu/isolated", "1");
    fake.write("sys/devices/system/cpu/nohz_full", "1");
    fake.write("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance");
    const Findings findings = cpus(fake, "{cores: [1]}");
    EXPECT_THAT(problems(findings), IsEmpty());
    EXPECT_THAT(notes(findings), IsEmpty());
    EXPECT_EQ(findings.all().front().text, "CPU 1 is isolated from the scheduler");
}

TEST(DoctorCpus, what_disturbs_workers_is_a_note_with_its_cure) {
    const FakeHost fake;
    fake.write("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0-1");
    fake.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave");
    const Findings findings = cpus(fake, "{cores: [0, 1, 0]}");
    EXPECT_THAT(problems(findings), IsEmpty());
    const auto found = notes(findings);
    EXPECT_THAT(found, Contains(HasSubstr("CPU 0 carries 2 workers")));
    EXPECT_THAT(found, Contains(HasSubstr("CPUs 0 and 1 are threads of one core")));
    EXPECT_THAT(found, Contains(HasSubstr("no CPU is left for everything else")));
    EXPECT_THAT(found, Contains(HasSubstr("isolcpus=managed_irq,domain,0-1 nohz_full=0-1")));
    EXPECT_THAT(found, Contains(HasSubstr("cpupower -c 0 frequency-set -g performance")));
}

TEST(DoctorCpus, adaptive_polling_leaves_cpus_to_others) {
    const FakeHost fake;
    EXPECT_THAT(notes(cpus(fake, "{cores: [0, 1], poll: adaptive}")),
                Not(Contains(HasSubstr("no CPU is left"))));
}

// One worker that takes 100 MiB of ordinary memory and, with EAL's own, 164 MiB of DPDK's.
MemoryPlan plan_of(std::uint32_t workers = 1) {
    MemoryPlan plan;
    plan.live = true;
    plan.workers = workers;
    plan.tables_bytes = 100 * kMebibyte;
    plan.dpdk.buffers_bytes = 100 * kMebibyte;
    return plan;
}

Findings memory(const FakeHost& fake, const config::Config& config, const MemoryPlan& plan) {
    Findings findings;
    examine_memory(fake.host(), config, plan, findings);
    return findings;
}

TEST(DoctorMemory, huge_pages_are_a_must_for_pci_and_a_wish_for_others) {
    const FakeHost fake;
    EXPECT_THAT(
        problems(memory(fake, with_device("3b:00.0"), plan_of())),
        ElementsAre("huge pages: 0 MiB free, DPDK takes 164 MiB, with the tables 264 MiB; a "
                    "PCI device cannot do without => dpdk-hugepages.py --setup 268M"));
    const Findings other = memory(fake, with_device("iface:lo"), plan_of());
    EXPECT_THAT(problems(other), IsEmpty());
    EXPECT_THAT(notes(other), ElementsAre(HasSubstr("ordinary pages will do")));
}

TEST(DoctorMemory, enough_huge_pages_are_well) {
    const FakeHost fake;
    fake.huge_pages(0, 100, 82);
    const Findings enough = memory(fake, with_device("3b:00.0"), plan_of());
    EXPECT_THAT(problems(enough), IsEmpty());
    EXPECT_THAT(notes(enough), IsEmpty());
    fake.huge_pages(0, 100, 81);
    EXPECT_EQ(problems(memory(fake, with_device("3b:00.0"), plan_of())).size(), 1U);
}

TEST(DoctorMemory, no_huge_is_taken_at_its_word) {
    const FakeHost fake;
    EXPECT_THAT(notes(memory(fake, with_device("iface:lo", "eal: {args: [--no-huge]}"), plan_of())),
                IsEmpty());
}

TEST(DoctorMemory, pages_on_the_wrong_node_are_a_note) {
    const FakeHost fake;
    fake.huge_pages(0, 1000, 1000);
    fake.huge_pages(1, 0, 0);
    fake.write("sys/devices/system/cpu/cpu0/node0/x", "");
    fake.write("sys/devices/system/cpu/cpu1/node1/x", "");
    const auto config = with_device("3b:00.0", "workers: {cores: [0, 1]}");
    EXPECT_THAT(notes(memory(fake, config, plan_of(2))),
                ElementsAre("huge pages of node 1: 0 MiB free, its workers take 50 MiB => "
                            "dpdk-hugepages.py --node 1 --setup 54M"));
}

TEST(DoctorMemory, more_than_the_host_has_is_a_problem_with_numbers_that_fit) {
    const FakeHost fake;
    fake.write("proc/meminfo", "MemAvailable: 135168 kB");  // 132 MiB, half of 264
    const auto found = problems(
        memory(fake, with_device("iface:lo", "flows: {max_per_worker: 1_000_000}"), plan_of()));
    EXPECT_THAT(found,
                ElementsAre("x.yaml:2:25: memory: 264 MiB needed, 132 MiB available => fewer "
                            "workers, or flows.max_per_worker: 375000, max_ipv6_per_worker: "
                            "93000"));
}

TEST(DoctorMemory, without_live_capture_huge_pages_do_not_matter) {
    const FakeHost fake;
    MemoryPlan plan = plan_of();
    plan.live = false;
    plan.dpdk = {};
    EXPECT_THAT(notes(memory(fake, with_device("iface:lo"), plan)), IsEmpty());
}

Findings ports(const FakeHost& fake, const std::string& device, const std::string& more = "") {
    Findings findings;
    examine_ports(fake.host(), with_device(device, more), findings);
    return findings;
}

TEST(DoctorPci, an_absent_device_is_a_problem_that_lists_the_others) {
    const FakeHost fake;
    EXPECT_THAT(
        problems(ports(fake, "3b:00.0")),
        ElementsAre("x.yaml:1:18: ports[0].device: there is no PCI device 0000:3b:00.0 => this "
                    "host has no PCI network device; use iface:NAME"));
    fake.pci_card("0000:3b:00.1", "vfio-pci");
    EXPECT_THAT(problems(ports(fake, "3b:00.0")),
                ElementsAre(HasSubstr("choose from 0000:3b:00.1")));
}

TEST(DoctorPci, a_device_of_another_class_is_a_problem) {
    const FakeHost fake;
    fake.write("sys/bus/pci/devices/0000:00:01.0/class", "0x018000");
    EXPECT_THAT(problems(ports(fake, "00:01.0")),
                ElementsAre(HasSubstr("is not a network device")));
}

TEST(DoctorPci, the_kernels_driver_is_a_problem_that_says_how_to_bind) {
    const FakeHost fake;
    fake.pci_card("0000:3b:00.0", "ixgbe");
    EXPECT_THAT(problems(ports(fake, "3b:00.0")),
                ElementsAre(HasSubstr("belongs to the kernel driver ixgbe => modprobe vfio-pci && "
                                      "dpdk-devbind.py --bind=vfio-pci 0000:3b:00.0")));
    fake.write("sys/bus/pci/devices/0000:3b:00.0/net/eth7/x", "");
    EXPECT_THAT(problems(ports(fake, "3b:00.0")),
                ElementsAre(AllOf(HasSubstr("(interface eth7) => ip link set eth7 down && "),
                                  HasSubstr("device: \"iface:eth7\""))));
}

TEST(DoctorPci, no_driver_is_a_problem) {
    const FakeHost fake;
    fake.pci_card("0000:3b:00.0", "");
    EXPECT_THAT(problems(ports(fake, "3b:00.0")),
                ElementsAre(HasSubstr("has no driver => modprobe")));
}

TEST(DoctorPci, mellanox_keeps_its_kernel_driver) {
    const FakeHost fake;
    fake.pci_card("0000:3b:00.0", "mlx5_core");
    EXPECT_THAT(problems(ports(fake, "3b:00.0")), IsEmpty());
    EXPECT_THAT(notes(ports(fake, "3b:00.0")), IsEmpty());
}

TEST(DoctorPci, vfio_needs_an_iommu_its_group_and_locked_memory) {
    const FakeHost fake;
    fake.pci_card("0000:3b:00.0", "vfio-pci");
    fake.link("sys/bus/pci/devices/0000:3b:00.0/iommu_group", "../../iommu_groups/9");
    EXPECT_THAT(notes(ports(fake, "3b:00.0")), ElementsAre(HasSubstr("no IOMMU")));
    fake.write("sys/class/iommu/dmar0/x", "");
    EXPECT_THAT(problems(ports(fake, "3b:00.0")),
                ElementsAre(HasSubstr("/dev/vfio/9 cannot be opened => chown")));
    fake.write("dev/vfio/9", "");
    EXPECT_THAT(problems(ports(fake, "3b:00.0")), IsEmpty());
    EXPECT_THAT(notes(ports(fake, "3b:00.0")), IsEmpty());
    fake.write("proc/self/limits", "Max locked memory         65536   65536   bytes");
    fake.write("proc/self/status", "CapEff:\t0\nCpus_allowed_list:\t0-1");
    EXPECT_THAT(problems(ports(fake, "3b:00.0")),
                ElementsAre(HasSubstr("only 64KiB may be locked in memory")));
}

TEST(DoctorPci, a_device_somebody_uses_is_a_problem_that_names_the_process) {
    const FakeHost fake;
    fake.pci_card("0000:3b:00.0", "vfio-pci");
    fake.link("sys/bus/pci/devices/0000:3b:00.0/iommu_group", "../../../../kernel/iommu_groups/9");
    fake.write("sys/class/iommu/dmar0/x", "");
    fake.write("dev/vfio/9", "");
    fake.process(4711, "dpdk-testpmd", {"/dev/null", "/dev/vfio/9"});
    EXPECT_THAT(problems(ports(fake, "0000:3b:00.0")),
                ElementsAre(HasSubstr("0000:3b:00.0 is in use by process 4711 dpdk-testpmd")));
}

TEST(DoctorPci, a_uio_device_somebody_uses_is_a_problem_too) {
    const FakeHost fake;
    fake.pci_card("0000:3b:00.0", "igb_uio");
    fake.write("sys/bus/pci/devices/0000:3b:00.0/uio/uio3/name", "igb_uio");
    EXPECT_THAT(problems(ports(fake, "0000:3b:00.0")), IsEmpty());
    fake.process(4711, "other", {"/dev/uio3"});
    EXPECT_THAT(problems(ports(fake, "0000:3b:00.0")),
                ElementsAre(HasSubstr("in use by process 4711 other")));
}

TEST(DoctorMemif, a_served_socket_is_a_problem_for_a_server_only) {
    const FakeHost fake;
    fake.write("proc/net/unix",
               "Num RefCount Protocol Flags Type St Inode Path\n"
               "0: 00000002 00000000 00010000 0005 01 77 @/run/memif.sock\n"
               "0: 00000003 00000000 00000000 0005 03 78 @taken\n"
               "0: 00000002 00000000 00010000 0005 01 79 /tmp/sock");
    fake.process(4711, "tapwitness", {"socket:[77]"});
    EXPECT_THAT(
        problems(ports(fake, "net_memif0,role=server")),
        ElementsAre(HasSubstr("the socket /run/memif.sock is served by process 4711 tapwitness")));
    EXPECT_THAT(problems(ports(fake, "net_memif0,role=client")), IsEmpty());
    EXPECT_THAT(problems(ports(fake, "net_memif0,role=server,socket=taken")), IsEmpty())
        << "connected, not listening";
    EXPECT_THAT(problems(ports(fake, "net_memif0,role=server,socket=/tmp/sock")), IsEmpty())
        << "a file, not an abstract name";
    EXPECT_THAT(problems(ports(fake, "net_memif0,role=server,socket=/tmp/sock,socket-abstract=no")),
                ElementsAre(HasSubstr("served by another process")));
}

TEST(Refusal, is_the_first_problem_with_its_place_and_its_fix) {
    const FakeHost fake;
    fake.pci_card("0000:3b:00.0", "ixgbe");
    const auto config = with_device("0000:3b:00.0");
    const auto refused = refusal(fake.host(), config, 0);
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->text,
              "x.yaml:1:18: ports[0].device: 0000:3b:00.0 belongs to the kernel driver ixgbe; "
              "modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci 0000:3b:00.0");
    EXPECT_EQ(refused->code, ExitCode::operator_mistake);
    EXPECT_FALSE(refusal(fake.host(), with_device("net_ring0"), 0));
}

TEST(DoctorPci, a_far_node_and_a_slow_slot_are_notes) {
    const FakeHost fake;
    fake.pci_card("0000:3b:00.0", "mlx5_core");
    const std::string folder = "sys/bus/pci/devices/0000:3b:00.0/";
    fake.write(folder + "current_link_speed", "2.5 GT/s PCIe");
    fake.write(folder + "current_link_width", "8");
    fake.write(folder + "max_link_speed", "8.0 GT/s PCIe");
    fake.write(folder + "max_link_width", "8");
    fake.write("sys/devices/system/cpu/cpu1/node1/x", "");
    EXPECT_THAT(notes(ports(fake, "3b:00.0", "workers: {cores: [1]}")),
                ElementsAre(HasSubstr("is on NUMA node 0, CPU 1 on node 1"),
                            HasSubstr("runs at 2.5 GT/s PCIe x8, it could at 8.0 GT/s PCIe x8")));
}

TEST(DoctorInterface, must_exist_and_be_up) {
    const FakeHost fake;
    fake.interface("eth0", true, true);
    fake.interface("eth1", false, false);
    EXPECT_THAT(
        problems(ports(fake, "iface:eth2")),
        ElementsAre("x.yaml:1:18: ports[0].device: there is no interface eth2 => choose from "
                    "eth0, eth1"));
    EXPECT_THAT(problems(ports(fake, "iface:eth1")),
                ElementsAre(HasSubstr("eth1 is down => ip link set eth1 up")));
    EXPECT_THAT(problems(ports(fake, "iface:eth0")), IsEmpty());
    EXPECT_THAT(notes(ports(fake, "iface:eth0")), IsEmpty());
}

TEST(DoctorInterface, is_looked_at_behind_a_vdev_too) {
    const FakeHost fake;
    fake.interface("eth1", false, false);
    EXPECT_THAT(problems(ports(fake, "net_af_packet0,iface=eth1,qpairs=1")),
                ElementsAre(HasSubstr("eth1 is down")));
}

TEST(DoctorInterface, without_a_carrier_is_a_note) {
    const FakeHost fake;
    fake.interface("eth0", true, false);
    EXPECT_THAT(notes(ports(fake, "iface:eth0")), ElementsAre(HasSubstr("has no link partner")));
}

TEST(DoctorInterface, needs_two_capabilities) {
    const FakeHost fake;
    fake.interface("eth0", true, true);
    for (const char* rights : {"0000000000001000", "0000000000002000", "0"}) {
        fake.write("proc/self/status", std::string("CapEff:\t") + rights);
        EXPECT_THAT(problems(ports(fake, "iface:eth0")),
                    ElementsAre(HasSubstr("needs CAP_NET_RAW and CAP_NET_ADMIN => run as root")))
            << rights;
    }
    fake.write("proc/self/status", "CapEff:\t0000000000003000");
    EXPECT_THAT(problems(ports(fake, "iface:eth0")), IsEmpty());
    fake.write("proc/self/limits", "Max locked memory         65536   65536   bytes");
    EXPECT_THAT(notes(ports(fake, "iface:eth0")), ElementsAre(HasSubstr("will be short")));
}

TEST(DoctorFile, must_be_a_capture) {
    const FakeHost fake;
    EXPECT_THAT(problems(ports(fake, "pcap:" + fake.path("none.pcap").string())),
                ElementsAre(HasSubstr("x.yaml:1:18: ports[0].device: ")));
    EXPECT_EQ(problems(ports(fake, "pcap:" + fake.path("proc/meminfo").string())).size(), 1U);
    EXPECT_EQ(problems(ports(fake, "net_pcap0,rx_pcap=" + fake.path("none").string())).size(), 1U);
    EXPECT_THAT(problems(ports(fake, "net_null0")), IsEmpty());
}

TEST(DoctorOutputs, must_be_writable) {
    const FakeHost fake;
    const std::string folder = fake.path("proc").string();
    const auto found = [&](const std::string& path) {
        Findings findings;
        examine_outputs(with_device("iface:lo", "outputs: {events: {path: \"" + path + "\"}}"),
                        findings);
        return problems(findings);
    };
    EXPECT_THAT(found("-"), IsEmpty());
    EXPECT_THAT(found(""), IsEmpty());
    EXPECT_THAT(found(folder + "/new.jsonl"), IsEmpty());
    EXPECT_THAT(found(folder + "/meminfo"), IsEmpty());
    EXPECT_THAT(found(folder), ElementsAre(HasSubstr("x.yaml:2:26: outputs.events.path: ")));
    EXPECT_THAT(found(folder + "/none/x"),
                ElementsAre(HasSubstr("none: no such folder => mkdir -p ")));
    EXPECT_THAT(found(folder + "/meminfo/x"), ElementsAre(HasSubstr("meminfo: no such folder")));
}

TEST(DoctorHost, shows_what_there_is_and_has_no_problems) {
    const FakeHost fake;
    fake.pci_card("0000:3b:00.0", "ixgbe");
    fake.interface("eth0", true, true);
    fake.interface("eth1", false, false);
    Findings findings;
    examine_host(fake.host(), findings);
    EXPECT_EQ(findings.problems_count(), 0U);
    const auto well = lines(findings, Health::ok);
    EXPECT_THAT(well, Contains("device \"0000:3b:00.0\": driver ixgbe => "));
    EXPECT_THAT(well, Contains("devices that need no setting up: iface:eth0 => "));
    EXPECT_THAT(notes(findings), Contains(HasSubstr("huge pages: none reserved")));
    fake.huge_pages(0, 10, 7);
    Findings again;
    examine_host(fake.host(), again);
    EXPECT_THAT(lines(again, Health::ok),
                Contains("huge pages of node 0: 7 of 10 of 2MiB are free => "));
}

TEST(MemoryPlan, grows_with_workers_and_tables) {
    const auto one = plan_memory(with_device("net_null0"));
    const auto two = plan_memory(with_device("net_null0", "workers: {cores: [0, 1]}"));
    const auto small = plan_memory(with_device("net_null0", "flows: {max_per_worker: 1000}"));
    EXPECT_EQ(one.workers, 1U);
    EXPECT_EQ(two.workers, 2U);
    EXPECT_GT(one.tables_bytes, 100 * kMebibyte);
    EXPECT_EQ(two.tables_bytes, one.tables_bytes);
    EXPECT_GT(two.total_bytes(), one.total_bytes() + one.tables_bytes);
    EXPECT_LT(small.tables_bytes, one.tables_bytes);
    EXPECT_EQ(one.live, live_is_built());
    EXPECT_EQ(one.dpdk_bytes() != 0, one.live);
}

// At most 256 bytes per IPv4 connection and 384 per IPv6 one, all-in, at the defaults.
TEST(MemoryPlan, keeps_the_budget_per_connection) {
    const auto plan = plan_memory(with_device(
        "net_null0", "flows: {max_per_worker: 1_000_000, max_ipv6_per_worker: 250_000}"));
    EXPECT_LE(plan.v4_connection_bytes, 256U);
    EXPECT_LE(plan.v6_connection_bytes, 384U);
    EXPECT_GE(plan.v4_connection_bytes, 64U);
}

}  // namespace
}  // namespace tw::app
