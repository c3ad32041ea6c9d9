// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/ladder.hpp"

#include "sinks/ladder_drawing.hpp"
#include "sinks/ladder_head.hpp"

namespace tw::sinks {

std::string ladder_text(const LadderLog& log, const LadderSubject& subject, const LadderView& view,
                        const LadderStyle& style) {
    LadderStyle fitted = style;
    if (fitted.page.width == 0) {
        fitted.page.width = kColumnsPlain;
    }
    format::Page page(fitted.page);
    const LadderPlan plan = plan_ladder(log, view);
    write_ladder_head(page, log, subject);
    LadderDrawing(log, subject, plan, fitted).draw(page);
    write_ladder_foot(page, log, subject, plan);
    return page.text();
}

}  // namespace tw::sinks
