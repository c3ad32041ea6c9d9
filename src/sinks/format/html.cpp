// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/format/html.hpp"

#include <algorithm>

#include "sinks/format/page.hpp"
#include "sinks/format/xml.hpp"

namespace tw::sinks::format {

void Html::text(std::string_view text) {
    append_xml_escaped(out_, printable(text), false);
}

void Html::element(std::string_view tag, std::string_view content) {
    out_ += '<';
    out_ += tag;
    out_ += '>';
    text(content);
    out_ += "</";
    out_ += tag.substr(0, tag.find(' '));
    out_ += '>';
}

}  // namespace tw::sinks::format
