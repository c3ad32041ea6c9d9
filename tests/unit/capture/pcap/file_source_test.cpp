// SPDX-License-Identifier: BSD-3-Clause
// Opening, bursts, numbers, gzip, pipes, and what is said when a file cannot be read.
#include "capture/pcap/file_source.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <future>
#include <thread>

#include "capture/pcap/byte_supply.hpp"
#include "capture_reading.hpp"

namespace tw::pcap {
namespace {

using test::PcapWriter;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// A folder of its own for each test, removed afterwards.
class FileSourceTest : public testing::Test {
  protected:
    FileSourceTest() {
        std::string pattern = testing::TempDir() + "file_source_XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
    }
    ~FileSourceTest() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

    // The error of opening a file with this content.
    [[nodiscard]] std::string refusal(std::string_view text) const {
        test::write_file(path("file"), Bytes(text.begin(), text.end()));
        const auto opened = FileSource::open(path("file"));
        if (opened) {
            return "opened";
        }
        EXPECT_EQ(opened.error().code, ExitCode::operator_mistake);
        EXPECT_THAT(opened.error().text, StartsWith("cannot read " + path("file") + ": "));
        EXPECT_EQ(opened.error().text.find('\n'), std::string::npos);
        return opened.error().text;
    }

    std::string folder_;
};

PcapWriter packets(int count) {
    PcapWriter writer;
    for (int index = 0; index < count; ++index) {
        writer.packet(index, content(60 + static_cast<std::size_t>(index) % 7,
                                     static_cast<std::uint8_t>(index)));
    }
    return writer;
}

TEST_F(FileSourceTest, reads_a_file_in_bursts) {
    packets(70).save(path("x.pcap"));
    auto source = FileSource::open(path("x.pcap"));
    ASSERT_TRUE(source);
    EXPECT_EQ((*source)->next().size(), kBurstMax);
    EXPECT_EQ((*source)->next().size(), kBurstMax);
    const auto last = (*source)->next();
    ASSERT_EQ(last.size(), 6U);
    EXPECT_EQ(last[5].number, 70U);
    EXPECT_TRUE((*source)->next().empty());
    EXPECT_EQ((*source)->frames_read(), 70U);
    EXPECT_EQ((*source)->path(), path("x.pcap"));
    EXPECT_EQ((*source)->warning(), std::nullopt);
}

TEST_F(FileSourceTest, numbers_run_on_over_files) {
    const Reading first = read_bytes(packets(3).bytes());
    const Reading second = read_bytes(packets(2).bytes(), {.first_number = first.next_number});
    EXPECT_EQ(second.numbers(), (std::vector<std::uint64_t>{4, 5}));
    EXPECT_EQ(second.next_number, 6U);
}

TEST_F(FileSourceTest, file_larger_than_the_buffer_is_read_whole) {
    const PcapWriter writer = packets(20'000);  // 1.6 MB
    writer.save(path("x.pcap"));
    const Reading reading = read_to_end(FileSource::open(path("x.pcap")));
    ASSERT_EQ(reading.frames.size(), 20'000U);
    for (std::size_t index = 0; index < 20'000; ++index) {
        ASSERT_EQ(reading.frames[index].bytes,
                  content(60 + index % 7, static_cast<std::uint8_t>(index)));
    }
    EXPECT_EQ(reading.progress.bytes_read, writer.bytes().size());
    EXPECT_EQ(reading.progress.bytes_total, writer.bytes().size());
}

TEST_F(FileSourceTest, bytes_of_a_burst_stay_until_the_next) {
    packets(64).save(path("x.pcap"));
    auto source = FileSource::open(path("x.pcap"));
    ASSERT_TRUE(source);
    const auto burst = (*source)->next();
    for (std::size_t index = 0; index < burst.size(); ++index) {
        const Bytes expected = content(60 + index % 7, static_cast<std::uint8_t>(index));
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), burst[index].data));
    }
}

// Gives at most `piece_bytes` at a time, and fails instead of ending if told so.
class PieceSupply final : public ByteSupply {
  public:
    PieceSupply(Bytes bytes, std::size_t piece_bytes, std::string failure = {})
        : bytes_(std::move(bytes)), piece_bytes_(piece_bytes), failure_(std::move(failure)) {}

    std::expected<std::size_t, std::string> read(std::span<std::uint8_t> room) override {
        const std::size_t count = std::min({room.size(), bytes_.size() - given_, piece_bytes_});
        if (count == 0 && !failure_.empty()) {
            return std::unexpected(failure_);
        }
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(given_), count, room.begin());
        given_ += count;
        return count;
    }
    std::uint64_t stored_bytes_read() const override { return given_; }
    std::uint64_t stored_bytes_total() const override { return 0; }

  private:
    Bytes bytes_;
    std::size_t piece_bytes_;
    std::string failure_;
    std::size_t given_ = 0;
};

TEST_F(FileSourceTest, pieces_of_any_size_give_the_same_frames) {
    PcapWriter ng({.format = test::PcapFormat::pcapng});
    ng.interface({.name = "eth0"});
    for (int index = 0; index < 40; ++index) {
        ng.packet(index, content(60, static_cast<std::uint8_t>(index)));
        ng.block(0x99, Bytes(100));
    }
    for (const Bytes& file : {packets(40).bytes(), ng.bytes(), test::gzip(ng.bytes())}) {
        for (const std::size_t piece_bytes : {1U, 2U, 3U, 7U, 33U, 1000U}) {
            const Reading reading = read_to_end(FileSource::open_supply(
                std::make_unique<PieceSupply>(file, piece_bytes), "pieces"));
            ASSERT_EQ(reading.frames.size(), 40U) << piece_bytes;
            EXPECT_EQ(reading.frames[39].bytes[0], 39U) << piece_bytes;
            EXPECT_EQ(reading.warning, std::nullopt) << piece_bytes;
        }
    }
}

TEST_F(FileSourceTest, read_error_keeps_the_frames_before_it) {
    const Reading reading = read_to_end(FileSource::open_supply(
        std::make_unique<PieceSupply>(packets(3).bytes(), 1000, "read failed: disk on fire"), "x"));
    EXPECT_EQ(reading.frames.size(), 3U);
    EXPECT_EQ(reading.warning,
              "x: reading ended before frame 4 (byte 255): read failed: disk on fire");
}

TEST_F(FileSourceTest, growing_pipe_delivers_what_is_complete) {
    const std::string fifo = path("fifo");
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    const Bytes bytes = packets(3).bytes();
    const std::size_t first_part = 24 + 16 + 60 + 5;  // one record and some of the next header
    std::promise<void> seen;
    bool second_part_late = false;
    std::thread writer([&] {
        const int file = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
        EXPECT_EQ(::write(file, bytes.data(), first_part), static_cast<ssize_t>(first_part));
        second_part_late =
            seen.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::timeout;
        const std::size_t rest = bytes.size() - first_part;
        EXPECT_EQ(::write(file, bytes.data() + first_part, rest), static_cast<ssize_t>(rest));
        ::close(file);
    });
    auto source = FileSource::open(fifo);
    ASSERT_TRUE(source);
    EXPECT_EQ((*source)->next().size(), 1U);
    seen.set_value();
    std::size_t frames = 1;
    for (auto burst = (*source)->next(); !burst.empty(); burst = (*source)->next()) {
        frames += burst.size();
    }
    writer.join();
    EXPECT_FALSE(second_part_late) << "the first frame was held back";
    EXPECT_EQ(frames, 3U);
    EXPECT_EQ((*source)->warning(), std::nullopt);
    EXPECT_EQ((*source)->progress().bytes_total, 0U);
}

volatile std::sig_atomic_t signals_seen = 0;

// Opens a pipe that brings one frame and then stays silent; the second read is hit by signals until
// it returns. Gives what next() returned then.
std::size_t read_under_signals(const std::string& fifo, std::optional<std::string>& warning) {
    signals_seen = 0;
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) { signals_seen = signals_seen + 1; };
    ::sigaction(SIGUSR1, &action, &before);
    const Bytes bytes = packets(2).bytes();
    const std::size_t half = 24 + 16 + 60 + 5;
    std::promise<void> first_seen;
    std::atomic<bool> returned = false;
    const pthread_t reader = ::pthread_self();
    std::thread writer([&] {
        const int file = ::open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
        EXPECT_EQ(::write(file, bytes.data(), half), static_cast<ssize_t>(half));
        first_seen.get_future().wait();
        // A signal before the read begins would not interrupt it, so there are many.
        for (int round = 0; round < 2000 && signals_seen < 20 && !returned; ++round) {
            ::pthread_kill(reader, SIGUSR1);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        const std::size_t rest = bytes.size() - half;
        EXPECT_EQ(::write(file, bytes.data() + half, rest), static_cast<ssize_t>(rest));
        ::close(file);
    });
    auto source = FileSource::open(fifo);
    EXPECT_TRUE(source);
    EXPECT_EQ((*source)->next().size(), 1U);
    first_seen.set_value();
    const std::size_t second = (*source)->next().size();
    returned = true;
    writer.join();
    ::sigaction(SIGUSR1, &before, nullptr);
    warning = (*source)->warning();
    return second;
}

TEST_F(FileSourceTest, signal_does_not_disturb_a_waiting_read) {
    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    std::optional<std::string> warning;
    EXPECT_EQ(read_under_signals(path("fifo"), warning), 1U);
    EXPECT_GT(signals_seen, 0);
    EXPECT_EQ(warning, std::nullopt);
}

TEST_F(FileSourceTest, interfaces_are_known_once_open) {
    PcapWriter ng({.format = test::PcapFormat::pcapng});
    ng.interface({.name = "eth0"});
    ng.interface({.link_type = 101});
    ng.packet(1, content(60));
    ng.interface({.link_type = 105});
    ng.save(path("x.pcapng"));
    auto source = FileSource::open(path("x.pcapng"));
    ASSERT_TRUE(source);
    ASSERT_EQ((*source)->ledger().interfaces.size(), 2U);
    EXPECT_EQ((*source)->ledger().interfaces[1].link, LinkType::raw_ip);
    EXPECT_EQ((*source)->next().size(), 1U);
    EXPECT_EQ((*source)->ledger().interfaces.size(), 3U);
}

// Runs `body` with standard input coming from a file.
void with_standard_input(const std::string& path, const std::function<void()>& body) {
    const int saved = ::dup(STDIN_FILENO);
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    ASSERT_GE(file, 0);
    ASSERT_EQ(::dup2(file, STDIN_FILENO), STDIN_FILENO);
    ::close(file);
    body();
    ::dup2(saved, STDIN_FILENO);
    ::close(saved);
}

TEST_F(FileSourceTest, dash_is_standard_input) {
    packets(5).save(path("x.pcap"));
    with_standard_input(path("x.pcap"), [] {
        const Reading reading = read_to_end(FileSource::open("-"));
        EXPECT_EQ(reading.frames.size(), 5U);
        EXPECT_GE(::fcntl(STDIN_FILENO, F_GETFD), 0) << "standard input was closed";
    });
}

TEST_F(FileSourceTest, dash_is_named_standard_input_in_messages) {
    test::write_file(path("empty"), {});
    with_standard_input(path("empty"), [] {
        const auto opened = FileSource::open("-");
        ASSERT_FALSE(opened);
        EXPECT_THAT(opened.error().text, StartsWith("cannot read standard input: it is empty; "));
    });
}

TEST_F(FileSourceTest, gzip_is_recognised_by_its_content) {
    const PcapWriter writer = packets(5000);
    writer.save_gzip(path("x.pcap"));
    const Reading reading = read_to_end(FileSource::open(path("x.pcap")));
    EXPECT_EQ(reading.frames.size(), 5000U);
    EXPECT_EQ(reading.format_name, "pcap, gzip");
    EXPECT_EQ(reading.progress.bytes_total, test::gzip(writer.bytes()).size());
    EXPECT_EQ(reading.progress.bytes_read, reading.progress.bytes_total);
}

TEST_F(FileSourceTest, gzip_progress_is_that_of_the_compressed_file) {
    const PcapWriter writer = packets(20'000);
    writer.save_gzip(path("x.pcap"));
    auto source = FileSource::open(path("x.pcap"));
    ASSERT_TRUE(source);
    ASSERT_FALSE((*source)->next().empty());
    const Progress progress = (*source)->progress();
    EXPECT_GT(progress.bytes_read, 0U);
    EXPECT_LT(progress.bytes_read, progress.bytes_total);
    EXPECT_LT(progress.bytes_total, writer.bytes().size());
}

TEST_F(FileSourceTest, gzip_members_are_one_file) {
    const Bytes whole = packets(4).bytes();
    const std::size_t half = whole.size() / 2;
    Bytes file = test::gzip(std::span(whole).first(half));
    const Bytes second = test::gzip(std::span(whole).subspan(half));
    file.insert(file.end(), 100, 0);  // padding between members, as on tapes
    file.insert(file.end(), second.begin(), second.end());
    file.insert(file.end(), 100, 0);
    const Reading reading = read_bytes(file);
    EXPECT_EQ(reading.frames.size(), 4U);
    EXPECT_EQ(reading.warning, std::nullopt);
}

TEST_F(FileSourceTest, cut_gzip_keeps_the_frames_before_the_cut) {
    Bytes file = test::gzip(packets(5000).bytes());
    file.resize(file.size() / 2);
    const Reading reading = read_bytes(file);
    EXPECT_GT(reading.frames.size(), 100U);
    EXPECT_LT(reading.frames.size(), 5000U);
    ASSERT_TRUE(reading.warning);
    EXPECT_THAT(*reading.warning, EndsWith("the gzip data is cut short"));
}

TEST_F(FileSourceTest, cut_in_the_gzip_trailer_is_reported) {
    Bytes file = test::gzip(packets(40).bytes());
    file.pop_back();
    const Reading reading = read_bytes(file);
    EXPECT_EQ(reading.frames.size(), 40U);
    ASSERT_TRUE(reading.warning);
    EXPECT_THAT(*reading.warning, EndsWith("the gzip data is cut short"));
}

TEST_F(FileSourceTest, wrong_gzip_checksum_is_reported) {
    Bytes file = test::gzip(packets(40).bytes());
    file[file.size() - 8] ^= 1;
    const Reading reading = read_bytes(file);
    EXPECT_EQ(reading.frames.size(), 40U);
    ASSERT_TRUE(reading.warning);
    EXPECT_THAT(*reading.warning, HasSubstr("the gzip data is damaged: incorrect data check"));
}

TEST_F(FileSourceTest, garbage_after_gzip_is_reported) {
    Bytes file = test::gzip(packets(40).bytes());
    file.insert(file.end(), {'a', 'b', 'c'});
    const Reading reading = read_bytes(file);
    EXPECT_EQ(reading.frames.size(), 40U);
    ASSERT_TRUE(reading.warning);
    EXPECT_THAT(*reading.warning, HasSubstr("the gzip data is damaged: incorrect header check"));
}

constexpr const char* kExpected = "; expected a pcap or pcapng file, plain or gzip";

TEST_F(FileSourceTest, missing_file_is_refused) {
    const auto opened = FileSource::open(path("none.pcap"));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().text, "cannot read " + path("none.pcap") +
                                       ": No such file or directory" + kExpected +
                                       ", or - for standard input");
    EXPECT_EQ(opened.error().code, ExitCode::operator_mistake);
}

TEST_F(FileSourceTest, directory_is_refused) {
    const auto opened = FileSource::open(folder_);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().text,
                StartsWith("cannot read " + folder_ + ": it is a directory; expected "));
}

TEST_F(FileSourceTest, file_without_permission_is_refused) {
    packets(1).save(path("secret.pcap"));
    ::chmod(path("secret.pcap").c_str(), 0);
    ::chmod(folder_.c_str(), 0755);
    constexpr uid_t kNobody = 65534;
    const bool root = ::geteuid() == 0;  // may read everything, so the test steps down
    ASSERT_TRUE(!root || ::seteuid(kNobody) == 0);
    const auto opened = FileSource::open(path("secret.pcap"));
    ASSERT_TRUE(!root || ::seteuid(0) == 0);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().text, HasSubstr(": Permission denied; expected "));
}

TEST_F(FileSourceTest, unreadable_content_is_refused) {
    const auto opened = FileSource::open("/proc/self/mem");  // reading address 0 fails
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().text,
                HasSubstr("/proc/self/mem: read failed: Input/output error; expected "));
}

TEST_F(FileSourceTest, what_is_no_capture_is_refused_with_what_it_seems_to_be) {
    using namespace std::string_view_literals;
    EXPECT_THAT(refusal(""), AllOf(HasSubstr(": it is empty; "), EndsWith(kExpected)));
    EXPECT_THAT(refusal("hello\nworld, how are you"),
                AllOf(HasSubstr(": it is not a capture (a text file); "), EndsWith(kExpected)));
    EXPECT_THAT(refusal("\x28\xb5\x2f\xfd\0\0\0\0\0\0\0\0\0\0"sv),
                HasSubstr("(a zstd file: decompress it first)"));
    EXPECT_THAT(refusal("snoop\0\0\0\0\0\0\2\0\0\0\4"sv), HasSubstr("(a snoop capture)"));
    EXPECT_THAT(refusal("\1\2\3\4"), HasSubstr("(unknown, first bytes 01 02 03 04)"));
    EXPECT_THAT(refusal("\xd4\xc3\xb2"), HasSubstr("(unknown, first bytes d4 c3 b2)"));
    EXPECT_THAT(refusal("\x0a\x0d\x0d\x0a\x1c\0\0\0xxxxyyyyzzzz"sv), HasSubstr("(unknown, first"));
}

TEST_F(FileSourceTest, file_header_cut_short_is_refused) {
    EXPECT_THAT(refusal("\xd4\xc3\xb2\xa1\2"), HasSubstr(": it is cut short in its file header; "));
    using namespace std::string_view_literals;
    EXPECT_THAT(refusal("\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0"sv),
                HasSubstr(": it is cut short in its first section header; "));
}

TEST_F(FileSourceTest, gzip_of_nothing_and_of_text_is_refused) {
    const Bytes text = {'h', 'e', 'l', 'l', 'o'};
    const auto nothing = FileSource::open_memory(test::gzip({}), "x.gz");
    ASSERT_FALSE(nothing);
    EXPECT_THAT(nothing.error().text, HasSubstr("x.gz: nothing is inside the gzip data; "));
    const auto words = FileSource::open_memory(test::gzip(text), "x.gz");
    ASSERT_FALSE(words);
    EXPECT_THAT(words.error().text, HasSubstr("it is not a capture (a text file); "));
    const auto cut = FileSource::open_memory(Bytes{0x1F, 0x8B, 8, 0}, "x.gz");
    ASSERT_FALSE(cut);
    EXPECT_THAT(cut.error().text, HasSubstr("the gzip data is cut short; "));
}

}  // namespace
}  // namespace tw::pcap
