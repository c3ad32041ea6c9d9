// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a configuration file: load_text answers with a Config or with one-line errors, never
// with an exception, and what it accepts loads again from what `check` would print.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "config/load.hpp"
#include "config/options.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto config = tw::config::load_text(text, "fuzz.yaml");
    if (!config) {
        TW_CHECK(!config.error().empty());
        TW_CHECK(config.error().size() <= tw::config::kErrorsMax + 1);
        for (const tw::Error& error : config.error()) {
            TW_CHECK(error.text.starts_with("fuzz.yaml:"));
            TW_CHECK(error.text.find('\n') == std::string::npos);
        }
        return 0;
    }
    const std::string printed = tw::config::effective_yaml(*config);
    const auto again = tw::config::load_text(printed, "printed.yaml");
    TW_CHECK(again.has_value());
    TW_CHECK(tw::config::effective_yaml(*again) == printed);
    return 0;
}
