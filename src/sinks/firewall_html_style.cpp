// SPDX-License-Identifier: BSD-3-Clause
#include "sinks/firewall_html_parts.hpp"

namespace tw::sinks {
namespace {

// Text keeps a contrast of 4.5 to 1 or more on its ground, in light and in dark.
constexpr std::string_view kStyle =
    R"(:root { --paper: #fff; --card: #f6f7f9; --ink: #1b2128; --soft: #59636e; --line: #d6dbe1;
  --bad: #b3261e; --bad-ground: #fdeceb; --warn: #8a5a00; --warn-ground: #fdf3de;
  --good: #1a6e37; --good-ground: #e6f4ea; --open: #46515c; --open-ground: #eceff2;
  --link: #0b57a4; --bars: #5b87b5; --hot: #fdf3de; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --card: #1c2229; --ink: #e4e8ec;
  --soft: #a0abb6; --line: #353e48; --bad: #ff9a91; --bad-ground: #451c1a; --warn: #f0c063;
  --warn-ground: #3d2f10; --good: #7fd49a; --good-ground: #16351f; --open: #b9c3cd;
  --open-ground: #2b333c; --link: #84b9f0; --bars: #5f8fc2; --hot: #3a3118; } }
@media print { :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb;
  --bad: #b3261e; --bad-ground: #fff; --warn: #8a5a00; --warn-ground: #fff; --good: #1a6e37;
  --good-ground: #fff; --open: #333; --open-ground: #fff; --link: #000; --bars: #7d9cbd;
  --hot: #f2f2f2; } }
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans",
  sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
main { max-width: 1040px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 1.4rem; line-height: 1.35; margin: 0 0 12px; font-weight: 600; }
h2 { font-size: 1.2rem; margin: 0 0 12px; font-weight: 600; }
h3 { font-size: 1.05rem; margin: 20px 0 6px; font-weight: 600; }
h4 { font-size: .9rem; margin: 14px 0 4px; font-weight: 600; }
p { margin: 0 0 6px; } ul, ol { margin: 4px 0 8px; padding-left: 22px; }
a { color: var(--link); }
section { margin-top: 36px; padding-top: 20px; border-top: 1px solid var(--line); }
code { font: .9em ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace; }
summary { cursor: pointer; } summary:focus-visible, a:focus-visible, .scroll:focus-visible {
  outline: 2px solid var(--link); outline-offset: 2px; }
.eyebrow, .faint, .scope { color: var(--soft); } .eyebrow { font-size: .9rem; margin-bottom: 8px; }
.faint { font-size: .9rem; } .lead { margin-bottom: 12px; }
.flow { font: .87rem/1.5 ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace; }
.answer { border-left: 6px solid var(--open); background: var(--card); padding: 18px 22px; }
.answer.bad { border-color: var(--bad); } .answer.good { border-color: var(--good); }
.answer.warn { border-color: var(--warn); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px 20px;
  margin: 18px 0 0; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; }
.figures dd { font-weight: 600; }
.making, .terms { display: grid; grid-template-columns: minmax(90px, 150px) minmax(0, 1fr);
  gap: 8px 16px; margin: 0 0 16px; } .terms { margin-top: 12px; }
.badge { display: inline-block; padding: 1px 8px; border-radius: 3px; font-size: .78rem;
  font-weight: 600; letter-spacing: .02em; color: var(--open); background: var(--open-ground);
  border: 1px solid currentColor; vertical-align: middle; white-space: nowrap; }
.badge.bad { color: var(--bad); background: var(--bad-ground); }
.badge.warn { color: var(--warn); background: var(--warn-ground); }
.badge.good { color: var(--good); background: var(--good-ground); }
.answer p { max-width: 75ch; }
.answer.open h1 { font-size: 1.2rem; font-weight: 500; line-height: 1.45; }
h3 .badge { margin: 0 0 2px 6px; }
.doubt { border-left: 4px solid var(--warn); background: var(--warn-ground); padding: 8px 14px;
  margin: 0 0 10px; } .doubt.bad { border-color: var(--bad); background: var(--bad-ground); }
.doubt p:last-child { margin: 0; }
.scroll { overflow-x: auto; margin: 8px 0 12px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; font-weight: 400;
  border-bottom: 1px solid var(--line); overflow-wrap: break-word; min-width: 4.5em; }
thead th { color: var(--soft); font-size: .83rem; vertical-align: bottom; }
.number { text-align: right; white-space: nowrap; min-width: 0; } thead .number { white-space: normal; }
td:empty { min-width: 0; } .rule { min-width: 15em; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(230px, 1fr)); gap: 0 32px; }
.limits, .plain { list-style: none; padding: 0; } .limits li { margin: 4px 0; }
.finding { border: 1px solid var(--line); border-left: 4px solid var(--open); padding: 14px 18px;
  margin: 16px 0; } .finding.bad { border-left-color: var(--bad); }
.finding.warn { border-left-color: var(--warn); } .finding.good { border-left-color: var(--good); }
.finding h3 { margin-top: 0; } .sentence { font-weight: 500; }
.finding:target { outline: 2px solid var(--link); }
details { margin: 6px 0; } .evidence summary { font-size: .92rem; } .grade { font-weight: 600; }
.rule-of summary, .reading summary { color: var(--soft); font-size: .9rem; }
.rule-of p { margin: 6px 0 0; font-size: .92rem; }
svg { display: block; width: 100%; height: auto; min-width: 700px; max-width: 1000px;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
svg text { fill: var(--ink); font-size: 11.5px; }
svg .axis, svg .frame { fill: var(--soft); font-size: 11px; }
svg .tap, svg .panel { font-weight: 600; font-size: 12.5px; }
svg .transit { fill: var(--link); }
svg .rail { stroke: var(--soft); stroke-width: 1.5; } svg .grid { stroke: var(--line); }
svg .arrow { stroke: var(--soft); stroke-width: 1.2; fill: none; } svg .head { fill: var(--soft); }
svg .dot { fill: var(--soft); } svg .band { fill: var(--hot); }
svg .words { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
svg .note { fill: var(--warn); }
svg .hot .words { stroke: var(--hot); font-weight: 600; }
svg .lost .arrow, svg .cross { stroke: var(--bad); } svg .lost .head, svg .lost .note {
  fill: var(--bad); } svg .cross { stroke-width: 2.4; fill: none; }
svg .born .arrow { stroke: var(--bad); } svg .born .head, svg .born .note { fill: var(--bad); }
svg .ring { stroke: var(--bad); stroke-width: 2; fill: none; }
svg .untold .arrow { stroke-dasharray: 4 3; }
svg .bars { fill: var(--bars); } svg .mark { stroke: var(--ink); stroke-width: 1; }
svg .label { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; font-size: 11px; }
@media (max-width: 600px) { h1 { font-size: 1.15rem; } main { padding: 12px 12px 40px; } .answer { padding: 14px; }
  .finding { padding: 12px; } .making, .terms { grid-template-columns: 1fr; gap: 2px; }
  .making dd, .terms dd { margin-bottom: 10px; } th, td { padding-right: 8px; } }
@media print { body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
  details::details-content { display: block; content-visibility: visible; }
  .scroll { overflow: visible; } svg { min-width: 0; break-inside: avoid; }
  h2, h3, h4, summary { break-after: avoid; } tr, .doubt, .answer { break-inside: avoid; }
  a { text-decoration: none; } }
)";

}  // namespace

std::string_view firewall_html_style() {
    return kStyle;
}

}  // namespace tw::sinks
