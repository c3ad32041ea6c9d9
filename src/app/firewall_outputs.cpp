// SPDX-License-Identifier: BSD-3-Clause
#include "app/firewall_outputs.hpp"

#include <unistd.h>

#include <string_view>
#include <utility>

#include "app/terminal.hpp"
#include "sinks/firewall_fact_json.hpp"
#include "sinks/firewall_html.hpp"
#include "sinks/firewall_json.hpp"
#include "sinks/firewall_junit.hpp"
#include "sinks/firewall_text.hpp"

namespace tw::app {

std::expected<void, Error> FirewallOutputs::open(const FirewallPaths& paths) {
    const std::string text = paths.none() ? "-" : paths.text;
    on_screen_ = text == "-";
    for (const auto& [output, path] :
         {std::pair<sinks::OutputFile*, const std::string&>(&text_, text),
          std::pair<sinks::OutputFile*, const std::string&>(&json_, paths.json),
          std::pair<sinks::OutputFile*, const std::string&>(&junit_, paths.junit),
          std::pair<sinks::OutputFile*, const std::string&>(&html_, paths.html),
          std::pair<sinks::OutputFile*, const std::string&>(&events_, paths.events)}) {
        if (path.empty()) {
            continue;
        }
        unseen_ = unseen_ && path != "-";
        if (auto opened = output->open(path); !opened) {
            return opened;
        }
    }
    if (events_.is_open()) {
        events_.append(sinks::firewall_notice_header() + "\n");
    }
    unseen_ = unseen_ && paths.bundle != "-";
    return paths.bundle.empty() ? std::expected<void, Error>{} : bundle_.open(paths.bundle);
}

bool FirewallOutputs::take_notices(firewall::Investigation& investigation) {
    for (;;) {
        if (!events_.has_room()) {
            (void)events_.flush();
            if (!events_.has_room()) {
                return false;
            }
        }
        const auto notice = investigation.next_notice();
        if (!notice) {
            return true;
        }
        if (events_.is_open()) {
            events_.append(sinks::firewall_notice_json(*notice) + "\n");
        }
    }
}

bool FirewallOutputs::write(const firewall::Report& report) {
    bool good = true;
    const auto finish = [&good](sinks::OutputFile& output, const auto& make) {
        if (!output.is_open()) {
            return;
        }
        output.append(make());
        (void)output.flush();
        if (output.error()) {
            say(output.error()->text);
            good = false;
        }
    };
    finish(text_, [&] {
        return sinks::firewall_text(
            report, on_screen_ ? terminal_style(STDOUT_FILENO) : sinks::format::PageStyle{});
    });
    finish(json_, [&] { return sinks::firewall_json(report); });
    finish(junit_, [&] { return sinks::firewall_junit(report); });
    finish(html_, [&] { return sinks::firewall_html(report); });
    finish(events_, [] { return std::string_view{}; });
    // A run whose reports all went to files still says what came of it.
    if (good && unseen_) {
        say(report.verdict);
    }
    return good;
}

}  // namespace tw::app
