/** How a report looks: light and dark, on a desk and on a phone, without a script. */
export const REPORT_CSS = `:root{--page:#f6f7f8;--card:#fff;--ink:#15202b;--soft:#5b6b78;--line:#dfe4e8;--good:#0b7a4b;--good-wash:#e7f6ee;--bad:#b3261e;--bad-wash:#fdecea;--chat:#efeae2}
@media (prefers-color-scheme:dark){:root{--page:#0e1418;--card:#172027;--ink:#e6edf3;--soft:#9fb0bd;--line:#2a3741;--good:#5fd19a;--good-wash:#12291f;--bad:#ff9a90;--bad-wash:#33191a;--chat:#0b141a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
.top{padding:24px max(24px,calc(50vw - 620px));background:var(--card);border-bottom:1px solid var(--line);border-top:6px solid var(--good)}
.top.bad{border-top-color:var(--bad)}
.verdict{margin:0;font-weight:700;color:var(--good)}
.bad .verdict{color:var(--bad)}
h1{margin:4px 0;font-size:22px;overflow-wrap:anywhere}
.subtitle{margin:0;color:var(--soft)}
dl{display:flex;flex-wrap:wrap;gap:12px 32px;margin:16px 0 0}
dt{color:var(--soft);font-size:13px}
dd{margin:0;font-size:20px;font-weight:600;font-variant-numeric:tabular-nums}
main{padding:8px max(24px,calc(50vw - 620px)) 48px}
h2{font-size:17px;margin:28px 0 10px;overflow-wrap:anywhere}
h2 small{color:var(--soft);font-weight:400}
.badge{font-size:12px;font-weight:600;padding:2px 8px;border-radius:99px;background:var(--good-wash);color:var(--good)}
.badge.bad{background:var(--bad-wash);color:var(--bad)}
.table{border:1px solid var(--line);border-radius:10px;overflow:hidden;background:var(--card)}
.row{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));border-top:1px solid var(--line)}
.row:first-child{border-top:0}
.row.head{font-size:13px;color:var(--soft);font-weight:600}
.row>div{padding:10px 12px;min-width:0}
.row>div+div{border-left:1px solid var(--line)}
.row.changed,.row.missing,.row.extra{background:var(--bad-wash);box-shadow:inset 4px 0 var(--bad);scroll-margin-top:8px}
.row:target{outline:2px solid var(--bad);outline-offset:-2px}
.row>.what{grid-column:1/-1;padding:10px 12px 10px 16px;border-bottom:1px solid var(--line)}
.row>.what+div{border-left:0}
.wa-chat{border-radius:8px;background-color:var(--chat)}
.fixture{margin:0 0 6px;font:12px ui-monospace,monospace;color:var(--soft);overflow-wrap:anywhere}
.mark{margin:6px 0 0;font-size:13px;color:var(--soft)}
.what .mark{margin:0;font-size:15px;color:var(--bad);font-weight:700}
.nothing{margin:0;color:var(--soft);font-style:italic}
.changes{list-style:none;margin:8px 0 0;padding:0;display:grid;gap:8px}
.changes li{display:grid;grid-template-columns:1fr 1fr;gap:4px 12px}
.changes code{grid-column:1/-1}
.index{margin:20px 0 0;padding:12px 16px;border:1px solid var(--line);border-radius:10px}
.index ol{margin:6px 0 0;padding-left:22px}
.index a{color:inherit}
.filter{display:inline-flex;gap:8px;align-items:center;margin-top:16px;cursor:pointer}
.filter input{width:18px;height:18px;accent-color:var(--bad)}
body:has(#only:checked) :is(.conversation:not(.different),.row.same,.row.unpromised,.row.quiet){display:none}
code{font:12px ui-monospace,monospace;overflow-wrap:anywhere}
pre{margin:0;padding:4px 8px;border-radius:6px;font:13px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border:1px solid var(--line)}
pre.was::before{content:"− ";color:var(--bad)}
pre.is::before{content:"+ ";color:var(--good)}
mark{background:var(--bad-wash);color:var(--bad);border-radius:3px;outline:1px solid var(--bad)}
.is mark{background:var(--good-wash);color:var(--good);outline-color:var(--good)}
.refused{margin-top:24px;padding:4px 16px;border:1px solid var(--bad);border-radius:10px;background:var(--bad-wash)}
@media (max-width:760px){.row{grid-template-columns:1fr}.row.head{display:none}.row>div+div{border-left:0;border-top:1px dashed var(--line)}.changes li{grid-template-columns:1fr}.row>div[data-of]:not(:empty)::before{content:attr(data-of);display:block;margin-bottom:6px;font-size:13px;font-weight:600;color:var(--soft)}}`;
