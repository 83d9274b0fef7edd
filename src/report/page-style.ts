import { HOST_COLUMNS } from './page-app.ts'

const WIDTHS = HOST_COLUMNS.map(({ width }, at) => `.hosts th:nth-child(${at + 1}){width:${width}}`).join('')
const SMALL = HOST_COLUMNS.map(({ small }, at) =>
  small === undefined ? '' : `.hosts td:nth-child(${at + 1}):not(:empty)::before{content:"${small}"}`,
).join('')

/** The style of the status page. Its hash stands in the page's security policy. */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--bg:#faf9f6;--panel:#fff;--ink:#1d1c1a;--dim:#66625a;--line:#e5e1d8;--soft:#f3f0e9;
--ok:#1a6b45;--work:#855600;--bad:#b3261e;--quiet:#66625a;--link:#1f4f9e;--bad-bg:#fdf1ef;--work-bg:#fdf6e6;
--mono:ui-monospace,"SF Mono","Cascadia Code","JetBrains Mono",Menlo,Consolas,"Liberation Mono",monospace}
@media (prefers-color-scheme:dark){:root{--bg:#141517;--panel:#1b1d20;--ink:#e9e7e2;--dim:#a5a29a;--line:#303338;--soft:#222529;
--ok:#74c99a;--work:#e3b45a;--bad:#ff948a;--quiet:#a5a29a;--link:#9dbdff;--bad-bg:#2a1d1d;--work-bg:#28231a}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:72rem;padding:0 1.25rem 3rem;background:var(--bg);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
p,h1,h2,h3,dl,dd,ul,ol,pre{margin:0}
a{color:var(--link);text-underline-offset:.15em}
:focus-visible{outline:2px solid var(--link);outline-offset:2px;border-radius:3px}
#apps:focus{outline:none}
code,pre,.mono,.host{font-family:var(--mono);font-size:.87em}
pre code{font-size:1em}
.dim{color:var(--dim)}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--panel);padding:.3rem .6rem;z-index:1}
.top{display:flex;flex-wrap:wrap;gap:.2rem 1rem;align-items:baseline;padding:1rem 0 .8rem;border-bottom:1px solid var(--line)}
.brand a{color:inherit;font-weight:650;letter-spacing:-.01em;text-decoration:none}
.brand a:hover{text-decoration:underline}
.live{margin-left:auto;font-size:.87em}
.stale{flex-basis:100%;color:var(--bad);font-weight:600}
h1{font-size:1.6rem;line-height:1.25;font-weight:600;letter-spacing:-.02em;margin:1.5rem 0 1rem}
h1 .mark{font-size:.72em;vertical-align:.1em;margin-right:.1em}
h2{font-size:1.05rem;font-weight:600;letter-spacing:-.01em}
h3{font-size:1rem;font-weight:600}
.mark{display:inline-block;width:1.05em;text-align:center;font-family:system-ui,sans-serif}
.ok.mark{color:var(--ok)}.work.mark{color:var(--work)}.bad.mark{color:var(--bad)}.quiet.mark{color:var(--quiet)}
.figures{display:flex;flex-wrap:wrap;gap:.6rem 2.2rem;margin-bottom:1.4rem}
.figures div{display:flex;flex-direction:column-reverse;justify-content:flex-end}
.figures dd{font-size:1.3rem;line-height:1.3;font-weight:550;letter-spacing:-.01em}
.figures dd.words{font-size:1rem;line-height:1.69rem}
dt{color:var(--dim);font-size:.8rem}
.banner{border-left:3px solid var(--quiet);background:var(--soft);padding:.55rem .9rem;margin-bottom:.7rem;border-radius:0 4px 4px 0}
.banner.bad{border-color:var(--bad);background:var(--bad-bg)}
.banner.work{border-color:var(--work);background:var(--work-bg)}
.faults{padding:.3rem 0 .1rem 1.1rem}
.faults code{margin-right:.4rem}
.search{display:flex;flex-wrap:wrap;align-items:center;gap:.4rem .7rem;margin:1.3rem 0 .9rem}
.search label{font-size:.87rem;color:var(--dim)}
.search input[type=search]{flex:0 1 21rem;min-width:0;font:inherit;font-family:var(--mono);font-size:.87rem;padding:.35rem .6rem;color:var(--ink);background:var(--panel);border:1px solid var(--dim);border-radius:5px}
.search ::placeholder{color:var(--dim)}
button{font:inherit;font-size:.87rem;padding:.32rem .8rem;color:var(--ink);background:var(--soft);border:1px solid var(--line);border-radius:5px;cursor:pointer}
button:hover{border-color:var(--dim)}
.js .search button{display:none}
summary{cursor:pointer;list-style:none}
summary::-webkit-details-marker{display:none}
.app{background:var(--panel);border:1px solid var(--line);border-bottom-width:0}
#apps>.app:first-of-type{border-radius:7px 7px 0 0}
#apps>.app:last-of-type{border-bottom-width:1px;border-radius:0 0 7px 7px}
#apps>.app:only-of-type{border-radius:7px}
.app>summary{display:grid;grid-template-columns:7.7rem minmax(0,1fr) auto 9.5rem;gap:.1rem 1rem;align-items:baseline;padding:.62rem 1rem}
.app>summary:hover,.app[open]>summary{background:var(--soft)}
.app.bad>summary{box-shadow:inset 3px 0 var(--bad)}
.app.work>summary{box-shadow:inset 3px 0 var(--work)}
.verdict{font-weight:550;white-space:nowrap}
.bad>summary .verdict{color:var(--bad)}.work>summary .verdict{color:var(--work)}.ok>summary .verdict{color:var(--ok)}
.name strong{font-weight:600}
.why{display:block;font-size:.87rem;color:var(--dim);display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden}
.why b,.conditions b{font-weight:600;color:var(--ink)}
.count{text-align:right;white-space:nowrap}
.when{text-align:right;font-size:.87rem}
.body{padding:1rem 1rem 1.1rem;border-top:1px solid var(--line)}
.body>*+*{margin-top:1rem}
.facts{display:flex;flex-wrap:wrap;gap:.5rem 1.6rem}
.facts dd{font-weight:500}
.facts .mono{font-weight:400;line-height:1.72}
.facts b{color:var(--work);font-weight:550}
.conditions{list-style:none;padding:0;border-top:1px solid var(--line)}
.conditions li{display:grid;grid-template-columns:14.5rem minmax(0,1fr);gap:0 1rem;padding:.42rem 0;border-bottom:1px solid var(--line)}
.type{white-space:nowrap}
.status{color:var(--dim);font-size:.87rem}
.text .dim{font-size:.87rem}
.cure{display:block;color:var(--dim);font-size:.92rem}
.cure::before{content:"→ ";content:"→ " / ""}
.plan{border:1px solid var(--bad);background:var(--bad-bg);border-radius:6px;padding:.85rem 1rem}
.plan>*+*{margin-top:.5rem}
.plan .dim{font-size:.92rem}
.diff{max-height:19rem;overflow:auto;padding:.5rem .8rem;background:var(--panel);border:1px solid var(--line);border-radius:5px;line-height:1.55;white-space:pre-wrap}
.diff span{display:block}
.plus{color:var(--ok)}.minus{color:var(--bad)}.same{color:var(--dim)}
.command{display:flex;gap:.5rem;align-items:stretch;flex-wrap:wrap}
.command pre{flex:0 1 auto;min-width:0;padding:.42rem .8rem;background:var(--panel);border:1px solid var(--line);border-radius:5px;white-space:pre-wrap}
.hosts>summary,.mappings>summary{padding:.15rem 0;font-weight:550}
.hosts>summary .dim{font-weight:400;font-size:.87rem;margin-left:.3rem}
.hosts>summary::before,.mappings>summary::before,.banner>summary::before{content:"▸";content:"▸" / "";display:inline-block;width:1.1em;color:var(--dim)}
.hosts[open]>summary::before,.mappings[open]>summary::before,.banner[open]>summary::before{content:"▾";content:"▾" / ""}
.mappings{margin-top:2rem}
.mappings h2{display:inline}
.app[open]>summary .why{display:none}
table{table-layout:fixed;width:100%;border-collapse:collapse;margin-top:.4rem;font-size:.93rem}
th{text-align:left;font-weight:400;font-size:.8rem;color:var(--dim);padding:.25rem 1rem .25rem 0;border-bottom:1px solid var(--line)}
td{padding:.32rem 1rem .32rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td.state{white-space:nowrap}
${WIDTHS}
.mappings th:nth-child(1){width:22%}.mappings th:nth-child(2){width:12.2rem}.mappings th:nth-child(3){width:23%}
td.host{font-size:.87rem;line-height:1.6}
.note{display:block;font:.87rem/1.45 system-ui,sans-serif;color:var(--dim)}
.more{margin-top:.5rem;font-size:.93rem}
.empty{background:var(--panel);border:1px solid var(--line);border-radius:7px;padding:1.2rem 1.4rem}
.empty ol{margin:.9rem 0 0;padding-left:1.2rem}
.empty li{margin-bottom:.9rem}
.empty pre{margin-top:.35rem;padding:.5rem .8rem;background:var(--soft);border-radius:5px;white-space:pre-wrap}
footer{margin-top:2.4rem;padding-top:.8rem;border-top:1px solid var(--line);font-size:.87rem}
@media (max-width:46rem){
body{padding:0 .8rem 2rem}
h1{font-size:1.35rem;margin:1.1rem 0 .8rem}
.figures{gap:.5rem 1.5rem}
.search label{flex-basis:100%}
.search input[type=search]{flex:1 1 10rem;font-size:16px}
.app>summary{grid-template-columns:minmax(0,1fr) auto;padding:.65rem .8rem}
.name{grid-column:1/-1;grid-row:2}
.verdict{grid-row:1}
.when{grid-column:1/-1;grid-row:3;text-align:left}
.body{padding:.8rem}
.conditions li{grid-template-columns:minmax(0,1fr)}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table,tbody{display:block}
tr{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:0 .8rem;padding:.4rem 0;border-bottom:1px solid var(--line)}
td{display:block;padding:0;border:0}
td:nth-child(n+3){grid-column:1/-1;font-size:.84rem}
${SMALL}
td:empty{display:none}
td.state .dim{display:none}
}
@media (prefers-reduced-motion:no-preference){.fresh::before{content:"";display:inline-block;width:.5em;height:.5em;margin-right:.45em;border-radius:50%;background:var(--ok);vertical-align:.08em}
.js .fresh::before{animation:pulse 2s ease-in-out infinite}
@keyframes pulse{50%{opacity:.35}}}
.old .fresh::before{background:var(--bad);animation:none}
@media print{.search,footer,.command button{display:none}}
`
