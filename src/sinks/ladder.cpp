// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder.hpp"

#include "sinks/ladder_drawing.hpp"
#include "sinks/ladder_head.hpp"

namespace tw::sinks {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;

}  // namespace

void write_ladder(const LadderLog& log, const LadderSubject& subject, const LadderView& view,
                  const LadderStyle& style, const LadderOut& out) {
    LadderStyle fitted = style;
    if (fitted.page.width == 0) {
        fitted.page.width = kColumnsPlain;
    }
    format::Page page(fitted.page);
    const LadderPlan plan = plan_ladder(log, view);
    write_ladder_head(page, log, subject);
    LadderDrawing drawing(log, subject, plan, fitted);
    drawing.draw_ends(page);
    for (const LadderItem& item : plan.items) {
        drawing.draw(page, item);
        if (page.text().size() > kPieceBytes && !out(page.take_text())) {
            return;
        }
    }
    write_ladder_foot(page, log, subject, plan, view);
    (void)out(page.take_text());
}

}  // namespace tw::sinks
