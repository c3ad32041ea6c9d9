// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/output_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <utility>

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

// A pipe whose writing end an OutputFile can open by name.
class Pipe {
  public:
    Pipe() { EXPECT_EQ(::pipe2(ends_, O_NONBLOCK), 0); }
    ~Pipe() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    [[nodiscard]] std::string path() const { return "/dev/fd/" + std::to_string(ends_[1]); }
    // What there is now.
    [[nodiscard]] std::string read_all() const {
        std::string text;
        char piece[65536];
        for (ssize_t got = 0; (got = ::read(ends_[0], piece, sizeof piece)) > 0;) {
            text.append(piece, static_cast<std::size_t>(got));
        }
        return text;
    }

  private:
    int ends_[2];
};

[[nodiscard]] std::string numbered_line(int number) {
    return std::to_string(number) + std::string(1000, '.') + '\n';
}

TEST(LiveOutputFile, sleeping_reader_is_never_waited_for_and_finds_whole_lines) {
    const Pipe pipe;
    OutputFile out;
    out.set_patience(sinks::Patience::none);
    ASSERT_TRUE(out.open(pipe.path()));
    constexpr int kLines = 1000;  // 1 MB: a pipe holds 64 KiB, the buffer 256 KiB
    for (int i = 0; i < kLines; ++i) {
        out.append(numbered_line(i));
    }
    EXPECT_FALSE(out.has_room());
    EXPECT_FALSE(out.error());
    const std::uint64_t lost = out.lost_lines();
    EXPECT_GT(lost, 0U);

    std::string text;
    for (int i = 0; i < 10 && !out.flush(); ++i) {
        text += pipe.read_all();
    }
    text += pipe.read_all();
    EXPECT_TRUE(out.has_room());
    EXPECT_EQ(out.lost_lines(), lost);
    std::string expected;
    for (int i = 0; i < kLines - static_cast<int>(lost); ++i) {
        expected += numbered_line(i);
    }
    EXPECT_EQ(text, expected);
}

TEST(LiveOutputFile, full_disk_is_tried_again_and_what_never_fitted_is_counted) {
    OutputFile out;
    out.set_patience(sinks::Patience::none);
    ASSERT_TRUE(out.open("/dev/full"));
    out.append("one\ntwo\n");
    EXPECT_FALSE(out.flush());
    ASSERT_TRUE(out.error());
    EXPECT_EQ(out.error()->text, "/dev/full: cannot write: No space left on device");
    EXPECT_FALSE(out.flush());
    EXPECT_EQ(out.lost_lines(), 0U) << "they still wait";
    out.give_up();
    EXPECT_EQ(out.lost_lines(), 2U);
}

TEST(LiveOutputFile, at_the_end_it_waits_a_while_and_then_takes_and_counts_whatever_comes) {
    const Pipe pipe;
    OutputFile out;
    out.set_patience(sinks::Patience::none);
    ASSERT_TRUE(out.open(pipe.path()));
    while (out.has_room()) {
        out.append(numbered_line(0));
    }
    out.set_patience(sinks::Patience::brief);
    EXPECT_FALSE(out.flush());
    const std::uint64_t lost = out.lost_lines();
    EXPECT_GT(lost, 0U);
    EXPECT_TRUE(out.has_room()) << "whoever wants to be rid of lines is";
    for (int i = 0; i < 1000; ++i) {
        out.append(numbered_line(i));
    }
    out.flush();
    EXPECT_EQ(out.lost_lines(), lost + 1000);
}

TEST(LiveOutputFile, next_file_begins_where_the_last_one_ended) {
    const test::TempFile first("first");
    const test::TempFile second("second");
    OutputFile out;
    out.set_patience(sinks::Patience::none);
    ASSERT_TRUE(out.open(first.path()));
    out.append("one\n");
    auto next = sinks::OpenFile::open(second.path());
    ASSERT_TRUE(next);
    out.switch_to(std::move(*next));
    out.append("two\n");
    out.close();
    EXPECT_EQ(first.content(), "one\n");
    EXPECT_EQ(second.content(), "two\n");
    EXPECT_EQ(out.lost_lines(), 0U);
}

TEST(OpenFile, file_of_another_output_is_refused_and_left_as_it_is) {
    const test::TempFile file("out");
    OutputFile out;
    ASSERT_TRUE(out.open(file.path()));
    out.append("text\n");
    out.flush();
    const auto second = sinks::OpenFile::open(file.path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().text, file.path() + ": already another output of this program");
    EXPECT_EQ(file.content(), "text\n");
}

TEST(OpenFile, file_of_another_process_is_refused_with_its_number) {
    const test::TempFile file("out");
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto held = sinks::OpenFile::open(file.path());
        const char told = held ? 'y' : 'n';
        // Held until the parent has looked and ends this process.
        if (::write(ready[1], &told, 1) == 1) {
            ::pause();
        }
        ::_exit(0);
    }
    char told = 0;
    ASSERT_EQ(::read(ready[0], &told, 1), 1);
    ASSERT_EQ(told, 'y');
    const auto refused = sinks::OpenFile::open(file.path());
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);
    ::close(ready[1]);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("written by another process (pid " + std::to_string(child)),
              std::string::npos)
        << refused.error().text;
    EXPECT_TRUE(sinks::OpenFile::open(file.path())) << "free once the other is gone";
}

TEST(OpenFile, knows_when_it_was_moved_away) {
    const test::TempFile file("out");
    const auto open = sinks::OpenFile::open(file.path());
    ASSERT_TRUE(open);
    EXPECT_TRUE(open->is_at(file.path()));
    const std::string moved = file.path() + ".1";
    ASSERT_EQ(std::rename(file.path().c_str(), moved.c_str()), 0);
    EXPECT_FALSE(open->is_at(file.path()));
    EXPECT_TRUE(open->is_at(moved));
    std::remove(moved.c_str());
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
