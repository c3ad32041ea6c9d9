// SPDX-License-Identifier: BSD-3-Clause
// Where a firewall report goes: opened before anything is read, so that a mistake costs no hour;
// written when the report is there.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>

#include "app/read_files.hpp"
#include "base/error.hpp"
#include "firewall/investigation.hpp"
#include "firewall/report.hpp"
#include "sinks/firewall_bundle.hpp"
#include "sinks/output_file.hpp"

namespace tw::app {

// "" = off, "-" = standard output.
struct FirewallPaths {
    std::string text;
    std::string json;
    std::string junit;
    std::string html;
    std::string bundle;
    std::string events;
    [[nodiscard]] std::array<NamedOutput, 6> named() const {
        return {{{"--text", text},
                 {"--json", json},
                 {"--junit", junit},
                 {"--html", html},
                 {"--bundle", bundle},
                 {"--events", events}}};
    }
    // No form of the report was asked for: people get the text.
    [[nodiscard]] bool none() const {
        return text.empty() && json.empty() && junit.empty() && html.empty();
    }
};

class FirewallOutputs {
  public:
    // Paths are checked against each other before (check_outputs()).
    [[nodiscard]] std::expected<void, Error> open(const FirewallPaths& paths);
    // Everything but the bundle and the events. False if something could not be written: it was
    // said.
    [[nodiscard]] bool write(const firewall::Report& report);

    // Conclusions as they are reached, JSON lines. False if the file takes no more just now: the
    // others stay with the investigation.
    bool take_notices(firewall::Investigation& investigation);
    void flush_events() { (void)events_.flush(); }
    // Of the conclusions; the report is written once, and waited for.
    void set_patience(sinks::Patience patience) { events_.set_patience(patience); }

    // Written before the report, which names its digest.
    [[nodiscard]] sinks::FirewallBundle& bundle() { return bundle_; }

  private:
    bool on_screen_ = false;  // the text
    bool unseen_ = true;      // nothing goes to standard output
    sinks::OutputFile text_;
    sinks::OutputFile json_;
    sinks::OutputFile junit_;
    sinks::OutputFile html_;
    sinks::OutputFile events_;
    sinks::FirewallBundle bundle_;
};

}  // namespace tw::app
