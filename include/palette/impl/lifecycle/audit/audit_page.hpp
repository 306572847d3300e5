// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <string_view>

// The style and the script of the page that a report is shown as. The page names their digests, so that
// nothing else in it can act.
namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

inline constexpr std::string_view page_style = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --text: #1c2330; --quiet: #5b6577; --line: #dfe3ea; --row: #f9fafc;
  --error: #b3261e; --error-back: #fdecea; --warning: #8a5a00; --warning-back: #fff3d9;
  --note: #1d5fa8; --note-back: #e8f1fc; --good: #1f6b3a; --good-back: #e5f5ea;
  --bar: #7f9cc4; --soon: #d9961a; --now: #c4362d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161d; --card: #1a2029; --text: #e4e8ef; --quiet: #98a3b5; --line: #2d3644; --row: #1f2631;
    --error: #ff9d94; --error-back: #46211f; --warning: #f3c266; --warning-back: #40300f;
    --note: #8dbcf5; --note-back: #1b3350; --good: #8bd5a2; --good-back: #17361f;
    --bar: #5e7fae; --soon: #e0a93f; --now: #f0776c;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 36px 0 12px; } h2 + p { margin: -8px 0 12px; }
.quiet { color: var(--quiet); }
.mono { font-family: ui-monospace, monospace; font-size: 12.5px; overflow-wrap: anywhere; }
.state { border-radius: 10px; padding: 12px 16px; margin: 20px 0; }
.state ul { margin: 6px 0 0; padding-left: 20px; }
.complete { background: var(--good-back); color: var(--good); }
.incomplete { background: var(--warning-back); color: var(--warning); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(135px, 1fr)); gap: 12px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 16px; }
.card b { display: block; font-size: 27px; line-height: 1.2; font-variant-numeric: tabular-nums; }
.card.error b { color: var(--error); } .card.warning b { color: var(--warning); }
.card.note b { color: var(--note); }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; }
.panel + .cards { margin-top: 12px; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif; }
svg line { stroke: var(--line); }
svg rect { fill: var(--bar); } svg .soon { fill: var(--soon); } svg .now { fill: var(--now); }
.controls { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; margin: 0 0 12px; }
.controls[hidden] { display: none; }
input, select { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: 8px; padding: 7px 10px; }
input { flex: 1 1 240px; min-width: 0; }
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 9px 12px; border-bottom: 1px solid var(--line); }
tbody tr:last-child td { border-bottom: 0; }
tbody tr:nth-child(even) { background: var(--row); }
thead th { font-size: 13px; color: var(--quiet); white-space: nowrap; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th button::after { content: " \2195"; opacity: .45; }
th[aria-sort=ascending] button::after { content: " \2191"; opacity: 1; }
th[aria-sort=descending] button::after { content: " \2193"; opacity: 1; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.when { white-space: nowrap; }
.what { min-width: 270px; overflow-wrap: anywhere; } .what p { margin: 0 0 4px; }
.name { font-weight: 600; overflow-wrap: anywhere; }
td.key { min-width: 212px; } td.owner { min-width: 150px; overflow-wrap: anywhere; }
td.rule { white-space: nowrap; }
.tag { display: inline-block; border-radius: 999px; padding: 1px 9px; font-size: 12.5px; font-weight: 600;
  white-space: nowrap; }
.tag.error { background: var(--error-back); color: var(--error); }
.tag.warning { background: var(--warning-back); color: var(--warning); }
.tag.note { background: var(--note-back); color: var(--note); }
details { margin-top: 24px; } summary { cursor: pointer; color: var(--quiet); }
details table { width: auto; margin-top: 8px; } details th { color: var(--quiet); font-weight: 500; }
@media print {
  :root { --page: #fff; --card: #fff; --text: #000; --quiet: #444; --line: #bbb; --row: #fff; }
  body { font-size: 10.5px; } main { max-width: none; padding: 0; } .controls { display: none; }
  .table { overflow: visible; border: 0; } thead { display: table-header-group; }
  tr, .panel, .card { break-inside: avoid; } th button::after { content: ""; }
  .tag, .state { border: 1px solid currentColor; }
}
)css";

inline constexpr std::string_view page_script = R"js(
'use strict';
(() => {
  const table = document.getElementById('findings');
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const controls = document.getElementById('controls');
  const [text, severity, rule] = ['text', 'severity', 'rule'].map((id) => document.getElementById(id));
  const shown = document.getElementById('shown');

  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    let number = 0;
    for (const row of rows) {
      row.hidden = (severity.value && row.dataset.severity !== severity.value) ||
        (rule.value && row.dataset.rule !== rule.value) ||
        (wanted && !row.textContent.toLowerCase().includes(wanted)) ? true : false;
      if (!row.hidden) number += 1;
    }
    shown.textContent = number + ' of ' + rows.length;
  };
  for (const control of [text, severity, rule]) control.addEventListener('input', filter);

  const headers = Array.from(table.tHead.rows[0].cells);
  const value = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.order === undefined ? cell.textContent.trim().toLowerCase() : cell.dataset.order;
  };
  headers.forEach((header, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = header.textContent;
    header.replaceChildren(button);
    button.addEventListener('click', () => {
      const down = header.getAttribute('aria-sort') === 'ascending';
      for (const other of headers) other.removeAttribute('aria-sort');
      header.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
      rows.sort((a, b) => order(value(a, column), value(b, column)));
      body.replaceChildren(...rows);
    });
  });
  controls.hidden = false;
  filter();
})();
)js";

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
