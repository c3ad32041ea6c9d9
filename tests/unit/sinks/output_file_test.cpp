// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/output_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "samples.hpp"
#include "sinks/frame_lines.hpp"

namespace {

using namespace tw;
using sinks::OutputFile;

TEST(OutputFile, bytes_arrive_in_order_whatever_their_size) {
    const test::TempFile file("out");
    std::string expected;
    {
        OutputFile out;
        ASSERT_TRUE(out.open(file.path()));
        for (std::size_t bytes : {1U, 100'000U, 200'000U, 262'144U, 262'145U, 700'000U, 3U}) {
            const std::string piece(bytes, static_cast<char>('a' + bytes % 26));
            out.append(piece);
            expected += piece;
        }
    }
    EXPECT_EQ(file.content(), expected);
}

TEST(OutputFile, destructor_writes_what_is_buffered) {
    const test::TempFile file("out");
    {
        OutputFile out;
        ASSERT_TRUE(out.open(file.path()));
        out.append("x");
        EXPECT_EQ(file.content(), "");
    }
    EXPECT_EQ(file.content(), "x");
}

TEST(OutputFile, unwritable_path_is_the_operators_mistake) {
    OutputFile out;
    const auto opened = out.open("/nonexistent/folder/file");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ExitCode::operator_mistake);
    EXPECT_EQ(opened.error().text,
              "/nonexistent/folder/file: cannot write: No such file or directory");
    out.append("nothing happens");
    EXPECT_TRUE(out.flush());
}

TEST(OutputFile, full_disk_is_reported_once_and_later_writes_are_dropped) {
    OutputFile out;
    ASSERT_TRUE(out.open("/dev/full"));
    out.append("x");
    EXPECT_TRUE(out.good());
    EXPECT_FALSE(out.flush());
    ASSERT_TRUE(out.error());
    EXPECT_EQ(out.error()->code, ExitCode::environment_failed);
    EXPECT_EQ(out.error()->text, "/dev/full: cannot write: No space left on device");
    out.append(std::string(1'000'000, 'y'));
    EXPECT_FALSE(out.flush());
    EXPECT_FALSE(out.reader_gone());
}

TEST(OutputFile, closed_pipe_is_no_error) {
    const auto previous = std::signal(SIGPIPE, SIG_IGN);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    ::close(ends[0]);
    OutputFile out;
    ASSERT_TRUE(out.open("/dev/fd/" + std::to_string(ends[1])));
    out.append("x");
    EXPECT_FALSE(out.flush());
    EXPECT_TRUE(out.reader_gone());
    EXPECT_FALSE(out.error());
    ::close(ends[1]);
    std::signal(SIGPIPE, previous);
}

TEST(FrameLines, only_frames_with_flags_give_a_line) {
    const test::TempFile file("frames");
    {
        sinks::FrameLines out;
        ASSERT_TRUE(out.open(file.path()));
        tcp::FlagSet flags;
        out.write(1, flags);
        flags.set(tcp::Flag::fast_retransmission);
        flags.set(tcp::Flag::retransmission);
        out.write(2, flags);
    }
    EXPECT_EQ(file.content(), "2\tretransmission,fast_retransmission\n");
}

TEST(FrameLines, all_flags_come_in_the_documented_order) {
    const test::TempFile file("frames");
    {
        sinks::FrameLines out;
        ASSERT_TRUE(out.open(file.path()));
        tcp::FlagSet flags;
        for (const tcp::FlagInfo& flag : tcp::flag_table()) {
            flags.set(flag.id);
        }
        out.write(UINT64_MAX, flags);
    }
    EXPECT_EQ(file.content(),
              "18446744073709551615\tretransmission,fast_retransmission,spurious_retransmission,"
              "out_of_order,reused_ports,lost_segment,ack_lost_segment,window_update,window_full,"
              "keep_alive,keep_alive_ack,duplicate_ack,zero_window,zero_window_probe,"
              "zero_window_probe_ack\n");
}

}  // namespace
