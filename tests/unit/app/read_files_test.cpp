// SPDX-License-Identifier: BSD-3-Clause
#include "app/read_files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "support/pcap_writer.hpp"

namespace {

using namespace tw;
using app::check_inputs;
using app::check_outputs;
using app::OutputPaths;

std::string temp_path(const std::string& name) {
    return testing::TempDir() + std::to_string(::getpid()) + "-read-files-" + name;
}

TEST(ReadFiles, outputs_may_share_a_device_but_no_file) {
    EXPECT_TRUE(check_outputs({}));
    EXPECT_TRUE(check_outputs(OutputPaths{"-", "a", "b"}.named()));
    EXPECT_TRUE(check_outputs(OutputPaths{"/dev/null", "/dev/null", "-"}.named()));
    EXPECT_FALSE(check_outputs(OutputPaths{"-", "", "-"}.named()));
    EXPECT_FALSE(check_outputs(OutputPaths{"", "same", "same"}.named()));
}

TEST(ReadFiles, two_names_of_one_file_are_one_file) {
    const std::string first = temp_path("first");
    const std::string second = temp_path("second");
    std::ofstream(first) << "x";
    ASSERT_EQ(::symlink(first.c_str(), second.c_str()), 0);
    EXPECT_FALSE(check_outputs(OutputPaths{first, second, ""}.named()));
    ::unlink(second.c_str());
    ::unlink(first.c_str());
}

TEST(ReadFiles, sizes_add_up_until_one_is_unknown) {
    const std::string path = temp_path("a.pcap");
    const std::string zipped = temp_path("a.pcap.gz");
    test::PcapWriter writer;
    writer.save(path);
    writer.save_gzip(zipped);
    struct stat status {};
    ASSERT_EQ(::stat(zipped.c_str(), &status), 0);
    const auto plain = check_inputs({path, path}, {});
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->stored_bytes, 48U);
    EXPECT_EQ(plain->capture_bytes, 48U);
    const auto mixed = check_inputs({zipped, path}, {});
    ASSERT_TRUE(mixed);
    EXPECT_EQ(mixed->stored_bytes, 24U + static_cast<std::uint64_t>(status.st_size));
    EXPECT_FALSE(mixed->capture_bytes);
    const auto piped = check_inputs({path, "-", path}, {});
    ASSERT_TRUE(piped);
    EXPECT_FALSE(piped->stored_bytes);
    EXPECT_FALSE(piped->capture_bytes);
    ::unlink(path.c_str());
    ::unlink(zipped.c_str());
}

TEST(ReadFiles, devices_and_fifos_are_streams) {
    EXPECT_TRUE(app::is_stream("-"));
    EXPECT_TRUE(app::is_stream("/dev/null"));
    EXPECT_FALSE(app::is_stream("/nonexistent"));
    EXPECT_FALSE(app::is_stream("/"));
    const std::string path = temp_path("fifo");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_TRUE(app::is_stream(path));
    ::unlink(path.c_str());
}

}  // namespace
